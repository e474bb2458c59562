package exhaustive

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// tick is one pass of the updater, which sees what the log has. It gives nothing where nothing follows.
func (w *world) tick() (*world, error) {
	if w.idle() {
		return nil, nil
	}
	seen := w.seen()
	decided := app.Proceed(w.state, seen, app.Quota{}, w.brakes(w.now, ""), w.now)
	if len(decided) == 0 {
		return nil, errors.Join(w.patient(seen), w.settled(), w.behindhand(seen))
	}
	next := w.copy()
	if err := next.commit(decided, action{kind: ticks}); err != nil {
		return nil, err
	}
	if err := errors.Join(w.pace(next.state, seen), next.still(w.state, decided)); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(decided, creates) {
		return next, next.rests(seen) // the new one's floor counts from its next step on
	}
	if err := app.CheckCapacity(w.state, next.state, seen); err != nil {
		return nil, fmt.Errorf("the updater would refuse it: %w", err)
	}
	return next, next.rests(seen)
}

func creates(e events.Event) bool { return e.Type() == events.TypeDeploymentCreated }

// decisions bounds how many decisions may follow one another while nothing is reported: a step begins, a pause ends, and each
// lets the next one be looked at.
const decisions = 12

// slack is how far the clocks of two updaters are apart.
const slack = time.Second

// rests is the law that the updaters come to rest: where nothing new is seen they do not decide for ever, nor do two whose clocks
// differ take turns.
func (w *world) rests(seen app.Instances) error {
	s := *w
	for range decisions {
		decided := app.Proceed(s.state, seen, app.Quota{}, s.brakes(s.now, ""), s.now)
		if behind := s.now.Add(-slack); len(decided) == 0 {
			decided = app.Proceed(s.state, seen, app.Quota{}, s.brakes(behind, ""), behind)
		}
		if len(decided) == 0 {
			return nil
		}
		s.fold(decided)
	}
	return fmt.Errorf("the updater does not come to rest: %s", text(app.Proceed(s.state, seen, app.Quota{}, s.brakes(s.now, ""), s.now)))
}

// pace is Cloud Foundry's law of growth: by max_in_flight beyond what is routable, while none fails.
func (w *world) pace(after app.State, seen app.Instances) error {
	d := after.Deployment
	if d == nil {
		return nil
	}
	was, _ := w.state.Process(d.Process)
	is, _ := after.Process(d.Process)
	n, most := seen[d.Process].Count(was.Instances), d.Options.MaxInFlight
	if is.Instances > was.Instances && (is.Instances > n.Routable+most || n.Starting >= most || n.Unhealthy > 0) {
		return fmt.Errorf("from %d to %d new instances, max in flight %d, with %+v", was.Instances, is.Instances, most, n)
	}
	return nil
}

// behindhand is the law that an updater whose clock is behind begins nothing that another one holds.
func (w *world) behindhand(seen app.Instances) error {
	then := w.now.Add(-slack)
	if decided := app.Proceed(w.state, seen, app.Quota{}, w.brakes(then, ""), then); slices.ContainsFunc(decided, creates) {
		return fmt.Errorf("by a clock that is behind begins what is held: %s", text(decided))
	}
	return nil
}

// patient is the law of deadlines, where nothing follows: time alone decides nothing before the deadline.
func (w *world) patient(seen app.Instances) error {
	then := w.now.Add(30 * 24 * time.Hour)
	if at, ok := w.due(seen); ok {
		if !at.After(w.now) {
			return fmt.Errorf("the deadline is %v, which is not after %v", at, w.now)
		}
		then = at.Add(-1)
	}
	if early := app.Proceed(w.state, seen, app.Quota{}, w.brakes(then, ""), then); len(early) > 0 {
		return fmt.Errorf("before the deadline time alone decides %s", text(early))
	}
	return nil
}

// commit folds what was decided, and holds the laws over it.
func (w *world) commit(decided []events.Event, a action) error {
	before := w.state
	w.fold(decided)
	return errors.Join(
		w.capacity(before, a.kind, decided), w.on(before, decided), growth(before, w.state), order(before, decided), w.back(before, decided),
		w.enter(before, decided, a.kind), w.untouched(before, decided), w.final(), w.twice(before, a),
	)
}

// capacity is the law on what really serves.
func (w *world) capacity(before app.State, by kind, decided []events.Event) error {
	d := cmpDeployment(before, w.state)
	switch {
	case d == nil, d.GoingBack, d.Hurry, before.Desired != app.Started, by == cancels, by == stops:
		return nil // nothing is promised
	}
	floor := d.Floor
	if d.RollingBack {
		floor = d.OriginalInstances
	}
	had, has := w.serving(before), w.serving(w.state)
	if has < min(floor, had) {
		return fmt.Errorf("what serves falls from %d to %d, the floor is %d: %s", had, has, floor, text(decided))
	}
	return nil
}

func cmpDeployment(before, after app.State) *app.Deployment {
	if before.Deployment != nil {
		return before.Deployment
	}
	return after.Deployment
}

// serving is how many instances really can take requests, of those that shall run by a state; and those whose death the
// rules need not know: of the old version, or not in the log yet.
func (w *world) serving(s app.State) int {
	n := 0
	for _, desired := range s.Webs() {
		p := w.proc(desired.ID)
		if p == nil || s.Dark(desired) {
			continue
		}
		for i := range min(desired.Instances, maxSlots) {
			at := p.slots[i]
			switch {
			case int(at.generation) < desired.Generation, slices.Contains(desired.Leaving, p.instance(i, at.life)):
			case at.is == running, at.died && w.excepted(desired, p, i):
				n++
			}
		}
	}
	return n
}

// excepted says whether a death counts for nothing: it is not in the log, or it is of the old version.
func (w *world) excepted(desired app.Process, p *proc, i int) bool {
	if p.seen[i].State == app.InstanceRunning && p.seen[i].ID == p.instance(i, p.slots[i].life) {
		return true
	}
	d := w.state.Deployment
	return desired.Standing == app.Proven && i < desired.Instances-desired.Returned && (d == nil || !d.RollingBack)
}

// on: no step begins and no rollout ends before its time, while it bakes, or with a check that has not passed.
func (w *world) on(before app.State, decided []events.Event) error {
	d, after := before.Deployment, time.Duration(0)
	if d == nil || before.Desired != app.Started {
		return nil
	}
	switch e := decided[len(decided)-1].(type) {
	case events.DeploymentStepStarted:
		after = time.Duration(d.Plan[e.Step-1].After) * time.Millisecond
	case events.DeploymentDeployed:
	default:
		return nil
	}
	if w.now.Before(d.StartedAt.Add(after)) || d.Plan[d.Step].Gate == events.GateBake && (d.BakeUntil.IsZero() || w.now.Before(d.BakeUntil)) {
		return fmt.Errorf("before its time: %s", text(decided))
	}
	for _, c := range d.Options.Checks {
		if last := d.Checks[c.Name]; last.Verdict != events.VerdictPass || last.At.Before(d.StepAt) {
			return fmt.Errorf("check %s has not passed: %s", c.Name, text(decided))
		}
	}
	return nil
}

// growth: the new version never exceeds its target, and never shrinks but on the way back.
func growth(before, after app.State) error {
	d := after.Deployment
	if d == nil || d.GoingBack || d.RollingBack {
		return nil
	}
	fresh, ok := after.Process(d.Process)
	if !ok && d.Process != "" {
		return errors.New("the new process is gone")
	}
	if fresh.Instances > max(d.Target, 1) {
		return fmt.Errorf("%d new instances, the target is %d", fresh.Instances, d.Target)
	}
	if was, ok := before.Process(d.Process); ok && fresh.Instances < was.Instances {
		return fmt.Errorf("the new version shrinks from %d to %d", was.Instances, fresh.Instances)
	}
	return nil
}

// order: phases and steps follow one another as they may, and what ends was going on.
func order(before app.State, decided []events.Event) error {
	s := before
	for _, e := range decided {
		was := s.Deployment
		s = app.Evolve(s, e)
		switch e.(type) {
		case events.DeploymentCreated:
			if was != nil {
				return fmt.Errorf("a second deployment while %s is active", was.ID())
			}
		case events.DeploymentCanceling, events.DeploymentRollingBack:
			if was == nil || s.Droplet != was.PreviousDroplet {
				return fmt.Errorf("on the way back %s is current", s.Droplet)
			}
		case events.DeploymentDeployed, events.DeploymentCanceled, events.DeploymentRolledBack, events.DeploymentSuperseded:
			if superseded, ok := e.(events.DeploymentSuperseded); ok && (was == nil || superseded.Deployment != was.ID()) {
				break // it had not begun: see [world.enter]
			}
			if was == nil || s.Deployment != nil || s.Ended[len(s.Ended)-1].ID != was.ID() {
				return fmt.Errorf("%s ends what was not going on", e.Type())
			}
		}
		if is := s.Deployment; was != nil && is != nil {
			if is.Step < was.Step || is.Step > was.Step+1 {
				return fmt.Errorf("from step %d to %d", was.Step, is.Step)
			}
			if from, to := was.Phase(), is.Phase(); !slices.Contains(follows[from], to) {
				return fmt.Errorf("from phase %s to %s", from, to)
			}
		}
	}
	return nil
}

// follows are the phases that may come after each.
var follows = map[app.Phase][]app.Phase{
	app.Deploying:   {app.Deploying, app.Prepaused, app.Paused, app.Baking, app.RollingBack, app.Canceling},
	app.Prepaused:   {app.Prepaused, app.Paused, app.RollingBack, app.Canceling},
	app.Paused:      {app.Paused, app.Deploying, app.Prepaused, app.Baking, app.RollingBack, app.Canceling},
	app.Baking:      {app.Baking, app.Paused, app.RollingBack, app.Canceling},
	app.RollingBack: {app.RollingBack, app.Canceling},
	app.Canceling:   {app.Canceling},
}

// back: who goes back ends with one version, whole and current; and with the proven one, if that runs.
func (w *world) back(before app.State, decided []events.Event) error {
	last := decided[len(decided)-1]
	var kept events.ProcessID
	switch e := last.(type) {
	case events.DeploymentCanceled:
		kept = e.Kept
	case events.DeploymentRolledBack:
		kept = e.Kept
	case events.DeploymentDeployed:
		if before.Desired != app.Started {
			return nil // a stopped app is deployed at once
		}
		kept = before.Deployment.Process
	default:
		return nil
	}
	webs := w.state.Webs()
	if len(webs) != 1 || webs[0].ID != kept || webs[0].Standing != app.Proven || webs[0].Droplet != w.state.Droplet {
		return fmt.Errorf("%s with %+v, current is %s", last.Type(), webs, w.state.Droplet)
	}
	want := before.Deployment.OriginalInstances
	if last.Type() == events.TypeDeploymentDeployed {
		want = before.Deployment.Target
	}
	if webs[0].Instances != want {
		return fmt.Errorf("%s with %d instances, want %d", last.Type(), webs[0].Instances, want)
	}
	if oldest := before.Webs()[0]; last.Type() != events.TypeDeploymentDeployed && oldest.Standing == app.Proven && kept != oldest.ID {
		if n := w.proc(oldest.ID).seen.Count(oldest.Instances).Routable; n > 0 && len(oldest.Leaving) == 0 {
			return fmt.Errorf("%s keeps %s though %d of the proven version run", last.Type(), kept, n)
		}
	}
	return nil
}

// twice: the same command decides nothing the second time, or is refused.
func (w *world) twice(before app.State, a action) error {
	c := *w
	var again []events.Event
	switch a.kind {
	case cancels, rollsBack:
		again, _ = c.steer(a.kind)
	case stops:
		again, _ = app.StopApp(w.state)
	case starts:
		again, _ = app.StartApp(w.state, "again", app.Quota{}, w.now)
	case approves, denies, begins, withdraws:
		if id := before.Requests[a.of].Deployment; a.kind != withdraws || !w.state.InFlight() || w.state.Deployment.ID() != id {
			again, _ = w.about(id, a)
		}
	}
	if len(again) > 0 {
		return fmt.Errorf("%s twice decides %s", names[a.kind], text(again))
	}
	return nil
}

func text(decided []events.Event) []byte {
	var all []byte
	for _, e := range decided {
		data, _ := json.Marshal(e)
		all = fmt.Appendf(all, "\n    %s %s", e.Type(), data)
	}
	return all
}
