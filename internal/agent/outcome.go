package agent

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// What follows is what runners tell: each runs on the supervisor's goroutine.

// becameHealthy: it is healthy and the router has it.
func (s *supervisor) becameHealthy(i *instance, address string) {
	if i.state != starting {
		return // told to stop meanwhile; it will say that it left the router
	}
	i.state, i.healthy = running, time.Now()
	s.logOf(i).Info("instance is running", "address", address)
	s.reports.Add(events.InstanceRunning{InstanceRef: i.spec.Ref(s.cfg.ID), Address: address, Adopted: i.adopted})
}

// leftRouter: it got traffic and gets none any more, because it is being stopped.
func (s *supervisor) leftRouter(i *instance) {
	if i.healthy.IsZero() {
		return // it was told to stop before it was reported as running
	}
	s.reports.Add(events.InstanceUnready{InstanceRef: i.spec.Ref(s.cfg.ID), Reason: "stopping: " + i.reason})
}

// hasCrashed: it ended by itself, could not be started or failed its health check. Something of it may still run.
func (s *supervisor) hasCrashed(p *process, i *instance, e driver.Exit) {
	if i.state == stopping {
		return // it was to end anyway
	}
	now := time.Now()
	var healthy time.Duration
	if i.state == running {
		healthy = now.Sub(i.healthy)
	}
	c := s.cfg.Backoff.crashedAgain(p.crashes[i.spec.Index], i.spec.Generation, healthy, now)
	p.crashes[i.spec.Index] = c
	i.state = crashed
	e.Reason = legible(e.Reason)
	s.logOf(i).Warn("instance crashed", "reason", e.Reason, "crashes", c.count, "retry", c.retry.Sub(now))
	s.reports.Add(events.InstanceCrashed{
		InstanceRef: i.spec.Ref(s.cfg.ID), Reason: e.Reason, ExitStatus: e.Status, Crashes: c.count,
		RetryMS: c.retry.Sub(now).Milliseconds(),
	})
}

// isGone: nothing of it runs any more.
func (s *supervisor) isGone(p *process, i *instance) {
	delete(p.instances, i.spec.Instance)
	if i.state != crashed {
		s.reports.Add(events.InstanceStopped{InstanceRef: i.spec.Ref(s.cfg.ID), Reason: i.reason})
	}
	s.reconcile(p)
}

// reasonVanished is why an instance that the log believes alive is reported as crashed.
const reasonVanished = "gone while the agent was away"

// accountFor reports those vanished instances that match, as the log may believe them alive.
func (s *supervisor) accountFor(match func(driver.Spec) bool) {
	rest := s.vanished[:0]
	for _, v := range s.vanished {
		if match(v) {
			s.reportVanished(v.Ref(s.cfg.ID), 0)
		} else {
			rest = append(rest, v)
		}
	}
	s.vanished = rest
}

func (s *supervisor) reportVanished(ref events.InstanceRef, crashes int) {
	s.log.Warn("instance is gone", "app", ref.App, "process", ref.Process, "index", ref.Index, "instance", ref.Instance,
		"reason", reasonVanished)
	s.reports.Add(events.InstanceCrashed{InstanceRef: ref, Reason: reasonVanished, Crashes: cmp.Or(crashes, 1)})
}

// maxReason bounds a reason in bytes: it is kept for ever, and shown in a line.
const maxReason = 500

// legible makes a reason fit for the log, which refuses text that is no UTF-8: it may quote names of an app's files.
func legible(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "?")
}

func (s *supervisor) logOf(i *instance) *slog.Logger {
	return s.log.With("app", i.spec.App, "process", i.spec.Process, "index", i.spec.Index, "instance", i.spec.Instance)
}
