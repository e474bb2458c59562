package check

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"slipway/events"
)

// Finding is what asking a check brought.
type Finding struct {
	Verdict   string // pass, fail or inconclusive
	Value     string // what was measured, as far as something was
	Threshold string // what it was held against
	Message   string // why, in words
}

// Sample is one value of a query.
type Sample struct {
	Series string // what it is of, as Prometheus writes it; may be empty
	Value  float64
}

// Judge says what the values of a Prometheus query mean. No value at all, and NaN, mean what the check says of them. Of several
// values the worst counts: one that fails, then one that is neither.
func Judge(c events.Check, samples []Sample) Finding {
	if len(samples) == 0 {
		return Finding{Verdict: or(c.OnEmpty, events.VerdictInconclusive), Threshold: trimmed(c.PassWhen), Message: "the query has no value"}
	}
	worst := judge(c, samples[0].Value)
	at, like := 0, 1
	for i, s := range samples[1:] {
		next := judge(c, s.Value)
		switch {
		case rank(next.Verdict) > rank(worst.Verdict):
			worst, at, like = next, i+1, 1
		case next.Verdict == worst.Verdict:
			like++
		}
	}
	if len(samples) > 1 {
		worst.Message += fmt.Sprintf(" (%d of %d values, the first of %s)", like, len(samples), or(samples[at].Series, "{}"))
	}
	return worst
}

func judge(c events.Check, value float64) Finding {
	shown, pass, fail := strconv.FormatFloat(value, 'g', 6, 64), trimmed(c.PassWhen), trimmed(c.FailWhen)
	switch {
	case math.IsNaN(value):
		return Finding{or(c.OnNaN, events.VerdictInconclusive), shown, pass, "the value is NaN"}
	case holds(pass, value):
		return Finding{events.VerdictPass, shown, pass, fmt.Sprintf("%s is %s", shown, pass)}
	case fail == "":
		return Finding{events.VerdictFail, shown, pass, fmt.Sprintf("%s is not %s", shown, pass)}
	case holds(fail, value):
		return Finding{events.VerdictFail, shown, fail, fmt.Sprintf("%s is %s", shown, fail)}
	}
	return Finding{events.VerdictInconclusive, shown, pass, fmt.Sprintf("%s is neither %s nor %s", shown, pass, fail)}
}

// healthyStatus is what the status of a probe's answer is held against.
const healthyStatus = "2xx"

// JudgeStatus says what the status of an answer to an HTTP probe means: from 200 to 299 it passes, else it fails.
func JudgeStatus(status int) Finding {
	f := Finding{events.VerdictPass, strconv.Itoa(status), healthyStatus, fmt.Sprintf("it answers %d", status)}
	if status < 200 || status > 299 {
		f.Verdict = events.VerdictFail
	}
	return f
}

// NotAsked is the finding where nobody could be asked: that says nothing about the version.
func NotAsked(why string) Finding {
	return Finding{Verdict: events.VerdictInconclusive, Message: why}
}

// NoAnswer is the finding of an HTTP probe where what is probed is there and does not answer as it should.
func NoAnswer(why string) Finding {
	return Finding{Verdict: events.VerdictFail, Threshold: healthyStatus, Message: why}
}

// rank orders verdicts from good to bad.
func rank(verdict string) int {
	switch verdict {
	case events.VerdictPass:
		return 0
	case events.VerdictInconclusive:
		return 1
	}
	return 2
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

// Holds says whether a value meets the condition. NaN meets none but !=.
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

// holds is Holds of a condition in words; one that cannot be read holds for nothing.
func holds(condition string, value float64) bool {
	c, err := Parse(condition)
	return err == nil && c.Holds(value)
}

func trimmed(condition string) string { return strings.TrimSpace(condition) }
