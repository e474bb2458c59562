// Package check is the rules of health checks: what a check may look like, and what a measured value means. Asking is done
// by internal/checks.
//
// What it guarantees:
//
//  1. A check that [Validate] lets through can be asked and judged: its conditions parse, its times fit.
//  2. Every answer has a verdict: pass, fail, or inconclusive for what is neither. An absent value and NaN are what the check
//     says of them, inconclusive unless it says so; never a fault.
//  3. Of several values the worst counts.
package check

import (
	"fmt"
	"regexp"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// Bounds of a check, and what it has unless it says otherwise.
const (
	MaxChecks       = 20
	maxQuery        = 4096 // bytes
	maxURL          = 2048 // bytes
	maxName         = 63
	MaxInterval     = 3600 // seconds from one question to the next
	defaultInterval = 10   // seconds
	defaultTimeout  = 5    // seconds
)

// urlForm takes no password: history shows the URL to readers.
var urlForm = regexp.MustCompile(`^https?://(\[[0-9A-Fa-f:.]+\]|[^\s[:cntrl:]/?#@:\[\]]+)(:[0-9]{1,5})?([/?#][^\s[:cntrl:]]*)?$`)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Complete gives a check what it leaves out.
func Complete(c events.Check) events.Check {
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Timeout == 0 {
		c.Timeout = min(defaultTimeout, c.Interval)
	}
	if c.Kind == events.CheckPrometheus {
		c.OnEmpty = or(c.OnEmpty, events.VerdictInconclusive)
		c.OnNaN = or(c.OnNaN, events.VerdictInconclusive)
	}
	return c
}

func or(verdict, otherwise string) string {
	if verdict == "" {
		return otherwise
	}
	return verdict
}

// Validate refuses checks that cannot be made, all of a deployment together.
func Validate(checks []events.Check) error {
	if len(checks) > MaxChecks {
		return aggregates.Reject("Options checks must be at most %d", MaxChecks)
	}
	known := map[string]bool{}
	for _, c := range checks {
		if !nameForm.MatchString(c.Name) || len(c.Name) > maxName {
			return aggregates.Reject("Options checks name must be 1 to %d letters, digits, '_', '.' or '-'", maxName)
		}
		if known[c.Name] {
			return aggregates.Reject("Options checks name '%s' is there twice", c.Name)
		}
		known[c.Name] = true
		if text := fault(c); text != "" {
			return aggregates.Reject("Options check '%s' %s", c.Name, text)
		}
	}
	return nil
}

// fault says what is wrong with a check, or nothing.
func fault(c events.Check) string {
	if !urlForm.MatchString(c.URL) || len(c.URL) > maxURL {
		return "url must be an http or https URL without a user"
	}
	switch {
	case c.Interval < 1 || c.Interval > MaxInterval:
		return fmt.Sprintf("interval_in_seconds must be between 1 and %d", MaxInterval)
	case c.Timeout < 1 || c.Timeout > c.Interval:
		return "timeout_in_seconds must be between 1 and the interval"
	case c.FailureLimit < 0:
		return "failure_limit must be greater than or equal to 0"
	}
	switch c.Kind {
	case events.CheckPrometheus:
		return prometheusFault(c)
	case events.CheckHTTP:
		if c.Query != "" || c.PassWhen != "" || c.FailWhen != "" || c.OnEmpty != "" || c.OnNaN != "" {
			return "of type http takes no query, pass_when, fail_when, on_empty and on_nan"
		}
		return ""
	}
	return "type must be 'prometheus' or 'http'"
}

func prometheusFault(c events.Check) string {
	if strings.TrimSpace(c.Query) == "" || len(c.Query) > maxQuery {
		return fmt.Sprintf("query must have 1 to %d characters", maxQuery)
	}
	if _, err := Parse(c.PassWhen); err != nil {
		return "pass_when " + err.Error()
	}
	if _, err := Parse(c.FailWhen); c.FailWhen != "" && err != nil {
		return "fail_when " + err.Error()
	}
	for _, verdict := range []string{c.OnEmpty, c.OnNaN} {
		switch verdict {
		case events.VerdictPass, events.VerdictFail, events.VerdictInconclusive:
		default:
			return "on_empty and on_nan must be 'pass', 'fail' or 'inconclusive'"
		}
	}
	return ""
}
