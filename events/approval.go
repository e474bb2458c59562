package events

import (
	"encoding/json"
	"time"
)

// What a policy says of a request. Of several the strictest counts: deny, then approval, then hold, then allow.
const (
	OutcomeAllow    = "allow"
	OutcomeDeny     = "deny"
	OutcomeApproval = "require_approval" // people must agree
	OutcomeHold     = "hold"             // it waits until a window closes or opens
)

// PolicyVerdict is what one policy says of a deployment request.
type PolicyVerdict struct {
	Policy       PolicyID  `json:"policy"`                  // whose verdict it is
	Name         string    `json:"name"`                    // of the policy
	Outcome      string    `json:"outcome"`                 // allow, deny, require_approval or hold
	Reason       string    `json:"reason,omitempty"`        // why, in words
	Needed       int       `json:"needed,omitempty"`        // require_approval: how many people must agree
	Approvers    []string  `json:"approvers,omitempty"`     // require_approval: roles ("space_manager") and people ("user/alice") who may
	SelfApproval bool      `json:"self_approval,omitempty"` // require_approval: whoever asked may, too
	Expires      time.Time `json:"expires,omitzero"`        // require_approval: nobody's answer counts after that
	ManualStart  bool      `json:"manual_start,omitempty"`  // somebody starts it once it is approved; else it starts by itself
	Until        time.Time `json:"until,omitzero"`          // hold: how long
}

// DeploymentApprovalRequested: a deployment was asked for and does not begin yet. What was asked for and what the policies
// saw is kept as it was then: a later change of either changes nothing.
type DeploymentApprovalRequested struct {
	App            AppID             `json:"app"`
	Deployment     DeploymentID      `json:"deployment"`
	Request        CommandID         `json:"request"`              // the command that asked for it; what begins later gets its ids from here
	By             Actor             `json:"by"`                   // who asked
	Automation     bool              `json:"automation,omitempty"` // no person did
	Strategy       string            `json:"strategy"`             // how it would move
	Options        DeploymentOptions `json:"options"`
	Droplet        DropletID         `json:"droplet,omitempty"`      // absent: the current one
	RollBackTo     RevisionID        `json:"roll_back_to,omitempty"` // the revision asked for, where it is a roll-back
	StoredStrategy StrategyID        `json:"stored_strategy,omitempty"`
	Growth         *Growth           `json:"growth,omitempty"`   // the numbers of that strategy
	Schedule       string            `json:"schedule,omitempty"` // when its steps begin
	Group          GroupID           `json:"group,omitempty"`
	Metadata       Metadata          `json:"metadata,omitzero"`
	Verdicts       []PolicyVerdict   `json:"verdicts"`          // of all policies that matched
	Context        json.RawMessage   `json:"context,omitempty"` // what the policies saw
	At             time.Time         `json:"at"`                // when
}

// VersionRequested: what a requested deployment would bring, as it was then. It stands beside the request and not in it,
// because it tells commands and environment variables, which not everybody may read.
type VersionRequested struct {
	App          AppID             `json:"app"`
	Deployment   DeploymentID      `json:"deployment"`
	Droplet      DropletID         `json:"droplet,omitempty"`
	ProcessTypes map[string]string `json:"process_types,omitempty"` // of the droplet, type to start command
	RollBackTo   *RevisionCreated  `json:"roll_back_to,omitempty"`  // the revision asked for, where it is a roll-back
}

// DeploymentApproved: somebody agreed that a requested deployment may begin.
type DeploymentApproved struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	By         Actor        `json:"by"`                // who
	Policies   []PolicyID   `json:"policies"`          // the policies for which that counts
	Comment    string       `json:"comment,omitempty"` // in their words
	Granted    bool         `json:"granted,omitempty"` // nothing is left to approve
	At         time.Time    `json:"at"`                // when
}

// DeploymentHeld: a requested deployment could begin, and does not yet: a window of a policy does not let it. It is asked again when
// that is over, or when the policies change.
type DeploymentHeld struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Policy     PolicyID     `json:"policy"`           // that holds it
	Name       string       `json:"name"`             // of the policy
	Reason     string       `json:"reason,omitempty"` // of the policy, in words
	Until      time.Time    `json:"until"`            // when no policy holds it any more, as the policies are now
	At         time.Time    `json:"at"`               // when they were asked
}

// DeploymentDenied: a requested deployment will never begin.
type DeploymentDenied struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	By         Actor        `json:"by"`               // who, or Slipway itself where a policy denies
	Policy     PolicyID     `json:"policy,omitempty"` // that denied
	Reason     string       `json:"reason"`           // in words
	At         time.Time    `json:"at"`               // when
}

// DeploymentWithdrawn: a requested deployment was taken back before it began, or nobody answered in time.
type DeploymentWithdrawn struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	By         Actor        `json:"by"`     // who
	Reason     string       `json:"reason"` // in words
	At         time.Time    `json:"at"`     // when
}

// HaltDeclared: no rollout in the scope goes on, and none begins, until it is lifted or over.
type HaltDeclared struct {
	Halt         HaltID         `json:"halt"`
	Organization OrganizationID `json:"organization,omitempty"` // only there; absent: everywhere
	Space        SpaceID        `json:"space,omitempty"`        // only there
	Reason       string         `json:"reason"`                 // in words
	By           Actor          `json:"by"`                     // who
	At           time.Time      `json:"at"`                     // when
	Until        time.Time      `json:"until,omitzero"`         // when it is over by itself; absent: never
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// HaltMetadataSet: the halt's labels and annotations are now these.
type HaltMetadataSet struct {
	Halt     HaltID   `json:"halt"`
	Metadata Metadata `json:"metadata"`
}

// HaltLifted: the halt is over; rollouts go on where they were.
type HaltLifted struct {
	Halt HaltID    `json:"halt"`
	By   Actor     `json:"by"` // who
	At   time.Time `json:"at"` // when
}

// DeploymentHalted: the rollout stands still because of a halt, its capacity is looked after; or, where it has not begun, it waits.
type DeploymentHalted struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Halt       HaltID       `json:"halt"`
	Reason     string       `json:"reason"`         // of the halt
	By         Actor        `json:"by"`             // who declared it
	Until      time.Time    `json:"until,omitzero"` // when it is over by itself
}

// DeploymentResumed: the halt is over; the rollout goes on where it was, or begins as soon as nothing else keeps it.
type DeploymentResumed struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	At         time.Time    `json:"at"` // when
}

// DeploymentDeleted: the app was stopped, so the deployment that served does not any more.
type DeploymentDeleted struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
}

// VersionRejected: this droplet or revision of the app must not be deployed any more.
type VersionRejected struct {
	App      AppID      `json:"app"`
	Droplet  DropletID  `json:"droplet,omitempty"`
	Revision RevisionID `json:"revision,omitempty"`
	Reason   string     `json:"reason"` // in words
	By       Actor      `json:"by"`     // who
}

// VersionAccepted: a rejected droplet or revision may be deployed again.
type VersionAccepted struct {
	App      AppID      `json:"app"`
	Droplet  DropletID  `json:"droplet,omitempty"`
	Revision RevisionID `json:"revision,omitempty"`
	By       Actor      `json:"by"` // who
}

// AutomationHeld: somebody went back by hand, so no automation may deploy to the app until somebody lets it.
type AutomationHeld struct {
	App    AppID     `json:"app"`
	Reason string    `json:"reason"` // in words
	By     Actor     `json:"by"`     // who went back
	At     time.Time `json:"at"`     // when
}

// AutomationReleased: automation may deploy to the app again.
type AutomationReleased struct {
	App AppID `json:"app"`
	By  Actor `json:"by"` // who let it
}

func (DeploymentApprovalRequested) Type() Type { return TypeDeploymentApprovalRequested }
func (DeploymentApproved) Type() Type          { return TypeDeploymentApproved }
func (DeploymentHeld) Type() Type              { return TypeDeploymentHeld }
func (DeploymentDenied) Type() Type            { return TypeDeploymentDenied }
func (DeploymentWithdrawn) Type() Type         { return TypeDeploymentWithdrawn }
func (DeploymentHalted) Type() Type            { return TypeDeploymentHalted }
func (DeploymentResumed) Type() Type           { return TypeDeploymentResumed }
func (DeploymentDeleted) Type() Type           { return TypeDeploymentDeleted }
func (HaltDeclared) Type() Type                { return TypeHaltDeclared }
func (HaltLifted) Type() Type                  { return TypeHaltLifted }
func (HaltMetadataSet) Type() Type             { return TypeHaltMetadataSet }
func (VersionRequested) Type() Type            { return TypeVersionRequested }
func (VersionRejected) Type() Type             { return TypeVersionRejected }
func (VersionAccepted) Type() Type             { return TypeVersionAccepted }
func (AutomationHeld) Type() Type              { return TypeAutomationHeld }
func (AutomationReleased) Type() Type          { return TypeAutomationReleased }

func (e DeploymentApprovalRequested) Subject() string { return string(e.Deployment) }
func (e DeploymentApproved) Subject() string          { return string(e.Deployment) }
func (e DeploymentHeld) Subject() string              { return string(e.Deployment) }
func (e DeploymentDenied) Subject() string            { return string(e.Deployment) }
func (e DeploymentWithdrawn) Subject() string         { return string(e.Deployment) }
func (e DeploymentHalted) Subject() string            { return string(e.Deployment) }
func (e DeploymentResumed) Subject() string           { return string(e.Deployment) }
func (e DeploymentDeleted) Subject() string           { return string(e.Deployment) }
func (e HaltDeclared) Subject() string                { return string(e.Halt) }
func (e HaltLifted) Subject() string                  { return string(e.Halt) }
func (e HaltMetadataSet) Subject() string             { return string(e.Halt) }
func (e VersionRequested) Subject() string            { return string(e.App) }
func (e VersionRejected) Subject() string             { return string(e.App) }
func (e VersionAccepted) Subject() string             { return string(e.App) }
func (e AutomationHeld) Subject() string              { return string(e.App) }
func (e AutomationReleased) Subject() string          { return string(e.App) }
