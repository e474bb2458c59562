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
			Environment: e.Environment, Metadata: e.Metadata, Lifecycle: e.Lifecycle, Routed: e.Routed,
		}
	case events.AppUpdated:
		s.Metadata = e.Metadata
	case events.AppEnvironmentSet:
		s.Environment = e.Environment
	case events.AppFeatureSet:
		if e.Name == events.FeatureRevisions {
			s.NoRevisions = !e.Enabled
		}
	case events.AppStarted:
		s.Desired = Started
		s.Processes = slices.Clone(s.Processes)
		for i := range s.Processes {
			s.Processes[i].Environment = s.Environment
		}
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
		s.Processes = append(slices.Clone(s.Processes), created(e, s.Environment))
	case events.ProcessUpdated:
		return s.change(e.Process, func(p *Process) {
			p.Command, p.Custom, p.HealthCheck = e.Command, e.Custom, e.HealthCheck
		})
	case events.ProcessScaled:
		s = s.moved(e.Process)
		return s.change(e.Process, func(p *Process) {
			p.Instances, p.MemoryMB, p.DiskMB, p.LogRate = e.Instances, e.MemoryMB, e.DiskMB, e.LogRate
		})
	case events.ProcessRestarted:
		return s.change(e.Process, func(p *Process) {
			p.Droplet, p.Command, p.Custom = e.Droplet, e.Command, e.Custom
			p.Revision, p.Generation, p.Environment = e.Revision, e.Generation, s.Environment
		})
	case events.ProcessDeleted:
		s.Processes = slices.DeleteFunc(slices.Clone(s.Processes), func(p Process) bool { return p.ID == e.Process })
	}
	return s
}

func created(e events.ProcessCreated, environment map[string]string) Process {
	standing := Proven
	if e.Deployment != "" && e.ProcessType == events.ProcessTypeWeb {
		standing = New
	}
	return Process{
		ID: e.Process, Type: e.ProcessType, Droplet: e.Droplet, Command: e.Command, Custom: e.Custom,
		Instances: e.Instances, MemoryMB: e.MemoryMB, DiskMB: e.DiskMB, LogRate: e.LogRate,
		HealthCheck: e.HealthCheck, Revision: e.Revision, Deployment: e.Deployment, Standing: standing,
		Environment: environment,
	}
}

func evolveDeployment(s State, e events.Event) State {
	switch e := e.(type) {
	case events.DeploymentCreated:
		s.Deployment = &Deployment{DeploymentCreated: e}
	case events.DeploymentPaused:
		return s.active(e.Deployment, func(d *Deployment) { d.AtPause, d.Error = true, "" })
	case events.DeploymentContinued:
		return s.active(e.Deployment, func(d *Deployment) { d.AtPause, d.Step, d.ContinuedBy = false, e.Step, e.By })
	case events.DeploymentErrorRecorded:
		return s.active(e.Deployment, func(d *Deployment) { d.Error = e.Error })
	case events.DeploymentMetadataSet:
		return s.active(e.Deployment, func(d *Deployment) { d.Metadata = e.Metadata })
	case events.DeploymentCanceling:
		return s.active(e.Deployment, func(d *Deployment) { d.GoingBack, d.AtPause = true, false })
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

// active changes the deployment going on, if it is this one.
func (s State) active(id events.DeploymentID, edit func(*Deployment)) State {
	if s.Deployment == nil || s.Deployment.ID() != id {
		return s
	}
	changed := *s.Deployment
	edit(&changed)
	s.Deployment = &changed
	return s
}

// moved notes that a rollout whose process is scaled moves again.
func (s State) moved(process events.ProcessID) State {
	if s.Deployment == nil || s.Deployment.Process != process || s.Deployment.Error == "" {
		return s
	}
	return s.active(s.Deployment.ID(), func(d *Deployment) { d.Error = "" })
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
