package exhaustive

import (
	"fmt"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// kind is something that may happen.
type kind uint8

const (
	logs kind = iota // a report comes into the log
	syncs
	ends
	restarts
	ups
	ticks
	waits
	continues
	passes
	starts
	lifts // a halt
	thaws // a freeze is lifted
	approves
	begins  // somebody starts what is approved
	crashes // from here on what a rollout can do without
	deploys
	cancels
	rollsBack
	stops
	fails
	unknowns
	alarms
	denies
	withdraws
	declares // a halt
	freezes
	rejects // a version
	accepts // it again
	releases
	kinds // how many there are
)

var names = [...]string{
	"the log has a report of", "agents hear what is desired", "gone is", "started anew is", "healthy is", "tick", "wait for the deadline",
	"continue", "check passes", "start app", "lift halt", "lift freeze", "approve", "begin", "crashed is", "deploy", "cancel", "roll back", "stop app",
	"check fails", "check inconclusive", "alarm", "deny", "withdraw", "halt", "freeze", "reject droplet", "accept droplet", "release automation",
}

// action is one edge of the graph of worlds: of some process or request, and of some index of it, person or sort.
type action struct {
	kind     kind
	of, sort uint8
}

func (a action) String() string {
	switch a.kind {
	case logs:
		return fmt.Sprintf("%s process %d", names[a.kind], a.of)
	case ends, restarts, ups, crashes:
		return fmt.Sprintf("%s instance %d of process %d", names[a.kind], a.sort, a.of)
	case approves:
		return fmt.Sprintf("%s %s request %d", people[a.sort], names[a.kind], a.of)
	case denies, begins, withdraws:
		return fmt.Sprintf("%s request %d", names[a.kind], a.of)
	case declares, freezes, lifts, rejects, accepts:
		return fmt.Sprintf("%s %d", names[a.kind], a.sort)
	}
	return names[a.kind]
}

// each calls do with everything that might happen in a world, what makes a rollout end first.
func (w *world) each(do func(action) (more bool)) {
	for k := range kinds {
		of, sorts := w.choices(k)
		for i := range of {
			for sort := range sorts {
				if !do(action{k, uint8(i), uint8(sort)}) {
					return
				}
			}
		}
	}
}

// choices are how many there are of what a kind of action may be about, and how many sorts of it.
func (w *world) choices(k kind) (of, sorts int) {
	switch k {
	case logs:
		return len(w.procs), 1
	case ends, restarts, ups, crashes:
		return len(w.procs), maxSlots
	case approves:
		return len(w.state.Requests), len(people)
	case denies, begins, withdraws:
		return len(w.state.Requests), 1
	case lifts:
		return 1, len(w.halts.Halts)
	case declares:
		return 1, len(halting)
	case freezes:
		return 1, len(freezing)
	case rejects, accepts:
		return 1, rollouts
	}
	return 1, 1
}

// take does one thing. It gives nothing where that cannot happen, and an error where a law does not hold.
func (sc *scope) take(w *world, a action) (*world, error) {
	var next *world
	var err error
	switch a.kind {
	case ticks:
		next, err = w.tick()
	case waits:
		next = w.wait()
	case logs, syncs, ends, restarts, ups, crashes:
		next = w.agent(a)
	case lifts, thaws, declares, freezes:
		next = w.govern(a)
	default:
		next, err = sc.command(w, a)
	}
	if next == nil || err != nil {
		return nil, err
	}
	for i := range next.procs {
		for p := &next.procs[i]; len(p.queue) > sc.lag; {
			p.log(next.now)
		}
	}
	next.forget()
	return next, nil
}

// agent is what happens with instances and reports.
func (w *world) agent(a action) *world {
	if a.kind == syncs {
		if !w.behind() {
			return nil
		}
		next := w.copy()
		next.sync()
		return next
	}
	if !w.possible(a) {
		return nil
	}
	next := w.copy()
	p := &next.procs[a.of]
	switch a.kind {
	case logs:
		p.log(w.now)
	case ends:
		p.end(int(a.sort))
	case restarts:
		p.start(int(a.sort))
	case ups:
		p.up(int(a.sort))
	case crashes:
		p.crash(int(a.sort))
		next.left.spend(crashes)
	}
	return next
}

// possible says whether something can happen to an instance or a report.
func (w *world) possible(a action) bool {
	is := w.procs[a.of].slots[a.sort].is
	switch a.kind {
	case logs:
		return len(w.procs[a.of].queue) > 0
	case ends:
		return is == stopping
	case restarts:
		return is == fallen
	case ups:
		return is == starting
	}
	return w.left[crashes] > 0 && (is == starting || is == running)
}

// wait lets time pass up to the next moment at which something may follow.
func (w *world) wait() *world {
	at, ok := w.next()
	if !ok {
		return nil
	}
	next := w.copy()
	next.now = at
	return next
}

// command is what people and checks do.
func (sc *scope) command(w *world, a action) (*world, error) {
	left := w.left
	if !left.spend(a.kind) {
		return nil, nil
	}
	next := w.copy()
	next.left = left
	decided, err := sc.decide(next, a)
	if err != nil && len(decided) > 0 {
		return nil, fmt.Errorf("refused with %w and decided %v", err, decided)
	}
	if err != nil || len(decided) == 0 {
		return nil, nil
	}
	return next, next.commit(decided, a)
}

// decide asks the rule book.
func (sc *scope) decide(w *world, a action) ([]events.Event, error) {
	switch a.kind {
	case deploys:
		c := sc.request(w, sc.asked(w))
		w.ledger.fates[sc.asked(w)-1].robot = c.Automation
		return app.DeployApp(w.state, c)
	case stops:
		return app.StopApp(w.state)
	case starts:
		return app.StartApp(w.state, "start", app.Quota{}, w.now)
	case alarms:
		w.now = w.now.Add(time.Second)
		return app.Receive(w.state, app.Signal{Name: "alarm", Firing: len(w.state.Alarms) == 0, At: w.now})
	case approves, denies, begins, withdraws:
		return w.answer(a)
	case rejects:
		if a.sort > sc.left[deploys] {
			return nil, nil // nobody asks for it
		}
		return app.RejectVersion(w.state, app.Version{Droplet: droplet(int(a.sort) + 2).ID}, "slow", people[1])
	case accepts:
		return app.AcceptVersion(w.state, app.Version{Droplet: droplet(int(a.sort) + 2).ID}, people[1])
	case releases:
		if !sc.first.Automation && !sc.second.Automation {
			return nil, nil // there is none to be let go on
		}
		return app.ReleaseAutomation(w.state, people[1])
	}
	if w.state.Deployment == nil {
		return nil, nil
	}
	return w.steer(a.kind)
}

// steer is what is done about the deployment going on.
func (w *world) steer(k kind) ([]events.Event, error) {
	c := app.Steer{Deployment: w.state.Deployment.ID(), By: "user", Now: w.now}
	switch k {
	case cancels:
		return app.CancelDeployment(w.state, c)
	case rollsBack:
		return app.RollBackDeployment(w.state, c)
	case continues:
		return app.ContinueDeployment(w.state, c)
	}
	checks := w.state.Deployment.Options.Checks
	if len(checks) == 0 {
		return nil, nil
	}
	record := app.RecordCheck{Deployment: c.Deployment, Check: checks[0].Name, Verdict: events.VerdictPass}
	if k == fails {
		record.Verdict = events.VerdictFail
	}
	if k == unknowns {
		record.Verdict = events.VerdictInconclusive
	}
	for _, last := range []time.Time{w.state.Deployment.Checks[record.Check].At, w.state.Deployment.WatchedFrom} {
		if !w.now.After(last) {
			w.now = last.Add(time.Second)
		}
	}
	record.At = w.now
	return app.Record(w.state, record)
}

// spend takes one thing from the budget, and says whether it was there. What can only undo or end what is bounded is free.
func (b *budget) spend(k kind) bool {
	switch k {
	case starts, lifts, thaws, approves, begins, denies, withdraws, accepts, releases:
		return true
	}
	if b[k] == 0 {
		return false
	}
	b[k]--
	return true
}
