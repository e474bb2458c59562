package app

import (
	"maps"
	"slices"
	"time"

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
		s = s.progressed(e.At)
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
	case events.SignalReceived:
		s.Alarms = maps.Clone(s.Alarms)
		if delete(s.Alarms, e.Name); e.Firing {
			if s.Alarms == nil {
				s.Alarms = map[string]Alarm{}
			}
			s.Alarms[e.Name] = Alarm{Since: e.At, Value: e.Value, Message: e.Message}
		}
	default:
		return evolveProcess(evolveDeployment(evolveRequest(s, e), e), e)
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
			if grown := e.Instances - e.From; grown > 0 {
				p.Leaving = e.Leaving
				if s.Deployment != nil && s.Deployment.ID() == e.Deployment && s.Deployment.Process != "" && p.Standing != New {
					p.Returned += grown
				}
			} else {
				p.Returned = max(p.Returned+grown, 0)
			}
		})
	case events.ProcessRestarted:
		return s.change(e.Process, func(p *Process) {
			p.Droplet, p.Command, p.Custom = e.Droplet, e.Command, e.Custom
			p.Revision, p.Generation, p.Environment = e.Revision, e.Generation, s.Environment
			if s.Deployment != nil && s.Deployment.Process != "" && p.Standing != New {
				p.Returned = p.Instances // nothing of it serves before it is up again
			}
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
		s.Deployment = &Deployment{DeploymentCreated: e, WatchedFrom: e.StartedAt, ProgressAt: e.StartedAt, StepAt: e.StartedAt}
	case events.DeploymentStepStarted:
		return s.active(e.Deployment, func(d *Deployment) { d.begin(e.Step-1, e.At) })
	case events.DeploymentBakeStarted:
		return s.active(e.Deployment, func(d *Deployment) { d.BakeUntil, d.Error = e.Until, "" })
	case events.DeploymentPaused:
		return s.active(e.Deployment, func(d *Deployment) {
			d.AtPause, d.Error, d.PausedUntil, d.PausedThen = true, "", e.Until, e.Then
		})
	case events.DeploymentContinued:
		return s.active(e.Deployment, func(d *Deployment) { d.resume(e) })
	case events.DeploymentCheckRecorded:
		return s.active(e.Deployment, func(d *Deployment) { d.checked(e) })
	case events.DeploymentBreached:
		return s.active(e.Deployment, func(d *Deployment) {
			d.Held, d.Forgiven, d.Error = e.Action == events.ThenHold, e.Crashes, e.Reason
		})
	case events.DeploymentRollingBack:
		return s.active(e.Deployment, func(d *Deployment) {
			d.RollingBack, d.Hurry, d.AtPause, d.Held, d.ProgressAt, d.Error = true, e.Fast, false, false, e.At, e.Reason
			d.BackReason = e.Reason
		})
	case events.DeploymentHalted:
		return s.active(e.Deployment, func(d *Deployment) { d.Halt = e.Halt })
	case events.DeploymentResumed:
		return s.active(e.Deployment, func(d *Deployment) { d.Halt, d.ProgressAt = "", e.At })
	case events.DeploymentRolledBack:
		s = s.change(e.Kept, func(p *Process) { p.keep(s.Deployment == nil || s.Deployment.Hurry) })
		return s.end(e.Deployment, ReasonRolledBack, Rejected)
	case events.DeploymentErrorRecorded:
		return s.active(e.Deployment, func(d *Deployment) { d.Error = e.Error })
	case events.DeploymentMetadataSet:
		return s.active(e.Deployment, func(d *Deployment) { d.Metadata = e.Metadata })
	case events.DeploymentCanceling:
		return s.active(e.Deployment, func(d *Deployment) { d.GoingBack, d.RollingBack, d.AtPause, d.Held = true, false, false, false })
	case events.DeploymentDeployed:
		return s.deployed(e.Deployment).end(e.Deployment, ReasonDeployed, Proven)
	case events.DeploymentCanceled:
		s = s.change(e.Kept, func(p *Process) { p.keep(true) })
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

// keep makes a process the one that was gone back to: in a hurry what of it serves has yet to be seen, else all of it does.
func (p *Process) keep(hurry bool) {
	switch {
	case !hurry:
		p.Returned = 0
	case p.Standing != Proven:
		p.Returned = p.Instances
	}
	p.Standing = Proven
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

// progressed gives a deployment going on its time anew.
func (s State) progressed(at time.Time) State {
	if s.Deployment == nil || at.IsZero() {
		return s
	}
	return s.active(s.Deployment.ID(), func(d *Deployment) { d.ProgressAt = at })
}

// begin makes the step with this index the present one.
func (d *Deployment) begin(index int, at time.Time) {
	d.Step, d.AtPause, d.Error, d.StepAt = index, false, "", at
	if !at.IsZero() {
		d.ProgressAt = at
	}
}

// resume lets a paused rollout go on to its next step; one that is held, from where it stands, with what failed forgiven.
func (d *Deployment) resume(e events.DeploymentContinued) {
	d.ContinuedBy = e.By
	if !d.Held {
		d.begin(e.Step, e.At)
		return
	}
	d.Held, d.Error, d.WatchedFrom, d.ProgressAt = false, "", e.At, e.At
	d.Checks, d.Forgiven = nil, max(d.Forgiven, e.Crashes)
}

// checked notes a verdict. The number of failures counts from the start, or from when somebody forgave them.
func (d *Deployment) checked(e events.DeploymentCheckRecorded) {
	last := d.Checks[e.Check]
	d.Checks = maps.Clone(d.Checks)
	if d.Checks == nil {
		d.Checks = map[string]CheckSeen{}
	}
	next := CheckSeen{Verdict: e.Verdict, At: e.At, Failures: last.Failures, Message: e.Message}
	if e.Verdict == events.VerdictFail {
		next.Failures++
	}
	d.Checks[e.Check] = next
}

// moved notes that a rollout whose process is scaled moves again.
func (s State) moved(process events.ProcessID) State {
	if s.Deployment == nil || s.Deployment.Process != process || s.Deployment.RollingBack || s.Deployment.Error == "" {
		return s
	}
	return s.active(s.Deployment.ID(), func(d *Deployment) { d.Error = "" })
}

// end takes the deployment, or the request for one, out of the state; its process, where it still stands, gets the standing.
func (s State) end(id events.DeploymentID, reason string, standing Standing) State {
	over := Ended{ID: id, Reason: reason}
	if r, waits := s.request(id); waits {
		over.Group, s.Requests = r.Group, without(s.Requests, id)
	}
	if s.Deployment != nil && s.Deployment.ID() == id {
		over.Group = s.Deployment.Group
		s = s.change(s.Deployment.Process, func(p *Process) { p.Standing = standing })
		s.Deployment = nil
	}
	from := max(0, len(s.Ended)+1-endedKept)
	s.Ended = append(slices.Clone(s.Ended[from:]), over)
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
