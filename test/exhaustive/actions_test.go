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
	crashes // from here on what a rollout can do without
	deploys
	cancels
	rollsBack
	stops
	fails
	unknowns
	alarms
)

var names = [...]string{
	"the log has a report of", "agents hear what is desired", "gone is", "started anew is", "healthy is", "tick", "wait for the deadline",
	"continue", "check passes", "start app", "crashed is", "deploy", "cancel", "roll back", "stop app", "check fails", "check inconclusive", "alarm",
}

// action is one edge of the graph of worlds.
type action struct {
	kind        kind
	proc, index uint8
}

func (a action) String() string {
	switch a.kind {
	case logs:
		return fmt.Sprintf("%s process %d", names[a.kind], a.proc)
	case ends, restarts, ups, crashes:
		return fmt.Sprintf("%s instance %d of process %d", names[a.kind], a.index, a.proc)
	}
	return names[a.kind]
}

// each calls do with everything that might happen in a world, what makes a rollout end first.
func (w *world) each(do func(action) (more bool)) {
	for k := logs; k <= alarms; k++ {
		switch k {
		case logs:
			for p := range w.procs {
				if !do(action{kind: k, proc: uint8(p)}) {
					return
				}
			}
		case ends, restarts, ups, crashes:
			for p := range w.procs {
				for i := range maxSlots {
					if !do(action{k, uint8(p), uint8(i)}) {
						return
					}
				}
			}
		default:
			if !do(action{kind: k}) {
				return
			}
		}
	}
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
	default:
		next, err = sc.command(w, a.kind)
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
	p := &next.procs[a.proc]
	switch a.kind {
	case logs:
		p.log(w.now)
	case ends:
		p.end(int(a.index))
	case restarts:
		p.start(int(a.index))
	case ups:
		p.up(int(a.index))
	case crashes:
		p.crash(int(a.index))
		next.left.spend(crashes)
	}
	return next
}

// possible says whether something can happen to an instance or a report.
func (w *world) possible(a action) bool {
	is := w.procs[a.proc].slots[a.index].is
	switch a.kind {
	case logs:
		return len(w.procs[a.proc].queue) > 0
	case ends:
		return is == stopping
	case restarts:
		return is == fallen
	case ups:
		return is == starting
	}
	return w.left[crashes] > 0 && (is == starting || is == running)
}

// wait lets time pass up to the next deadline.
func (w *world) wait() *world {
	if !matters(w.state.Deployment).time {
		return nil
	}
	at, ok := app.Deadline(w.state, w.seen(), w.now)
	if !ok {
		return nil
	}
	next := w.copy()
	next.now = at
	return next
}

// command is what people and checks do.
func (sc *scope) command(w *world, k kind) (*world, error) {
	left := w.left
	if !left.spend(k) {
		return nil, nil
	}
	next := w.copy()
	next.left = left
	var decided []events.Event
	var err error
	switch k {
	case deploys:
		decided, err = app.DeployApp(w.state, sc.request(3, sc.second, w.now))
	case stops:
		decided, err = app.StopApp(w.state)
	case starts:
		decided, err = app.StartApp(w.state, "start", app.Quota{}, w.now)
	case alarms:
		next.now = w.now.Add(time.Second)
		decided, err = app.Receive(w.state, app.Signal{Name: "alarm", Firing: len(w.state.Alarms) == 0, At: next.now})
	default:
		if w.state.Deployment == nil {
			return nil, nil
		}
		decided, err = next.steer(k)
	}
	if err != nil && len(decided) > 0 {
		return nil, fmt.Errorf("refused with %w and decided %v", err, decided)
	}
	if err != nil || len(decided) == 0 {
		return nil, nil
	}
	return next, next.commit(decided, k)
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

// spend takes one thing from the budget, and says whether it was there. To start an app is free.
func (b *budget) spend(k kind) bool {
	if k == starts {
		return true
	}
	if b[k] == 0 {
		return false
	}
	b[k]--
	return true
}
