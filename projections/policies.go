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
	table: "policies", keys: 1,
	key:    func(p *Policy) events.PolicyID { return p.GUID },
	where:  func(id events.PolicyID) []any { return []any{id} },
	labels: func(p *Policy) labelsOf { return p.Metadata.Labels },
	columns: func(p *Policy) []column {
		return append([]column{
			{"guid", &p.GUID}, {"name", &p.Name}, {"organization", &p.Organization}, {"space", &p.Space},
			{"rule", asJSON(&p.Rule)}, {"outcome", &p.Rule.Outcome},
			{"labels", asJSON(&p.Metadata.Labels)}, {"annotations", asJSON(&p.Metadata.Annotations)},
		}, p.Stamp.columns()...)
	},
}.ready()

// policy folds an event about a policy.
func (f *fold) policy(m moment, e events.Event) {
	switch e := e.(type) {
	case events.PolicyCreated:
		if f.policies.get(e.Policy) != nil {
			f.anomaly(m, e, "policy %s exists already", e.Policy)
			return
		}
		f.policies.put(Policy{
			GUID: e.Policy, Name: e.Name, Organization: e.Organization, Space: e.Space, Rule: e.Rule, Metadata: e.Metadata, Stamp: m.stamp(),
		})
	case events.PolicyUpdated:
		p := f.policies.edit(e.Policy)
		if p == nil {
			f.anomaly(m, e, "policy %s is unknown", e.Policy)
			return
		}
		p.Name, p.Rule, p.Metadata = e.Name, e.Rule, e.Metadata
		p.touch(m)
	case events.PolicyDeleted:
		if f.policies.get(e.Policy) == nil {
			f.anomaly(m, e, "policy %s is unknown", e.Policy)
		}
		f.policies.remove(e.Policy)
	}
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
