package app

import (
	"maps"
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Droplet is what a decision must know of a droplet: its facts come with the command, from the droplet's own aggregate.
type Droplet struct {
	ID           events.DropletID
	App          events.AppID
	Staged       bool              // its bits are stored
	ProcessTypes map[string]string // type to start command
}

// Assignment is the command to make a droplet the app's current one.
type Assignment struct {
	ID         events.CommandID
	Droplet    Droplet
	Automation bool // no person asks
	Now        time.Time

	// Of one that [State.Replaces] another:
	Halt      Halt       // in force where the app lives
	Judgement *Judgement // what the policies say; nil: nothing
}

// Replaces says whether to assign a droplet would bring another version than the app has: what keeps deployments from beginning
// keeps that, too. The first one of an app replaces nothing.
func (s State) Replaces(id events.DropletID) bool { return s.Droplet != "" && s.Droplet != id }

// AssignDroplet makes a droplet the app's current one; it runs from the next start, restart or deployment on. It cannot wait: what
// a halt or a policy holds, or a policy denies or wants approved, is refused (docs/adr/0025).
func AssignDroplet(s State, c Assignment) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if s.InFlight() {
		return nil, aggregates.Reject("Unable to assign current droplet while the app has a deployment in progress. Wait for the deployment to complete or cancel it.")
	}
	if err := s.acceptable(c.Droplet.ID, ""); err != nil {
		return nil, err
	}
	d := &decision{State: s}
	if err := d.assign(c.ID, c.Droplet, ""); err != nil {
		return nil, err
	}
	if s.Replaces(c.Droplet.ID) {
		if err := s.replaceable(c); err != nil {
			return nil, err
		}
	}
	return d.events, nil
}

// replaceable refuses what a deployment would be refused for now, or would wait for.
func (s State) replaceable(c Assignment) error {
	if c.Halt.ID != "" {
		return aggregates.Reject("Cannot assign the droplet: %s", c.Halt.Text())
	}
	if err := s.automates(c.Automation); err != nil {
		return err
	}
	if why := c.Judgement.unassignable(c.Now); why != "" {
		return aggregates.Reject("Cannot assign the droplet: %s", why)
	}
	return nil
}

// assign makes the droplet current and creates the processes it names that the app lacks: web with one instance, others
// with none.
func (d *decision) assign(id events.CommandID, droplet Droplet, deployment events.DeploymentID) error {
	if droplet.ID == "" || droplet.App != d.State.ID {
		return aggregates.Reject("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
	}
	if !droplet.Staged {
		return aggregates.Reject("Unable to assign current droplet. The droplet must be in staged state: upload its bits first.")
	}
	if droplet.ID != d.Droplet {
		d.add(events.AppDropletAssigned{
			App: d.State.ID, Droplet: droplet.ID, PreviousDroplet: d.Droplet, ProcessTypes: droplet.ProcessTypes, Deployment: deployment,
		})
	}
	for _, processType := range slices.Sorted(maps.Keys(droplet.ProcessTypes)) {
		if _, there := d.ProcessOfType(processType); there {
			continue
		}
		process := events.ProcessID(events.DeriveID(id, "process/"+processType, 0))
		created := firstProcess(d.State.ID, process, processType, droplet.ProcessTypes[processType], droplet.ID)
		d.add(created)
	}
	return nil
}
