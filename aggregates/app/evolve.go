package app

import (
	"slices"

	"slipway/events"
)

// Evolve folds one event into the state. It is total: an event it does not know, or that does not fit, changes nothing.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.AppCreated:
		return State{
			ID: e.App, Name: e.Name, Space: e.Space, Organization: e.Organization, Desired: Stopped,
			Environment: e.Environment, Metadata: e.Metadata,
		}
	case events.AppUpdated:
		s.Metadata = e.Metadata
	case events.AppEnvironmentSet:
		s.Environment = e.Environment
	case events.AppStarted:
		s.Desired = Started
	case events.AppStopped:
		s.Desired = Stopped
	case events.AppDropletAssigned:
		s.Types = s.Types.with(e, s.Processes)
		s.Droplet = e.Droplet
	case events.AppDeleted:
		s = State{ID: s.ID, Name: s.Name, Space: s.Space, Organization: s.Organization, Desired: Stopped, Deleted: true}
	case events.RevisionCreated:
		s.Revision = e
	default:
		return evolveProcess(evolveDeployment(s, e), e)
	}
	return s
}

// with adds a droplet just assigned and forgets those that nothing can go back to.
func (known DropletTypes) with(e events.AppDropletAssigned, processes []Process) DropletTypes {
	next := DropletTypes{e.Droplet: e.ProcessTypes}
	keep := func(id events.DropletID) {
		if types, ok := known[id]; ok && id != e.Droplet {
			next[id] = types
		}
	}
	keep(e.PreviousDroplet)
	for _, p := range processes {
		keep(p.Droplet)
	}
	return next
}

func evolveProcess(s State, e events.Event) State {
	switch e := e.(type) {
	case events.ProcessCreated:
		s.Processes = append(slices.Clone(s.Processes), created(e))
	case events.ProcessUpdated:
		return s.change(e.Process, func(p *Process) {
			p.Command, p.Custom, p.HealthCheck = e.Command, e.Custom, e.HealthCheck
		})
	case events.ProcessScaled:
		return s.change(e.Process, func(p *Process) {
			p.Instances, p.MemoryMB, p.DiskMB, p.LogRate = e.Instances, e.MemoryMB, e.DiskMB, e.LogRate
		})
	case events.ProcessRestarted:
		return s.change(e.Process, func(p *Process) {
			p.Droplet, p.Command, p.Custom = e.Droplet, e.Command, e.Custom
			p.Revision, p.Generation = e.Revision, e.Generation
		})
	case events.ProcessDeleted:
		s.Processes = slices.DeleteFunc(slices.Clone(s.Processes), func(p Process) bool { return p.ID == e.Process })
	}
	return s
}

func created(e events.ProcessCreated) Process {
	standing := Proven
	if e.Deployment != "" && e.ProcessType == events.ProcessTypeWeb {
		standing = New
	}
	return Process{
		ID: e.Process, Type: e.ProcessType, Droplet: e.Droplet, Command: e.Command, Custom: e.Custom,
		Instances: e.Instances, MemoryMB: e.MemoryMB, DiskMB: e.DiskMB, LogRate: e.LogRate,
		HealthCheck: e.HealthCheck, Revision: e.Revision, Deployment: e.Deployment, Standing: standing,
	}
}

func evolveDeployment(s State, e events.Event) State {
	switch e := e.(type) {
	case events.DeploymentCreated:
		s.Deployment = &Deployment{DeploymentCreated: e, Phase: Deploying}
	case events.DeploymentCanceling:
		if s.Deployment != nil && s.Deployment.ID() == e.Deployment {
			canceling := *s.Deployment
			canceling.Phase = Canceling
			s.Deployment = &canceling
		}
	case events.DeploymentDeployed:
		return s.end(e.Deployment, ReasonDeployed, Proven)
	case events.DeploymentCanceled:
		s = s.change(e.Kept, func(p *Process) { p.Standing = Proven })
		return s.end(e.Deployment, ReasonCanceled, Rejected)
	case events.DeploymentSuperseded:
		standing := Interim
		if e.Canceled {
			standing = Rejected
		}
		return s.end(e.Deployment, ReasonSuperseded, standing)
	}
	return s
}

// end takes the deployment out of the state; its process, where it still stands, gets the standing.
func (s State) end(id events.DeploymentID, reason string, standing Standing) State {
	if s.Deployment != nil && s.Deployment.ID() == id {
		s = s.change(s.Deployment.Process, func(p *Process) { p.Standing = standing })
		s.Deployment = nil
	}
	from := max(0, len(s.Ended)+1-endedKept)
	s.Ended = append(slices.Clone(s.Ended[from:]), Ended{ID: id, Reason: reason})
	return s
}

func (s State) change(id events.ProcessID, edit func(*Process)) State {
	s.Processes = slices.Clone(s.Processes)
	for i := range s.Processes {
		if s.Processes[i].ID == id {
			edit(&s.Processes[i])
		}
	}
	return s
}

// ID names the deployment.
func (d *Deployment) ID() events.DeploymentID { return d.DeploymentCreated.Deployment }
