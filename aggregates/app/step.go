package app

import (
	"time"

	"slipway/events"
)

// complete says whether the rollout is over: its last step is reached, its checks have passed, and it has baked.
func (d *decision) complete(seen ProcessInstances, now time.Time) bool {
	dep := d.Deployment
	if dep.Held || dep.Step+1 < len(dep.Plan) || dep.pendingCheck(seen.settled(dep.step().New)) != "" {
		return false
	}
	switch dep.step().Gate {
	case events.GateHealthy:
		return true
	case events.GateBake:
		return !dep.BakeUntil.IsZero() && !now.Before(dep.BakeUntil)
	}
	return false
}

// pass does at a step that is reached what its gate asks for: it pauses, it bakes, or it begins the next step once the time
// of that has come and the checks have passed.
func (d *decision) pass(seen ProcessInstances, now time.Time) {
	dep, step := *d.Deployment, d.Deployment.step()
	checked := dep.pendingCheck(seen.settled(step.New)) == ""
	switch {
	case step.Gate == events.GateManual:
		d.pause(step, now)
	case step.Gate == events.GateBake && dep.BakeUntil.IsZero():
		until := now.Add(time.Duration(step.Wait) * time.Millisecond)
		d.add(events.DeploymentBakeStarted{App: d.State.ID, Deployment: dep.ID(), At: now, Until: until})
	case step.Gate == events.GateHealthy && checked && dep.Step+1 < len(dep.Plan) && !now.Before(dep.gateOpens()):
		d.add(events.DeploymentStepStarted{
			App: d.State.ID, Deployment: dep.ID(), Step: dep.Step + 2, Share: dep.Plan[dep.Step+1].Share, At: now,
		})
	}
}

func (d *decision) pause(step events.Step, now time.Time) {
	paused := events.DeploymentPaused{App: d.State.ID, Deployment: d.Deployment.ID(), Step: d.Deployment.Step + 1, Then: step.Then}
	if step.Wait > 0 {
		paused.Until = now.Add(time.Duration(step.Wait) * time.Millisecond)
	}
	d.add(paused)
}

// timeOut ends a pause whose time is over. It goes on only when the checks have passed; held, it stays as it is.
func (d *decision) timeOut(seen ProcessInstances, now time.Time) {
	dep := *d.Deployment
	if dep.PausedUntil.IsZero() || now.Before(dep.PausedUntil) {
		return
	}
	switch dep.PausedThen {
	case events.ThenContinue:
		if dep.pendingCheck(seen.settled(dep.step().New)) == "" {
			d.add(events.DeploymentContinued{
				App: d.State.ID, Deployment: dep.ID(), Step: dep.Step + 1, By: events.ActorUpdater, At: now,
			})
		}
	case events.ThenCancel:
		d.restoreDroplet()
		d.add(events.DeploymentCanceling{App: d.State.ID, Deployment: dep.ID()})
	}
}

// retreat is one tick on the way back that keeps the capacity: the version to keep gets its original count at once, and as
// its instances become routable the others leave. At full strength it is over.
func (d *decision) retreat(seen Instances) {
	dep := *d.Deployment
	kept := d.proven(seen)
	if dep.OriginalInstances > kept.Instances {
		d.comeBack(kept, dep.OriginalInstances, dep.backReason())
	}
	kept, _ = d.Process(kept.ID)
	if kept.present(seen).Count(dep.OriginalInstances).Routable >= dep.OriginalInstances {
		d.finishRollBack(kept)
		return
	}
	serving := 0
	for _, p := range d.Webs() {
		serving += p.present(seen).Count(p.Instances).Routable
	}
	surplus := serving - dep.OriginalInstances
	for _, p := range d.Webs() {
		if p.ID != kept.ID {
			var to int
			to, surplus = spare(p, surplus, func(i int) bool { return p.present(seen)[i].State == InstanceRunning })
			d.shrink(p, to, dep.backReason())
		}
	}
}

// finishRollBack takes all but the version that serves again away.
func (d *decision) finishRollBack(kept Process) {
	for _, p := range d.Webs() {
		if p.ID != kept.ID {
			d.remove(p)
		}
	}
	d.scale(kept, d.Deployment.OriginalInstances, d.Deployment.backReason())
	d.ended(kept)
}

// proven is the version that a rollback goes to: the oldest that has ever been proven; of a train in which none has, the one
// that a cancel would keep.
func (d *decision) proven(seen Instances) Process {
	for _, p := range d.Webs() {
		if p.Standing == Proven {
			return p
		}
	}
	return d.keeper(seen)
}

// comeBack grows a process towards a size, as far as the quotas have room.
func (d *decision) comeBack(p Process, to int, reason string) {
	for ; to > p.Instances; to-- {
		if d.quota.refusal(p, to) == "" {
			d.scale(p, to, reason)
			return
		}
	}
}

// backReason is why processes are scaled on the way back.
func (d *Deployment) backReason() string {
	if d.RollingBack {
		return "the deployment is rolled back"
	}
	return "the deployment is canceled"
}

// Deadline is the next moment after now at which [Next] or [Explain] may decide something although nothing has happened.
// ok is false where they wait for events alone.
func Deadline(s State, seen Instances, now time.Time) (at time.Time, ok bool) {
	for _, m := range append(s.requestsDue(), s.rolloutDue(seen, now)...) {
		if m.After(now) && (!ok || m.Before(at)) {
			at, ok = m, true
		}
	}
	return at, ok
}

// rolloutDue are the moments at which time alone may decide about the rollout going on; some are past, some zero.
func (s State) rolloutDue(seen Instances, now time.Time) []time.Time {
	dep := s.Deployment
	if dep == nil || dep.GoingBack || s.Desired != Started {
		return nil
	}
	fresh, _ := s.Process(dep.Process)
	moments := []time.Time{dep.gateOpens(), dep.BakeUntil, s.progressDue(seen[fresh.ID], now)}
	if dep.AtPause {
		moments = append(moments, dep.PausedUntil)
	}
	for i := range fresh.Instances {
		limit := time.Duration(dep.Options.StartupTimeout) * time.Second
		moments = append(moments, seen[fresh.ID][i].startupDue(limit, dep.WatchedFrom))
	}
	return moments
}
