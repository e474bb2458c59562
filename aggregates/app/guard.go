package app

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"slipway/events"
)

// failure says whether the rollout has failed by what is seen and what the time is, and why. A check's failure is decided
// when its verdict is recorded: see [RecordCheck]. A rollout that names no action on failure never fails: what is wrong is
// told, and somebody decides. One that is held or going back has failed already.
func (d *decision) failure(fresh Process, seen Instances, now time.Time) (events.DeploymentBreached, bool) {
	dep := d.Deployment
	if dep.Options.OnFailure == "" || dep.Held {
		return events.DeploymentBreached{}, false
	}
	b := events.DeploymentBreached{App: d.State.ID, Deployment: dep.ID(), At: now, Crashes: Crashes(seen[fresh.ID])}
	for _, judge := range []func(*events.DeploymentBreached, Process, ProcessInstances, time.Time) bool{
		d.alarmed, d.crashed, d.tooLongStarting, d.tooLongSilent,
	} {
		if judge(&b, fresh, seen[fresh.ID], now) {
			return b, true
		}
	}
	return b, false
}

// alarmed: an alarm fires that did not when the rollout began. What had been wrong before is no fault of the new version,
// which may be the cure.
func (d *decision) alarmed(b *events.DeploymentBreached, _ Process, _ ProcessInstances, _ time.Time) bool {
	name := d.State.alarm()
	if name == "" {
		return false
	}
	b.Cause, b.Name, b.Value, b.Reason = events.CauseAlarm, name, d.Alarms[name].Value, d.Alarms[name].words(name)
	return true
}

// alarm names an alarm that fires and counts against the rollout going on, or nothing.
func (s State) alarm() string {
	if s.Deployment.Options.IgnoreAlarms {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(s.Alarms)) {
		if s.Alarms[name].Since.After(s.Deployment.WatchedFrom) {
			return name
		}
	}
	return ""
}

// crashed is the breaker: too many crashes of new instances in all, or too many of them down at once.
func (d *decision) crashed(b *events.DeploymentBreached, fresh Process, seen ProcessInstances, _ time.Time) bool {
	limits, down := d.Deployment.Options.Guard, 0
	for i := range fresh.Instances {
		if seen[i].State == InstanceCrashed || seen[i].State == InstanceStarting && seen[i].Crashes > 0 {
			down++
		}
	}
	b.Cause = events.CauseCrashes
	if n := b.Crashes - d.Deployment.Forgiven; limits.CrashLimit > 0 && n >= limits.CrashLimit {
		b.Value, b.Reason = fmt.Sprint(n), fmt.Sprintf("new instances crashed %d times, %d are borne: %s", n, limits.CrashLimit-1, lastCrash(seen))
		return true
	}
	if limits.CrashPercent > 0 && down > 0 && b.Crashes > d.Deployment.Forgiven && down*100 >= limits.CrashPercent*fresh.Instances {
		b.Value, b.Reason = fmt.Sprint(down), fmt.Sprintf("%d of %d new instances are down: %s", down, fresh.Instances, lastCrash(seen))
		return true
	}
	return false
}

// Crashes counts how often instances of a process have crashed in all.
func Crashes(seen ProcessInstances) int {
	n := 0
	for _, i := range seen {
		n += i.Falls
	}
	return n
}

// lastCrash is why the instance of the lowest index that is down crashed.
func lastCrash(seen ProcessInstances) string {
	for _, i := range slices.Sorted(maps.Keys(seen)) {
		if seen[i].Reason != "" {
			return fmt.Sprintf("instance %d: %s", i, seen[i].Reason)
		}
	}
	return "they run again"
}

// tooLongStarting: a new instance has been starting for longer than it may.
func (d *decision) tooLongStarting(b *events.DeploymentBreached, fresh Process, seen ProcessInstances, now time.Time) bool {
	limit := time.Duration(d.Deployment.Options.StartupTimeout) * time.Second
	for i := range fresh.Instances {
		if due := seen[i].startupDue(limit, d.Deployment.WatchedFrom); !due.IsZero() && !now.Before(due) {
			b.Cause, b.Value = events.CauseStartup, fmt.Sprint(limit)
			b.Reason = fmt.Sprintf("new instance %d has not become routable within %v of its start", i, limit)
			return true
		}
	}
	return false
}

// startupDue is when an instance that is on its way up must be routable; zero where that does not apply.
func (i Instance) startupDue(limit time.Duration, from time.Time) time.Time {
	if limit == 0 || i.State != InstanceStarting && (i.State != InstanceUnready || !i.RoutableAt.IsZero()) {
		return time.Time{}
	}
	return later(i.StartedAt, from).Add(limit)
}

// tooLongSilent is the progress deadline: nothing got better for too long, while it should have.
func (d *decision) tooLongSilent(b *events.DeploymentBreached, _ Process, seen ProcessInstances, now time.Time) bool {
	due := d.progressDue(seen, now)
	if due.IsZero() || now.Before(due) {
		return false
	}
	limit := time.Duration(d.Deployment.Options.ProgressDeadline) * time.Second
	b.Cause, b.Value, b.Reason = events.CauseDeadline, fmt.Sprint(limit), d.silence(seen)
	return true
}

// silence says that nothing got better for too long, and how far it got.
func (s State) silence(seen ProcessInstances) string {
	fresh, _ := s.Process(s.Deployment.Process)
	step := s.Deployment.step()
	text := fmt.Sprintf("no progress for %v: %d of %d new instances are routable",
		time.Duration(s.Deployment.Options.ProgressDeadline)*time.Second, seen.Count(fresh.Instances).Routable, step.New)
	if pending := s.Deployment.pendingCheck(seen.settled(step.New)); pending != "" {
		text += ", check " + pending + " has not passed"
	}
	return text
}

// progressDue is when the rollout must have got further: the deadline after it last did, as Nomad means it. It last did when
// one of its own events says so, when an index was routable for the first time, or when the time of a step came that waits
// for nothing but health. Zero: it waits for something else, or for ever.
func (s State) progressDue(seen ProcessInstances, now time.Time) time.Time {
	dep := s.Deployment
	if dep.Options.ProgressDeadline == 0 || dep.ProgressAt.IsZero() || dep.AtPause || dep.Held || dep.Halt != "" || dep.GoingBack {
		return time.Time{}
	}
	fresh, _ := s.Process(dep.Process)
	at, limit := dep.ProgressAt, time.Duration(dep.Options.ProgressDeadline)*time.Second
	if dep.RollingBack {
		return at.Add(limit)
	}
	for i := range fresh.Instances {
		at = later(at, seen[i].RoutableAt)
	}
	step := dep.step()
	if fresh.Instances >= step.New && seen.Count(fresh.Instances).Routable >= step.New {
		gate := later(dep.gateOpens(), dep.BakeUntil)
		if gate.IsZero() || now.Before(gate) {
			return time.Time{} // it is healthy and waits for its time
		}
		at = later(at, gate)
	}
	return at.Add(limit)
}

// gateOpens is when the time of the next step comes; of the last one, when its own does.
func (d *Deployment) gateOpens() time.Time {
	if d.Step+1 < len(d.Plan) {
		return d.StartedAt.Add(time.Duration(d.Plan[d.Step+1].After) * time.Millisecond)
	}
	return d.StartedAt.Add(time.Duration(d.step().After) * time.Millisecond)
}

// fail records a breach and begins what follows from it. Where there is nothing to go back to it is held.
func (d *decision) fail(b events.DeploymentBreached) {
	b.Action = d.Deployment.Options.OnFailure
	if _, known := d.Types[d.Deployment.PreviousDroplet]; !known {
		b.Action = events.ThenHold
	}
	d.add(b)
	switch b.Action {
	case events.ThenRollback:
		d.rollBackFor(b.Reason, d.Deployment.Options.Fast, b.At)
	case events.ThenCancel:
		d.restoreDroplet()
		d.add(events.DeploymentCanceling{App: d.State.ID, Deployment: b.Deployment})
	}
}

// rollBackFor begins the way back that keeps the capacity.
func (d *decision) rollBackFor(reason string, fast bool, at time.Time) {
	d.restoreDroplet()
	d.add(events.DeploymentRollingBack{App: d.State.ID, Deployment: d.Deployment.ID(), Reason: reason, Fast: fast, At: at})
}

// restoreDroplet makes the version before the current one again.
func (d *decision) restoreDroplet() {
	previous := d.Deployment.PreviousDroplet
	if previous == d.Droplet {
		return
	}
	d.add(events.AppDropletAssigned{
		App: d.State.ID, Droplet: previous, PreviousDroplet: d.Droplet, ProcessTypes: d.Types[previous], Deployment: d.Deployment.ID(),
	})
}

// settled is when the last of the first n instances was routable for the first time; zero where one never was.
func (seen ProcessInstances) settled(n int) time.Time {
	var at time.Time
	for i := range n {
		if seen[i].RoutableAt.IsZero() {
			return time.Time{}
		}
		at = later(at, seen[i].RoutableAt)
	}
	return at
}

// pendingCheck names a check that has not passed since its step was reached, or nothing. settled is when its instances were
// all there.
func (d *Deployment) pendingCheck(settled time.Time) string {
	since := later(d.StepAt, settled)
	for _, c := range d.Options.Checks {
		if last := d.Checks[c.Name]; !c.DryRun && (last.Verdict != events.VerdictPass || last.At.Before(since)) {
			return c.Name
		}
	}
	return ""
}

// PendingCheck names a check that must pass before the rollout going on leaves its present step, or nothing.
func PendingCheck(s State, seen Instances) string {
	if s.Deployment == nil {
		return ""
	}
	return s.Deployment.pendingCheck(seen[s.Deployment.Process].settled(s.Deployment.step().New))
}

// later is the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
