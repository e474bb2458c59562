package app

import (
	"slices"

	"slipway/aggregates"
	"slipway/aggregates/plan"
	"slipway/events"
)

// CreateDeployment is the command to roll out a droplet. All new ids are derived from its own.
type CreateDeployment struct {
	ID       events.CommandID
	Strategy string   // empty: rolling
	Droplet  *Droplet // nil: the app's current one, which makes it a restart without downtime
	Options  events.DeploymentOptions
	Metadata events.Metadata
}

// DeploymentID is the id of the deployment the command makes.
func (c CreateDeployment) DeploymentID() events.DeploymentID {
	return events.DeploymentID(events.DeriveID(c.ID, "deployment", 0))
}

// DeployApp begins a rollout: in one commit the droplet becomes current, a revision is made, a deployment on its way is
// superseded, and the new web process stands beside the old ones. A stopped app is simply started: its deployment is
// DEPLOYED at once. Rules: Cloud Foundry's, reference 1.3, 1.8 and 1.12.
func DeployApp(s State, c CreateDeployment) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.Reject("Unable to use app. Ensure that the app exists and you have access to it.")
	}
	if c.Options.MaxInFlight == 0 {
		c.Options.MaxInFlight = 1
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &decision{State: s}
	if err := d.target(c); err != nil {
		return nil, err
	}
	if s.Desired == Stopped {
		d.deployStopped(c, s.Droplet)
	} else {
		d.deployStarted(c, s.Droplet)
	}
	return d.events, nil
}

func (c CreateDeployment) check() error {
	if c.Strategy != "" && c.Strategy != events.StrategyRolling {
		return aggregates.Reject("Strategy '%s' is not a supported deployment strategy", c.Strategy)
	}
	if c.Options.MaxInFlight < 0 {
		return aggregates.Reject("Max in flight must be an integer greater than 0")
	}
	return checkSize("Web instances", c.Options.WebInstances, c.Options.MemoryMB, c.Options.DiskMB, c.Options.LogRate)
}

// target makes the droplet to roll out the current one: what a deployment shows as "current" is the desired version from
// its first moment.
func (d *decision) target(c CreateDeployment) error {
	if c.Droplet != nil {
		if err := d.assign(c.ID, *c.Droplet, c.DeploymentID()); err != nil {
			return err
		}
	}
	if d.Droplet == "" {
		return aggregates.Reject("Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.")
	}
	if web, _ := d.ProcessOfType(events.ProcessTypeWeb); d.current(web, "", "").Command == "" {
		return aggregates.Reject("Unable to deploy: the droplet names no start command for process type 'web', and the app has none of its own.")
	}
	return nil
}

func (d *decision) deployStarted(c CreateDeployment, previous events.DropletID) {
	d.revise(c.ID, c.DeploymentID())
	original := d.Webs()[0].Instances
	if d.Deployment != nil {
		original = d.Deployment.OriginalInstances
	}
	d.supersede(c.DeploymentID())
	target := or(c.Options.WebInstances, original)
	steps := plan.Rolling(target)
	process := events.ProcessID(events.DeriveID(c.ID, "process", 0))
	d.create(c, process, previous, original, target, steps)
	d.add(d.clone(c, process, plan.Start(steps, c.Options.MaxInFlight)))
}

// clone is the new web process: the newest one as it is, but for what the request changes and the version it runs.
func (d *decision) clone(c CreateDeployment, id events.ProcessID, instances int) events.ProcessCreated {
	newest, _ := d.ProcessOfType(events.ProcessTypeWeb)
	current := d.current(newest, d.State.Revision.Revision, "")
	return events.ProcessCreated{
		App: d.State.ID, Process: id, ProcessType: events.ProcessTypeWeb, Droplet: d.Droplet,
		Command: current.Command, Custom: current.Custom, Instances: instances,
		MemoryMB: or(c.Options.MemoryMB, newest.MemoryMB), DiskMB: or(c.Options.DiskMB, newest.DiskMB),
		LogRate: or(c.Options.LogRate, newest.LogRate), HealthCheck: newest.HealthCheck,
		Revision: current.Revision, Deployment: c.DeploymentID(),
	}
}

// deployStopped starts a stopped app with the new version. Nothing runs, so nothing must be kept: web processes left from a
// rollout that the stop had interrupted go, and that rollout is superseded.
func (d *decision) deployStopped(c CreateDeployment, previous events.DropletID) {
	web, _ := d.ProcessOfType(events.ProcessTypeWeb)
	original := web.Instances
	if d.Deployment != nil {
		original = d.Deployment.Target
	}
	target := or(c.Options.WebInstances, original)
	d.supersede(c.DeploymentID())
	for _, p := range d.Webs() {
		if p.ID != web.ID {
			d.add(events.ProcessDeleted{App: d.State.ID, Process: p.ID, ProcessType: p.Type, Deployment: c.DeploymentID()})
		}
	}
	sized := events.ProcessScaled{
		App: d.State.ID, Process: web.ID, ProcessType: web.Type, From: web.Instances, Instances: target,
		MemoryMB: or(c.Options.MemoryMB, web.MemoryMB), DiskMB: or(c.Options.DiskMB, web.DiskMB),
		LogRate: or(c.Options.LogRate, web.LogRate), Deployment: c.DeploymentID(), Reason: "requested",
	}
	if sized.Instances != web.Instances || sized.MemoryMB != web.MemoryMB || sized.DiskMB != web.DiskMB || sized.LogRate != web.LogRate {
		d.add(sized)
	}
	d.start(c.ID, c.DeploymentID())
	d.create(c, "", previous, original, target, plan.Rolling(target))
	d.add(events.DeploymentDeployed{App: d.State.ID, Deployment: c.DeploymentID()})
}

// supersede ends a deployment on its way. One that was simply deploying may have brought a good version: its process
// serves until it is drained. Any other left something that must not serve.
func (d *decision) supersede(by events.DeploymentID) {
	if d.Deployment == nil {
		return
	}
	d.add(events.DeploymentSuperseded{
		App: d.State.ID, Deployment: d.Deployment.ID(), By: by, Canceled: d.Deployment.Phase != Deploying,
	})
}

func (d *decision) create(c CreateDeployment, process events.ProcessID, previous events.DropletID, original, target int, steps []events.Step) {
	d.add(events.DeploymentCreated{
		App: d.State.ID, Deployment: c.DeploymentID(), Strategy: events.StrategyRolling, Options: c.Options,
		Droplet: d.Droplet, PreviousDroplet: previous, Revision: d.State.Revision.Revision,
		RevisionNumber: d.State.Revision.Number, Process: process, OriginalInstances: original, Target: target,
		Floor: min(target, original), Plan: slices.Clone(steps), Metadata: c.Metadata,
	})
}

// CancelDeployment asks to go back: the previous droplet becomes current at once, the updater does the rest. Asked again
// while it is going back, it decides nothing.
func CancelDeployment(s State, id events.DeploymentID) ([]events.Event, error) {
	if s.Deployment == nil || s.Deployment.ID() != id {
		if ended, ok := s.ended(id); ok {
			return nil, aggregates.Reject("Cannot cancel a deployment with status: FINALIZED and reason: %s", ended.Reason)
		}
		return nil, aggregates.NotFound("Deployment")
	}
	if s.Deployment.Phase == Canceling {
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
			App: s.ID, Droplet: previous, PreviousDroplet: d.Droplet, ProcessTypes: types, Deployment: id,
		})
	}
	d.add(events.DeploymentCanceling{App: s.ID, Deployment: id})
	return d.events, nil
}
