package agent

import (
	"context"
	"slices"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/health"
)

// longSleep is how long the supervisor sleeps where no process waits for a time.
const longSleep = time.Hour

// untilWake is how long nothing needs doing.
func (s *supervisor) untilWake() time.Duration {
	var first time.Time
	for _, p := range s.processes {
		if !p.wake.IsZero() {
			first = earlier(first, p.wake)
		}
	}
	if first.IsZero() {
		return longSleep
	}
	return max(time.Until(first), 0)
}

func (s *supervisor) reconcileDue() {
	now := time.Now()
	for _, p := range s.processes {
		if !p.wake.IsZero() && !p.wake.After(now) {
			s.reconcile(p)
		}
	}
}

// reconcile does what makes a process as it shall be.
func (s *supervisor) reconcile(p *process) {
	if s.closing || p.unknown || p.recalling {
		return
	}
	if !p.wanted && len(p.instances) == 0 {
		delete(s.processes, p.spec.Process)
		return
	}
	have := make([]actual, 0, len(p.instances))
	for _, i := range p.instances {
		generation := i.spec.Generation
		if slices.Contains(p.spec.Leaving, i.spec.Instance) {
			generation = outdated
		}
		have = append(have, actual{i.spec.Instance, i.spec.Index, generation, i.state})
	}
	todo := reconcile(p.spec.Instances, p.spec.Generation, have, p.crashes, time.Now())
	p.wake = todo.wake
	for _, x := range todo.stop {
		if !p.wanted {
			x.reason = reasonUnwanted
		}
		s.stop(p.instances[x.id], x.reason)
	}
	for _, index := range todo.start {
		s.start(p, index)
	}
	p.forgetCrashesFrom(p.spec.Instances)
}

func (p *process) forgetCrashesFrom(instances int) {
	for index := range p.crashes {
		if index >= instances {
			delete(p.crashes, index)
		}
	}
}

// start begins a new instance of an index.
func (s *supervisor) start(p *process, index int) {
	w := p.spec
	i := &instance{spec: driver.Spec{
		Instance: events.InstanceID(events.NewID()), App: w.App, AppName: w.AppName, Routed: w.Routed, Hosts: s.routing.hosts(w.App),
		Process: w.Process, Type: w.Type, Index: index, Generation: w.Generation, Droplet: w.Droplet, Command: w.Command, Environment: w.Environment,
		MemoryMB: w.MemoryMB, DiskMB: w.DiskMB, HealthCheck: health.Default(w.HealthCheck, w.Type),
	}}
	s.logOf(i).Info("start instance", "droplet", w.Droplet)
	s.reports.Add(events.InstanceStarting{InstanceRef: i.spec.Ref(s.cfg.ID)})
	s.launch(p, i, nil)
}

// launch gives an instance its runner. inst is nil where it has yet to be started.
func (s *supervisor) launch(p *process, i *instance, inst driver.Instance) {
	p.instances[i.spec.Instance] = i
	r := &runner{
		spec: i.spec, driver: s.cfg.Driver, router: s.routing.router, log: s.logOf(i), drain: s.cfg.Drain, grace: s.cfg.Grace,
		healthy: func(address string) { s.post(func() { s.becameHealthy(i, address) }) },
		crashed: func(e driver.Exit) { s.post(func() { s.hasCrashed(p, i, e) }) },
		leaving: func() { s.post(func() { s.leftRouter(i) }) },
	}
	// A runner's life is not bounded by the agent's context: an instance is always stopped gracefully.
	ctx, quit := context.WithCancel(context.Background())
	i.quit = quit
	s.runners.Go(func() {
		defer quit()
		r.run(ctx, inst)
		s.post(func() { s.isGone(p, i) })
	})
}

// stop tells an instance to go. One on its way out already just goes on.
func (s *supervisor) stop(i *instance, reason string) {
	if i.state == stopping || i.state == crashed {
		return
	}
	s.logOf(i).Info("stop instance", "reason", reason)
	i.state, i.reason = stopping, reason
	i.quit()
}
