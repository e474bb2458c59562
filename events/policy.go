package events

// When the window of a policy lets it apply.
const (
	WindowInside  = "inside"
	WindowOutside = "outside"
)

// PolicyWindow is a recurring stretch of time, inside or outside of which a policy applies.
type PolicyWindow struct {
	Rule    string `json:"rule"`                // when it opens: a recurrence rule (RFC 5545), without "RRULE:"
	Start   string `json:"start"`               // when it opens first, as a clock in the time zone shows it: 2006-01-02T15:04:05
	Seconds int    `json:"duration_in_seconds"` // how long it stays open
	Zone    string `json:"time_zone"`           // by its IANA name
	Applies string `json:"applies"`             // inside or outside
}

// PolicyApproval is whom a policy asks, and how.
type PolicyApproval struct {
	Needed       int      `json:"needed"`                       // how many people must agree
	Approvers    []string `json:"approvers"`                    // roles ("space_manager") and people ("user/alice") who may
	Expires      int      `json:"expires_in_seconds,omitempty"` // nobody's answer counts after that; absent: for ever
	SelfApproval bool     `json:"self_approval,omitempty"`      // whoever asked may, too
	ManualStart  bool     `json:"manual_start,omitempty"`       // somebody starts it once it is approved; else it starts by itself
}

// PolicyRule is what a policy says about deployment requests.
type PolicyRule struct {
	AppLabels map[string]string `json:"app_labels,omitempty"` // only of apps that have all of these
	Condition string            `json:"condition,omitempty"`  // a CEL expression over the request; absent: always
	Window    *PolicyWindow     `json:"window,omitempty"`     // absent: at any time
	Outcome   string            `json:"outcome"`              // allow, deny, require_approval or hold
	Approval  *PolicyApproval   `json:"approval,omitempty"`   // of require_approval
	Reason    string            `json:"reason,omitempty"`     // why, in words, for whoever it concerns
}

// PolicyCreated: deployments in the scope are subject to a further rule.
type PolicyCreated struct {
	Policy       PolicyID       `json:"policy"`
	Name         string         `json:"name"`                   // of the policy, for people
	Organization OrganizationID `json:"organization,omitempty"` // only there; absent: everywhere
	Space        SpaceID        `json:"space,omitempty"`        // only there
	Rule         PolicyRule     `json:"rule"`
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// PolicyUpdated: the policy says something else, about requests from now on.
type PolicyUpdated struct {
	Policy   PolicyID   `json:"policy"`
	Name     string     `json:"name"` // of the policy, for people
	Rule     PolicyRule `json:"rule"`
	Metadata Metadata   `json:"metadata,omitzero"`
}

// PolicyDeleted: the policy is gone. Requests it had a say in keep that.
type PolicyDeleted struct {
	Policy PolicyID `json:"policy"`
}

// PolicySubject is where all policies stand together: whoever judges a request sees with one look that none was missed.
const PolicySubject Subject = "events." + AggregatePolicy + ".all"

func (PolicyCreated) Type() Type { return TypePolicyCreated }
func (PolicyUpdated) Type() Type { return TypePolicyUpdated }
func (PolicyDeleted) Type() Type { return TypePolicyDeleted }

func (e PolicyCreated) Subject() string { return string(e.Policy) }
func (e PolicyUpdated) Subject() string { return string(e.Policy) }
func (e PolicyDeleted) Subject() string { return string(e.Policy) }
