package aggregates

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckText refuses what people write in so many words (a name, a reason) where it is too short, too long (in bytes), or nothing that
// everybody can read: control characters would change what a terminal shows of the rest. Lines and tabs are fine. field is what it is
// called at the beginning of a sentence.
func CheckText(field, text string, least, most int) error {
	switch {
	case len(strings.TrimSpace(text)) < least || least > 0 && len(text) > most:
		return Reject("%s must have %d to %d characters", field, least, most)
	case len(text) > most:
		return Reject("%s must have at most %d characters", field, most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unreadable):
		return Reject("%s must not contain control characters or invalid UTF-8", field)
	}
	return nil
}

func unreadable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
