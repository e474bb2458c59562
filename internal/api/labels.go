package api

import (
	"regexp"
	"strconv"
	"strings"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/projections"
)

// maxRequirements bounds a label selector (Cloud Foundry's limit).
const maxRequirements = 50

// The forms of one requirement: key, !key, key=v, key==v, key!=v, key in (v1,v2), key notin (v1,v2).
var (
	requireKey   = regexp.MustCompile(`^(!?)\s*([^\s!=(),]+)$`)
	requireEqual = regexp.MustCompile(`^([^\s!=(),]+)\s*(==?|!=)\s*([^\s!=(),]*)$`)
	requireSet   = regexp.MustCompile(`^([^\s!=(),]+)\s+(in|notin)\s*\(([^!=()]*)\)$`)
)

// labels reads the label selector.
func (q *query) labels() []projections.LabelRequirement {
	text, ok := q.given["label_selector"]
	if !ok {
		return nil
	}
	if strings.TrimSpace(text) == "" {
		q.fault("Missing label_selector value")
		return nil
	}
	parts := splitSelector(text)
	if len(parts) > maxRequirements {
		q.fault("Too many label_selector requirements (maximum is " + strconv.Itoa(maxRequirements) + ")")
		return nil
	}
	requirements := make([]projections.LabelRequirement, len(parts))
	values := 0
	for i, part := range parts {
		r, ok := requirement(strings.TrimSpace(part))
		values += len(r.Values)
		if !ok || values > maxValues {
			q.fault("Invalid label_selector value")
			return nil
		}
		requirements[i] = r
	}
	return requirements
}

// splitSelector cuts at the commas that stand outside parentheses.
func splitSelector(text string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, text[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, text[from:])
}

// requirement reads one requirement. ok is false where it is none, or names what cannot be a label.
func requirement(text string) (r projections.LabelRequirement, ok bool) {
	if m := requireKey.FindStringSubmatch(text); m != nil {
		r = projections.LabelRequirement{Key: m[2], Operator: projections.LabelExists}
		if m[1] == "!" {
			r.Operator = projections.LabelAbsent
		}
	} else if m := requireEqual.FindStringSubmatch(text); m != nil {
		r = projections.LabelRequirement{Key: m[1], Operator: projections.LabelIn, Values: []string{m[3]}}
		if m[2] == "!=" {
			r.Operator = projections.LabelNotIn
		}
	} else if m := requireSet.FindStringSubmatch(text); m != nil {
		r = projections.LabelRequirement{Key: m[1], Operator: projections.LabelIn}
		if m[2] == "notin" {
			r.Operator = projections.LabelNotIn
		}
		for value := range strings.SplitSeq(m[3], ",") {
			r.Values = append(r.Values, strings.TrimSpace(value))
		}
	}
	return r, r.Key != "" && canBeLabel(r)
}

// canBeLabel asks the rule book whether such a label can exist.
func canBeLabel(r projections.LabelRequirement) bool {
	for _, value := range append([]string{""}, r.Values...) {
		if app.CheckMetadata(events.Metadata{Labels: map[string]string{r.Key: value}}) != nil {
			return false
		}
	}
	return true
}
