package agent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestReconcile(t *testing.T) {
	later := t0.Add(time.Second)
	tests := []struct {
		name       string
		instances  int
		generation int
		have       []actual
		crashes    map[int]crash
		want       plan
	}{
		{name: "nothing to do", instances: 1, have: []actual{{"a", 0, 0, running}}},
		{name: "starts what is missing", instances: 3, have: []actual{{"b", 1, 0, starting}}, want: plan{start: []int{0, 2}}},
		{name: "stops surplus, highest index first", instances: 1,
			have: []actual{{"a", 0, 0, running}, {"b", 1, 0, running}, {"c", 2, 0, starting}},
			want: plan{stop: []stop{{"c", reasonSurplus}, {"b", reasonSurplus}}}},
		{name: "stops all of a process that is not wanted", have: []actual{{"a", 0, 0, running}},
			want: plan{stop: []stop{{"a", reasonSurplus}}}},
		{name: "an older generation is stopped, all at once", instances: 2, generation: 1,
			have: []actual{{"a", 0, 0, running}, {"b", 1, 0, starting}},
			want: plan{stop: []stop{{"b", reasonOutdated}, {"a", reasonOutdated}}}},
		{name: "an index is not taken while its last instance is going", instances: 2, generation: 1,
			have: []actual{{"a", 0, 0, stopping}, {"b", 1, 0, crashed}}},
		{name: "a crashed index waits", instances: 2, have: []actual{{"a", 0, 0, running}},
			crashes: map[int]crash{1: {1, 0, later}}, want: plan{wake: later}},
		{name: "a crashed index is started when its time has come", instances: 1,
			crashes: map[int]crash{0: {1, 0, t0}}, want: plan{start: []int{0}}},
		{name: "the earliest wait counts", instances: 2,
			crashes: map[int]crash{0: {1, 0, later.Add(time.Hour)}, 1: {1, 0, later}}, want: plan{wake: later}},
		{name: "a restart does not wait for crashes before it", instances: 1, generation: 1,
			crashes: map[int]crash{0: {9, 0, later}}, want: plan{start: []int{0}}},
		{name: "of two with one index the running one stays", instances: 1,
			have: []actual{{"a", 0, 0, starting}, {"b", 0, 0, running}}, want: plan{stop: []stop{{"a", reasonDuplicate}}}},
		{name: "of two running the older stays", instances: 1,
			have: []actual{{"b", 0, 0, running}, {"a", 0, 0, running}}, want: plan{stop: []stop{{"b", reasonDuplicate}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(reconcile(tt.instances, tt.generation, tt.have, tt.crashes, t0), tt.want) // the plan
		})
	}
}

func TestBackoff(t *testing.T) {
	is := is.New(t)
	b := Backoff{}.withDefaults()
	var c crash
	var waits []time.Duration
	for range 8 {
		c = b.crashedAgain(c, 0, time.Minute, t0)
		waits = append(waits, c.retry.Sub(t0))
	}
	s := time.Second
	is.Equal(waits, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}) // doubling up to a minute

	is.Equal(b.crashedAgain(c, 0, 5*time.Minute, t0).count, 1)                     // long health starts the count anew
	is.Equal(b.crashedAgain(c, 1, 0, t0).count, 1)                                 // and so does a restart
	is.Equal(b.crashedAgain(crash{count: 1 << 40}, 0, 0, t0).retry, t0.Add(b.Max)) // no overflow
}

// world is a process as it would be if every plan were carried out.
type world struct {
	have    []actual
	crashes map[int]crash
	next    int
}

func (w *world) carryOut(t *rapid.T, p plan, generation int) {
	for _, x := range p.stop {
		i := slices.IndexFunc(w.have, func(a actual) bool { return a.id == x.id })
		if s := w.have[i].state; s == stopping || s == crashed {
			t.Fatalf("%s is told to stop twice", x.id)
		}
		w.have[i].state = stopping
	}
	for _, index := range p.start {
		w.next++
		w.have = append(w.have, actual{events.InstanceID(fmt.Sprint(w.next)), index, generation, starting})
	}
}

// disturb lets something happen that the reconciler does not control.
func (w *world) disturb(t *rapid.T, now time.Time) {
	if len(w.have) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.have)-1).Draw(t, "who")
	a := &w.have[i]
	switch {
	case a.state == stopping || a.state == crashed:
		w.have = slices.Delete(w.have, i, i+1) // gone
	case rapid.Bool().Draw(t, "crashes"):
		a.state = crashed
		w.crashes[a.index] = crash{1, a.generation, now.Add(time.Second)}
	default:
		a.state = running
	}
}

// TestReconcileLaws drives random wishes and accidents: never two of an index side by side, nothing beyond what is wanted
// is started, and when the accidents end everything is soon as it shall be.
func TestReconcileLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{crashes: map[int]crash{}}
		now, instances, generation := t0, 0, 0
		step := func() {
			p := reconcile(instances, generation, w.have, w.crashes, now)
			w.carryOut(t, p, generation)
			seen := map[int]bool{}
			for _, a := range w.have {
				if seen[a.index] {
					t.Fatalf("two instances of index %d", a.index)
				}
				seen[a.index] = true
			}
			for _, index := range p.start {
				if index >= instances {
					t.Fatalf("index %d started, %d wanted", index, instances)
				}
			}
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				instances = rapid.IntRange(0, 5).Draw(t, "instances")
			case 1:
				generation++
			case 2:
				now = now.Add(time.Second)
			default:
				w.disturb(t, now)
			}
			step()
		}
		for range 4 { // calm: what ends has ended, backoffs pass
			now = now.Add(time.Hour)
			w.have = slices.DeleteFunc(w.have, func(a actual) bool { return a.state == stopping || a.state == crashed })
			step()
		}
		if len(w.have) != instances {
			t.Fatalf("%d instances, want %d", len(w.have), instances)
		}
		for _, a := range w.have {
			if a.generation != generation {
				t.Fatalf("index %d is of generation %d, want %d", a.index, a.generation, generation)
			}
		}
	})
}
