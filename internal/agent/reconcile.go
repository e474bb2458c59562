package agent

import (
	"cmp"
	"slices"
	"time"

	"slipway/events"
)

// Backoff says when a crashed index is started again: after First, then after twice as long with each crash in a row, at most
// Max. An instance that was healthy for Reset has shown that it can run: its next crash counts as the first again.
//
// The shape is Cloud Foundry's (Diego: three restarts at once, then 30 s doubling to 16 min, forgotten after 5 min of
// health). The numbers are smaller: they serve one host that somebody watches, and a rollout that waits.
type Backoff struct {
	First time.Duration // default 1 s
	Max   time.Duration // default 60 s
	Reset time.Duration // default 5 min
}

func (b Backoff) withDefaults() Backoff {
	b.First = cmp.Or(b.First, time.Second)
	b.Max = cmp.Or(b.Max, time.Minute)
	b.Reset = cmp.Or(b.Reset, 5*time.Minute)
	return b
}

// delay is how long to wait after so many crashes in a row.
func (b Backoff) delay(crashes int) time.Duration {
	d := b.First
	for i := 1; i < crashes && d < b.Max; i++ {
		d *= 2
	}
	return min(d, b.Max)
}

// state is where one instance stands with the agent.
type state int

const (
	starting state = iota
	running        // healthy, gets traffic
	crashed        // ended or unhealthy; what is left of it is being removed
	stopping       // told to stop
)

// outdated is the generation of an instance that shall end whatever its index: before any that a process may have.
const outdated = -1

// actual is an instance as the reconciler sees it. It occupies its index until nothing of it is left, so that two
// instances of one index never run side by side.
type actual struct {
	id         events.InstanceID
	index      int
	generation int
	state      state
}

// crash is what is remembered of the crashes of an index.
type crash struct {
	count      int // in a row
	generation int // of the process when it crashed: a restart wipes the slate
	retry      time.Time
}

// plan is what to do to make a process as it shall be.
type plan struct {
	start []int // indexes, ascending
	stop  []stop
	wake  time.Time // look again then; zero: only when something changes
}

type stop struct {
	id     events.InstanceID
	reason string
}

// Why instances are stopped, as reports say it.
const (
	reasonSurplus    = "scaled down"
	reasonOutdated   = "restarted"
	reasonDuplicate  = "another instance has this index"
	reasonUnwanted   = "no longer wanted"
	reasonAgentEnded = "agent shut down"
)

// reconcile compares what a process shall have, indexes 0 to instances-1 at a generation, with what is there. It is pure.
func reconcile(instances, generation int, have []actual, crashes map[int]crash, now time.Time) plan {
	var p plan
	occupied := map[int]bool{}
	for _, a := range keepFirst(have, generation) {
		duplicate := occupied[a.index]
		occupied[a.index] = true
		if a.state != starting && a.state != running {
			continue // on its way out
		}
		switch {
		case a.index >= instances:
			p.stop = append(p.stop, stop{a.id, reasonSurplus})
		case a.generation < generation:
			p.stop = append(p.stop, stop{a.id, reasonOutdated})
		case duplicate:
			p.stop = append(p.stop, stop{a.id, reasonDuplicate})
		}
	}
	for index := range instances {
		if occupied[index] {
			continue
		}
		if c := crashes[index]; c.generation >= generation && c.retry.After(now) {
			p.wake = earlier(p.wake, c.retry)
			continue
		}
		p.start = append(p.start, index)
	}
	return p
}

// keepFirst orders instances so that of several with one index the one to keep comes first: the right generation before
// others, running before starting, old before new. Higher indexes come first otherwise: they are the first to go.
func keepFirst(have []actual, generation int) []actual {
	return slices.SortedFunc(slices.Values(have), func(a, b actual) int {
		return cmp.Or(
			cmp.Compare(b.index, a.index),
			cmp.Compare(rank(a, generation), rank(b, generation)),
			cmp.Compare(a.id, b.id),
		)
	})
}

func rank(a actual, generation int) int {
	switch {
	case a.state == stopping || a.state == crashed:
		return 3
	case a.generation != generation:
		return 2
	case a.state == starting:
		return 1
	default:
		return 0
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// crashedAgain counts a crash. healthy is how long the instance had been healthy.
func (b Backoff) crashedAgain(before crash, generation int, healthy time.Duration, now time.Time) crash {
	c := crash{count: before.count + 1, generation: generation}
	if before.generation < generation || healthy >= b.Reset {
		c.count = 1
	}
	c.retry = now.Add(b.delay(c.count))
	return c
}
