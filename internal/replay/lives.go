package replay

import (
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
)

// slot is a place for an instance.
type slot struct {
	process events.ProcessID
	index   int
}

// start is one start of an instance as it was reported; zero times were not.
type start struct {
	wanted, reported, routable, crashed, gone time.Time
}

// starts collects the starts of web instances.
type starts struct {
	fresh   events.ProcessID
	wanted  map[slot]time.Time // since when the index is wanted, or wanted again
	present map[slot]events.InstanceID
	all     map[slot][]start
}

func newStarts() *starts {
	return &starts{wanted: map[slot]time.Time{}, present: map[slot]events.InstanceID{}, all: map[slot][]start{}}
}

// adopt notes what the app wants when the rollout begins: that is not started, it runs.
func (s *starts) adopt(state app.State, now time.Time) { s.want(state, now) }

// want notes since when indexes are wanted.
func (s *starts) want(state app.State, now time.Time) {
	wanted := map[slot]time.Time{}
	for _, p := range state.Webs() {
		for i := range p.Instances {
			at := slot{p.ID, i}
			wanted[at] = now
			if since, known := s.wanted[at]; known {
				wanted[at] = since
			}
		}
	}
	s.wanted = wanted
}

// take notes a report; before says that it was made before the rollout.
func (s *starts) take(e events.InstanceEvent, now time.Time, before bool) {
	ref := e.Ref()
	at := slot{ref.Process, ref.Index}
	if before {
		s.present[at] = ref.Instance
		return
	}
	if s.present[at] != ref.Instance {
		if _, begins := e.(events.InstanceStopped); begins {
			return // a late word on an earlier one
		}
		s.present[at] = ref.Instance
		s.all[at] = append(s.all[at], start{wanted: s.wanted[at]})
	}
	if len(s.all[at]) == 0 {
		return // it ran before the rollout
	}
	last := &s.all[at][len(s.all[at])-1]
	switch e := e.(type) {
	case events.InstanceStarting:
		last.reported = now
	case events.InstanceRunning:
		if last.routable.IsZero() {
			last.routable = now
		}
	case events.InstanceCrashed:
		last.crashed = now
		s.wanted[at] = now.Add(time.Duration(e.RetryMS) * time.Millisecond)
	case events.InstanceStopped:
		last.gone = now
	}
}

// lives are recorded starts as a simulation takes them.
type lives struct {
	fresh   events.ProcessID // the new process as it was called
	all     map[slot][]simulate.Life
	known   map[slot][]bool // whether the rollout saw what became of it
	typical simulate.Life   // of a start that it did not see
}

func (s *starts) lives() lives {
	l := lives{fresh: s.fresh, all: map[slot][]simulate.Life{}, known: map[slot][]bool{}, typical: simulate.Life{Hangs: true}}
	var reported, routable []time.Duration
	for at, starts := range s.all {
		for _, x := range starts {
			life, known := x.life()
			l.all[at], l.known[at] = append(l.all[at], life), append(l.known[at], known)
			if at.process == s.fresh && !x.routable.IsZero() {
				reported, routable = append(reported, life.Reported), append(routable, life.Routable)
			}
		}
	}
	if len(routable) > 0 {
		l.typical = simulate.Life{Reported: median(reported), Routable: median(routable)}
	}
	return l
}

// life is what became of a start; known is false where that was not seen.
func (x start) life() (l simulate.Life, known bool) {
	since := func(t time.Time) time.Duration { return max(t.Sub(x.wanted), 0) }
	if !x.reported.IsZero() {
		l.Reported = since(x.reported)
	}
	switch {
	case !x.routable.IsZero():
		l.Routable = since(x.routable)
	case !x.crashed.IsZero():
		l.Routable = since(x.crashed)
	}
	if !x.crashed.IsZero() {
		l.Crashes, l.Crash = true, since(x.crashed)
	}
	return l, !x.routable.IsZero() || !x.crashed.IsZero()
}

// of is what becomes of a start in a simulation.
func (l lives) of(s simulate.Start) simulate.Life {
	at := slot{s.Process, s.Index}
	if s.New {
		at.process = l.fresh
	}
	if n := s.Number - 1; n < len(l.all[at]) {
		life := l.all[at][n]
		if !l.known[at][n] {
			life.Routable, life.Hangs = max(l.typical.Routable, life.Reported), l.typical.Hangs
		}
		return life
	}
	return l.typical
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
