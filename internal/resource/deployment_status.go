package resource

import (
	"time"

	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/projections"
)

// Status is where a deployment stands. Value, reason, details and canary are Cloud Foundry's; the others are our own.
type Status struct {
	Value       string           `json:"value"`                  // ACTIVE or FINALIZED
	Reason      string           `json:"reason"`                 // where it stands
	Details     StatusDetails    `json:"details"`                // when it last moved
	Canary      *CanaryStatus    `json:"canary,omitempty"`       // of a canary deployment, in every state
	Step        *Step            `json:"step,omitempty"`         // of other plans with several, in every state
	PausedUntil *Time            `json:"paused_until,omitempty"` // of a pause that ends by itself
	Then        string           `json:"then,omitempty"`         // what it does then: continue, cancel or hold
	BakeUntil   *Time            `json:"bake_until,omitempty"`   // of one that is all new and watched
	Failure     *Failure         `json:"failure,omitempty"`      // why it failed, if it did
	Checks      map[string]Check `json:"checks,omitempty"`       // those that were made, by name
	HeldUntil   *Time            `json:"held_until,omitempty"`   // when the window opens that it waits for
	Hold        *HoldRef         `json:"hold,omitempty"`         // whose window that is, and why
	Halt        *HaltRef         `json:"halt,omitempty"`         // why it stands still
}

// Step is how far a rollout is in its plan.
type Step struct {
	Current      int     `json:"current"`           // from 1; expected_step of a request is this
	Total        int     `json:"total"`             // how many there are
	Share        float64 `json:"share"`             // percent of the instances that are to be new at this step
	NewInstances int     `json:"new_instances"`     // that it is to have at this step
	NextAt       *Time   `json:"next_at,omitempty"` // when the next one begins, if this one is healthy then
}

// Failure is why a rollout failed, and what became of it.
type Failure struct {
	Cause  string `json:"cause"`           // check, alarm, deadline, startup or crashes
	Name   string `json:"name,omitempty"`  // of the check or alarm
	Reason string `json:"reason"`          // in words
	Value  string `json:"value,omitempty"` // what was measured
	Action string `json:"action"`          // rollback, hold or cancel
	At     Time   `json:"at"`              // when
}

// Check is how a check of a rollout stands.
type Check struct {
	Verdict  string `json:"verdict"`           // the last one: pass, fail or inconclusive
	Value    string `json:"value,omitempty"`   // what was measured then
	Message  string `json:"message,omitempty"` // in words
	Failures int    `json:"failures"`          // verdicts that were "fail" so far
	At       Time   `json:"at"`                // when it was asked
}

// CanaryStatus tells how many of a canary's steps are behind it.
type CanaryStatus struct {
	Steps CanarySteps `json:"steps"` // how far it is
}

// CanarySteps is how far a canary is.
type CanarySteps struct {
	Current int `json:"current"` // from 1; stays at the last one once the rollout goes on to its end
	Total   int `json:"total"`   // how many there are
}

// StatusDetails tells when it last moved, and why it does not.
type StatusDetails struct {
	LastSuccessfulHealthcheck Time   `json:"last_successful_healthcheck"` // when a new instance was last seen healthy
	LastStatusChange          Time   `json:"last_status_change"`          // since when it stands so
	Error                     string `json:"error,omitempty"`             // what keeps it from moving
}

func status(d projections.Deployment) Status {
	s := Status{
		Value: d.StatusValue, Reason: d.StatusReason, Details: StatusDetails{
			LastSuccessfulHealthcheck: Time(d.LastHealthyAt), LastStatusChange: Time(d.LastStatusChange), Error: d.Stuck(),
		},
		Canary: canaryStatus(d), Step: step(d),
	}
	w := d.Watch
	if d.State == projections.Paused && !w.Held && !w.PausedUntil.IsZero() {
		s.PausedUntil, s.Then = moment(w.PausedUntil), w.PausedThen
	}
	if d.State == projections.Baking {
		s.BakeUntil = moment(w.BakeUntil)
	}
	if b := w.Breach; b != nil {
		s.Failure = &Failure{Cause: b.Cause, Name: b.Name, Reason: b.Reason, Value: b.Value, Action: b.Action, At: Time(b.At)}
	}
	if d.State == projections.Requested {
		s.HeldUntil, s.Hold = held(w.Asked)
	}
	if d.StatusValue == projections.StatusActive {
		s.Halt = haltRef(w.Halt)
	}
	for name, c := range w.Checks {
		if s.Checks == nil {
			s.Checks = map[string]Check{}
		}
		s.Checks[name] = Check{Verdict: c.Verdict, Value: c.Value, Message: c.Message, Failures: c.Failures, At: Time(c.At)}
	}
	return s
}

// moment is a time that may be absent.
func moment(t time.Time) *Time {
	m := Time(t)
	return &m
}

func canaryStatus(d projections.Deployment) *CanaryStatus {
	if d.Strategy != events.StrategyCanary {
		return nil
	}
	var s CanaryStatus
	s.Steps.Total = max(plan.Pauses(d.Plan), 1)
	s.Steps.Current = min(d.Step+1, s.Steps.Total)
	return &s
}

// step is nothing where there is but one, and of a canary, which tells it in Cloud Foundry's way: what Cloud Foundry knows looks
// like Cloud Foundry's.
func step(d projections.Deployment) *Step {
	if len(d.Plan) < 2 || d.Strategy == events.StrategyCanary || d.Step >= len(d.Plan) {
		return nil
	}
	now, total := d.Plan[d.Step], plan.Shown(d.Plan)
	s := &Step{Current: min(d.Step+1, total), Total: total, Share: share(now, d.Target), NewInstances: now.New}
	if next := d.Step + 1; next < len(d.Plan) && d.Plan[next].After > 0 && d.State == projections.Deploying {
		s.NextAt = moment(d.Watch.StartedAt.Add(time.Duration(d.Plan[next].After) * time.Millisecond))
	}
	return s
}

// share is what a growth curve says, or what the instances come to.
func share(s events.Step, target int) float64 {
	if s.Share > 0 || target == 0 {
		return s.Share
	}
	return 100 * float64(s.New) / float64(target)
}
