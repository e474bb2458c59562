package doors

import (
	"strings"
	"unicode/utf8"
)

// maxText bounds a reason in a header or in history, in bytes: the names a request may hold are as long as its body.
const maxText = 1024

// line makes any text one line of valid UTF-8 of at most maxText bytes: fit for a header, and for history.
func line(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
