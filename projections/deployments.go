package projections

import (
	"fmt"
	"time"

	"slipway/events"
)

// DeploymentState is Cloud Foundry's internal state of a deployment; clients see it as a filter only.
type DeploymentState string

// The states of a deployment (Cloud Foundry).
const (
	Deploying DeploymentState = "DEPLOYING"
	Prepaused DeploymentState = "PREPAUSED"
	Paused    DeploymentState = "PAUSED"
	Canceling DeploymentState = "CANCELING"
	Deployed  DeploymentState = "DEPLOYED"
	Canceled  DeploymentState = "CANCELED"

	Baking      DeploymentState = "BAKING"
	RollingBack DeploymentState = "ROLLING_BACK"
	RolledBack  DeploymentState = "ROLLED_BACK"

	Requested DeploymentState = "CREATING_APPROVAL"
	Denied    DeploymentState = "CREATING_APPROVAL_DENIED"
)

// The values and reasons of a deployment's status.
const (
	StatusActive    = "ACTIVE"
	StatusFinalized = "FINALIZED"

	ReasonDeploying  = "DEPLOYING"
	ReasonPaused     = "PAUSED"
	ReasonCanceling  = "CANCELING"
	ReasonDeployed   = "DEPLOYED"
	ReasonCanceled   = "CANCELED"
	ReasonSuperseded = "SUPERSEDED"

	ReasonBaking      = "BAKING"       // all instances are new and are watched for a while
	ReasonRollingBack = "ROLLING_BACK" // it goes back without a dip
	ReasonRolledBack  = "ROLLED_BACK"

	ReasonApproval = "CREATING_APPROVAL"        // it waits for people, a window or the end of a halt
	ReasonDenied   = "CREATING_APPROVAL_DENIED" // it never began
	ReasonDeleted  = "DELETED"                  // it was deployed, and its app was stopped
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
	RolledBackTo      events.RevisionID // the revision asked for, where it is a roll-back
	Step              int               // index into the plan of what it moves towards
	Process           events.ProcessID  // the new web process; empty for a stopped app
	NewProcesses      []ProcessRef
	SupersededBy      events.DeploymentID
	Kept              events.ProcessID // the web process that a cancel went back to
	Error             string           // why it does not move; empty where it does
	LastHealthyAt     time.Time        // creation, or when it last grew because all was healthy
	LastStatusChange  time.Time        // when value or reason last became another
	Watch             Watch
	Metadata          events.Metadata
	Stamp
}

var deployments = view[events.DeploymentID, Deployment]{
	table: "deployments", kind: "deployment",
	key:      func(d *Deployment) events.DeploymentID { return d.GUID },
	stamp:    func(d *Deployment) *Stamp { return &d.Stamp },
	metadata: func(d *Deployment) *events.Metadata { return &d.Metadata },
	columns: func(d *Deployment) []column {
		return []column{
			{"guid", &d.GUID}, {"app", &d.App}, {"state", &d.State}, {"status_value", &d.StatusValue},
			{"status_reason", &d.StatusReason}, {"strategy", &d.Strategy}, {"options", asJSON(&d.Options)},
			{"plan", asJSON(&d.Plan)}, {"original_instances", &d.OriginalInstances}, {"target", &d.Target},
			{"floor", &d.Floor}, {"droplet", &d.Droplet}, {"previous_droplet", &d.PreviousDroplet},
			{"revision", &d.Revision}, {"revision_number", &d.RevisionNumber}, {"rolled_back_to", &d.RolledBackTo},
			{"step", &d.Step}, {"process", &d.Process},
			{"new_processes", asJSON(&d.NewProcesses)}, {"superseded_by", &d.SupersededBy}, {"kept_process", &d.Kept},
			{"error", &d.Error}, {"last_healthy_at", asTime(&d.LastHealthyAt)},
			{"last_status_change", asTime(&d.LastStatusChange)},
			{"watch", asJSON(&d.Watch)}, {"deployment_group", &d.Watch.Group},
		}
	},
}.ready()

// deployment folds an event of a rollout into its row.
func (f *fold) deployment(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.DeploymentApprovalRequested:
		return f.deploymentNew(Deployment{}.began(m, e))
	case events.DeploymentCreated:
		return f.deploymentCreated(m, e)
	}
	d, err := f.deploymentOf(e)
	if err != nil {
		return err
	}
	if d.StatusValue == StatusFinalized && !outlives(e) {
		return fmt.Errorf("deployment %s ended before, %s", d.GUID, d.StatusReason)
	}
	d.evolve(m, e)
	if a := f.apps.edit(d.App); a != nil && a.Deployment == d.GUID && d.StatusValue == StatusFinalized {
		a.Deployment, a.Sequence = "", m.Sequence
	}
	return nil
}

func (f *fold) deploymentCreated(m moment, e events.DeploymentCreated) error {
	asked := f.deployments.edit(e.Deployment)
	if asked != nil && asked.StatusReason == ReasonApproval && asked.App == e.App {
		*asked = asked.began(m, e)
	} else if err := f.deploymentNew(Deployment{}.began(m, e)); err != nil {
		return err
	}
	if a := f.apps.edit(e.App); a != nil {
		a.Deployment, a.Sequence = e.Deployment, m.Sequence
	}
	return nil
}

func (f *fold) deploymentNew(row Deployment) error {
	if f.apps.get(row.App) == nil {
		return f.apps.unknown(row.App)
	}
	return f.deployments.add(row)
}

// deploymentOf is the deployment that e names, to be changed. One of another app is as good as unknown.
func (f *fold) deploymentOf(e events.Event) (*Deployment, error) {
	about := RefsOf(e)
	d := f.deployments.edit(about.Deployment)
	if d == nil || d.App != about.App {
		return nil, fmt.Errorf("app %q has no deployment %q", about.App, about.Deployment)
	}
	return d, nil
}

// outlives says whether an event may still come to a deployment that is over: its labels may change, its status not.
func outlives(e events.Event) bool {
	switch e.(type) {
	case events.DeploymentMetadataSet, events.ProcessScaled, events.DeploymentDeleted:
		return true
	}
	return false
}

// Evolve gives the row after one event of a commit that [RefsOf] says is about this deployment, as the read models fold
// it; the zero row is a deployment that does not exist yet.
func (d Deployment) Evolve(c events.Recorded, index int, e events.Event) Deployment {
	m := moment{Place: Place{c.Sequence, index}, time: c.Time, actor: c.Actor}
	switch e.(type) {
	case events.DeploymentCreated, events.DeploymentApprovalRequested:
		return d.began(m, e)
	}
	if d.GUID != "" && (d.StatusValue == StatusActive || outlives(e)) {
		d.evolve(m, e)
	}
	return d
}

func newDeployment(m moment, e events.DeploymentCreated) Deployment {
	made := []ProcessRef{}
	if e.Process != "" {
		made = append(made, ProcessRef{GUID: e.Process, Type: events.ProcessTypeWeb})
	}
	d := Deployment{
		GUID: e.Deployment, App: e.App, State: Deploying, StatusValue: StatusActive, StatusReason: ReasonDeploying,
		Strategy: e.Strategy, Options: e.Options, Plan: e.Plan, OriginalInstances: e.OriginalInstances, Target: e.Target,
		Floor: e.Floor, Droplet: e.Droplet, PreviousDroplet: e.PreviousDroplet, Revision: e.Revision,
		RevisionNumber: e.RevisionNumber, RolledBackTo: e.RolledBackTo, Process: e.Process, NewProcesses: made,
		Watch:         Watch{StartedAt: e.StartedAt, StoredStrategy: e.StoredStrategy, Growth: e.Growth, Group: e.Group},
		LastHealthyAt: m.time, LastStatusChange: m.time, Metadata: e.Metadata, Stamp: m.stamp(),
	}
	d.State, _ = d.moving()
	return d
}

// moving is the state and reason of a rollout that is not held: one on its way to a step at which it will pause is PREPAUSED.
func (d *Deployment) moving() (DeploymentState, string) {
	switch {
	case d.Watch.AtPause:
		return Paused, ReasonPaused
	case !d.Watch.BakeUntil.IsZero():
		return Baking, ReasonBaking
	case d.Step < len(d.Plan) && d.Plan[d.Step].Gate == events.GateManual:
		return Prepaused, ReasonDeploying
	}
	return Deploying, ReasonDeploying
}

// evolve folds an event into the row of a deployment that exists.
func (d *Deployment) evolve(m moment, e events.Event) {
	switch e := e.(type) {
	case events.ProcessScaled:
		d.scaled(m, e)
	case events.DeploymentPaused:
		d.LastHealthyAt, d.Error = m.time, ""
		d.Watch.AtPause, d.Watch.PausedUntil, d.Watch.PausedThen = true, e.Until, e.Then
		d.moveTo(m, Paused, StatusActive, ReasonPaused)
	case events.DeploymentErrorRecorded:
		d.Error = e.Error
		d.touch(m)
	case events.DeploymentMetadataSet:
		d.Metadata = e.Metadata
		d.touch(m)
	case events.DeploymentCanceling:
		d.moveTo(m, Canceling, StatusActive, ReasonCanceling)
	case events.DeploymentApproved, events.DeploymentHeld, events.DeploymentDenied, events.DeploymentWithdrawn:
		d.answered(m, e)
	case events.DeploymentHalted:
		d.Watch.Halt = &Halted{Halt: e.Halt, Reason: e.Reason, By: e.By, Until: e.Until}
		d.touch(m)
	case events.DeploymentResumed:
		d.Watch.Halt = nil
		if asked := d.Watch.Asked; asked != nil {
			anew := *asked
			anew.Held, d.Watch.Asked = nil, &anew // whoever looks next says so again
		}
		d.touch(m)
	case events.DeploymentDeleted:
		d.moveTo(m, d.State, StatusFinalized, ReasonDeleted)
	case events.DeploymentContinued, events.DeploymentStepStarted, events.DeploymentBakeStarted, events.DeploymentCheckRecorded,
		events.DeploymentBreached:
		d.watched(m, e)
	case events.DeploymentRollingBack:
		d.Error, d.Watch.Held, d.Watch.AtPause = e.Reason, false, false
		d.moveTo(m, RollingBack, StatusActive, ReasonRollingBack)
	case events.DeploymentRolledBack:
		d.Kept = e.Kept // why it was rolled back stays its error
		d.moveTo(m, RolledBack, StatusFinalized, ReasonRolledBack)
	case events.DeploymentCanceled:
		d.Kept, d.Error = e.Kept, ""
		d.moveTo(m, Canceled, StatusFinalized, ReasonCanceled)
	case events.DeploymentSuperseded:
		d.SupersededBy = e.By
		state := Deployed
		if e.Canceled {
			state = Canceled
		}
		d.moveTo(m, state, StatusFinalized, ReasonSuperseded)
	case events.DeploymentDeployed:
		d.Error = ""
		d.moveTo(m, Deployed, StatusFinalized, ReasonDeployed)
	}
}

// scaled notes that the deployment scaled a process. Growing its own means that all of it was healthy (Cloud Foundry:
// last_successful_healthcheck) and that it moves. One that is going back does not count as healthy.
func (d *Deployment) scaled(m moment, e events.ProcessScaled) {
	if m.actor == events.ActorUpdater && e.Process == d.Process && (d.State == Deploying || d.State == Prepaused) {
		d.LastHealthyAt = m.time
	}
	if e.Process == d.Process && d.State != RollingBack { // why it goes back stays
		d.Error = ""
	}
	d.touch(m)
}

func (d *Deployment) moveTo(m moment, state DeploymentState, value, reason string) {
	if d.StatusValue != value || d.StatusReason != reason {
		d.LastStatusChange = m.time
	}
	d.State, d.StatusValue, d.StatusReason = state, value, reason
	d.touch(m)
}
