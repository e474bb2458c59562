package app

import (
	"fmt"

	"slipway/aggregates"
	"slipway/events"
)

// Steer is the command to do something about a deployment going on.
type Steer struct {
	Deployment   events.DeploymentID
	ExpectedStep int // the step the caller has seen, from 1; 0: whatever it is. It fences a retry: see [ContinueDeployment]
	By           events.Actor
}

// steers refuses to steer a deployment that is over, or that stands elsewhere than the caller has seen.
func (s State) steers(verb string, c Steer) error {
	if s.Deployment == nil || s.Deployment.ID() != c.Deployment {
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
	if s.Deployment.AtPause {
		return []events.Event{events.DeploymentContinued{
			App: s.ID, Deployment: c.Deployment, Step: s.Deployment.Step + 1, By: c.By,
		}}, nil
	}
	if c.ExpectedStep != 0 && s.Deployment.ContinuedBy != "" {
		return nil, conflict("continue", c.ExpectedStep, s.Deployment.CurrentStep(), s.Deployment.ContinuedBy)
	}
	return nil, aggregates.Reject("Cannot continue a deployment with status: ACTIVE and reason: %s", s.Deployment.reason())
}

// CancelDeployment asks to go back: the previous droplet becomes current at once, the updater does the rest. Asked again
// while it is going back, it decides nothing.
func CancelDeployment(s State, c Steer) ([]events.Event, error) {
	if err := s.steers("cancel", c); err != nil {
		return nil, err
	}
	if s.Deployment.GoingBack {
		return nil, nil
	}
	previous := s.Deployment.PreviousDroplet
	types, known := s.Types[previous]
	if previous == "" || !known {
		return nil, aggregates.Reject("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
	}
	d := &decision{State: s}
	if previous != d.Droplet {
		d.add(events.AppDropletAssigned{
			App: s.ID, Droplet: previous, PreviousDroplet: d.Droplet, ProcessTypes: types, Deployment: c.Deployment,
		})
	}
	d.add(events.DeploymentCanceling{App: s.ID, Deployment: c.Deployment})
	return d.events, nil
}

// SetDeploymentMetadata changes labels and annotations of a deployment, whether it goes on or is over; present is what they
// are now, which the app does not remember of deployments that are over.
func SetDeploymentMetadata(s State, id events.DeploymentID, present, next events.Metadata) ([]events.Event, error) {
	if s.Deployment == nil || s.Deployment.ID() != id {
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
