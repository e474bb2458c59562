package audit

import (
	"fmt"

	"slipway/aggregates/app"
	"slipway/events"
)

// misfit says why an event cannot follow the app's state, and which law that breaks. The fold itself is total: it would
// pass over such an event without a word.
func (a *auditor) misfit(h *history, e events.Event) (Law, string) {
	s := h.state
	_, creates := e.(events.AppCreated)
	switch {
	case creates && s.ID != "":
		return LawFold, "the app was created before"
	case !creates && s.ID == "":
		return LawFold, "the app does not exist"
	case s.Deleted:
		return LawFold, "the app was deleted"
	}
	switch e := e.(type) {
	case events.ProcessCreated, events.ProcessUpdated, events.ProcessScaled, events.ProcessRestarted, events.ProcessDeleted:
		return LawFold, misfitProcess(s, e)
	case events.DeploymentCreated:
		return LawRollout, a.misfitCreated(s, e)
	case events.DeploymentCanceling:
		return LawFold, misfitDeployment(s, e.Deployment, forward)
	case events.DeploymentCanceled:
		return LawFold, misfitDeployment(s, e.Deployment, back)
	case events.DeploymentRolledBack:
		return LawFold, misfitDeployment(s, e.Deployment, rollback)
	case events.DeploymentRollingBack:
		return LawFold, misfitDeployment(s, e.Deployment, forward)
	case events.DeploymentDeployed:
		return LawFold, misfitDeployment(s, e.Deployment, ahead)
	case events.DeploymentSuperseded:
		if s.Waits(e.Deployment) {
			return "", ""
		}
		return LawFold, misfitDeployment(s, e.Deployment, either)
	case events.DeploymentApproved:
		return LawFold, misfitRequest(s, e.Deployment)
	case events.DeploymentHeld:
		return LawFold, misfitRequest(s, e.Deployment)
	case events.DeploymentDenied:
		return LawFold, misfitRequest(s, e.Deployment)
	case events.DeploymentWithdrawn:
		return LawFold, misfitRequest(s, e.Deployment)
	}
	return "", ""
}

func (a *auditor) misfitCreated(s app.State, e events.DeploymentCreated) string {
	if s.Deployment != nil {
		return fmt.Sprintf("deployment %s is active", s.Deployment.ID())
	}
	if _, known := a.rollouts[e.Deployment]; known {
		return fmt.Sprintf("deployment %s was created before", e.Deployment)
	}
	return ""
}

// misfitRequest: an answer belongs to a deployment that waits for one.
func misfitRequest(s app.State, id events.DeploymentID) string {
	if !s.Waits(id) {
		return fmt.Sprintf("deployment %s does not wait for approval", id)
	}
	return ""
}

// direction is which way a deployment must be going for something to happen to it.
type direction int

const (
	either direction = iota
	forward
	ahead    // not being rolled back either
	back     // it is being canceled
	rollback // it is being rolled back
)

// misfitDeployment: what happens to a deployment happens while it is active and goes the right way.
func misfitDeployment(s app.State, id events.DeploymentID, want direction) string {
	switch {
	case s.Deployment == nil || s.Deployment.ID() != id:
		return fmt.Sprintf("deployment %s is not active", id)
	case want == ahead && s.Deployment.RollingBack:
		return fmt.Sprintf("deployment %s is being rolled back", id)
	case want == rollback && !s.Deployment.RollingBack:
		return fmt.Sprintf("nothing made deployment %s roll back", id)
	case (want == forward || want == ahead) && !s.InFlight():
		return fmt.Sprintf("deployment %s is being canceled", id)
	case want == back && s.InFlight():
		return fmt.Sprintf("nobody asked to cancel deployment %s", id)
	}
	return ""
}

func misfitProcess(s app.State, e events.Event) string {
	id := events.ProcessID(e.Subject())
	p, exists := s.Process(id)
	if _, creates := e.(events.ProcessCreated); creates == exists {
		return fmt.Sprintf("process %s: there before is %t", id, exists)
	}
	switch e := e.(type) {
	case events.ProcessScaled:
		if e.From != p.Instances {
			return fmt.Sprintf("process %s is scaled from %d, but %d were desired", id, e.From, p.Instances)
		}
	case events.ProcessRestarted:
		if e.Generation <= p.Generation {
			return fmt.Sprintf("process %s is restarted as generation %d after %d", id, e.Generation, p.Generation)
		}
	}
	return ""
}
