package eventlog

import (
	"fmt"
	"strings"

	"slipway/events"
)

// filters gives what q selects by, never empty, and refuses what the server would refuse: filters that overlap. A message
// that two filters match would otherwise count once here and twice there.
func (q Query) filters() ([]string, error) { return checkFilters(q.Filters) }

func checkFilters(filters []string) ([]string, error) {
	if len(filters) == 0 {
		return []string{events.AllSubjects}, nil
	}
	for i, a := range filters {
		if !validFilter(a) {
			return nil, fmt.Errorf("subject filter %q is none", a)
		}
		for _, b := range filters[:i] {
			if overlap(strings.Split(a, "."), strings.Split(b, ".")) {
				return nil, fmt.Errorf("subject filters %q and %q overlap", a, b)
			}
		}
	}
	return filters, nil
}

func validFilter(filter string) bool {
	tokens := strings.Split(filter, ".")
	for i, t := range tokens {
		if t == "" || strings.ContainsAny(t, " \t\r\n") || t == ">" && i < len(tokens)-1 {
			return false
		}
	}
	return true
}

// literal says whether a filter matches exactly one subject.
func literal(filter string) bool { return !strings.ContainsAny(filter, "*>") }

// overlap says whether some subject matches both filters, given as tokens.
func overlap(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] == ">" || b[i] == ">" {
			return true
		}
		if a[i] != b[i] && a[i] != "*" && b[i] != "*" {
			return false
		}
	}
	return len(a) == len(b)
}

// matchesAny says whether a subject matches one of the filters, by NATS's rules.
func matchesAny(filters []string, s events.Subject) bool {
	tokens := strings.Split(string(s), ".")
	for _, f := range filters {
		if overlap(strings.Split(f, "."), tokens) {
			return true
		}
	}
	return false
}
