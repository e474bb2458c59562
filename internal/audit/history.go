package audit

import (
	"time"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// history is one app on its way through the log.
type history struct {
	state   app.State
	seen    app.Instances // of its web processes, as reported up to here
	window  window
	rollout *Rollout // the active one
	below   time.Time
	// spoiled: a break in its chain, or something unreadable, lies behind. Its state is not known any more, so no law is
	// judged from here on.
	spoiled bool
}

func newHistory() *history { return &history{seen: app.Instances{}} }

// spoil gives up judging the apps that a broken or unreadable message is about.
func (a *auditor) spoil(s events.Subject, decoded []events.Event) {
	aggregate, id, _ := s.Split()
	switch aggregate {
	case events.AggregateApp:
		a.app(events.AppID(id)).spoil()
	case events.AggregateInstance:
		for _, h := range a.apps {
			if _, ok := h.state.Process(events.ProcessID(id)); ok {
				h.spoil()
			}
		}
	}
	for _, e := range decoded {
		if report, ok := e.(events.InstanceEvent); ok {
			if h, ok := a.apps[report.Ref().App]; ok {
				h.spoil()
			}
		}
	}
}

func (h *history) spoil() {
	h.spoiled = true
	if h.rollout != nil {
		h.rollout.Judged = false
	}
}

// commit folds a commit of the app, event by event, and judges it as a whole.
func (a *auditor) commit(h *history, raw eventlog.Raw, c events.Recorded) {
	before, during := h.state, h.rollout
	if during != nil && c.Actor == events.ActorUpdater {
		during.Decisions++
	}
	for _, e := range c.Events {
		if law, problem := a.misfit(h, e); problem != "" && !h.spoiled {
			a.breach(law, raw, "%s: %s", e.Type(), problem)
			h.spoil()
		}
		h.state = app.Evolve(h.state, e)
		a.follow(h, raw, e)
	}
	if !h.spoiled {
		a.judge(h, before, during, raw, c)
	}
	h.forget()
	h.window.open(h)
	h.measure(raw.Sequence, raw.Stored)
}

// forget drops what was seen of processes that are gone.
func (h *history) forget() {
	for id := range h.seen {
		if _, ok := h.state.Process(id); !ok {
			delete(h.seen, id)
		}
	}
}

// judge holds the commit to the capacity law of the rollout that was active before it.
func (a *auditor) judge(h *history, before app.State, during *Rollout, raw eventlog.Raw, c events.Recorded) {
	if h.state.Deleted {
		return
	}
	fault, judged := h.window.excuses(before, h.state, h.seen, c.Cause)
	switch {
	case !judged:
		a.report.Unjudged++
	case fault != nil:
		a.accuse(during, LawCapacity, raw, "decided by %s: %v", c.Actor, fault)
	}
}

// observe folds a report of an agent.
func (a *auditor) observe(c events.Recorded) {
	ref := c.Events[0].(events.InstanceEvent).Ref()
	h, ok := a.apps[ref.App]
	if !ok {
		return
	}
	if p, ok := h.state.Process(ref.Process); !ok || p.Type != events.ProcessTypeWeb {
		return // it is gone already, or no rollout counts it
	}
	h.seen[ref.Process] = observed(h.seen[ref.Process], c.Events, c.Time)
	h.window.add(ref.Process, c)
	h.measure(c.Sequence, a.newest)
}

// observed folds one report's events.
func observed(seen app.ProcessInstances, reported []events.Event, at time.Time) app.ProcessInstances {
	for _, e := range reported {
		if report, ok := e.(events.InstanceEvent); ok {
			seen = app.Observe(seen, report, at)
		}
	}
	return seen
}
