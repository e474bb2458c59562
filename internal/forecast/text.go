// Package forecast writes what is foreseen of a rollout for people: tables, and a picture of what serves over time.
package forecast

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/aggregates/simulate"
	"slipway/events"
	"slipway/internal/resource"
)

// Write writes a forecast: what comes of it, its steps, what a failure in each would do, and the picture, with at most so many
// rows; 0 shows all.
func Write(w io.Writer, f resource.Forecast, rows int) error {
	p := &printer{w: w}
	p.printf("%s: %s, %d to %d instances, max_in_flight %d\n\n", f.App.Name, f.Strategy, f.Original, f.Target, f.Options.MaxInFlight)
	p.summary(f)
	if f.App.Started {
		p.steps(f.Steps)
		p.failures(f.Steps)
	}
	p.printf("\n")
	if p.err != nil {
		return fmt.Errorf("write forecast: %w", p.err)
	}
	return Picture(w, f, rows)
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// table writes rows of cells in columns.
func (p *printer) table(rows [][]string) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, "  "+strings.Join(row, "\t"))
	}
	p.err = t.Flush()
}

func (p *printer) summary(f resource.Forecast) {
	var rows [][]string
	for _, v := range f.Policies {
		if v.Outcome != events.OutcomeAllow {
			rows = append(rows, []string{"before it begins", policy(v)})
		}
	}
	rows = append(rows, []string{"outcome", Outcome(f.Outcome, f.WaitsFor, f.Finished)})
	if f.App.Started {
		rows = append(rows, []string{"lowest capacity", fmt.Sprintf("%s at %s; the floor is %d", level(f.Lowest), at(&f.Lowest.After), f.Floor)})
	} else {
		rows = append(rows, []string{"serves", "after " + at(f.ServesAlone) + ": the app is stopped, so it is simply started"})
	}
	rows = append(rows,
		[]string{"at most", fmt.Sprintf("%d instances, %d MB, at %s: what the quotas must have room for", f.Peak.Instances, f.Peak.MemoryMB, at(&f.Peak.After))},
		[]string{"assumed", assumed(f)})
	p.table(rows)
}

// policy is what a policy says, in words.
func policy(v events.PolicyVerdict) string {
	text := "policy " + v.Name
	switch v.Outcome {
	case events.OutcomeDeny:
		text += " denies it"
	case events.OutcomeHold:
		text += " holds it until " + v.Until.UTC().Format(time.RFC3339)
	default:
		text += fmt.Sprintf(" wants %d to agree, of %s", v.Needed, strings.Join(v.Approvers, ", "))
	}
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

// Outcome is how a rollout ends, or what it waits for.
func Outcome(outcome, waits string, finished *resource.Seconds) string {
	if finished == nil {
		return outcome + " for " + waits
	}
	return outcome + " after " + at(finished)
}

func assumed(f resource.Forecast) string {
	a := f.Assumed
	var texts []string
	if a.StartTime != nil {
		text := "an instance takes " + seconds(*a.StartTime)
		if a.Spread > 0 {
			text += " to " + seconds(*a.StartTime+a.Spread) + fmt.Sprintf(" (seed %d)", a.Seed)
		}
		texts = append(texts, text+" to start")
	}
	switch pauses := slices.ContainsFunc(f.Steps, func(s resource.ForecastStep) bool { return s.Gate == events.GateManual }); {
	case pauses && a.ContinueAfter != nil:
		texts = append(texts, "a pause is continued after "+seconds(*a.ContinueAfter))
	case pauses:
		texts = append(texts, "nobody continues a pause")
	}
	if a.Failure != nil {
		texts = append(texts, fmt.Sprintf("the new version fails in step %d: %s", a.Failure.Step, a.Failure.Kind))
	}
	return strings.Join(texts, "; ")
}

func (p *printer) steps(steps []resource.ForecastStep) {
	rows := [][]string{{"STEP", "NEW", "OLD", "GATE", "BEGINS", "REACHED", "PASSED"}}
	for _, s := range steps {
		rows = append(rows, []string{
			fmt.Sprint(s.Step), fmt.Sprint(s.New), fmt.Sprint(s.Old), s.Gate, at(s.Begins), at(s.Reached), at(s.Passed),
		})
	}
	p.printf("\n")
	p.table(rows)
}

// failures says of each step what would become of a bad version.
func (p *printer) failures(steps []resource.ForecastStep) {
	rows, waits := [][]string{{"STEP", "IF THE NEW VERSION", "OUTCOME", "NOTICED", "OLD ALONE AGAIN", "LOWEST"}}, false
	for _, s := range steps {
		for _, x := range s.Failures {
			waits = waits || x.Outcome == simulate.Waiting
			rows = append(rows, []string{
				fmt.Sprint(s.Step), kinds[x.Kind], x.Outcome, after(s.Begins, x.Noticed), after(s.Begins, x.OldAlone), fmt.Sprint(x.Lowest.Old + x.Lowest.New),
			})
		}
	}
	if len(rows) > 1 {
		p.printf("\n")
		p.table(rows)
	}
	if waits {
		p.printf("\n  WAITING: it stays as it is until somebody cancels it. With on_failure, and breaker, startup_timeout_in_seconds or\n" +
			"  checks, it goes back by itself.\n")
	}
}

// kinds are the failures in words.
var kinds = map[string]string{"crash": "crashes", "never_starts": "never starts", "check": "fails its checks"}

// at is a time since the start.
func at(s *resource.Seconds) string {
	if s == nil {
		return "-"
	}
	return short(time.Duration(*s).Round(100 * time.Millisecond))
}

// short writes whole minutes and hours without zeros behind them.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// after is a time since another.
func after(begin, s *resource.Seconds) string {
	if s == nil || begin == nil {
		return "-"
	}
	took := *s - *begin
	return "after " + at(&took)
}

func level(l resource.Level) string {
	return fmt.Sprintf("%d instances (%d old + %d new)", l.Old+l.New, l.Old, l.New)
}

func seconds(s float64) string {
	return short(time.Duration(s * float64(time.Second)).Round(time.Millisecond))
}
