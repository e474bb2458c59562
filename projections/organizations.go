package projections

import (
	"context"

	"slipway/events"
)

// Organization is an organization that exists.
type Organization struct {
	GUID     events.OrganizationID
	Name     string
	Quota    events.QuotaID // empty: none
	Metadata events.Metadata
	Stamp
}

var organizations = view[events.OrganizationID, Organization]{
	table: "organizations", kind: "organization",
	key:      func(o *Organization) events.OrganizationID { return o.GUID },
	stamp:    func(o *Organization) *Stamp { return &o.Stamp },
	metadata: func(o *Organization) *events.Metadata { return &o.Metadata },
	columns: func(o *Organization) []column {
		return []column{
			{"guid", &o.GUID}, {"name", &o.Name}, {"quota", &o.Quota},
		}
	},
}.ready()

// Space is a space that exists.
type Space struct {
	GUID         events.SpaceID
	Name         string
	Organization events.OrganizationID
	Quota        events.QuotaID // empty: none
	Metadata     events.Metadata
	Stamp
}

var spaces = view[events.SpaceID, Space]{
	table: "spaces", kind: "space",
	key:      func(p *Space) events.SpaceID { return p.GUID },
	stamp:    func(p *Space) *Stamp { return &p.Stamp },
	metadata: func(p *Space) *events.Metadata { return &p.Metadata },
	columns: func(p *Space) []column {
		return []column{
			{"guid", &p.GUID}, {"name", &p.Name}, {"organization", &p.Organization}, {"quota", &p.Quota},
		}
	},
}.ready()

// OrganizationFilter selects organizations. Empty fields select all; all that are set must hold.
type OrganizationFilter struct {
	GUIDs   []events.OrganizationID
	Names   []string
	Quotas  []events.QuotaID
	Created TimeFilter
	Updated TimeFilter
	Labels  []LabelRequirement
}

// Organization reads one organization, or gives [ErrNotFound].
func (s *Store) Organization(ctx context.Context, id events.OrganizationID) (Organization, error) {
	return organizations.get(ctx, s.readers, id)
}

// Organizations lists organizations.
func (s Sight) Organizations(ctx context.Context, f OrganizationFilter, o Order, p Page) (List[Organization], error) {
	var w where
	s.inOrganizations(&w, "guid")
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "quota", f.Quotas)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(organizations.table, f.Labels)
	return list(ctx, s.store, organizations, w, o.sql(), p)
}

// SpaceFilter selects spaces. Empty fields select all; all that are set must hold.
type SpaceFilter struct {
	GUIDs         []events.SpaceID
	Names         []string
	Organizations []events.OrganizationID
	Quotas        []events.QuotaID
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Space reads one space, or gives [ErrNotFound].
func (s *Store) Space(ctx context.Context, id events.SpaceID) (Space, error) {
	return spaces.get(ctx, s.readers, id)
}

// Spaces lists spaces.
func (s Sight) Spaces(ctx context.Context, f SpaceFilter, o Order, p Page) (List[Space], error) {
	var w where
	s.inSpaces(&w, "guid")
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "organization", f.Organizations)
	in(&w, "quota", f.Quotas)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(spaces.table, f.Labels)
	return list(ctx, s.store, spaces, w, o.sql(), p)
}
