package projections

import (
	"context"
	"strings"
)

// Operator of a label requirement.
type Operator string

// The operators of Cloud Foundry's label_selector. NotIn also fits resources without the label.
const (
	LabelExists Operator = "exists" // key
	LabelAbsent Operator = "absent" // !key
	LabelIn     Operator = "in"     // key=v, key==v, key in (v1,v2)
	LabelNotIn  Operator = "not in" // key!=v, key notin (v1,v2)
)

// LabelRequirement is one condition on a resource's labels. All requirements of a filter must hold.
type LabelRequirement struct {
	Key      string
	Operator Operator
	Values   []string
}

// replaceLabels writes the labels by which a resource is found.
func replaceLabels(ctx context.Context, tx writing, resource string, guid any, labels labelsOf) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM labels WHERE resource = ? AND guid = ?", resource, guid); err != nil {
		return err
	}
	for label, value := range labels {
		const insert = "INSERT INTO labels (resource, guid, label, value) VALUES (?, ?, ?, ?)"
		if _, err := tx.ExecContext(ctx, insert, resource, guid, label, value); err != nil {
			return err
		}
	}
	return nil
}

// labels adds the requirements on the labels of a resource.
func (w *where) labels(resource string, requirements []LabelRequirement) {
	for _, r := range requirements {
		sub := "SELECT guid FROM labels WHERE resource = ? AND label = ?"
		args := []any{resource, r.Key}
		if r.Operator == LabelIn || r.Operator == LabelNotIn {
			sub += " AND value IN (" + marks(len(r.Values)) + ")"
			for _, v := range r.Values {
				args = append(args, v)
			}
		}
		in := "guid IN ("
		if r.Operator == LabelAbsent || r.Operator == LabelNotIn {
			in = "guid NOT IN ("
		}
		w.add(in+sub+")", args...)
	}
}

// marks is n placeholders; none gives a list that nothing is in.
func marks(n int) string {
	if n == 0 {
		return "NULL"
	}
	return strings.Repeat("?, ", n-1) + "?"
}
