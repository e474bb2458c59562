package audit

import (
	"time"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// follow opens and closes rollouts as events say.
func (a *auditor) follow(h *history, raw eventlog.Raw, e events.Event) {
	switch e := e.(type) {
	case events.DeploymentCreated:
		h.close(raw.Sequence, raw.Stored, app.ReasonSuperseded) // there is none, unless history is broken
		h.rollout = &Rollout{
			Deployment: e.Deployment, App: e.App, Name: h.state.Name, Strategy: e.Strategy, Target: e.Target, Floor: e.Floor,
			Created: raw.Sequence, Began: raw.Stored, Judged: !h.spoiled,
		}
		a.rollouts[e.Deployment] = h.rollout
		a.report.Rollouts = append(a.report.Rollouts, h.rollout)
	case events.AppDeleted:
		h.close(raw.Sequence, raw.Stored, OutcomeDeleted)
	case events.DeploymentDeployed:
		h.end(e.Deployment, raw, app.ReasonDeployed)
	case events.DeploymentCanceled:
		h.end(e.Deployment, raw, app.ReasonCanceled)
	case events.DeploymentRolledBack:
		h.end(e.Deployment, raw, app.ReasonRolledBack)
	case events.DeploymentSuperseded:
		h.end(e.Deployment, raw, app.ReasonSuperseded)
	}
}

// end ends the active rollout, if it is the one.
func (h *history) end(id events.DeploymentID, raw eventlog.Raw, outcome string) {
	if h.rollout != nil && h.rollout.Deployment == id {
		h.close(raw.Sequence, raw.Stored, outcome)
	}
}

// close writes down how far the active rollout came.
func (h *history) close(at events.Sequence, now time.Time, outcome string) {
	if h.rollout == nil {
		return
	}
	h.rollout.Outcome, h.rollout.TookMS = outcome, now.Sub(h.rollout.Began).Milliseconds()
	if outcome != OutcomeActive {
		h.rollout.Ended = at
	}
	h.rollout.Below = !h.below.IsZero()
	h.rise(now)
	h.rollout = nil
}

// measure takes the capacity as it is after a message.
func (h *history) measure(at events.Sequence, now time.Time) {
	if h.rollout == nil || h.spoiled {
		return
	}
	c, promised := app.MeasureCapacity(h.state, h.seen)
	if !promised { // stopped, or on its way back: the clock stands
		h.rise(now)
		return
	}
	if low := h.rollout.Lowest; low == nil || c.Total() < low.Total() {
		h.rollout.Lowest = &Low{Old: c.Old, New: c.New, At: at}
	}
	switch {
	case c.Total() >= c.Floor:
		h.rise(now)
	case h.below.IsZero():
		h.below = now
	}
}

// rise ends the time below the floor.
func (h *history) rise(now time.Time) {
	if !h.below.IsZero() {
		h.rollout.BelowMS += max(now.Sub(h.below).Milliseconds(), 1) // it was below, however short
		h.below = time.Time{}
	}
}
