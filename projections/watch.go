package projections

import (
	"maps"
	"time"

	"slipway/events"
)

// Watch is what a rollout waits for, what watches it, and why it failed.
type Watch struct {
	StartedAt      time.Time             `json:"started_at,omitzero"`
	StoredStrategy events.StrategyID     `json:"stored_strategy,omitempty"`
	Growth         *events.Growth        `json:"growth,omitempty"`
	Held           bool                  `json:"held,omitempty"` // it failed and waits for somebody to decide
	AtPause        bool                  `json:"at_pause,omitempty"`
	PausedUntil    time.Time             `json:"paused_until,omitzero"` // zero: it does not pause, or for ever
	PausedThen     string                `json:"paused_then,omitempty"` // what follows then
	BakeUntil      time.Time             `json:"bake_until,omitzero"`   // zero: it does not bake yet
	Breach         *Breach               `json:"breach,omitempty"`      // why it failed last, if it did
	Checks         map[string]CheckState `json:"checks,omitempty"`      // by name
	Asked          *Asked                `json:"asked,omitempty"`       // what policies and people say; nil: nobody was asked
	Halt           *Halted               `json:"halt,omitempty"`        // it stands still because of this
	Group          events.GroupID        `json:"group,omitempty"`       // it is a member of
}

// Breach is why a rollout failed, and what became of it.
type Breach struct {
	Cause  string    `json:"cause"`
	Name   string    `json:"name,omitempty"`
	Reason string    `json:"reason"`
	Value  string    `json:"value,omitempty"`
	Action string    `json:"action"`
	At     time.Time `json:"at"`
}

// CheckState is how a check stands.
type CheckState struct {
	Verdict  string    `json:"verdict"` // the last one
	Value    string    `json:"value,omitempty"`
	Message  string    `json:"message,omitempty"`
	Failures int       `json:"failures,omitempty"` // failed verdicts so far
	At       time.Time `json:"at"`
}

// watched folds what watches a rollout and what that leads to.
func (d *Deployment) watched(m moment, e events.Event) {
	switch e := e.(type) {
	case events.DeploymentContinued:
		d.resume(e)
	case events.DeploymentStepStarted:
		d.Step, d.LastHealthyAt, d.Error = e.Step-1, m.time, ""
	case events.DeploymentBakeStarted:
		d.LastHealthyAt, d.Error, d.Watch.BakeUntil = m.time, "", e.Until
	case events.DeploymentCheckRecorded:
		d.Watch.record(e)
	case events.DeploymentBreached:
		d.Error, d.Watch.Held = e.Reason, e.Action == events.ThenHold
		d.Watch.Breach = &Breach{Cause: e.Cause, Name: e.Name, Reason: e.Reason, Value: e.Value, Action: e.Action, At: e.At}
	}
	state, reason := d.moving()
	if d.Watch.Held {
		state, reason = Paused, ReasonPaused
	}
	d.moveTo(m, state, StatusActive, reason)
}

// resume lets the rollout go on: to its next step, or, where it was held, from where it stood, with its failure forgiven.
func (d *Deployment) resume(e events.DeploymentContinued) {
	if d.Watch.Held {
		d.Error, d.Watch.Held, d.Watch.Breach, d.Watch.Checks = "", false, nil, nil
		return
	}
	d.Step, d.Watch.AtPause, d.Watch.PausedUntil, d.Watch.PausedThen = e.Step, false, time.Time{}, ""
}

// record notes the last verdict of a check and counts the failed ones.
func (w *Watch) record(e events.DeploymentCheckRecorded) {
	next := CheckState{Verdict: e.Verdict, Value: e.Value, Message: e.Message, Failures: w.Checks[e.Check].Failures, At: e.At}
	if e.Verdict == events.VerdictFail {
		next.Failures++
	}
	w.Checks = maps.Clone(w.Checks)
	if w.Checks == nil {
		w.Checks = map[string]CheckState{}
	}
	w.Checks[e.Check] = next
}
