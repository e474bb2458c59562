package app

import (
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Steer is the command to do something about a deployment going on.
type Steer struct {
	Deployment   events.DeploymentID
	ExpectedStep int // the step the caller has seen, from 1; 0: whatever it is. It fences a retry: see [ContinueDeployment]
	By           events.Actor
	Automation   bool      // By is no person
	Now          time.Time // of the command
	Crashes      int       // of new instances so far: those that a held rollout is forgiven when it goes on. See [Crashes]
}

// steers refuses to steer a deployment that is over, or that stands elsewhere than the caller has seen.
func (s State) steers(verb string, c Steer) error {
	if s.Deployment == nil || s.Deployment.ID() != c.Deployment {
		if s.Waits(c.Deployment) {
			return aggregates.Reject("Cannot %s a deployment with status: ACTIVE and reason: %s", verb, ReasonApproval)
		}
		if ended, ok := s.ended(c.Deployment); ok {
			return aggregates.Reject("Cannot %s a deployment with status: FINALIZED and reason: %s", verb, ended.Reason)
		}
		return aggregates.NotFound("Deployment")
	}
	if now := s.Deployment.CurrentStep(); c.ExpectedStep != 0 && c.ExpectedStep != now {
		return conflict(verb, c.ExpectedStep, now, s.Deployment.ContinuedBy)
	}
	return nil
}

// conflict tells a late caller who was first.
func conflict(verb string, expected, now int, by events.Actor) error {
	r := aggregates.Reject("Cannot %s the deployment at step %d: it is at step %d", verb, expected, now)
	if expected == now {
		r.Message = fmt.Sprintf("Cannot %s the deployment at step %d: it went on already", verb, expected)
	}
	if by != "" {
		r.Message += ", continued by " + string(by)
	}
	r.Code = aggregates.CodeConflict
	return r
}

// ContinueDeployment lets a paused rollout go on to its next step, or to its end. Without an expected step a retry after a
// lost answer could pass two pauses; with it the second one is refused and told who was first.
func ContinueDeployment(s State, c Steer) ([]events.Event, error) {
	if err := s.steers("continue", c); err != nil {
		return nil, err
	}
	if s.Deployment.Halt != "" {
		return nil, aggregates.Reject("Cannot continue the deployment: %s", s.Deployment.Error)
	}
	continued := events.DeploymentContinued{App: s.ID, Deployment: c.Deployment, Step: s.Deployment.Step, By: c.By, At: c.Now}
	switch {
	case s.Deployment.Held: // from where it stands
		continued.Crashes = c.Crashes
		return []events.Event{continued}, nil
	case s.Deployment.AtPause:
		continued.Step++
		return []events.Event{continued}, nil
	}
	if c.ExpectedStep != 0 && s.Deployment.ContinuedBy != "" {
		return nil, conflict("continue", c.ExpectedStep, s.Deployment.CurrentStep(), s.Deployment.ContinuedBy)
	}
	return nil, aggregates.Reject("Cannot continue a deployment with status: ACTIVE and reason: %s", s.Deployment.reason())
}

// CancelDeployment asks to go back: the previous droplet becomes current at once, the updater does the rest. Asked again
// while it is going back, it decides nothing.
func CancelDeployment(s State, c Steer) ([]events.Event, error) {
	if s.Waits(c.Deployment) {
		return s.withdraw(c), nil
	}
	if err := s.steers("cancel", c); err != nil {
		return nil, err
	}
	if s.Deployment.GoingBack {
		return nil, nil
	}
	if err := s.hasPrevious(); err != nil {
		return nil, err
	}
	d := &decision{State: s}
	d.restoreDroplet()
	d.add(events.DeploymentCanceling{App: s.ID, Deployment: c.Deployment})
	return d.events, nil
}

// withdraw takes back what has not begun: there is nothing to go back from.
func (s State) withdraw(c Steer) []events.Event {
	return []events.Event{events.DeploymentWithdrawn{
		App: s.ID, Deployment: c.Deployment, By: c.By, Reason: "taken back by " + string(c.By), At: c.Now,
	}}
}

// RollBackDeployment asks to go back without a dip: the old version is at full strength before the new one leaves. Asked
// again while it is going back, it decides nothing; a cancel meanwhile makes it quick.
func RollBackDeployment(s State, c Steer) ([]events.Event, error) {
	if s.Waits(c.Deployment) {
		return s.withdraw(c), nil
	}
	if err := s.steers("roll back", c); err != nil {
		return nil, err
	}
	if s.Deployment.GoingBack || s.Deployment.RollingBack {
		return nil, nil
	}
	if err := s.hasPrevious(); err != nil {
		return nil, err
	}
	d := &decision{State: s}
	d.rollBackFor(fmt.Sprintf("%s asked for it", c.By), false, c.Now)
	if !c.Automation {
		d.holdAutomation(c.By, c.Now)
	}
	return d.events, nil
}

// hasPrevious refuses to go back where there is nothing to go back to.
func (s State) hasPrevious() error {
	if _, known := s.Types[s.Deployment.PreviousDroplet]; !known {
		return aggregates.Reject("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
	}
	return nil
}

// SetDeploymentMetadata changes labels and annotations of a deployment, whether it waits, goes on or is over; present is what they
// are now, which the app does not remember of deployments that are over.
func SetDeploymentMetadata(s State, id events.DeploymentID, present, next events.Metadata) ([]events.Event, error) {
	if (s.Deployment == nil || s.Deployment.ID() != id) && !s.Waits(id) {
		if _, ok := s.ended(id); !ok {
			return nil, aggregates.NotFound("Deployment")
		}
	}
	if err := CheckMetadata(next); err != nil {
		return nil, err
	}
	if present.Equal(next) {
		return nil, nil
	}
	return []events.Event{events.DeploymentMetadataSet{App: s.ID, Deployment: id, Metadata: next}}, nil
}

// StartDeployment begins a requested deployment that is approved, unless a window holds it: it is refused then, and denied where it
// would be held for ever. Asked again once it has begun, it decides nothing.
func StartDeployment(s State, c Steer, q Quota, b Brakes) ([]events.Event, error) {
	if s.Deployment != nil && s.Deployment.ID() == c.Deployment {
		return nil, nil
	}
	r, err := s.asked("start", c.Deployment)
	if err != nil {
		return nil, err
	}
	if !r.Granted {
		return nil, aggregates.Reject("Cannot start the deployment: it waits for approval")
	}
	if b.Halt.ID != "" {
		return nil, aggregates.Reject("Cannot start the deployment: %s", b.Halt.Text())
	}
	h := b.Holds[c.Deployment]
	switch {
	case h.Policy == "":
		return DeployApp(s, r.command(q, c.Now))
	case h.Until.IsZero():
		return s.hold(r, h, c.Now), nil
	}
	return nil, aggregates.Reject("Cannot start the deployment: %s", h.Text())
}
