package audit

import (
	"maps"
	"strings"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// maxWindow bounds the reports that are kept between two commits of an app. A rollout that stands still while its instances
// crash for days reports more; what is decided then is judged by the latest reports alone, and not at all where they do
// not excuse it.
const maxWindow = 10_000

// window is what was reported between an app's previous commit and the next: what may or may not have been seen when the
// next was decided. It is kept only where the capacity law promises something.
type window struct {
	base     app.Instances // as seen at the previous commit
	reports  []reported
	overflow bool
}

// reported is one report of an agent.
type reported struct {
	process events.ProcessID
	command events.CommandID // names the report
	events  []events.Event
	at      time.Time
}

// open begins a new window at a commit.
func (w *window) open(h *history) {
	*w = window{}
	if _, promised := app.MeasureCapacity(h.state, h.seen); promised && !h.spoiled {
		w.base = maps.Clone(h.seen)
	}
}

func (w *window) add(process events.ProcessID, c events.Recorded) {
	switch {
	case w.base == nil:
	case len(w.reports) == maxWindow:
		w.overflow, w.reports = true, nil
	case !w.overflow:
		w.reports = append(w.reports, reported{process, c.CommandID, c.Events, c.Time})
	}
}

// excuses says whether some reading of the reports makes the commit lawful; see the package comment. judged is false where
// the reports are not all at hand and the latest ones do not excuse it.
func (w *window) excuses(before, after app.State, seen app.Instances, cause string) (breach error, judged bool) {
	if breach = app.CheckCapacity(before, after, seen); breach == nil || w.overflow {
		return nil, breach == nil
	}
	most, least := app.Instances{}, app.Instances{}
	for _, p := range before.Webs() {
		to, _ := after.Process(p.ID) // 0 instances where it is gone
		most[p.ID], least[p.ID] = w.best(p.ID, p.Instances, to.Instances, cause)
	}
	if app.CheckCapacity(before, after, most) == nil {
		return nil, true
	}
	return app.CheckCapacity(before, after, least), true
}

// best finds the moments that speak most for scaling a process from one count to another: with the most routable instances
// left, and with the least lost.
func (w *window) best(id events.ProcessID, from, to int, cause string) (most, least app.ProcessInstances) {
	left := func(seen app.ProcessInstances) int { return seen.Count(to).Routable }
	change := func(seen app.ProcessInstances) int { return left(seen) - seen.Count(from).Routable }
	certain := w.certain(cause)
	seen := w.base[id]
	most, least = seen, seen
	for i, r := range w.reports {
		if r.process == id {
			seen = observed(seen, r.events, r.at)
		}
		if i < certain || left(seen) > left(most) {
			most = seen
		}
		if i < certain || change(seen) > change(least) {
			least = seen
		}
	}
	return most, least
}

// certain is how many of the reports were seen for certain: those up to the one that caused the decision.
func (w *window) certain(cause string) int {
	command, _, _ := strings.Cut(cause, ".")
	for i, r := range w.reports {
		if string(r.command) == command {
			return i + 1
		}
	}
	return 0
}
