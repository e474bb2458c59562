package replay

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/aggregates/simulate"
	"slipway/internal/commands"
	"slipway/internal/forecast"
	"slipway/internal/resource"
)

// WriteText writes what the rollout was, whether the rules would decide the same today, and, where it is given, what another
// forecast, called by a name, makes different. Pictures have at most so many rows.
func (r Rollout) WriteText(w io.Writer, p Proof, name string, other *simulate.Forecast, rows int) error {
	created := r.Created
	_, err := fmt.Fprintf(w, "deployment %s of %s: %s, %d to %d instances, %s\n\n%s\n", created.Deployment, r.Name, created.Strategy,
		created.OriginalInstances, created.Target, r.deploy.Now.UTC().Format(time.RFC3339), r.proof(p))
	for _, note := range r.Notes {
		if err == nil {
			_, err = fmt.Fprintf(w, "  not carried over: %s\n", note)
		}
	}
	if err == nil {
		err = r.table(w, p, name, other)
	}
	if err != nil {
		return fmt.Errorf("write replay: %w", err)
	}
	shown := p.Simulated
	if other != nil {
		shown = *other
	}
	if _, err = fmt.Fprintln(w); err != nil {
		return fmt.Errorf("write replay: %w", err)
	}
	return forecast.Picture(w, resource.ForecastOf(commands.Forecast{Forecast: shown}), rows)
}

// proof says whether the rules decide what they decided then.
func (r Rollout) proof(p Proof) string {
	if p.Same {
		return fmt.Sprintf("The rules decide today what they decided then: the same %d scale events in the same order, at most %v apart.",
			len(r.Scalings), p.Apart.Round(time.Millisecond))
	}
	return fmt.Sprintf("Simulated as it was, it differs from scale event %d on: %s was recorded, %s is simulated. What follows shows tendencies, no more.",
		p.First+1, told(p.Recorded), told(p.Now))
}

func told(s *Scaling) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%v at %v", s, s.After.Round(time.Millisecond))
}

// table sets what was, what the simulation makes of it, and the other one side by side.
func (r Rollout) table(w io.Writer, p Proof, name string, other *simulate.Forecast) error {
	rows := [][]string{
		{"", "outcome", "took", "lowest capacity", "most web instances", "scale events"},
		{"RECORDED", r.Outcome, r.Took.Round(time.Millisecond).String(), lowest(r.Lowest), fmt.Sprint(r.Peak), fmt.Sprint(len(r.Scalings))},
		column("SIMULATED", p.Simulated),
	}
	if other != nil {
		rows = append(rows, column("WITH "+name, *other))
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t)
	for line := range rows[0] {
		var cells []string
		for _, row := range rows {
			cells = append(cells, row[line])
		}
		fmt.Fprintln(t, "  "+strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func column(title string, f simulate.Forecast) []string {
	took, most := "-", 0
	if f.Finished != nil {
		took = f.Finished.Round(time.Millisecond).String()
	}
	for _, l := range f.Levels {
		most = max(most, l.Desired)
	}
	outcome := f.Outcome
	if f.Waits != "" {
		outcome += " for " + f.Waits
	}
	return []string{title, outcome, took, lowest(f.Lowest), fmt.Sprint(most), fmt.Sprint(len(scalings(f)))}
}

func lowest(l simulate.Level) string {
	return fmt.Sprintf("%d (%d old + %d new)", l.Serving(), l.Old, l.New)
}
