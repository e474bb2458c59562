package simulate

import (
	"fmt"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// Restarts after a crash: the delays of internal/agent's default backoff.
const (
	firstRestart = time.Second
	lastRestart  = time.Minute
)

// maxStarts is how often an index is started: one that has crashed so often stays down, as one more crash would tell nothing
// new. Where a rollout bears more crashes, it is that many.
const maxStarts = 10

// virtual is an instance of the virtual agent.
type virtual struct {
	id         events.InstanceID // empty: it is down and will be started again, or not
	generation int
	crashes    int // in a row
}

// size is what a process has of the virtual agent.
type size struct{ instances, generation int }

// adopt takes what the app wants to run for running, since before the rollout.
func (w *world) adopt() {
	for _, p := range w.state.Webs() {
		seen, has := app.ProcessInstances{}, w.wants(p)
		for i := range has.instances {
			id := events.InstanceID(fmt.Sprintf("%s-%d-0", p.ID, i))
			w.instances[slot{p.ID, i}] = virtual{id: id, generation: p.Generation}
			seen[i] = app.Instance{ID: id, Generation: p.Generation, State: app.InstanceRunning, StartedAt: w.now, RoutableAt: w.now}
		}
		w.seen[p.ID], w.sizes[p.ID] = seen, has
	}
}

// wants is what a process shall have.
func (w *world) wants(p app.Process) size {
	if w.state.Desired != app.Started {
		return size{generation: p.Generation}
	}
	return size{p.Instances, p.Generation}
}

// reconcile stops what is not wanted any more and starts what is not there yet.
func (w *world) reconcile() {
	webs := w.state.Webs()
	for id, has := range w.sizes { // one process does not depend on another, so the order does not matter
		if !slices.ContainsFunc(webs, func(p app.Process) bool { return p.ID == id }) {
			w.resize(app.Process{ID: id}, has, size{})
			delete(w.sizes, id)
			delete(w.seen, id)
		}
	}
	for _, p := range webs {
		if has, want := w.sizes[p.ID], w.wants(p); has != want {
			w.resize(p, has, want)
			w.sizes[p.ID] = want
		}
	}
}

func (w *world) resize(p app.Process, has, want size) {
	keep := min(has.instances, want.instances)
	if has.generation != want.generation {
		keep = 0
	}
	for i := keep; i < has.instances; i++ {
		w.stop(slot{p.ID, i})
	}
	for i := keep; i < want.instances; i++ {
		w.start(p, i)
	}
}

func (w *world) stop(at slot) {
	known := w.instances[at]
	delete(w.instances, at)
	if known.id != "" {
		w.observe(events.InstanceStopped{InstanceRef: w.ref(at, known)})
	}
}

// start begins the next life of an index.
func (w *world) start(p app.Process, index int) {
	at := slot{p.ID, index}
	w.starts[at]++
	crashes := w.instances[at].crashes
	v := virtual{
		id: events.InstanceID(fmt.Sprintf("%s-%d-%d", p.ID, index, w.starts[at])), generation: p.Generation, crashes: crashes,
	}
	w.instances[at] = v
	life := w.life(Start{Process: p.ID, New: p.ID == w.fresh, Index: index, Number: w.starts[at], After: w.after()})
	w.later(life.Reported, at, v, func(w *world) { w.observe(events.InstanceStarting{InstanceRef: w.ref(at, v)}) })
	if !life.Hangs && (!life.Crashes || life.Routable < life.Crash) {
		w.later(max(life.Routable, life.Reported), at, v, func(w *world) { w.routable(at, v) })
	}
	if life.Crashes {
		w.later(max(life.Crash, life.Reported), at, v, func(w *world) { w.crash(at) })
	}
}

// life is what becomes of a start, with the fault that is on now.
func (w *world) life(s Start) Life {
	var life Life
	if w.in.Lives != nil {
		life = w.in.Lives(s)
	}
	if !s.New {
		return life
	}
	switch w.fault {
	case FaultCrash:
		return Life{Reported: life.Reported, Routable: life.Routable, Crashes: true, Crash: life.Routable}
	case FaultHang:
		return Life{Reported: life.Reported, Hangs: true}
	}
	return life
}

// later lets something happen to this life of an instance, unless it is over by then.
func (w *world) later(wait time.Duration, at slot, v virtual, do func(*world)) {
	w.happen(wait, func(w *world) {
		if w.instances[at].id == v.id {
			do(w)
		}
	})
}

func (w *world) routable(at slot, v virtual) {
	known := w.instances[at]
	known.crashes = 0
	w.instances[at] = known
	w.observe(events.InstanceRunning{InstanceRef: w.ref(at, v)})
}

// crash ends a life; the next begins after a while.
func (w *world) crash(at slot) {
	known := w.instances[at]
	ref := w.ref(at, known)
	known.crashes++
	known.id = ""
	w.instances[at] = known
	w.observe(events.InstanceCrashed{InstanceRef: ref, Reason: "exit status 1", Crashes: known.crashes})
	if w.starts[at] >= max(maxStarts, w.crashLimit()) {
		return
	}
	crashes := known.crashes
	w.happen(backoff(crashes), func(w *world) {
		p, wanted := w.state.Process(at.process)
		if now, there := w.instances[at]; there && wanted && now.id == "" && now.crashes == crashes {
			w.start(p, at.index)
		}
	})
}

// crashLimit is how many crashes the rollout bears.
func (w *world) crashLimit() int {
	if w.state.Deployment == nil {
		return 0
	}
	return w.state.Deployment.Options.CrashLimit
}

// backoff is how long an index stays down after so many crashes in a row.
func backoff(crashes int) time.Duration {
	d := firstRestart
	for i := 1; i < crashes && d < lastRestart; i++ {
		d *= 2
	}
	return min(d, lastRestart)
}

func (w *world) observe(e events.InstanceEvent) {
	process := e.Ref().Process
	w.seen[process] = app.Observe(w.seen[process], e, w.now)
	w.measure()
}

func (w *world) ref(at slot, v virtual) events.InstanceRef {
	return events.InstanceRef{
		App: w.state.ID, Process: at.process, ProcessType: events.ProcessTypeWeb, Index: at.index, Instance: v.id,
		Agent: "virtual", Generation: v.generation,
	}
}

// down makes the new instances that run fail.
func (w *world) down() {
	for i := range len(w.instances) {
		at := slot{w.fresh, i}
		v, there := w.instances[at]
		if !there || v.id == "" {
			continue
		}
		if w.fault == FaultHang {
			w.observe(events.InstanceUnready{InstanceRef: w.ref(at, v), Reason: "it does not answer"})
		} else {
			w.crash(at)
		}
	}
}
