package agent

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/report"
	"slipway/internal/agent/router"
)

// supervisor owns what the agent knows. Only the goroutine of run touches its fields; others post to it.
type supervisor struct {
	cfg     Config
	log     *slog.Logger
	routing *routing
	reports *report.Reporter

	inbox   chan func()
	ended   chan struct{}  // closed when run takes no more posts
	readers sync.WaitGroup // of history
	runners sync.WaitGroup

	processes map[events.ProcessID]*process
	found     map[events.InstanceID]bool // alive when the agent started
	vanished  []driver.Spec              // not yet accounted for
	informed  bool                       // a complete update has come
	closing   bool
}

// process is what is known of one process.
type process struct {
	spec      ProcessSpec // Instances 0 where it is not wanted
	wanted    bool        // the source names it
	unknown   bool        // the source has said nothing of its app yet: nothing is done to it until then
	recalling bool        // its history is being read: nothing is done to it until then
	instances map[events.InstanceID]*instance
	crashes   map[int]crash
	wake      time.Time // reconcile again then
}

// instance is one start of an index, as the supervisor sees it.
type instance struct {
	spec    driver.Spec
	state   state
	healthy time.Time // when it became healthy
	adopted bool
	reason  string             // why it is being stopped
	quit    context.CancelFunc // tells its runner to stop it
}

func newSupervisor(c Config, routing *routing, reports *report.Reporter) *supervisor {
	return &supervisor{
		cfg: c, log: c.Logger, routing: routing, reports: reports,
		inbox: make(chan func()), ended: make(chan struct{}),
		processes: map[events.ProcessID]*process{}, found: map[events.InstanceID]bool{},
	}
}

// post has fn run by the supervisor, or drops it when that has ended.
func (s *supervisor) post(fn func()) {
	select {
	case s.inbox <- fn:
	case <-s.ended:
	}
}

// run works until quit is closed and every instance has gone.
func (s *supervisor) run(ctx context.Context, quit <-chan struct{}, found driver.Recovered) {
	s.adopt(found)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !s.closing || s.live() > 0 {
		timer.Reset(s.untilWake())
		select {
		case fn := <-s.inbox:
			fn()
		case <-timer.C:
			s.reconcileDue()
		case <-quit:
			quit = nil
			s.close()
		}
	}
	close(s.ended)
	s.runners.Wait()
	s.readers.Wait()
}

// adopt takes over what runs already, at once: it may serve before it is known what shall run. What is not wanted goes as
// soon as that is known.
func (s *supervisor) adopt(found driver.Recovered) {
	s.vanished = found.Vanished
	for _, inst := range found.Alive {
		spec := inst.Spec()
		s.found[spec.Instance] = true
		s.log.Info("adopted instance", "app", spec.App, "process", spec.Process, "index", spec.Index, "instance", spec.Instance)
		p := s.process(spec.Process)
		p.spec.App, p.spec.AppName, p.spec.Routed, p.unknown = spec.App, spec.AppName, spec.Routed, true
	}
	s.routing.setNames(s.names()) // before any of them takes requests
	for _, inst := range found.Alive {
		spec := inst.Spec()
		s.launch(s.process(spec.Process), &instance{spec: spec, adopted: true}, inst)
	}
}

func (s *supervisor) process(id events.ProcessID) *process {
	p := s.processes[id]
	if p == nil {
		p = &process{
			spec: ProcessSpec{Process: id}, instances: map[events.InstanceID]*instance{}, crashes: map[int]crash{},
		}
		s.processes[id] = p
	}
	return p
}

// apply takes in what shall run.
func (s *supervisor) apply(ctx context.Context, u Update) {
	if s.closing {
		return
	}
	for _, p := range s.processes {
		if u.about(p.spec.App) {
			p.unknown, p.wanted, p.spec.Instances = false, false, 0
		}
	}
	for _, spec := range slices.Concat(slices.Collect(maps.Values(u.Apps))...) {
		s.want(ctx, spec, u.Complete && !s.informed)
	}
	if u.Complete && !s.informed {
		s.informed = true
		s.accountFor(func(v driver.Spec) bool { p := s.processes[v.Process]; return p == nil || (!p.wanted && !p.unknown) })
	}
	s.routing.setNames(s.names())
	s.routing.router.SetDark(s.dark())
	for _, p := range s.processes {
		if u.about(p.spec.App) {
			s.reconcile(p)
		}
	}
}

// want notes what shall run of a process. Those of the first complete update may have a history with this agent.
func (s *supervisor) want(ctx context.Context, spec ProcessSpec, first bool) {
	if spec.Instances > maxInstances {
		s.log.Error("a process wants more instances than a host may run", "process", spec.Process,
			"instances", spec.Instances, "limit", maxInstances)
		spec.Instances = maxInstances
	}
	p := s.process(spec.Process)
	p.spec, p.wanted = spec, true
	if first {
		p.recalling = true
		s.recall(ctx, spec.Process)
	}
}

// names are the host names of apps that are of the time before there were routes.
func (s *supervisor) names() routes {
	names := routes{}
	for _, p := range s.processes {
		if (p.wanted || p.unknown) && !p.spec.Routed {
			host := strings.ToLower(p.spec.AppName) + "." + string(events.DefaultDomain)
			names[host] = []router.Target{{App: p.spec.App, Type: events.ProcessTypeWeb}}
		}
	}
	return names
}

// dark are the processes whose instances are to take no requests.
func (s *supervisor) dark() map[events.ProcessID]bool {
	dark := map[events.ProcessID]bool{}
	for id, p := range s.processes {
		if p.spec.Dark {
			dark[id] = true
		}
	}
	return dark
}

// close begins the end: everything stops and nothing starts.
func (s *supervisor) close() {
	s.closing = true
	for _, p := range s.processes {
		for _, i := range p.instances {
			s.stop(i, reasonAgentEnded)
		}
	}
}

func (s *supervisor) live() int {
	n := 0
	for _, p := range s.processes {
		n += len(p.instances)
	}
	return n
}
