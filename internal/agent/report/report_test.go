package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

// book is a Log that writes down what it is told, and fails as told.
type book struct {
	mu      sync.Mutex
	fails   []error // one for each next write; nil writes and answers, errLost writes and does not
	commits []events.Commit
	tried   []events.CommandID
}

var (
	errDown = errors.New("down")
	errLost = errors.New("the acknowledgement was lost")
)

func (b *book) Report(_ context.Context, c events.Commit) (events.Recorded, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried = append(b.tried, c.CommandID)
	var err error
	if len(b.fails) > 0 {
		err, b.fails = b.fails[0], b.fails[1:]
	}
	if err == nil || errors.Is(err, errLost) {
		b.commits = append(b.commits, c)
	}
	return events.Recorded{Commit: c}, err
}

// lines are the instances reported on a process, in order.
func (b *book) lines(process events.ProcessID) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, c := range b.commits {
		if c.Subject == events.InstanceSubject(process) {
			for _, e := range c.Events {
				all = append(all, string(e.Type())+" "+e.Subject())
			}
		}
	}
	return all
}

func starting(process events.ProcessID, index, n int) events.InstanceStarting {
	return events.InstanceStarting{InstanceRef: events.InstanceRef{
		Process: process, Index: index, Instance: events.InstanceID(fmt.Sprint(n)), Agent: "a1",
	}}
}

// run runs a reporter in a bubble until the test ends.
func run(t *testing.T, b *book) *Reporter {
	r := New("a1", b, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

func TestReportsAreWrittenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{}
		r := run(t, b)
		began := time.Now().UTC()
		r.Add(starting("p1", 0, 1))
		synctest.Wait()
		time.Sleep(time.Second)
		r.Add(events.InstanceRunning{InstanceRef: starting("p1", 0, 1).InstanceRef})
		is.Equal(r.Flush(t.Context()), 0) // all written
		is.Equal(b.lines("p1"), []string{"instance.starting 1", "instance.running 1"})
		is.Equal(b.commits[0].Actor, events.Actor("agent/a1"))
		is.Equal(b.commits[0].Version, events.Version(0)) // facts have no version
		is.Equal(b.commits[1].Time.Sub(began), time.Second)
		is.True(b.commits[0].CommandID != b.commits[1].CommandID) // each report is one of its own
	})
}

func TestReportsAreTriedUntilTheyStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{fails: []error{errDown, errLost, errDown}}
		r := run(t, b)
		r.Add(starting("p1", 0, 1))
		is.Equal(r.Flush(t.Context()), 0)
		is.Equal(len(b.tried), 4)
		is.Equal(b.tried[0], b.tried[3])     // under one id
		is.Equal(b.commits[0], b.commits[1]) // the same report, also where it stands twice
	})
}

func TestReportsThatWaitTravelTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{fails: []error{errDown}}
		r := run(t, b)
		for n := range 1 + maxBatch + 1 {
			r.Add(starting("p1", n, n))
			if n == 0 {
				synctest.Wait() // the first is on its way, and fails
			}
		}
		is.Equal(r.Flush(t.Context()), 0)
		is.Equal(len(b.commits), 3)
		is.Equal(len(b.commits[1].Events), maxBatch) // as many as fit, in order
		is.Equal(len(b.lines("p1")), maxBatch+2)
		is.Equal(b.lines("p1")[maxBatch+1], fmt.Sprintf("instance.starting %d", maxBatch+1))
	})
}

func TestOneProcessDoesNotWaitForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{fails: []error{errDown}}
		r := run(t, b)
		r.Add(starting("p1", 0, 1))
		synctest.Wait()
		r.Add(starting("p2", 0, 2))
		synctest.Wait()
		is.Equal(b.lines("p2"), []string{"instance.starting 2"}) // written while p1's is tried again
		is.Equal(len(b.lines("p1")), 0)
		is.Equal(r.Flush(t.Context()), 0)
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{}
		for range 40 {
			b.fails = append(b.fails, errDown)
		}
		r := run(t, b)
		r.Add(starting("p1", 9, 0))
		synctest.Wait()
		for n := range 10 * maxPending { // a crash loop of two indexes while the log is away
			r.Add(starting("p1", n%2, n))
		}
		r.mu.Lock()
		is.True(len(r.queues["p1"].pending) <= maxPending)
		r.mu.Unlock()
		is.Equal(r.Flush(t.Context()), 0)
		lines := b.lines("p1")
		is.True(len(lines) <= maxPending+1)
		is.Equal(lines[0], "instance.starting 0")                                           // what was on its way is not lost
		is.Equal(lines[len(lines)-1], fmt.Sprintf("instance.starting %d", 10*maxPending-1)) // and the newest is there
	})
}

func TestWhatCanNeverBeWrittenIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		b := &book{fails: []error{fmt.Errorf("report: %w", events.ErrMalformed)}}
		r := run(t, b)
		r.Add(starting("p1", 0, 1))
		synctest.Wait()
		r.Add(starting("p1", 0, 2))
		is.Equal(r.Flush(t.Context()), 0)
		is.Equal(b.lines("p1"), []string{"instance.starting 2"}) // it does not block what follows
	})
}

func TestFlushGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := New("a1", &book{}, slog.New(slog.DiscardHandler)) // nobody runs it
		r.Add(starting("p1", 0, 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		is.Equal(r.Flush(ctx), 1) // and says how many are lost
	})
}
