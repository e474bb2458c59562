package simulate

import (
	"maps"
	"slices"

	"slipway/aggregates/app"
	"slipway/events"
)

// explore says what each thing that could go wrong in the step that begins now would do.
func (w *world) explore() (failures []Failure) {
	kinds := []FaultKind{FaultCrash, FaultHang}
	if slices.ContainsFunc(w.state.Deployment.Options.Checks, func(c events.Check) bool { return !c.DryRun }) {
		kinds = append(kinds, FaultCheck)
	}
	for _, kind := range kinds {
		failures = append(failures, w.clone().broken(kind))
	}
	return failures
}

// clone is a world that goes its own way from here, in which nobody continues what is broken.
func (w *world) clone() *world {
	c := *w
	c.queue = slices.Clone(w.queue)
	c.instances, c.starts = maps.Clone(w.instances), maps.Clone(w.starts)
	c.sizes, c.seen = maps.Clone(w.sizes), maps.Clone(w.seen)
	c.out.Steps, c.out.Timeline, c.out.Levels = slices.Clone(w.out.Steps), slices.Clone(w.out.Timeline), slices.Clone(w.out.Levels)
	c.in.Explore, c.in.Fault, c.in.Pauses = false, Fault{}, nil
	*w.explored += len(w.instances)
	c.work = w.explored
	return &c
}

// broken lets something go wrong, and says what that leads to.
func (w *world) broken(kind FaultKind) Failure {
	w.fail(kind)
	if err := w.run(); err != nil {
		return Failure{Kind: kind, Waits: err.Error()}
	}
	out := w.forecast()
	f := Failure{
		Kind: kind, Outcome: out.Outcome, Waits: out.Waits, Noticed: w.broke, Finished: out.Finished, Alone: out.Alone, Lowest: out.Lowest,
	}
	if f.Outcome == app.ReasonDeployed {
		f.Alone = nil // it is the new version
	}
	return f
}
