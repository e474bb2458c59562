package exhaustive

import (
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// maxSlots is how many indexes a process may have in any scope.
const maxSlots = 4

// truth is how an instance really is.
type truth uint8

const (
	none     truth = iota // nothing runs at the index
	starting              // not healthy yet
	running               // healthy, and in the router
	stopping              // told to go, out of the router, not gone yet
	fallen                // crashed; it is started anew after a while
)

// slot is one index of a process with the agent. Two instances of one index never run side by side.
type slot struct {
	is         truth
	life       uint8 // which start of the index it is
	generation uint8
	crashes    uint8 // in a row
	died       bool  // by a crash; until one runs again
}

// report is one that is made and not in the log yet.
type report struct {
	kind  events.Type
	index uint8
	slot  slot // as it was
}

// proc is one process with its agent: what the agent has heard that it shall be, what runs, what it has reported, and
// what of that is in the log.
type proc struct {
	id         events.ProcessID
	size       int // as the agent knows it
	generation int
	leaving    []events.InstanceID
	dark       bool
	slots      [maxSlots]slot
	queue      []report
	seen       app.ProcessInstances // as the log has it
}

// instance names a start of an index.
func (p *proc) instance(index int, life uint8) events.InstanceID {
	return events.InstanceID(string(p.id) + string([]byte{'0' + byte(index), '0' + life}))
}

func (p *proc) report(kind events.Type, index int) {
	p.queue = append(slices.Clip(p.queue), report{kind, uint8(index), p.slots[index]})
}

// log brings the first report that waits into the log, and says whether there was one.
func (p *proc) log(at time.Time) bool {
	if len(p.queue) == 0 {
		return false
	}
	r := p.queue[0]
	p.queue = p.queue[1:]
	ref := events.InstanceRef{
		App: appID, Process: p.id, Index: int(r.index), Instance: p.instance(int(r.index), r.slot.life), Generation: int(r.slot.generation),
	}
	var e events.InstanceEvent
	switch r.kind {
	case events.TypeInstanceStarting:
		e = events.InstanceStarting{InstanceRef: ref}
	case events.TypeInstanceRunning:
		e = events.InstanceRunning{InstanceRef: ref}
	case events.TypeInstanceUnready:
		e = events.InstanceUnready{InstanceRef: ref}
	case events.TypeInstanceCrashed:
		e = events.InstanceCrashed{InstanceRef: ref, Reason: "exit", Crashes: int(r.slot.crashes)}
	default:
		e = events.InstanceStopped{InstanceRef: ref}
	}
	p.seen = app.Observe(p.seen, e, at)
	return true
}

// up: an instance becomes healthy.
func (p *proc) up(index int) {
	s := &p.slots[index]
	s.is, s.crashes, s.died = running, 0, false
	p.report(events.TypeInstanceRunning, index)
}

// crash: an instance ends by itself.
func (p *proc) crash(index int) {
	s := &p.slots[index]
	s.died = s.died || s.is == running
	s.is, s.crashes = fallen, s.crashes+1
	p.report(events.TypeInstanceCrashed, index)
}

// end: nothing is left of an instance that was told to stop.
func (p *proc) end(index int) {
	p.slots[index].is = none
	p.report(events.TypeInstanceStopped, index)
	p.reconcile()
}

// start begins a new instance of an index, with a name that nobody speaks of any more.
func (p *proc) start(index int) {
	s := &p.slots[index]
	*s = slot{is: starting, life: p.unused(index), generation: uint8(p.generation), crashes: s.crashes, died: s.died}
	p.report(events.TypeInstanceStarting, index)
}

func (p *proc) unused(index int) uint8 {
	for life := uint8(1); ; life++ {
		id := p.instance(index, life)
		queued := slices.ContainsFunc(p.queue, func(r report) bool { return int(r.index) == index && r.slot.life == life })
		if !queued && p.seen[index].ID != id && !slices.Contains(p.leaving, id) {
			return life
		}
	}
}

// reconcile makes the process as the agent knows that it shall be: what internal/agent does.
func (p *proc) reconcile() {
	for i := range p.slots {
		s, wanted := &p.slots[i], i < p.size
		switch {
		case s.is == fallen && (!wanted || int(s.generation) < p.generation):
			*s = slot{}
		case (s.is == starting || s.is == running) &&
			(!wanted || int(s.generation) < p.generation || slices.Contains(p.leaving, p.instance(i, s.life))):
			if s.is == running {
				p.report(events.TypeInstanceUnready, i)
			}
			s.is = stopping
		}
		if s.is == none && wanted {
			p.start(i)
		}
	}
}

// behind says whether the agents have not heard yet of all that was decided.
func (w *world) behind() bool {
	for _, desired := range w.state.Processes {
		p := w.proc(desired.ID)
		if p == nil {
			return true
		}
		if size := w.wants(desired); p.size != size || p.generation != desired.Generation || p.dark != w.state.Dark(desired) ||
			!slices.Equal(p.leaving, desired.Leaving) {
			return true
		}
	}
	return false
}

// wants is how many instances of a process shall run.
func (w *world) wants(p app.Process) int {
	if w.state.Desired != app.Started {
		return 0
	}
	return p.Instances
}

// sync lets the agents hear what is desired now.
func (w *world) sync() {
	w.told()
	for i := range w.procs {
		w.procs[i].reconcile()
	}
}

func (w *world) told() {
	for _, desired := range w.state.Webs() {
		p := w.proc(desired.ID)
		if p == nil {
			w.procs = append(w.procs, proc{id: desired.ID})
			p = &w.procs[len(w.procs)-1]
		}
		p.size, p.generation, p.leaving, p.dark = w.wants(desired), desired.Generation, desired.Leaving, w.state.Dark(desired)
	}
}

// forget drops what can play no part any more: deleted processes, and names of instances on their way out that nobody
// speaks of.
func (w *world) forget() {
	w.procs = slices.DeleteFunc(w.procs, func(p proc) bool { _, there := w.state.Process(p.id); return !there })
	for i, desired := range w.state.Processes {
		p := w.proc(desired.ID)
		if p == nil {
			continue
		}
		p.leaving = p.still(p.leaving)
		if live := p.still(desired.Leaving); len(live) < len(desired.Leaving) {
			w.state.Processes = slices.Clone(w.state.Processes)
			w.state.Processes[i].Leaving = live
		}
	}
}

// still are those of the instances that somebody still speaks of.
func (p *proc) still(ids []events.InstanceID) []events.InstanceID {
	if len(ids) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id events.InstanceID) bool { return !p.speaksOf(id) })
}

// speaksOf says whether an instance still runs, is seen, or will be reported on.
func (p *proc) speaksOf(id events.InstanceID) bool {
	for i, s := range p.slots {
		if s.is != none && s.is != fallen && p.instance(i, s.life) == id || p.seen[i].ID == id {
			return true
		}
	}
	return slices.ContainsFunc(p.queue, func(r report) bool { return p.instance(int(r.index), r.slot.life) == id })
}
