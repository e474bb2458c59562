package agent

import (
	"context"
	"log/slog"
	"time"

	"slipway/internal/agent/driver"
	"slipway/internal/agent/health"
	"slipway/internal/agent/router"
)

// runner leads one instance from its start to its end, step after step, and tells what happens on the way.
type runner struct {
	spec   driver.Spec
	driver driver.Driver
	router *router.Router
	log    *slog.Logger
	drain  time.Duration
	grace  time.Duration

	healthy func(address string)
	leaving func()            // only after healthy
	crashed func(driver.Exit) // unless it was told to stop
}

// run returns when nothing of the instance is left. ctx ends when it shall stop. inst is nil where it has yet to be
// started.
func (r *runner) run(ctx context.Context, inst driver.Instance) {
	if inst == nil {
		var err error
		if inst, err = r.driver.Start(ctx, r.spec); err != nil {
			if ctx.Err() == nil {
				r.crashed(driver.Exit{Reason: "start: " + err.Error()})
			}
			return
		}
	}
	served, err := r.serve(ctx, inst)
	drained := r.router.Remove(r.spec.Instance)
	switch {
	case ctx.Err() != nil:
		if served {
			r.leaving()
		}
		r.awaitDrained(drained, inst)
	case isDone(inst):
		r.crashed(inst.Exit())
	default:
		r.crashed(driver.Exit{Reason: err.Error()})
	}
	if err := inst.Stop(context.WithoutCancel(ctx), r.grace); err != nil {
		r.log.Error("instance cannot be stopped; look at it", "err", err)
	}
}

// serve waits until the instance is healthy, gives it traffic, and returns when it is to stop, has ended or is no longer
// healthy, and why. served says whether it got traffic.
func (r *runner) serve(ctx context.Context, inst driver.Instance) (served bool, err error) {
	alive, cancel := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-inst.Done():
			cancel()
		case <-alive.Done():
		}
	}()
	defer func() { cancel(); <-watching }()

	if err := health.Await(alive, inst, r.spec.HealthCheck); err != nil {
		return false, err
	}
	if inst.Address() != "" { // routes say which types take requests
		r.router.Add(router.Endpoint{
			Target: router.Target{App: r.spec.App, Type: r.spec.Type}, Process: r.spec.Process, Index: r.spec.Index, Instance: r.spec.Instance,
			Address: inst.Address(),
		})
	}
	r.healthy(inst.Address())
	return true, health.Watch(alive, inst, r.spec.HealthCheck)
}

// awaitDrained waits until the instance's last request has ended: not for ever, and not for one that is dead.
func (r *runner) awaitDrained(drained <-chan struct{}, inst driver.Instance) {
	t := time.NewTimer(r.drain)
	defer t.Stop()
	select {
	case <-drained:
	case <-inst.Done():
	case <-t.C:
		r.log.Warn("requests were cut off: they took longer than the drain time",
			"requests", r.router.InFlight(r.spec.Instance), "drain", r.drain)
	}
}

func isDone(inst driver.Instance) bool {
	select {
	case <-inst.Done():
		return true
	default:
		return false
	}
}
