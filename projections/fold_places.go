package projections

import "slipway/events"

// place folds an event about where apps live, or are reached.
func (f *fold) place(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.OrganizationCreated:
		return f.organizations.add(Organization{GUID: e.Organization, Name: e.Name, Metadata: e.Metadata, Stamp: m.stamp()})
	case events.OrganizationUpdated:
		return f.organizations.change(m, e.Organization, func(o *Organization) { o.Name, o.Metadata = e.Name, e.Metadata })
	case events.OrganizationDeleted:
		return f.organizations.drop(e.Organization)
	case events.SpaceCreated:
		return f.spaces.add(Space{GUID: e.Space, Name: e.Name, Organization: e.Organization, Metadata: e.Metadata, Stamp: m.stamp()})
	case events.SpaceUpdated:
		return f.spaces.change(m, e.Space, func(p *Space) { p.Name, p.Metadata = e.Name, e.Metadata })
	case events.SpaceDeleted:
		return f.spaces.drop(e.Space)
	case events.QuotaCreated:
		return f.quotas.add(Quota{GUID: e.Quota, Name: e.Name, Organization: e.Organization, Limits: e.Limits, Stamp: m.stamp()})
	case events.QuotaUpdated:
		return f.quotas.change(m, e.Quota, func(q *Quota) { q.Name, q.Limits = e.Name, e.Limits })
	case events.QuotaDeleted:
		return f.quotaDeleted(m, e)
	case events.QuotaApplied:
		return f.quotaApplied(m, e)
	case events.DomainCreated:
		return f.domains.add(Domain{GUID: e.Domain, Name: e.Name, Organization: e.Organization, Stamp: m.stamp()})
	case events.RouteCreated:
		return f.routeCreated(m, e)
	case events.RouteUpdated:
		return f.routes.change(m, e.Route, func(r *Route) { r.Metadata = e.Metadata })
	case events.RouteDestinationsSet:
		return f.destinationsSet(m, e)
	case events.RouteDeleted:
		return f.routeDeleted(e)
	case events.NameTaken, events.NameFreed:
		return nil // the history is all there is to say of them
	case events.GroupCreated, events.GroupMemberStarted, events.GroupMemberEnded, events.GroupDirected, events.GroupMemberDirected,
		events.GroupEnded, events.GroupMetadataSet:
		return f.group(m, e)
	default:
		return f.strategy(m, e)
	}
}
