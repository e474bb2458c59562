package events

import "time"

// What somebody can ask of a whole group of deployments.
const (
	DirectiveContinue = "continue" // members that pause at a step go on
	DirectiveFinalize = "finalize" // members go on to their ends, past every step, and there is no way back for the group
	DirectiveCancel   = "cancel"   // members go back, quickly
	DirectiveRollback = "rollback" // members go back without a dip
)

// GroupMember is one deployment of a group, as it was asked for.
type GroupMember struct {
	Deployment     DeploymentID      `json:"deployment"`
	Command        CommandID         `json:"command_id"` // that creates it; what it brings forth gets its ids from here
	App            AppID             `json:"app"`
	AppName        string            `json:"app_name,omitempty"`        // what the app was called then, for people
	Wave           int               `json:"wave"`                      // from 1: it begins when all members of earlier waves are deployed
	Droplet        DropletID         `json:"droplet,omitempty"`         // absent: the current one
	Revision       RevisionID        `json:"revision,omitempty"`        // to roll back to
	Strategy       string            `json:"strategy,omitempty"`        // by name
	StoredStrategy StrategyID        `json:"stored_strategy,omitempty"` // in place of a name
	Options        DeploymentOptions `json:"options"`
	Metadata       Metadata          `json:"metadata,omitzero"`
	Roles          []string          `json:"roles,omitempty"` // that who asked had where the app lives, when they asked: policies see them
}

// GroupOrder is what a directive means for one member.
type GroupOrder struct {
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step,omitempty"` // continue: the step it was seen at, from 1; it is not let past another
}

// GroupCreated: several deployments were asked for as one. None of them has begun.
type GroupCreated struct {
	Group        GroupID        `json:"group"`
	Name         string         `json:"name,omitempty"`  // for people; several may have the same
	Organization OrganizationID `json:"organization"`    // of all its apps
	Space        SpaceID        `json:"space,omitempty"` // of all its apps, where it is one
	Members      []GroupMember  `json:"members"`         // in the order of the request
	Metadata     Metadata       `json:"metadata,omitzero"`
	Schedule     string         `json:"schedule,omitempty"`   // when the steps of growth curves begin
	By           Actor          `json:"by"`                   // who asked
	Automation   bool           `json:"automation,omitempty"` // no person decided it
	At           time.Time      `json:"at"`                   // when
}

// GroupMemberStarted: the time of a member has come, and its deployment is being created.
type GroupMemberStarted struct {
	Group      GroupID      `json:"group"`
	Deployment DeploymentID `json:"deployment"`
	At         time.Time    `json:"at"` // when
}

// GroupMemberEnded: nothing more becomes of a member: its deployment ended, could not be created, or never begins.
type GroupMemberEnded struct {
	Group      GroupID      `json:"group"`
	Deployment DeploymentID `json:"deployment"`
	Status     string       `json:"status"`           // how: DEPLOYED, CANCELED, ROLLED_BACK, SUPERSEDED, CREATING_APPROVAL_DENIED, DELETED, FAILED or SKIPPED
	Reason     string       `json:"reason,omitempty"` // why it could not be created or never begins, in words
	At         time.Time    `json:"at"`               // when
}

// GroupDirected: somebody asked something of the whole group. Each member is told by a command of its own.
type GroupDirected struct {
	Group     GroupID      `json:"group"`
	Directive string       `json:"directive"`        // continue, finalize, cancel or rollback
	Command   CommandID    `json:"command_id"`       // that asked for it; the members' commands get their ids from here
	Orders    []GroupOrder `json:"orders,omitempty"` // what is asked of each member
	By        Actor        `json:"by"`               // who asked
	At        time.Time    `json:"at"`               // when

	Automation bool `json:"automation,omitempty"` // no person did
}

// GroupMemberDirected: a member was told of a directive, and took it or refused.
type GroupMemberDirected struct {
	Group      GroupID      `json:"group"`
	Deployment DeploymentID `json:"deployment"`
	Command    CommandID    `json:"command_id"`      // of the directive
	Error      string       `json:"error,omitempty"` // why it refused, in words
}

// GroupEnded: all members have ended. The group changes no more.
type GroupEnded struct {
	Group  GroupID   `json:"group"`
	Status string    `json:"status"` // FINALIZED, CANCELED, FAILED or CREATING_APPROVAL_DENIED
	At     time.Time `json:"at"`     // when
}

// GroupMetadataSet: the group's labels and annotations are now these.
type GroupMetadataSet struct {
	Group    GroupID  `json:"group"`
	Metadata Metadata `json:"metadata"`
}

func (GroupCreated) Type() Type        { return TypeGroupCreated }
func (GroupMemberStarted) Type() Type  { return TypeGroupMemberStarted }
func (GroupMemberEnded) Type() Type    { return TypeGroupMemberEnded }
func (GroupDirected) Type() Type       { return TypeGroupDirected }
func (GroupMemberDirected) Type() Type { return TypeGroupMemberDirected }
func (GroupEnded) Type() Type          { return TypeGroupEnded }
func (GroupMetadataSet) Type() Type    { return TypeGroupMetadataSet }

func (e GroupCreated) Subject() string        { return string(e.Group) }
func (e GroupMemberStarted) Subject() string  { return string(e.Group) }
func (e GroupMemberEnded) Subject() string    { return string(e.Group) }
func (e GroupDirected) Subject() string       { return string(e.Group) }
func (e GroupMemberDirected) Subject() string { return string(e.Group) }
func (e GroupEnded) Subject() string          { return string(e.Group) }
func (e GroupMetadataSet) Subject() string    { return string(e.Group) }
