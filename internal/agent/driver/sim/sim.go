// Package sim is a driver whose instances are fakes: they start, become healthy, crash and stop as a script says. They have
// no processes and no ports, and know no time but package time's, so that testing/synctest can run years of them in a
// moment. For tests, benchmarks and rehearsal.
package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// Life is what becomes of one fake instance. The zero Life is healthy at once, for ever, and stops at once.
type Life struct {
	StartError   error         // it cannot be started at all
	HealthyAfter time.Duration // from start to the first successful probe
	NeverHealthy bool          // probes never succeed
	SickAfter    time.Duration // from start to the first failing probe of a healthy one; 0: never
	ExitAfter    time.Duration // it ends by itself so long after its start; 0: never
	ExitStatus   int           // with this status
	StopTakes    time.Duration // from Stop to its end; longer than the grace time: it is made to end then
}

// Script chooses the life of each start. start counts the starts of that index of the process, from 1.
type Script func(s driver.Spec, start int) Life

// Always gives every instance the same life.
func Always(l Life) Script { return func(driver.Spec, int) Life { return l } }

var errUnhealthy = errors.New("the script says: not healthy")

// Driver fakes instances. It outlives agents: a second agent that is given the same driver recovers what the first one
// left, as if the first had died and its instances lived on.
type Driver struct {
	script Script

	mu     sync.Mutex
	starts map[string]int // by process and index
	alive  map[events.InstanceID]*instance
	ended  map[events.InstanceID]driver.Spec // while nobody watched
	closed bool
}

// New makes a driver that follows the script; nil means [Always] healthy at once.
func New(script Script) *Driver {
	if script == nil {
		script = Always(Life{})
	}
	return &Driver{
		script: script, starts: map[string]int{},
		alive: map[events.InstanceID]*instance{}, ended: map[events.InstanceID]driver.Spec{},
	}
}

// Start implements [driver.Driver].
func (d *Driver) Start(ctx context.Context, s driver.Spec) (driver.Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := fmt.Sprintf("%s/%d", s.Process, s.Index)
	d.starts[key]++
	life := d.script(s, d.starts[key])
	if life.StartError != nil {
		return nil, fmt.Errorf("start instance %d of %s: %w", s.Index, s.Process, life.StartError)
	}
	i := &instance{driver: d, spec: s, life: life, born: time.Now(), done: make(chan struct{})}
	if life.ExitAfter > 0 {
		status := life.ExitStatus
		i.death = time.AfterFunc(life.ExitAfter, func() {
			i.end(driver.Exit{Reason: fmt.Sprintf("exit status %d", status), Status: &status})
		})
	}
	d.alive[s.Instance] = i
	return i, nil
}

// Recover implements [driver.Driver].
func (d *Driver) Recover(context.Context) (driver.Recovered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = false
	var r driver.Recovered
	for _, i := range d.alive {
		r.Alive = append(r.Alive, i)
	}
	r.Vanished = slices.Collect(maps.Values(d.ended))
	clear(d.ended)
	return r, nil
}

// Close implements [driver.Driver]. Instances that end from now on are vanished for the next Recover.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// Alive lists the instances that run now, in no order.
func (d *Driver) Alive() []driver.Spec {
	d.mu.Lock()
	defer d.mu.Unlock()
	specs := make([]driver.Spec, 0, len(d.alive))
	for _, i := range d.alive {
		specs = append(specs, i.spec)
	}
	return specs
}

// Kill ends an instance from outside, as a person with a shell would. It says whether the instance was alive.
func (d *Driver) Kill(id events.InstanceID) bool {
	d.mu.Lock()
	i := d.alive[id]
	d.mu.Unlock()
	if i != nil {
		i.end(driver.Exit{Reason: "signal: killed"})
	}
	return i != nil
}

// gone notes that an instance ended.
func (d *Driver) gone(i *instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.alive, i.spec.Instance)
	if d.closed {
		d.ended[i.spec.Instance] = i.spec
	}
}
