package projections

import "slipway/events"

// wantPlace asks for the rows that an event about where apps live, or are reached, may need.
func (f *fold) wantPlace(e events.Event) {
	r := RefsOf(e)
	if r.Organization != "" {
		f.organizations.want(r.Organization)
	}
	if r.Space != "" {
		f.spaces.want(r.Space)
	}
	if r.Quota != "" {
		f.quotas.want(r.Quota)
	}
	if r.Domain != "" {
		f.domains.want(r.Domain)
	}
	if r.Route != "" {
		f.routes.want(r.Route)
	}
	if r.Strategy != "" {
		f.strategies.want(r.Strategy)
	}
	if r.Policy != "" {
		f.policies.want(r.Policy)
	}
	if r.Halt != "" && e.Type() != events.TypeDeploymentHalted {
		f.halts.want(r.Halt)
	}
	if r.Subscription != "" {
		f.subscriptions.want(r.Subscription)
	}
	switch e := e.(type) {
	case events.QuotaDeleted:
		f.spaces.wantAll("quota = ?", e.Quota)
		f.organizations.wantAll("quota = ?", e.Quota)
	case events.RouteDestinationsSet:
		f.destinations.wantAll("route = ?", e.Route)
		for _, d := range e.Destinations {
			f.apps.want(d.App)
		}
	case events.RouteDeleted:
		f.destinations.wantAll("route = ?", e.Route)
	}
}

// place folds an event about where apps live, or are reached.
func (f *fold) place(m moment, e events.Event) {
	switch e := e.(type) {
	case events.OrganizationCreated:
		f.organizationCreated(m, e)
	case events.OrganizationUpdated:
		f.organization(m, e, e.Organization, func(o *Organization) { o.Name, o.Metadata = e.Name, e.Metadata })
	case events.OrganizationDeleted:
		f.organizationDeleted(m, e)
	case events.SpaceCreated:
		f.spaceCreated(m, e)
	case events.SpaceUpdated:
		f.space(m, e, e.Space, func(p *Space) { p.Name, p.Metadata = e.Name, e.Metadata })
	case events.SpaceDeleted:
		f.spaceDeleted(m, e)
	case events.QuotaCreated:
		f.quotaCreated(m, e)
	case events.QuotaUpdated:
		f.quotaUpdated(m, e)
	case events.QuotaDeleted:
		f.quotaDeleted(m, e)
	case events.QuotaApplied:
		f.quotaApplied(m, e)
	case events.DomainCreated:
		f.domainCreated(m, e)
	case events.RouteCreated:
		f.routeCreated(m, e)
	case events.RouteUpdated:
		f.route(m, e, e.Route, func(r *Route) { r.Metadata = e.Metadata })
	case events.RouteDestinationsSet:
		f.destinationsSet(m, e)
	case events.RouteDeleted:
		f.routeDeleted(m, e)
	case events.NameTaken, events.NameFreed:
		// The history is all there is to say of them.
	case events.GroupCreated, events.GroupMemberStarted, events.GroupMemberEnded, events.GroupDirected, events.GroupMemberDirected,
		events.GroupEnded, events.GroupMetadataSet:
		f.group(m, e)
	default:
		f.strategy(m, e)
	}
}

// refsOfPlace says which things an event about where apps live, or are reached, names.
func refsOfPlace(e events.Event) Refs {
	switch e := e.(type) {
	case events.OrganizationCreated:
		return Refs{Organization: e.Organization}
	case events.OrganizationUpdated:
		return Refs{Organization: e.Organization}
	case events.OrganizationDeleted:
		return Refs{Organization: e.Organization}
	case events.SpaceCreated:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.SpaceUpdated:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.SpaceDeleted:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.QuotaCreated:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaUpdated:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaDeleted:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaApplied:
		return Refs{Organization: e.Organization, Space: e.Space, Quota: e.Quota}
	case events.DomainCreated:
		return Refs{Organization: e.Organization, Domain: e.Domain}
	case events.RouteCreated:
		return Refs{App: e.App, Organization: e.Organization, Space: e.Space, Domain: e.Domain, Route: e.Route}
	case events.RouteUpdated:
		return Refs{Route: e.Route}
	case events.RouteDestinationsSet:
		return Refs{Route: e.Route}
	case events.RouteDeleted:
		return Refs{Route: e.Route}
	case events.StrategyCreated:
		return Refs{Strategy: e.Strategy}
	case events.StrategyUpdated:
		return Refs{Strategy: e.Strategy}
	case events.StrategyDeleted:
		return Refs{Strategy: e.Strategy}
	case events.NameTaken:
		return refsOfName(e.Scope, e.Holder)
	case events.NameFreed:
		return refsOfName(e.Scope, e.Holder)
	default:
		return Refs{}
	}
}

func refsOfName(scope events.NameScope, holder string) Refs {
	switch scope {
	case events.ScopeOrganizations:
		return Refs{Organization: events.OrganizationID(holder)}
	case events.ScopeOrganizationQuotas:
		return Refs{Quota: events.QuotaID(holder)}
	}
	return Refs{}
}
