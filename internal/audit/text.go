package audit

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteText writes the report for people: a table of rollouts, the breaches, a last line that says it all.
func (r Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Rollouts) > 0 {
		fmt.Fprintln(table, "APP\tDEPLOYMENT\tSTRATEGY\tOUTCOME\tDECISIONS\tTOOK\tTARGET\tFLOOR\tLOWEST\tBELOW FLOOR\tVERDICT")
	}
	for _, x := range r.Rollouts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%d\t%d\t%s\t%s\t%s\n", plain(x.Name), x.Deployment, plain(x.Strategy), x.Outcome,
			x.Decisions, duration(x.TookMS), x.Target, x.Floor, x.lowest(), x.below(), x.verdict())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	for _, b := range r.Breaches {
		if _, err := fmt.Fprintf(w, "\nBREACH of %s at sequence %d, %s: %s", b.Law, b.Sequence, plain(string(b.Subject)), plain(b.Problem)); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.summary())
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (r Report) summary() string {
	var b strings.Builder
	if len(r.Breaches) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d messages up to sequence %d: %d aggregates, %d reports of agents, %d rollouts; ",
		r.Messages, r.Newest, r.Aggregates, r.Reports, len(r.Rollouts))
	if r.Unjudged > 0 {
		fmt.Fprintf(&b, "%d decisions not judged, too many reports raced with them; ", r.Unjudged)
	}
	switch {
	case r.OK():
		b.WriteString("no breach")
	case r.Found > len(r.Breaches):
		fmt.Fprintf(&b, "%d breaches, the first %d shown", r.Found, len(r.Breaches))
	default:
		fmt.Fprintf(&b, "breaches: %d", r.Found)
	}
	return b.String()
}

func (x Rollout) lowest() string {
	if x.Lowest == nil {
		return "-"
	}
	return fmt.Sprintf("%d (%d old + %d new) at %d", x.Lowest.Total(), x.Lowest.Old, x.Lowest.New, x.Lowest.At)
}

func (x Rollout) below() string {
	switch {
	case x.BelowMS == 0 && !x.Below:
		return "-"
	case x.Below:
		return duration(x.BelowMS) + ", not restored"
	}
	return duration(x.BelowMS) + ", restored"
}

func (x Rollout) verdict() string {
	switch {
	case x.Breaches > 0:
		return "BREACH"
	case !x.Judged:
		return "not judged"
	}
	return "ok"
}

func duration(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }

// plain keeps out of a terminal what a log that was tampered with could send there.
func plain(s string) string {
	return cmp.Or(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s), "-")
}
