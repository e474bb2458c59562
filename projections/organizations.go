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
	table: "organizations", keys: 1,
	key:    func(o *Organization) events.OrganizationID { return o.GUID },
	where:  func(id events.OrganizationID) []any { return []any{id} },
	labels: func(o *Organization) labelsOf { return o.Metadata.Labels },
	columns: func(o *Organization) []column {
		return append([]column{
			{"guid", &o.GUID}, {"name", &o.Name}, {"quota", &o.Quota},
			{"labels", asJSON(&o.Metadata.Labels)}, {"annotations", asJSON(&o.Metadata.Annotations)},
		}, o.Stamp.columns()...)
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
	table: "spaces", keys: 1,
	key:    func(p *Space) events.SpaceID { return p.GUID },
	where:  func(id events.SpaceID) []any { return []any{id} },
	labels: func(p *Space) labelsOf { return p.Metadata.Labels },
	columns: func(p *Space) []column {
		return append([]column{
			{"guid", &p.GUID}, {"name", &p.Name}, {"organization", &p.Organization}, {"quota", &p.Quota},
			{"labels", asJSON(&p.Metadata.Labels)}, {"annotations", asJSON(&p.Metadata.Annotations)},
		}, p.Stamp.columns()...)
	},
}.ready()

func (f *fold) organizationCreated(m moment, e events.OrganizationCreated) {
	if f.organizations.get(e.Organization) != nil {
		f.anomaly(m, e, "organization %s exists already", e.Organization)
		return
	}
	f.organizations.put(Organization{GUID: e.Organization, Name: e.Name, Metadata: e.Metadata, Stamp: m.stamp()})
}

// organization changes the organization that e is about.
func (f *fold) organization(m moment, e events.Event, id events.OrganizationID, change func(*Organization)) {
	o := f.organizations.edit(id)
	if o == nil {
		f.anomaly(m, e, "organization %s is unknown", id)
		return
	}
	change(o)
	o.touch(m)
}

func (f *fold) organizationDeleted(m moment, e events.OrganizationDeleted) {
	if f.organizations.get(e.Organization) == nil {
		f.anomaly(m, e, "organization %s is unknown", e.Organization)
		return
	}
	f.organizations.remove(e.Organization)
}

func (f *fold) spaceCreated(m moment, e events.SpaceCreated) {
	if f.spaces.get(e.Space) != nil {
		f.anomaly(m, e, "space %s exists already", e.Space)
		return
	}
	f.spaces.put(Space{GUID: e.Space, Name: e.Name, Organization: e.Organization, Metadata: e.Metadata, Stamp: m.stamp()})
}

// space changes the space that e is about.
func (f *fold) space(m moment, e events.Event, id events.SpaceID, change func(*Space)) {
	p := f.spaces.edit(id)
	if p == nil {
		f.anomaly(m, e, "space %s is unknown", id)
		return
	}
	change(p)
	p.touch(m)
}

func (f *fold) spaceDeleted(m moment, e events.SpaceDeleted) {
	if f.spaces.get(e.Space) == nil {
		f.anomaly(m, e, "space %s is unknown", e.Space)
		return
	}
	f.spaces.remove(e.Space)
}

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
