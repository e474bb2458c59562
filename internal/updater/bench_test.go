package updater_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

// BenchmarkReaction measures one step of a rollout on the embedded server with its default fsync: from the moment an
// agent's report "this instance is routable" is acknowledged to the moment the next process.scaled is. It prints p50, p99
// and, from the same run, what two bare appends to the same log take: the floor that no updater can go below.
func BenchmarkReaction(b *testing.B) {
	nc := natstest.Connect(b)
	log, err := eventlog.Open(b.Context(), nc, events.NewRegistry(), eventlog.Config{})
	if err != nil {
		b.Fatal(err)
	}
	timers, err := eventlog.OpenTimers(b.Context(), nc, eventlog.Config{})
	if err != nil {
		b.Fatal(err)
	}
	const instances = 200
	r := newRigOn(b, log, timers, instances)
	start(b, r.updater())
	steps := newSteps()
	start(b, func(ctx context.Context) error { return steps.watch(ctx, log) })

	var reactions []time.Duration
	rollout := 1
	for b.Loop() {
		if len(reactions)%(instances-1) == 0 { // one rollout has so many steps
			rollout++
			r.begin(b, rollout, steps)
		}
		reactions = append(reactions, r.step(b, steps))
	}
	slices.Sort(reactions)
	b.ReportMetric(float64(reactions[len(reactions)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(reactions[len(reactions)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(r.bareAppends(b).Microseconds()), "two-appends-µs")
}

// steps remembers when each scale of the new process was seen in the log.
type steps struct {
	mu      sync.Mutex
	process events.ProcessID
	size    int
	next    chan time.Time
}

func newSteps() *steps { return &steps{next: make(chan time.Time, 1)} }

// watch notes the time at which each growth of the process under rollout is delivered: after its acknowledgement.
func (s *steps) watch(ctx context.Context, log eventlog.Log) error {
	return log.Follow(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}}, func(batch []events.Recorded) error {
		now := time.Now()
		for _, c := range batch {
			for _, e := range c.Events {
				if scaled, ok := e.(events.ProcessScaled); ok && s.grew(scaled) {
					s.next <- now
				}
				if ended, ok := e.(events.DeploymentDeployed); ok && ended.Deployment != "" && s.current() != "" {
					s.next <- now
				}
			}
		}
		return nil
	})
}

func (s *steps) grew(e events.ProcessScaled) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Process != s.process || e.Instances <= s.size {
		return false
	}
	s.size = e.Instances
	return true
}

func (s *steps) current() events.ProcessID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// begin starts a rollout of one instance at a time.
func (r *rig) begin(b *testing.B, n int, s *steps) {
	b.Helper()
	id := events.CommandID(fmt.Sprintf("bench-%d", n))
	if rolling, err := r.apps.Load(b.Context(), "hello"); err != nil || rolling.State.Deployment != nil {
		r.finish(b, s)
	}
	s.mu.Lock()
	s.process, s.size = events.ProcessID(events.DeriveID(id, "process", 0)), 1
	s.mu.Unlock()
	r.decide(b, string(id), func(state app.State) ([]events.Event, error) {
		return app.DeployApp(state, app.CreateDeployment{ID: id, Droplet: &app.Droplet{
			ID: events.DropletID(fmt.Sprintf("d-%d", n)), App: "hello", Staged: true, ProcessTypes: map[string]string{"web": "./web"},
		}})
	})
}

// finish reports the last instance, which ends the rollout.
func (r *rig) finish(b *testing.B, s *steps) {
	b.Helper()
	r.step(b, s)
}

// step reports the newest instance routable and gives the time until the next step was acknowledged.
func (r *rig) step(b *testing.B, s *steps) time.Duration {
	b.Helper()
	s.mu.Lock()
	ref := events.InstanceRef{
		App: "hello", Process: s.process, ProcessType: "web", Index: s.size - 1, Instance: events.InstanceID(events.NewID()), Agent: "agent",
	}
	s.mu.Unlock()
	_, err := r.log.Report(b.Context(), events.Commit{
		Subject: events.InstanceSubject(ref.Process), CommandID: events.CommandID(events.NewID()), Actor: "agent/1", Time: time.Now().UTC(),
		Events: []events.Event{events.InstanceRunning{InstanceRef: ref}},
	})
	if err != nil {
		b.Fatal(err)
	}
	reported := time.Now()
	select {
	case at := <-s.next:
		return at.Sub(reported)
	case <-time.After(patience):
		b.Fatal("no step followed")
		return 0
	}
}

// bareAppends is what a report and a scale cost with nobody deciding between them.
func (r *rig) bareAppends(b *testing.B) time.Duration {
	b.Helper()
	const rounds = 200
	began := time.Now()
	for i := range rounds {
		ref := events.InstanceRef{App: "hello", Process: "bare", Instance: "i", Agent: "agent"}
		for range 2 {
			_, err := r.log.Report(b.Context(), events.Commit{
				Subject: events.InstanceSubject("bare"), CommandID: events.CommandID(fmt.Sprintf("bare-%d-%s", i, events.NewID())),
				Actor: "agent/1", Time: time.Now().UTC(), Events: []events.Event{events.InstanceRunning{InstanceRef: ref}},
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return time.Since(began) / rounds
}
