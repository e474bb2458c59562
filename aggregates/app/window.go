package app

import (
	"slices"
	"time"

	"slipway/events"
)

// Hold is a policy whose window keeps a requested deployment from beginning now, whatever was said when it was asked for. The
// zero Hold is none.
type Hold struct {
	Policy events.PolicyID
	Name   string    // of the policy
	Reason string    // of the policy, in words; may be empty
	Until  time.Time // when no policy holds it any more; zero: never
}

// Holds are those of requests that are about to begin; one that is not named is held by none.
type Holds map[events.DeploymentID]Hold

// Brakes are the facts from outside an app that keep rollouts from beginning or going on now. The zero Brakes keep nothing.
type Brakes struct {
	Halt  Halt
	Holds Holds // of [Beginning]
}

// Text says why it does not begin, in words.
func (h Hold) Text() string {
	text := "policy " + h.Name + " holds it until " + h.Until.Format(time.RFC3339)
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return text
}

// Beginning are the requests that begin now unless a window holds them: by themselves, or because somebody starts the one named.
// Policies with windows are to be asked about these.
func Beginning(s State, started events.DeploymentID) []Request {
	return slices.DeleteFunc(slices.Clone(s.Requests), func(r Request) bool {
		return !r.Granted || r.manual() && r.Deployment != started
	})
}

// hold lets a request wait for a window, once; what would wait for ever is denied.
func (s State) hold(r Request, h Hold, now time.Time) []events.Event {
	if h.Until.IsZero() {
		return []events.Event{events.DeploymentDenied{
			App: s.ID, Deployment: r.Deployment, By: events.ActorPolicy, Policy: h.Policy, Reason: h.denial(), At: now,
		}}
	}
	if was := r.Held; was.Policy == h.Policy && was.Name == h.Name && was.Reason == h.Reason && was.Until.Equal(h.Until) {
		return nil
	}
	return []events.Event{
		events.DeploymentHeld{
			App: s.ID, Deployment: r.Deployment, Policy: h.Policy, Name: h.Name, Reason: h.Reason, Until: h.Until, At: now,
		},
		events.DeploymentErrorRecorded{App: s.ID, Deployment: r.Deployment, Error: cut(h.Text(), maxError)},
	}
}

// denial is what a policy says that holds a request for ever.
func (h Hold) denial() string {
	reason := h.Reason
	if reason == "" {
		reason = "it would be held for ever"
	}
	return denial(events.PolicyVerdict{Name: h.Name, Reason: reason})
}
