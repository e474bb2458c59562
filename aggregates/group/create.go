package group

import (
	"fmt"
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/events"
)

// Limits of a group.
const (
	// MaxMembers keeps a group readable for people, and its events far below what one commit can hold.
	MaxMembers = 100
	// maxName bounds its name, in bytes.
	maxName = 250
	// maxReason bounds what is recorded of why a member could not be created or told, in characters.
	maxReason = 1024
)

// Creation is the command to create a group.
type Creation struct {
	Group      events.GroupID
	Name       string
	Members    []events.GroupMember
	Homes      []Home // of the members' apps
	Metadata   events.Metadata
	Schedule   plan.Schedule
	By         events.Actor
	Automation bool // By is no person
	Now        time.Time
}

// Home is where an app lives.
type Home struct {
	Organization events.OrganizationID
	Space        events.SpaceID
}

// Check tells what is wrong with a creation by itself.
func (c Creation) Check() error {
	switch {
	case len(c.Members) == 0:
		return aggregates.Reject("Members must have at least one deployment")
	case len(c.Members) > MaxMembers:
		return aggregates.Reject("Members has too many deployments (maximum is %d)", MaxMembers)
	}
	if err := aggregates.CheckText("Name", c.Name, 0, maxName); err != nil {
		return err
	}
	apps := map[events.AppID]int{}
	for i, m := range c.Members {
		if m.Wave < 1 || m.Wave > MaxMembers {
			return aggregates.Reject("Members %d wave must be an integer between 1 and %d", i+1, MaxMembers)
		}
		if first, twice := apps[m.App]; twice {
			return aggregates.Reject("Members %d and %d are of the same app: the later one would supersede the other", first, i+1)
		}
		apps[m.App] = i + 1
	}
	return app.CheckMetadata(c.Metadata)
}

// Create brings forth a group. Whether its members could be deployed is for the caller to have asked.
func Create(s State, c Creation) ([]events.Event, error) {
	if s.Exists() {
		return nil, nil
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	e := events.GroupCreated{Group: c.Group, Name: c.Name, Members: c.Members, Metadata: c.Metadata, Schedule: string(c.Schedule), By: c.By, Automation: c.Automation, At: c.Now}
	e.Organization, e.Space = c.Homes[0].Organization, c.Homes[0].Space
	for _, h := range c.Homes {
		if h.Organization != e.Organization {
			return nil, aggregates.Reject("Members must be apps of one organization")
		}
		if h.Space != e.Space {
			e.Space = ""
		}
	}
	return []events.Event{e}, nil
}

// SetMetadata changes labels and annotations of a group, whether it goes on or is over.
func SetMetadata(s State, patch aggregates.MetadataPatch) ([]events.Event, error) {
	if !s.Exists() {
		return nil, NotFound()
	}
	next := patch.On(s.Metadata)
	if err := app.CheckMetadata(next); err != nil {
		return nil, err
	}
	if s.Metadata.Equal(next) {
		return nil, nil
	}
	return []events.Event{events.GroupMetadataSet{Group: s.ID, Metadata: next}}, nil
}

// Kind is what a group is called in texts.
const Kind = "Deployment group"

// NotFound is the refusal of an id that no group has.
func NotFound() *aggregates.RejectedError { return aggregates.NotFound(Kind) }

// MemberIDs are the ids that a command gives the n-th deployment of the group it creates, counted from 0.
func MemberIDs(command events.CommandID, n int) (events.CommandID, events.DeploymentID) {
	id := events.CommandID(events.DeriveID(command, "member", n))
	return id, app.CreateDeployment{ID: id}.DeploymentID()
}

// IDOf is the id of the group that a command creates.
func IDOf(command events.CommandID) events.GroupID {
	return events.GroupID(events.DeriveID(command, "group", 0))
}

// Waves are the numbers of the waves, ascending.
func (s State) Waves() []int {
	var waves []int
	for _, m := range s.Members {
		waves = append(waves, m.Wave)
	}
	slices.Sort(waves)
	return slices.Compact(waves)
}

// describe tells people of a member: which app, by its name where it is on record, and which deployment, once there is one.
func describe(m Entry, status Member) string {
	app := string(m.App)
	if m.AppName != "" {
		app = fmt.Sprintf("%s (%s)", m.AppName, m.App)
	}
	if !status.Asked() {
		return fmt.Sprintf("app %s is %s", app, status)
	}
	return fmt.Sprintf("deployment %s of app %s is %s", m.Deployment, app, status)
}
