package agent

import (
	"context"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// recallTimeout bounds the look at a process's history. Past it the process is run without: a stale belief of the log about
// an index is overtaken by the next report on that index.
const recallTimeout = 10 * time.Second

// memory is what this agent said of a process in earlier lives.
type memory struct {
	alive   map[events.InstanceID]events.InstanceRef // believed alive by the log
	crashes map[int]crash
}

// recall reads what this agent reported on a process before, so that what the log wrongly believes alive is corrected and
// a crash loop goes on at its slow pace. The process is left alone until that is done.
func (s *supervisor) recall(ctx context.Context, id events.ProcessID) {
	s.readers.Go(func() {
		m, err := s.remember(ctx, id)
		s.post(func() {
			if err != nil {
				s.log.Warn("history of a process not read; it is run without", "process", id, "err", err)
			}
			s.recalled(id, m, err == nil)
		})
	})
}

func (s *supervisor) remember(ctx context.Context, id events.ProcessID) (memory, error) {
	ctx, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	m := memory{alive: map[events.InstanceID]events.InstanceRef{}, crashes: map[int]crash{}}
	err := s.cfg.Log.Read(ctx, events.InstanceSubject(id), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if report, ok := e.(events.InstanceEvent); ok && report.Ref().Agent == s.cfg.ID {
				m.add(report, c.Time)
			}
		}
		return nil
	})
	return m, err
}

func (m memory) add(e events.InstanceEvent, at time.Time) {
	ref := e.Ref()
	switch e := e.(type) {
	case events.InstanceCrashed:
		delete(m.alive, ref.Instance)
		retry := at.Add(time.Duration(e.RetryMS) * time.Millisecond)
		m.crashes[ref.Index] = crash{count: e.Crashes, generation: ref.Generation, retry: retry}
	case events.InstanceStopped:
		delete(m.alive, ref.Instance)
	default:
		m.alive[ref.Instance] = ref
	}
}

// recalled ends the wait for a process's history.
func (s *supervisor) recalled(id events.ProcessID, m memory, known bool) {
	p := s.processes[id]
	if p == nil {
		return // no longer wanted, and nothing of it runs
	}
	p.recalling = false
	for index, c := range m.crashes {
		if _, newer := p.crashes[index]; !newer {
			p.crashes[index] = c
		}
	}
	for instance, ref := range m.alive {
		if !s.found[instance] {
			s.reportVanished(ref, p.crashes[ref.Index].count)
		}
	}
	s.accountFor(func(v driver.Spec) bool { return v.Process == id && !known })
	s.reconcile(p)
}
