package aggregates_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
)

func TestCheckText(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		least  int
		refuse string
	}{
		"fine":               {"incident 42\n\tsee the page: Grüße", 1, ""},
		"nothing":            {"", 1, "Reason must have 1 to 40 characters"},
		"blanks":             {" \n", 1, "Reason must have 1 to 40 characters"},
		"nothing, as it may": {"", 0, ""},
		"too long":           {strings.Repeat("x", 41), 1, "Reason must have 1 to 40 characters"},
		"too long, or not":   {strings.Repeat("x", 41), 0, "Reason must have at most 40 characters"},
		"longest":            {strings.Repeat("x", 40), 1, ""},
		"zero":               {"a\x00b", 1, "Reason must not contain control characters or invalid UTF-8"},
		"escape":             {"a\x1b[2Jb", 0, "Reason must not contain control characters or invalid UTF-8"},
		"C1":                 {"a\u009bb", 0, "Reason must not contain control characters or invalid UTF-8"},
		"no UTF-8":           {"a\xffb", 0, "Reason must not contain control characters or invalid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			err := aggregates.CheckText("Reason", c.text, c.least, 40)
			if c.refuse == "" {
				is.NoErr(err)
				return
			}
			is.True(err != nil)
			is.Equal(err.Error(), c.refuse)
		})
	}
}
