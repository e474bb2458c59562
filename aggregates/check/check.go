// Package check is the rules of health checks: what a check may look like, and what a measured value means. Asking is done
// elsewhere.
package check

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
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

var urlForm = regexp.MustCompile(`^https?://[^\s/?#@]+([/?#]\S*)?$`) // without a password: history shows it to readers

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
		return "url must be an http or https URL"
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
	if c.Query == "" || len(c.Query) > maxQuery {
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

// Condition is a comparison with a number, such as "<= 0.01".
type Condition struct {
	Op        string
	Threshold float64
}

var conditionForm = regexp.MustCompile(`^\s*(<=|>=|<|>|==|!=)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*$`)

// Parse reads a condition.
func Parse(text string) (Condition, error) {
	m := conditionForm.FindStringSubmatch(text)
	if m == nil {
		return Condition{}, fmt.Errorf(`must be a comparison like "<= 0.01", with <, <=, >, >=, == or !=`)
	}
	threshold, err := strconv.ParseFloat(m[2], 64)
	if err != nil || math.IsInf(threshold, 0) {
		return Condition{}, fmt.Errorf("must compare with a number, not %q", m[2])
	}
	return Condition{Op: m[1], Threshold: threshold}, nil
}

// Holds says whether a value meets the condition.
func (c Condition) Holds(value float64) bool {
	switch c.Op {
	case "<":
		return value < c.Threshold
	case "<=":
		return value <= c.Threshold
	case ">":
		return value > c.Threshold
	case ">=":
		return value >= c.Threshold
	case "==":
		return value == c.Threshold
	}
	return value != c.Threshold
}

// Judge says what the values of a Prometheus query mean: none and NaN what the check says of them; of several the worst
// counts. What neither passes nor fails is inconclusive. why is in words.
func Judge(c events.Check, values []float64) (verdict, why string) {
	if len(values) == 0 {
		return or(c.OnEmpty, events.VerdictInconclusive), "the query has no value"
	}
	verdict = events.VerdictPass
	for _, v := range values {
		next, text := judge(c, v)
		if rank(next) > rank(verdict) || why == "" {
			verdict, why = next, text
		}
	}
	return verdict, why
}

func judge(c events.Check, value float64) (verdict, why string) {
	shown := strconv.FormatFloat(value, 'g', 6, 64)
	if math.IsNaN(value) {
		return or(c.OnNaN, events.VerdictInconclusive), "the value is NaN"
	}
	pass, _ := Parse(c.PassWhen)
	if pass.Holds(value) {
		return events.VerdictPass, fmt.Sprintf("%s is %s", shown, strings.TrimSpace(c.PassWhen))
	}
	if c.FailWhen == "" {
		return events.VerdictFail, fmt.Sprintf("%s is not %s", shown, strings.TrimSpace(c.PassWhen))
	}
	if fail, _ := Parse(c.FailWhen); fail.Holds(value) {
		return events.VerdictFail, fmt.Sprintf("%s is %s", shown, strings.TrimSpace(c.FailWhen))
	}
	return events.VerdictInconclusive, fmt.Sprintf("%s is neither %s nor %s", shown, strings.TrimSpace(c.PassWhen), strings.TrimSpace(c.FailWhen))
}

func rank(verdict string) int {
	switch verdict {
	case events.VerdictPass:
		return 0
	case events.VerdictInconclusive:
		return 1
	}
	return 2
}
