package projections

import (
	"context"

	"slipway/events"
)

// Policy is a policy over deployment requests that exists.
type Policy struct {
	GUID         events.PolicyID
	Name         string
	Organization events.OrganizationID // only there; empty: everywhere
	Space        events.SpaceID        // only there
	Rule         events.PolicyRule
	Metadata     events.Metadata
	Stamp
}

var policies = view[events.PolicyID, Policy]{
	table: "policies", kind: "policy",
	key:      func(p *Policy) events.PolicyID { return p.GUID },
	stamp:    func(p *Policy) *Stamp { return &p.Stamp },
	metadata: func(p *Policy) *events.Metadata { return &p.Metadata },
	columns: func(p *Policy) []column {
		return []column{
			{"guid", &p.GUID}, {"name", &p.Name}, {"organization", &p.Organization}, {"space", &p.Space},
			{"rule", asJSON(&p.Rule)}, {"outcome", &p.Rule.Outcome},
		}
	},
}.ready()

// policy folds an event about a policy.
func (f *fold) policy(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.PolicyCreated:
		return f.policies.add(Policy{
			GUID: e.Policy, Name: e.Name, Organization: e.Organization, Space: e.Space, Rule: e.Rule, Metadata: e.Metadata, Stamp: m.stamp(),
		})
	case events.PolicyUpdated:
		return f.policies.change(m, e.Policy, func(p *Policy) { p.Name, p.Rule, p.Metadata = e.Name, e.Rule, e.Metadata })
	case events.PolicyDeleted:
		return f.policies.drop(e.Policy)
	}
	return nil
}

// PolicyFilter selects policies. Empty fields select all; all that are set must hold.
type PolicyFilter struct {
	GUIDs         []events.PolicyID
	Names         []string
	Organizations []events.OrganizationID
	Spaces        []events.SpaceID
	Outcomes      []string
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Policies lists policies: those that hold everywhere, and those where somebody may see what they are about.
func (s Sight) Policies(ctx context.Context, f PolicyFilter, o Order, p Page) (List[Policy], error) {
	var w where
	s.inScope(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "organization", f.Organizations)
	in(&w, "space", f.Spaces)
	in(&w, "outcome", f.Outcomes)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(policies.table, f.Labels)
	return list(ctx, s.store, policies, w, o.sql(), p)
}

// Policy reads one policy, or gives [ErrNotFound].
func (s *Store) Policy(ctx context.Context, id events.PolicyID) (Policy, error) {
	return policies.get(ctx, s.readers, id)
}
