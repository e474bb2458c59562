// Package policy is the rule book of policies: what may be said in one, and which there are. What they say about a request is
// for internal/policy to find out, which knows the languages of conditions and windows.
//
// All policies are one aggregate, so whoever judges a request sees with one look that none was missed. Decisions and [Evolve]
// are pure.
package policy

import (
	"reflect"
	"slices"
	"strings"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

// Limits of policies. Each request is judged by all that are in force where it is made.
const (
	maxPolicies  = 500
	maxName      = 255  // bytes
	maxCondition = 4096 // bytes
	maxReason    = 1024 // bytes
	maxNeeded    = 20
	maxApprovers = 50
	maxApprover  = 140                // bytes: the longest name of an actor and its kind
	maxLabels    = 20                 // to select apps by
	maxSeconds   = 366 * 24 * 60 * 60 // of a window, and for answers: a year
)

// Policy is a policy as it is now.
type Policy struct {
	ID           events.PolicyID       `json:"id"`
	Name         string                `json:"name"`
	Organization events.OrganizationID `json:"organization,omitempty"`
	Space        events.SpaceID        `json:"space,omitempty"`
	Rule         events.PolicyRule     `json:"rule"`
	Metadata     events.Metadata       `json:"metadata,omitzero"`
}

// State is all policies, oldest first. The zero State has none.
type State struct {
	Policies []Policy `json:"policies,omitempty"`
}

// Evolve folds one event.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.PolicyCreated:
		s.Policies = append(slices.Clone(s.Policies), Policy{
			ID: e.Policy, Name: e.Name, Organization: e.Organization, Space: e.Space, Rule: e.Rule, Metadata: e.Metadata,
		})
	case events.PolicyUpdated:
		s.Policies = slices.Clone(s.Policies)
		for i := range s.Policies {
			if p := &s.Policies[i]; p.ID == e.Policy {
				p.Name, p.Rule, p.Metadata = e.Name, e.Rule, e.Metadata
			}
		}
	case events.PolicyDeleted:
		s.Policies = slices.DeleteFunc(slices.Clone(s.Policies), func(p Policy) bool { return p.ID == e.Policy })
	}
	return s
}

// Find gives a policy.
func (s State) Find(id events.PolicyID) (Policy, bool) {
	i := slices.IndexFunc(s.Policies, func(p Policy) bool { return p.ID == id })
	if i < 0 {
		return Policy{}, false
	}
	return s.Policies[i], true
}

// Governs says whether the policy is about an app in a space with these labels.
func (p Policy) Governs(o events.OrganizationID, space events.SpaceID, labels map[string]string) bool {
	if p.Organization != "" && p.Organization != o || p.Space != "" && p.Space != space {
		return false
	}
	for key, value := range p.Rule.AppLabels {
		if has, ok := labels[key]; !ok || has != value {
			return false
		}
	}
	return true
}

// Create brings a policy in.
func Create(s State, p Policy) ([]events.Event, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(s.Policies) >= maxPolicies {
		return nil, aggregates.Reject("There are %d policies, the most there can be: delete one first", maxPolicies)
	}
	return []events.Event{events.PolicyCreated{
		Policy: p.ID, Name: p.Name, Organization: p.Organization, Space: p.Space, Rule: p.Rule, Metadata: p.Metadata,
	}}, nil
}

// Change is what shall become of a policy; nil leaves it.
type Change struct {
	Name     *string
	Rule     *events.PolicyRule
	Metadata aggregates.MetadataPatch
}

// Update changes a policy. Where it holds stays.
func Update(s State, id events.PolicyID, c Change) ([]events.Event, error) {
	was, ok := s.Find(id)
	if !ok {
		return nil, aggregates.NotFound("Policy")
	}
	next := was
	if c.Name != nil {
		next.Name = *c.Name
	}
	if c.Rule != nil {
		next.Rule = *c.Rule
	}
	next.Metadata = c.Metadata.On(was.Metadata)
	if err := next.check(); err != nil {
		return nil, err
	}
	if next.Metadata.Equal(was.Metadata) && next.Name == was.Name && reflect.DeepEqual(next.Rule, was.Rule) {
		return nil, nil
	}
	return []events.Event{events.PolicyUpdated{Policy: id, Name: next.Name, Rule: next.Rule, Metadata: next.Metadata}}, nil
}

// Delete takes a policy away.
func Delete(s State, id events.PolicyID) ([]events.Event, error) {
	if _, ok := s.Find(id); !ok {
		return nil, aggregates.NotFound("Policy")
	}
	return []events.Event{events.PolicyDeleted{Policy: id}}, nil
}

// DeleteIn takes all policies away that are about a space, or where that is empty about an organization or a space of it.
func DeleteIn(s State, o events.OrganizationID, space events.SpaceID) (gone []events.Event) {
	for _, p := range s.Policies {
		if aggregates.Within(p.Organization, p.Space, o, space) {
			gone = append(gone, events.PolicyDeleted{Policy: p.ID})
		}
	}
	return gone
}

func (p Policy) check() error {
	r := p.Rule
	if err := aggregates.CheckText("Name", p.Name, 1, maxName); err != nil {
		return err
	}
	if err := aggregates.CheckText("Rule reason", r.Reason, 0, maxReason); err != nil {
		return err
	}
	switch {
	case len(r.Condition) > maxCondition:
		return aggregates.Reject("Rule condition must have at most %d characters", maxCondition)
	case len(r.AppLabels) > maxLabels:
		return aggregates.Reject("Rule app labels must be at most %d", maxLabels)
	case r.Outcome == events.OutcomeHold && r.Window == nil:
		return aggregates.Reject("Rule window is needed where the outcome is hold: it says until when")
	case (r.Outcome == events.OutcomeApproval) != (r.Approval != nil):
		return aggregates.Reject("Rule approval is needed where the outcome is require_approval, and nowhere else")
	}
	if !slices.Contains([]string{events.OutcomeAllow, events.OutcomeDeny, events.OutcomeApproval, events.OutcomeHold}, r.Outcome) {
		return aggregates.Reject("Rule outcome must be one of 'allow', 'deny', 'require_approval', 'hold'")
	}
	if err := checkWindow(r.Window); err != nil {
		return err
	}
	if err := checkApproval(r.Approval); err != nil {
		return err
	}
	if err := app.CheckMetadata(events.Metadata{Labels: r.AppLabels}); err != nil {
		return err
	}
	return app.CheckMetadata(p.Metadata)
}

func checkWindow(w *events.PolicyWindow) error {
	switch {
	case w == nil:
	case w.Applies != events.WindowInside && w.Applies != events.WindowOutside:
		return aggregates.Reject("Rule window applies must be 'inside' or 'outside'")
	case w.Seconds < 1 || w.Seconds > maxSeconds:
		return aggregates.Reject("Rule window duration in seconds must be between 1 and %d", maxSeconds)
	}
	return nil
}

func checkApproval(a *events.PolicyApproval) error {
	switch {
	case a == nil:
		return nil
	case a.Needed < 1 || a.Needed > maxNeeded:
		return aggregates.Reject("Rule approval needed must be between 1 and %d", maxNeeded)
	case len(a.Approvers) == 0 || len(a.Approvers) > maxApprovers:
		return aggregates.Reject("Rule approval approvers must be 1 to %d roles or people", maxApprovers)
	case a.Expires < 0 || a.Expires > maxSeconds:
		return aggregates.Reject("Rule approval expires in seconds must be between 1 and %d", maxSeconds)
	}
	for _, who := range a.Approvers {
		if !approver(who) {
			return aggregates.Reject("Rule approval approvers must be roles such as 'space_manager' or 'admin', or people such as 'user/alice': '%.140s' is neither",
				strings.ToValidUTF8(who, "?"))
		}
	}
	return enough(a)
}

// enough refuses to want more people than are named, where only people are: nobody could ever agree.
func enough(a *events.PolicyApproval) error {
	people := map[string]bool{}
	for _, who := range a.Approvers {
		if slices.Contains(roles, who) {
			return nil
		}
		people[who] = true
	}
	if len(people) < a.Needed {
		return aggregates.Reject("Rule approval needed must be at most %d, for so many people are named as approvers: name more, or a role", len(people))
	}
	return nil
}

// roles are those that can be asked: who has any of them decides something about what is deployed, or watches it.
var roles = []string{"admin", "org_manager", "org_auditor", "space_manager", "space_developer", "space_supporter", "space_auditor"}

func approver(who string) bool {
	kind, name, _ := strings.Cut(who, "/")
	return slices.Contains(roles, who) || (kind == "user" || kind == "client") && name != "" && len(who) <= maxApprover
}
