// Package drivertest holds every driver to the contract of package driver.
package drivertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// Behaviour is what an instance of the suite does.
type Behaviour string

// The behaviours a host must be able to start.
const (
	Serves      Behaviour = "serves"      // is healthy soon, ends when asked to
	Exits       Behaviour = "exits"       // ends by itself soon, with status 3
	Sickly      Behaviour = "sickly"      // runs, is never healthy
	Stubborn    Behaviour = "stubborn"    // is healthy soon, does not end when asked to
	Unstartable Behaviour = "unstartable" // cannot be started at all
)

// Host is where a driver under test works.
type Host interface {
	// Open gives a driver; again, the driver of a later agent on what the one before left when it was closed.
	Open(t *testing.T) driver.Driver
	// Spec makes an instance of that behaviour. The suite fills in the ids.
	Spec(b Behaviour) driver.Spec
	// Kill ends an instance from outside, if it has not ended yet.
	Kill(t *testing.T, i driver.Instance)
}

// patience bounds each wait: generous, because a busy machine is no failure.
const patience = 30 * time.Second

// Run runs the suite, each test on a fresh host.
func Run(t *testing.T, newHost func(t *testing.T) Host) {
	tests := map[string]func(*bench){
		"serves, then stops":                 servesThenStops,
		"ends by itself":                     endsByItself,
		"is not healthy":                     isNotHealthy,
		"is killed after the grace time":     isKilledAfterTheGrace,
		"is killed when the context ends":    isKilledWhenTheContextEnds,
		"is stopped by several at once":      isStoppedBySeveral,
		"cannot be started":                  cannotBeStarted,
		"is not started for who has left":    isNotStartedForNobody,
		"is found alive by a later agent":    isFoundAlive,
		"ends in sight of a later agent":     endsInSightOfALaterAgent,
		"vanishes while nobody looks":        vanishes,
		"is not found again once it stopped": isNotFoundAgain,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{t: t, is: is.New(t), host: newHost(t)}
			b.open()
			test(b)
		})
	}
}

type bench struct {
	t      *testing.T
	is     *is.I
	host   Host
	driver driver.Driver
}

func (b *bench) open() driver.Recovered {
	b.driver = b.host.Open(b.t)
	found, err := b.driver.Recover(b.t.Context())
	b.is.NoErr(err) // Recover
	return found
}

// reopen is the agent going away, the time between, and a later one's start.
func (b *bench) reopen(meanwhile func()) driver.Recovered {
	b.is.NoErr(b.driver.Close())
	meanwhile()
	return b.open()
}

func (b *bench) spec(behaviour Behaviour) driver.Spec {
	s := b.host.Spec(behaviour)
	s.Instance, s.App, s.AppName, s.Process = events.InstanceID(events.NewID()), "app-1", "hello", "process-1"
	s.Type, s.Index, s.Generation = events.ProcessTypeWeb, 2, 7
	s.HealthCheck.Kind = events.HealthCheckPort
	return s
}

func (b *bench) start(behaviour Behaviour) driver.Instance {
	i, err := b.driver.Start(b.t.Context(), b.spec(behaviour))
	b.is.NoErr(err) // Start
	b.t.Cleanup(func() { b.host.Kill(b.t, i) })
	return i
}

// healthy waits until the instance is.
func (b *bench) healthy(i driver.Instance) {
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
		err := i.Probe(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("not healthy: %v", err)
		}
		select {
		case <-i.Done():
			b.t.Fatalf("it ended: %s", i.Exit().Reason)
		case <-time.After(10 * time.Millisecond): // a probe is all there is to wait on
		}
	}
}

func (b *bench) ended(i driver.Instance) driver.Exit {
	select {
	case <-i.Done():
		return i.Exit()
	case <-time.After(patience):
		b.t.Fatal("it has not ended")
		return driver.Exit{}
	}
}

func servesThenStops(b *bench) {
	i := b.start(Serves)
	b.is.Equal(i.Spec().Index, 2) // the spec it was started with
	b.healthy(i)
	b.is.NoErr(i.Stop(b.t.Context(), patience))
	b.ended(i)
	b.is.NoErr(i.Stop(b.t.Context(), patience)) // once more is no harm
}

func endsByItself(b *bench) {
	exit := b.ended(b.start(Exits))
	b.is.Equal(exit.Reason, "exit status 3")
	b.is.True(exit.Status != nil && *exit.Status == 3) // known
}

func isNotHealthy(b *bench) {
	i := b.start(Sickly)
	ctx, cancel := context.WithTimeout(b.t.Context(), 50*time.Millisecond)
	defer cancel()
	b.is.True(i.Probe(ctx) != nil) // a probe says so, in time
	b.is.NoErr(i.Stop(b.t.Context(), patience))
}

func isKilledAfterTheGrace(b *bench) {
	i := b.start(Stubborn)
	b.healthy(i)
	b.is.NoErr(i.Stop(b.t.Context(), 50*time.Millisecond))
	b.is.True(b.ended(i).Status == nil) // it did not exit, it was made to end
}

func isKilledWhenTheContextEnds(b *bench) {
	i := b.start(Stubborn)
	b.healthy(i)
	ctx, cancel := context.WithTimeout(b.t.Context(), 50*time.Millisecond)
	defer cancel()
	b.is.NoErr(i.Stop(ctx, time.Hour)) // who waits no longer does not leave it running
	b.ended(i)
}

func isStoppedBySeveral(b *bench) {
	i := b.start(Serves)
	b.healthy(i)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := i.Stop(b.t.Context(), patience); err != nil {
				b.t.Error(err)
			}
		})
	}
	wg.Wait()
	b.ended(i)
}

func cannotBeStarted(b *bench) {
	i, err := b.driver.Start(b.t.Context(), b.spec(Unstartable))
	b.is.True(err != nil && i == nil)                   // an error and no instance
	b.is.Equal(b.reopen(func() {}), driver.Recovered{}) // and nothing is left
}

func isNotStartedForNobody(b *bench) {
	ctx, cancel := context.WithCancel(b.t.Context())
	cancel()
	i, err := b.driver.Start(ctx, b.spec(Serves))
	b.is.True(err != nil && i == nil) // nobody waits for it
	b.is.Equal(b.reopen(func() {}), driver.Recovered{})
}

func isFoundAlive(b *bench) {
	i := b.start(Serves)
	b.healthy(i)
	found := b.reopen(func() {})
	b.is.Equal(len(found.Alive), 1)
	b.is.Equal(len(found.Vanished), 0)
	again := found.Alive[0]
	b.is.Equal(again.Spec(), i.Spec())       // the same instance
	b.is.Equal(again.Address(), i.Address()) // at the same place
	b.healthy(again)
	b.is.NoErr(again.Stop(b.t.Context(), patience))
	b.ended(again)
}

func endsInSightOfALaterAgent(b *bench) {
	b.healthy(b.start(Serves))
	again := b.reopen(func() {}).Alive[0]
	b.host.Kill(b.t, again)
	b.is.True(b.ended(again).Reason != "") // its end is seen, whoever started it
}

func vanishes(b *bench) {
	i := b.start(Serves)
	b.healthy(i)
	found := b.reopen(func() { b.host.Kill(b.t, i) })
	b.is.Equal(found.Alive, nil)
	b.is.Equal(found.Vanished, []driver.Spec{i.Spec()}) // it is not forgotten
	b.is.Equal(b.reopen(func() {}), driver.Recovered{}) // nor found twice
}

func isNotFoundAgain(b *bench) {
	i := b.start(Serves)
	b.healthy(i)
	b.is.NoErr(i.Stop(b.t.Context(), patience))
	b.is.Equal(b.reopen(func() {}), driver.Recovered{}) // nothing to find
}
