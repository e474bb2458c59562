package app_test

import (
	"encoding/json"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// follows are the phases that may come after each while a rollout goes on.
var follows = map[app.Phase][]app.Phase{
	app.Deploying:   {app.Prepaused, app.Paused, app.Baking, app.RollingBack, app.Canceling},
	app.Prepaused:   {app.Paused, app.RollingBack, app.Canceling},
	app.Paused:      {app.Deploying, app.Prepaused, app.Baking, app.RollingBack, app.Canceling},
	app.Baking:      {app.Paused, app.RollingBack, app.Canceling},
	app.RollingBack: {app.Canceling},
	app.Canceling:   {},
}

// fold folds one event and holds what each event must respect.
func (w *world) fold(e events.Event) {
	before := w.state
	w.state, w.history = app.Evolve(before, e), append(w.history, e)
	if was, is := before.Deployment, w.state.Deployment; was != nil && is != nil {
		w.ordered(was, is)
	}
	switch e := e.(type) {
	case events.ProcessScaled:
		w.keepsShare(before, e)
	case events.DeploymentStepStarted:
		w.due(before.Deployment, time.Duration(before.Deployment.Plan[e.Step-1].After)*time.Millisecond)
	case events.DeploymentDeployed:
		if before.Deployment.Process != "" { // a stopped app is deployed at once
			w.due(before.Deployment, 0)
		}
	case events.DeploymentCanceling, events.DeploymentRollingBack:
		if previous := before.Deployment.PreviousDroplet; w.state.Droplet != previous {
			w.t.Fatalf("law 12: on the way back %s is current, not %s", w.state.Droplet, previous)
		}
	case events.DeploymentCanceled:
		w.restored(before, e.Kept, false)
	case events.DeploymentRolledBack:
		w.restored(before, e.Kept, !before.Deployment.Hurry)
	}
}

// ordered is law 1: a rollout never leaves the legal phases, and takes one step after the other.
func (w *world) ordered(was, is *app.Deployment) {
	if was.ID() != is.ID() {
		w.t.Fatalf("law 1: deployment %s takes the place of %s without an end", is.ID(), was.ID())
	}
	if from, to := was.Phase(), is.Phase(); from != to && !slices.Contains(follows[from], to) {
		w.t.Fatalf("law 1: from phase %s to %s", from, to)
	}
	if is.Step < was.Step || is.Step > was.Step+1 || is.Step >= len(is.Plan) {
		w.t.Fatalf("law 1: from step %d to %d of %d", was.Step, is.Step, len(is.Plan))
	}
}

// due is law 17: a step begins and a rollout ends when its time has come, not before, when the bake is over, and when every
// check has passed since the step before began.
func (w *world) due(d *app.Deployment, after time.Duration) {
	if w.now.Before(d.StartedAt.Add(after)) {
		w.t.Fatalf("law 17: %v before its time", d.StartedAt.Add(after).Sub(w.now))
	}
	if d.Plan[d.Step].Gate == events.GateBake && (d.BakeUntil.IsZero() || w.now.Before(d.BakeUntil)) {
		w.t.Fatalf("law 17: it bakes until %v, it is %v", d.BakeUntil, w.now)
	}
	for _, c := range d.Options.Checks {
		if last := d.Checks[c.Name]; !c.DryRun && (last.Verdict != events.VerdictPass || last.At.Before(d.StepAt)) {
			w.t.Fatalf("law 17: check %s has not passed since %v: %+v", c.Name, d.StepAt, last)
		}
	}
}

// keepsShare is law 11: the share of the new version never falls but on the way back. What a canary has beyond its target goes
// at the end. And law 15: it grows by max_in_flight beyond what is routable, while none fails.
func (w *world) keepsShare(before app.State, e events.ProcessScaled) {
	d := before.Deployment
	if d == nil || d.Process != e.Process || d.GoingBack || d.RollingBack {
		return
	}
	if e.Instances < min(e.From, d.Target) {
		w.t.Fatalf("law 11: the new version shrinks from %d to %d: %s", e.From, e.Instances, e.Reason)
	}
	fresh, _ := before.Process(e.Process)
	routable, starting := w.runs(fresh), 0
	for i := range e.From {
		switch seen := w.seen[e.Process][i]; {
		case seen.Generation < fresh.Generation, slices.Contains(fresh.Leaving, seen.ID):
		case seen.State == app.InstanceStarting, seen.State == app.InstanceUnready:
			starting++
		}
	}
	if pace := d.Options.MaxInFlight; e.Instances > e.From && (e.Instances > routable+pace || starting >= pace || routable+starting < e.From) {
		w.t.Fatalf("law 15: from %d to %d new instances while %d are routable and %d start, max in flight %d",
			e.From, e.Instances, routable, starting, pace)
	}
}

// restored is law 12: who goes back has one version, current, in its original strength; one that runs, if there is one that
// was not just given up; and the proven one if any of it runs. whole says that nothing was given up on the way.
func (w *world) restored(before app.State, id events.ProcessID, whole bool) {
	kept, there := before.Process(id)
	if webs := w.state.Webs(); !there || len(webs) != 1 || webs[0].ID != id || kept.Droplet != "" && kept.Droplet != w.state.Droplet {
		w.t.Fatalf("law 12: went back to %s, current is %s, left are %+v", id, w.state.Droplet, webs)
	}
	d := w.state.Webs()[0]
	if d.Instances != before.Deployment.OriginalInstances || d.Standing != app.Proven {
		w.t.Fatalf("law 12: %d instances, %s, want %d", d.Instances, d.Standing, before.Deployment.OriginalInstances)
	}
	if whole && before.Desired == app.Started && w.runs(kept) < d.Instances {
		w.t.Fatalf("law 12: rolled back with %d of %d routable", w.runs(kept), d.Instances)
	}
	if w.decidedFrom == nil || d.Instances == 0 {
		return
	}
	for _, p := range w.decidedFrom.Webs() {
		if p.ID == w.decidedFrom.Webs()[0].ID && p.Standing == app.Proven && w.runs(p) > 0 && p.ID != id {
			w.t.Fatalf("law 12: went back to %s although the proven version runs", id)
		}
		if was, _ := w.decidedFrom.Process(id); p.Standing == app.Interim && w.runs(p) > 0 && w.runs(was) == 0 {
			w.t.Fatalf("law 12: went back to %s, of which nothing runs, and gave up %s", id, p.ID)
		}
	}
}

// runs is how many instances of a process are routable and not on their way out.
func (w *world) runs(p app.Process) int {
	n := 0
	for i, seen := range w.seen[p.ID] {
		if i < p.Instances && seen.State == app.InstanceRunning && seen.Generation >= p.Generation && !slices.Contains(p.Leaving, seen.ID) {
			n++
		}
	}
	return n
}

// noticed is law 14: a rollout that bears so many crashes is not going on when there were more.
func (w *world) noticed() {
	d := w.state.Deployment
	if d == nil || d.Options.OnFailure == "" || d.Held || d.GoingBack || d.RollingBack || w.state.Desired != app.Started {
		return
	}
	crashes := 0
	for _, i := range w.seen[d.Process] {
		crashes += i.Falls
	}
	if limit := d.Options.CrashLimit; limit > 0 && crashes-d.Forgiven >= limit {
		w.t.Fatalf("law 14: %d new instances crashed, %d of that is forgiven, %d are too many, and the rollout goes on", crashes, d.Forgiven, limit)
	}
	for name, alarm := range w.state.Alarms {
		if !d.Options.IgnoreAlarms && alarm.Since.After(d.WatchedFrom) {
			w.t.Fatalf("law 14: alarm %s fires, and the rollout goes on", name)
		}
	}
}

// balanced is law 16: where the updater is at rest, a proven version is on its way up for what is missing, and of a rejected
// one nothing is left that is not needed.
func (w *world) balanced() {
	d := w.state.Deployment
	if d == nil || d.GoingBack || d.RollingBack || w.state.Desired != app.Started {
		return
	}
	fresh, _ := w.state.Process(d.Process)
	serving := w.runs(fresh)
	coming, proven, rejected := serving, false, 0
	for _, p := range w.state.Webs() {
		switch {
		case p.ID == d.Process:
		case p.Standing == app.Rejected:
			rejected += p.Instances
		case p.Standing == app.Proven:
			proven, coming, serving = true, coming+p.Instances, serving+w.runs(p)
		default:
			coming, serving = coming+w.runs(p), serving+w.runs(p)
		}
	}
	if proven && coming < d.Floor {
		w.t.Fatalf("law 16: %d serve or come, the floor is %d, and no old instance is brought back", coming, d.Floor)
	}
	if step := d.Plan[d.Step]; rejected > 0 && serving >= step.New+step.Old && d.Halt == "" {
		w.t.Fatalf("law 16: %d serve without the %d instances of rejected versions, which are still there", serving, rejected)
	}
}

// twice carries out a command, which decides nothing when it comes again: law 4.
func (w *world) twice(command func(app.State) ([]events.Event, error)) {
	decided, err := command(w.state)
	w.commit(decided, err)
	if err != nil {
		return
	}
	if again, _ := command(w.state); len(again) > 0 {
		w.t.Fatalf("law 4: the same command again decides %#v", again)
	}
}

// replayed is law 13: history folded again is the same state.
func (w *world) replayed() {
	var again app.State
	for _, e := range w.history {
		again = app.Evolve(again, e)
	}
	a, _ := json.Marshal(w.state)
	if b, _ := json.Marshal(again); string(a) != string(b) {
		w.t.Fatalf("law 13: replayed, the state is\n%s\nnot\n%s", b, a)
	}
}
