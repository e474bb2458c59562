package logtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

// firstLead is how far ahead the alarms of a scenario stand. Where a machine is too slow to set them all before the first is
// due, the scenario is played again with twice the lead, up to patience.
const firstLead = 400 * time.Millisecond

// TimersFixture is an implementation of [eventlog.Timers] to be tested.
type TimersFixture struct {
	Timers eventlog.Timers
	// Lose takes away the alarm of a key that stands, as whoever has access to the stream could, and says whether one did.
	Lose func(t testing.TB, key string) bool
	// Inject lets a message come as if an alarm had rung.
	Inject func(t testing.TB, m events.Message)
}

// RunTimers holds timers to the contract. The scenarios share them: each has keys of its own.
func RunTimers(t *testing.T, open func(t testing.TB) TimersFixture) {
	f := open(t)
	for name, scenario := range map[string]timersScenario{
		"rings once, at its time":                    ringing,
		"rings at once where the time is past":       overdue,
		"the earliest of several is kept":            keeping,
		"of many who set at once the earliest stays": rivaling,
		"one that is overdue does not suffice":       replacing,
		"rings again until it is attended to":        insisting,
		"waits where it comes too early":             premature,
		"a far one does not ring now":                distant,
		"a lost one is set again":                    losing,
		"what is no alarm is dropped":                dropping,
		"several processes share the alarms":         shared,
		"an interrupted one rings for the next":      interrupted,
		"what cannot be set is refused":              refusingAlarms,
	} {
		t.Run(name, func(t *testing.T) {
			lead := firstLead
			for !playedInTime(t, scenario, f, lead) && !t.Failed() {
				if lead *= 2; lead > patience {
					t.Fatalf("alarms could not be set before they were due, %s ahead", lead/2)
				}
			}
		})
	}
}

// playedInTime plays a scenario as a test of its own: who listened in one that was too slow must not take the alarms of the next.
func playedInTime(t *testing.T, play timersScenario, f TimersFixture, lead time.Duration) (inTime bool) {
	t.Run(lead.String(), func(t *testing.T) { inTime = play(t, f, lead) })
	return inTime
}

// timersScenario says whether it could set what it had to in time; else it has shown nothing.
type timersScenario func(t *testing.T, f TimersFixture, lead time.Duration) (inTime bool)

// bell collects what rings, and holds each alarm to "never before its time".
type bell struct {
	rung chan eventlog.Alarm
}

// listen hears what rings until the test ends. attend may be nil.
func listen(t testing.TB, timers eventlog.Timers, attend func(eventlog.Alarm) error) *bell {
	t.Helper()
	b := &bell{rung: make(chan eventlog.Alarm, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	done := inBackground(func() error {
		return timers.Ring(ctx, func(_ context.Context, a eventlog.Alarm) error {
			if early := time.Until(a.At); early > 0 {
				t.Errorf("%s rang %s too early", a.Key, early)
			}
			b.rung <- a
			if attend == nil {
				return nil
			}
			return attend(a)
		})
	})
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Ring: %v", err) // the end of ctx is no error
		}
	})
	return b
}

// until gives what has rung once all of keys have.
func (b *bell) until(t testing.TB, keys ...string) (rung []eventlog.Alarm) {
	t.Helper()
	for slices.ContainsFunc(keys, func(key string) bool { return len(of(rung, key)) == 0 }) {
		rung = append(rung, receive(t, b.rung, 1)...)
	}
	return rung
}

// of are the times at which a key rang.
func of(rung []eventlog.Alarm, key string) (times []time.Time) {
	for _, a := range rung {
		if a.Key == key {
			times = append(times, a.At)
		}
	}
	return times
}

// at makes an alarm of a new key, so far ahead.
func at(ahead time.Duration) eventlog.Alarm {
	return eventlog.Alarm{Key: events.NewID(), At: time.Now().UTC().Add(ahead).Round(0)}
}

func set(t testing.TB, timers eventlog.Timers, alarms ...eventlog.Alarm) {
	t.Helper()
	for _, a := range alarms {
		is.New(t).NoErr(timers.Set(t.Context(), a))
	}
}

func ringing(t *testing.T, f TimersFixture, lead time.Duration) bool {
	is := is.New(t)
	b := listen(t, f.Timers, nil)
	one, fence := at(lead), at(2*lead)
	set(t, f.Timers, one, fence, one)
	if time.Now().After(one.At) {
		return false
	}
	is.Equal(of(b.until(t, one.Key, fence.Key), one.Key), []time.Time{one.At}) // once, and with the time it was set for, exactly
	return true
}

func overdue(t *testing.T, f TimersFixture, _ time.Duration) bool {
	b := listen(t, f.Timers, nil)
	past := at(-time.Hour)
	set(t, f.Timers, past)
	b.until(t, past.Key)
	set(t, f.Timers, past) // it has rung, so this is another one
	b.until(t, past.Key)
	return true
}

func keeping(t *testing.T, f TimersFixture, lead time.Duration) bool {
	is := is.New(t)
	b := listen(t, f.Timers, nil)
	first, second, fence := at(lead), at(time.Hour), at(2*lead)
	later, sooner := first, second
	later.At, sooner.At = first.At.Add(time.Hour), first.At
	set(t, f.Timers, first, later, second, sooner, fence) // one is to be put off, one brought forward
	if time.Now().After(first.At) {
		return false
	}
	rung := b.until(t, first.Key, second.Key, fence.Key)
	is.Equal(of(rung, first.Key), []time.Time{first.At})
	is.Equal(of(rung, second.Key), []time.Time{sooner.At})
	again := eventlog.Alarm{Key: first.Key, At: at(lead).At}
	set(t, f.Timers, again) // who was rung sets the next one
	is.Equal(of(b.until(t, first.Key), first.Key), []time.Time{again.At})
	return true
}

func rivaling(t *testing.T, f TimersFixture, lead time.Duration) bool {
	b := listen(t, f.Timers, nil)
	var keys []string
	due := at(lead).At
	var setters sync.WaitGroup
	for range 10 {
		key := events.NewID()
		keys = append(keys, key)
		for i := range 8 {
			setters.Go(func() {
				if err := f.Timers.Set(t.Context(), eventlog.Alarm{Key: key, At: due.Add(time.Duration(i) * time.Hour)}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	setters.Wait()
	if time.Now().After(due) {
		return false
	}
	rung := b.until(t, keys...)
	for _, key := range keys {
		is.New(t).Equal(of(rung, key)[0], due)
	}
	return true
}

// replacing: an alarm that is overdue does not keep another one from being set.
func replacing(t *testing.T, f TimersFixture, lead time.Duration) bool {
	began, past := time.Now(), at(-time.Second)
	next := eventlog.Alarm{Key: past.Key, At: at(lead).At}
	set(t, f.Timers, past, next)
	if time.Since(began) > lead/4 {
		return false // the first may be ringing just now
	}
	b := listen(t, f.Timers, nil)
	for !slices.ContainsFunc(b.until(t, next.Key), func(a eventlog.Alarm) bool { return a.At.Equal(next.At) }) {
	}
	return true
}

func insisting(t *testing.T, f TimersFixture, lead time.Duration) bool {
	is := is.New(t)
	stubborn, fence := at(-time.Second), at(lead)
	failures := 0
	b := listen(t, f.Timers, func(a eventlog.Alarm) error {
		if a.Key == stubborn.Key && failures < 3 {
			failures++
			return errEnough
		}
		return nil
	})
	set(t, f.Timers, stubborn)
	for range 4 {
		b.until(t, stubborn.Key)
	}
	set(t, f.Timers, fence)
	is.Equal(len(of(b.until(t, fence.Key), stubborn.Key)), 0) // it was attended to
	return true
}

func premature(t *testing.T, f TimersFixture, lead time.Duration) bool {
	b := listen(t, f.Timers, nil)
	early := at(lead)
	f.Inject(t, events.Message{
		Subject: events.Subject("timers.due." + early.Key), Header: map[string][]string{"Slipway-At": {early.At.Format(time.RFC3339Nano)}},
	})
	b.until(t, early.Key) // listen sees that it is not too early
	return true
}

func distant(t *testing.T, f TimersFixture, lead time.Duration) bool {
	is := is.New(t)
	b := listen(t, f.Timers, nil)
	days, ages, fence := at(100*24*time.Hour), at(0), at(lead)
	ages.At = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) // beyond what the server can count to
	set(t, f.Timers, days, ages, fence)
	rung := b.until(t, fence.Key)
	is.Equal(len(of(rung, days.Key)), 0)
	is.Equal(len(of(rung, ages.Key)), 0)
	is.True(f.Lose(t, days.Key)) // they stand
	is.True(f.Lose(t, ages.Key))
	return true
}

func losing(t *testing.T, f TimersFixture, lead time.Duration) bool {
	is := is.New(t)
	b := listen(t, f.Timers, nil)
	lost := at(lead)
	set(t, f.Timers, lost)
	f.Lose(t, lost.Key)
	healed := eventlog.Alarm{Key: lost.Key, At: lost.At.Add(lead)}
	if time.Now().After(lost.At) {
		return false
	}
	set(t, f.Timers, healed)
	is.Equal(of(b.until(t, healed.Key), healed.Key), []time.Time{healed.At}) // not at lost.At, so that one was really gone
	return true
}

func dropping(t *testing.T, f TimersFixture, _ time.Duration) bool {
	b := listen(t, f.Timers, nil)
	for _, m := range []events.Message{
		{Subject: "timers.due.a.b", Header: map[string][]string{"Slipway-At": {"2026-01-01T00:00:00Z"}}},
		{Subject: "timers.due.notime"},
		{Subject: "timers.due.badtime", Header: map[string][]string{"Slipway-At": {"tomorrow"}}, Data: []byte("junk")},
	} {
		f.Inject(t, m)
	}
	good := at(-time.Second)
	set(t, f.Timers, good)
	for _, a := range b.until(t, good.Key) {
		if slices.Contains([]string{"a.b", "notime", "badtime"}, a.Key) {
			t.Errorf("%s rang", a.Key)
		}
	}
	return true
}

func shared(t *testing.T, f TimersFixture, _ time.Duration) bool {
	is := is.New(t)
	one, two := listen(t, f.Timers, nil), listen(t, f.Timers, nil)
	want := map[string]int{}
	for range 40 {
		a := at(-time.Second)
		set(t, f.Timers, a)
		want[a.Key] = 1
	}
	got := map[string]int{}
	for ctx := impatient(t); len(got) < len(want); {
		select {
		case a := <-one.rung:
			got[a.Key] += want[a.Key]
		case a := <-two.rung:
			got[a.Key] += want[a.Key]
		case <-ctx.Done():
			t.Fatalf("%d alarms of %d rang", len(got), len(want))
		}
	}
	is.Equal(got, want) // each once: nothing failed, nobody died
	return true
}

func interrupted(t *testing.T, f TimersFixture, _ time.Duration) bool {
	is := is.New(t)
	a := at(-time.Second)
	ctx, cancel := context.WithCancel(impatient(t))
	set(t, f.Timers, a)
	var begun atomic.Bool
	is.NoErr(f.Timers.Ring(ctx, func(ctx context.Context, rung eventlog.Alarm) error {
		if rung.Key == a.Key {
			begun.Store(true)
			cancel() // the process is stopped while it attends to it
		}
		return ctx.Err()
	}))
	is.True(begun.Load())
	listen(t, f.Timers, nil).until(t, a.Key)
	return true
}

func refusingAlarms(t *testing.T, f TimersFixture, _ time.Duration) bool {
	for _, key := range []string{"", "a.b", "*", ">", "a b", "a\r\nNats-Schedule: x", "ä", strings.Repeat("a", 65)} {
		if err := f.Timers.Set(t.Context(), eventlog.Alarm{Key: key, At: time.Now()}); !errors.Is(err, events.ErrMalformed) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	is := is.New(t)
	is.True(errors.Is(f.Timers.Set(t.Context(), eventlog.Alarm{Key: "a"}), events.ErrMalformed)) // no time
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	is.True(errors.Is(f.Timers.Set(ended, at(time.Hour)), eventlog.ErrUnavailable))
	return true
}
