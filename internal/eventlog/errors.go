package eventlog

import (
	"cmp"
	"fmt"
	"slices"
)

// unavailable says that op got no answer because of err; nil where err is nil.
func unavailable(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", op, ErrUnavailable, err)
}

func sortHeads(heads []Head) {
	slices.SortFunc(heads, func(a, b Head) int { return cmp.Compare(a.Sequence, b.Sequence) })
}
