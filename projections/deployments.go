package projections

import (
	"time"

	"slipway/events"
)

// DeploymentState is Cloud Foundry's internal state of a deployment; clients see it as a filter only.
type DeploymentState string

// The states of a deployment (Cloud Foundry; canary brings PREPAUSED and PAUSED).
const (
	Deploying DeploymentState = "DEPLOYING"
	Canceling DeploymentState = "CANCELING"
	Deployed  DeploymentState = "DEPLOYED"
	Canceled  DeploymentState = "CANCELED"
)

// The values and reasons of a deployment's status.
const (
	StatusActive    = "ACTIVE"
	StatusFinalized = "FINALIZED"

	ReasonDeploying  = "DEPLOYING"
	ReasonCanceling  = "CANCELING"
	ReasonDeployed   = "DEPLOYED"
	ReasonCanceled   = "CANCELED"
	ReasonSuperseded = "SUPERSEDED"
)

// ProcessRef names a process that a deployment made. It stays when the process is gone.
type ProcessRef struct {
	GUID events.ProcessID `json:"guid"`
	Type string           `json:"type"`
}

// Deployment is one rollout, going on or over.
type Deployment struct {
	GUID              events.DeploymentID
	App               events.AppID
	State             DeploymentState
	StatusValue       string
	StatusReason      string
	Strategy          string
	Options           events.DeploymentOptions
	Plan              []events.Step
	OriginalInstances int // what a cancel restores
	Target            int // web instances when it is done
	Floor             int // capacity that never dips below
	Droplet           events.DropletID
	PreviousDroplet   events.DropletID
	Revision          events.RevisionID
	RevisionNumber    int
	Process           events.ProcessID // the new web process; empty for a stopped app
	NewProcesses      []ProcessRef
	SupersededBy      events.DeploymentID
	Kept              events.ProcessID // the web process that a cancel went back to
	Error             string           // why it does not move; empty where it does
	LastHealthyAt     time.Time        // creation, or when it last grew because all was healthy
	LastStatusChange  time.Time        // when value or reason last became another
	Metadata          events.Metadata
	Stamp
}

var deployments = view[events.DeploymentID, Deployment]{
	table: "deployments", keys: 1,
	key:    func(d *Deployment) events.DeploymentID { return d.GUID },
	where:  func(id events.DeploymentID) []any { return []any{id} },
	labels: func(d *Deployment) labelsOf { return d.Metadata.Labels },
	columns: func(d *Deployment) []column {
		return append([]column{
			{"guid", &d.GUID}, {"app", &d.App}, {"state", &d.State}, {"status_value", &d.StatusValue},
			{"status_reason", &d.StatusReason}, {"strategy", &d.Strategy}, {"options", asJSON(&d.Options)},
			{"plan", asJSON(&d.Plan)}, {"original_instances", &d.OriginalInstances}, {"target", &d.Target},
			{"floor", &d.Floor}, {"droplet", &d.Droplet}, {"previous_droplet", &d.PreviousDroplet},
			{"revision", &d.Revision}, {"revision_number", &d.RevisionNumber}, {"process", &d.Process},
			{"new_processes", asJSON(&d.NewProcesses)}, {"superseded_by", &d.SupersededBy}, {"kept_process", &d.Kept},
			{"error", &d.Error}, {"last_healthy_at", asTime(&d.LastHealthyAt)},
			{"last_status_change", asTime(&d.LastStatusChange)},
			{"labels", asJSON(&d.Metadata.Labels)}, {"annotations", asJSON(&d.Metadata.Annotations)},
		}, d.Stamp.columns()...)
	},
}.ready()

func (f *fold) deploymentCreated(m moment, e events.DeploymentCreated) {
	if f.deployments.get(e.Deployment) != nil {
		f.anomaly(m, e, "deployment %s exists already", e.Deployment)
		return
	}
	a := f.apps.edit(e.App)
	if a == nil {
		f.anomaly(m, e, "app %s is unknown", e.App)
		return
	}
	a.Deployment, a.Sequence = e.Deployment, m.Sequence
	made := []ProcessRef{}
	if e.Process != "" {
		made = append(made, ProcessRef{GUID: e.Process, Type: events.ProcessTypeWeb})
	}
	f.deployments.put(Deployment{
		GUID: e.Deployment, App: e.App, State: Deploying, StatusValue: StatusActive, StatusReason: ReasonDeploying,
		Strategy: e.Strategy, Options: e.Options, Plan: e.Plan, OriginalInstances: e.OriginalInstances, Target: e.Target,
		Floor: e.Floor, Droplet: e.Droplet, PreviousDroplet: e.PreviousDroplet, Revision: e.Revision,
		RevisionNumber: e.RevisionNumber, Process: e.Process, NewProcesses: made, LastHealthyAt: m.time,
		LastStatusChange: m.time, Metadata: e.Metadata, Stamp: m.stamp(),
	})
}

// deploymentScaled notes that a deployment scaled a process. Growing its own process means that all of it was healthy
// (Cloud Foundry: last_successful_healthcheck). A deployment that is going back does not count as healthy.
func (f *fold) deploymentScaled(m moment, e events.ProcessScaled) {
	d := f.deploymentOf(m, e)
	if d == nil {
		return
	}
	if m.actor == events.ActorUpdater && e.Process == d.Process && d.State == Deploying {
		d.LastHealthyAt = m.time
	}
	d.touch(m)
}

func (f *fold) deploymentCanceling(m moment, e events.DeploymentCanceling) {
	f.active(m, e, func(d *Deployment) {
		d.moveTo(m, Canceling, StatusActive, ReasonCanceling)
	})
}

func (f *fold) deploymentCanceled(m moment, e events.DeploymentCanceled) {
	f.active(m, e, func(d *Deployment) {
		d.Kept, d.Error = e.Kept, ""
		d.moveTo(m, Canceled, StatusFinalized, ReasonCanceled)
	})
}

func (f *fold) deploymentSuperseded(m moment, e events.DeploymentSuperseded) {
	f.active(m, e, func(d *Deployment) {
		d.SupersededBy = e.By
		state := Deployed
		if e.Canceled {
			state = Canceled
		}
		d.moveTo(m, state, StatusFinalized, ReasonSuperseded)
	})
}

func (f *fold) deploymentDeployed(m moment, e events.DeploymentDeployed) {
	f.active(m, e, func(d *Deployment) {
		d.Error = ""
		d.moveTo(m, Deployed, StatusFinalized, ReasonDeployed)
	})
}

// deploymentOf is the deployment that e names, to be changed. One of another app is as good as unknown.
func (f *fold) deploymentOf(m moment, e events.Event) *Deployment {
	about := RefsOf(e)
	d := f.deployments.edit(about.Deployment)
	if d == nil || d.App != about.App {
		f.anomaly(m, e, "app %q has no deployment %q", about.App, about.Deployment)
		return nil
	}
	return d
}

// active changes a deployment that is not over. One that is over never changes again.
func (f *fold) active(m moment, e events.Event, change func(*Deployment)) {
	d := f.deploymentOf(m, e)
	if d == nil {
		return
	}
	if d.StatusValue == StatusFinalized {
		f.anomaly(m, e, "deployment %s ended before, %s", d.GUID, d.StatusReason)
		return
	}
	change(d)
	if a := f.apps.edit(d.App); a != nil && a.Deployment == d.GUID && d.StatusValue == StatusFinalized {
		a.Deployment, a.Sequence = "", m.Sequence
	}
}

func (d *Deployment) moveTo(m moment, state DeploymentState, value, reason string) {
	if d.StatusValue != value || d.StatusReason != reason {
		d.LastStatusChange = m.time
	}
	d.State, d.StatusValue, d.StatusReason = state, value, reason
	d.touch(m)
}
