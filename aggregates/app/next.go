package app

import (
	"fmt"
	"time"

	"slipway/events"
)

// Proceed is all that follows by itself in an app: a halt takes hold or lets go, a request whose time has come begins or is held, or
// the rollout going on is taken one tick further. While a halt is in force nothing begins.
func Proceed(s State, seen Instances, q Quota, b Brakes, now time.Time) []events.Event {
	if changed := ApplyHalt(s, b.Halt, now); len(changed) > 0 {
		return changed
	}
	if b.Halt.ID == "" {
		if begun := nextRequest(s, q, b.Holds, now); len(begun) > 0 {
			return begun
		}
	}
	return Next(s, seen, q, now)
}

// Next is the updater's rule book: what follows by itself from the state, the instances seen and the time, or nothing. It is
// asked again whenever one of the first two changes, and at [Deadline]; what has been decided is not decided twice.
//
// The rules are Cloud Foundry's (its updater's tick), with three differences, see docs/adr/0006 and 0024: it reacts to events
// instead of every five seconds; old instances come back when new ones fail after the cut; in a train of superseded
// deployments only what serves counts as capacity.
//
// What is left of the quotas bounds growth: a batch that does not fit is not started, and [Explain] says so.
func Next(s State, seen Instances, q Quota, now time.Time) []events.Event {
	if s.Deployment == nil {
		return nil
	}
	d := &decision{State: s, quota: q, seen: seen}
	switch {
	case s.Deployment.GoingBack, s.Deployment.RollingBack && (s.Deployment.Hurry || s.Desired != Started):
		d.goBack(seen)
	case s.Desired != Started:
	case s.Deployment.RollingBack:
		d.retreat(seen)
	default:
		d.roll(seen, now)
	}
	return d.events
}

// roll is one tick of a rollout towards its present step.
func (d *decision) roll(seen Instances, now time.Time) {
	dep := *d.Deployment
	fresh, ok := d.Process(dep.Process)
	if !ok {
		return
	}
	if why, failed := d.failure(fresh, seen, now); failed {
		d.fail(why)
		return
	}
	if dep.Halt != "" {
		d.standStill(fresh, seen)
		return
	}
	step, n := dep.step(), fresh.present(seen).Count(fresh.Instances)
	reached := fresh.Instances >= step.New && n.Routable >= step.New
	if reached && d.complete(seen[fresh.ID], now) {
		d.finalize()
		return
	}
	d.balanceOld(step.New+step.Old, n.Routable, seen)
	switch {
	case dep.Held:
	case dep.AtPause:
		d.timeOut(seen[fresh.ID], now)
	case reached:
		d.pass(seen[fresh.ID], now)
	default:
		d.grow(fresh, step, n)
	}
}

// grow starts the next new instances, if the quotas have room for them.
func (d *decision) grow(fresh Process, step events.Step, n Count) {
	if to := d.Deployment.nextSize(fresh.Instances, step, n); to > fresh.Instances && d.quota.refusal(fresh, to) == "" {
		d.scale(fresh, to, fmt.Sprintf("%d of %d new instances are routable, none fails", n.Routable, step.New))
	}
}

// nextSize is how many instances the new process should have next: as many as it has, if too many are starting, one
// fails, or the last growth is not seen yet.
func (d *Deployment) nextSize(size int, step events.Step, n Count) int {
	inFlight := min(d.Options.MaxInFlight, max(step.New, 1)) // more than the step is the same as the step
	if n.Starting >= inFlight || n.Unhealthy > 0 || n.Routable < size-inFlight {
		return size
	}
	return max(min(n.Routable+inFlight, step.New), size)
}

// refusal says why the quotas have no room for a process of this size; nothing if they have.
func (q Quota) refusal(p Process, instances int) string {
	return q.Check(UsageOf(instances-p.Instances, p.MemoryMB, p.LogRate))
}

// balanceOld lets old instances go where new ones have taken over, towards so many in all, and brings them back where new
// ones have failed.
func (d *decision) balanceOld(total, routable int, seen Instances) {
	surplus := -max(total-routable, 0)
	for _, p := range d.olds() {
		if p.Standing != Rejected {
			surplus += p.serving(seen)
		}
	}
	d.dropRejected(surplus, seen)
	if !d.bringBack(routable, seen) {
		d.drain(surplus, routable, seen)
	}
}

// dropRejected takes away what a canceled and superseded deployment left behind: its version must not serve. It does so only
// where there is too little without it.
func (d *decision) dropRejected(surplus int, seen Instances) {
	for _, p := range d.olds() {
		if p.Standing == Rejected {
			surplus += p.serving(seen)
		}
	}
	for _, p := range d.olds() {
		if p.Standing == Rejected {
			var to int
			to, surplus = spare(p, surplus, p.serves(seen))
			d.shrink(p, to, "its deployment was canceled and superseded")
		}
	}
}

// drain takes surplus capacity from the old processes, the oldest first, and with it whatever serves nothing: an interim
// process gives up its failing instances for free.
func (d *decision) drain(surplus, routable int, seen Instances) {
	reason := fmt.Sprintf("%d of %d new instances are routable", routable, d.Deployment.Target)
	for _, p := range d.olds() {
		if p.Standing != Rejected {
			var to int
			to, surplus = spare(p, surplus, p.serves(seen))
			d.shrink(p, to, reason)
		}
	}
}

// spare is how small a process may become that has so many serving instances to give: the ones of the highest indexes go
// first, those that serve nothing for free. Where too little serves nothing goes: what seems to serve nothing may have come up
// since it was last seen.
func spare(p Process, surplus int, serves func(index int) bool) (to, left int) {
	for to = p.Instances; to > 0 && surplus >= 0; to-- {
		if serves(to - 1) {
			if surplus == 0 {
				break
			}
			surplus--
		}
	}
	return to, surplus
}

// bringBack grows the oldest proven process, if the quotas have room: new instances failed after old ones had left. It says
// whether there are too few.
func (d *decision) bringBack(routable int, seen Instances) bool {
	missing := d.Deployment.Floor - routable
	for _, p := range d.olds() {
		missing -= p.coming(seen)
	}
	if missing <= 0 {
		return false
	}
	for _, p := range d.olds() {
		if p.Standing == Proven {
			if d.quota.refusal(p, p.Instances+missing) == "" {
				d.scale(p, p.Instances+missing, fmt.Sprintf("only %d of %d new instances are left routable", routable, d.Deployment.Target))
			}
			break
		}
	}
	return true
}

// shrink scales down. A process that reaches 0 is deleted, but the oldest web process stays: a cancel goes back to it.
func (d *decision) shrink(p Process, to int, reason string) {
	if to == 0 && p.ID != d.Webs()[0].ID {
		d.remove(p)
		return
	}
	d.scale(p, to, reason)
}

func (d *decision) scale(p Process, to int, reason string) {
	if to == p.Instances {
		return
	}
	scaled := events.ProcessScaled{
		App: d.State.ID, Process: p.ID, ProcessType: p.Type, From: p.Instances, Instances: to,
		MemoryMB: p.MemoryMB, DiskMB: p.DiskMB, LogRate: p.LogRate, Deployment: d.deploymentID(), Reason: reason,
	}
	if to > p.Instances {
		scaled.Leaving = p.leaving(d.seen[p.ID])
	}
	d.add(scaled)
}

func (d *decision) remove(p Process) {
	d.add(events.ProcessDeleted{App: d.State.ID, Process: p.ID, ProcessType: p.Type, Deployment: d.deploymentID()})
}

// finalize ends a rollout that has reached its target, in one commit: the old web processes go, all others are restarted
// with the new version, the deployment is DEPLOYED.
func (d *decision) finalize() {
	dep := *d.Deployment
	for _, p := range d.olds() {
		d.remove(p)
	}
	if fresh, _ := d.Process(dep.Process); fresh.Instances > dep.Target { // the canary of an app with no instances
		d.scale(fresh, dep.Target, "the target is reached")
	}
	d.restartOthers(dep.ID())
	d.add(events.DeploymentDeployed{App: d.State.ID, Deployment: dep.ID()})
}

// goBack goes back as quickly as may be: all web processes but the one to keep are deleted first, so it works at the limit
// of a quota too, then that one gets its original count. There is no promise of capacity on this way.
func (d *decision) goBack(seen Instances) {
	dep := *d.Deployment
	kept := d.keeper(seen)
	for _, p := range d.Webs() {
		if p.ID != kept.ID {
			d.remove(p)
		}
	}
	d.scale(kept, dep.OriginalInstances, dep.backReason())
	d.ended(kept)
}

// ended ends the way back to the version that serves again.
func (d *decision) ended(kept Process) {
	dep := *d.Deployment
	if kept.Droplet != d.Droplet && kept.Droplet != "" {
		d.add(events.AppDropletAssigned{
			App: d.State.ID, Droplet: kept.Droplet, PreviousDroplet: d.Droplet, ProcessTypes: d.Types[kept.Droplet],
			Deployment: dep.ID(),
		})
	}
	if dep.RollingBack {
		d.add(events.DeploymentRolledBack{App: d.State.ID, Deployment: dep.ID(), Kept: kept.ID})
		return
	}
	d.add(events.DeploymentCanceled{App: d.State.ID, Deployment: dep.ID(), Kept: kept.ID})
}

// keeper chooses what a cancel goes back to: the proven version if any of it runs, else the newest interim one that has a
// running instance, else the oldest.
func (d *decision) keeper(seen Instances) Process {
	webs := d.Webs()
	best := webs[0]
	running := func(p Process) bool { return p.present(seen).Count(p.Instances).Routable > 0 }
	if best.Standing == Proven && running(best) {
		return best
	}
	for _, p := range webs {
		if p.Standing == Interim && running(p) {
			best = p
		}
	}
	return best
}

// olds are the web processes other than the one being deployed, oldest first.
func (d *decision) olds() []Process {
	var olds []Process
	for _, p := range d.Webs() {
		if p.ID != d.Deployment.Process {
			olds = append(olds, p)
		}
	}
	return olds
}

func (d *decision) deploymentID() events.DeploymentID {
	if d.Deployment == nil {
		return ""
	}
	return d.Deployment.ID()
}
