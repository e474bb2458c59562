package resource

import (
	"context"
	"errors"
	"fmt"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// readPlace gives the resource of a command about where apps live or how they are reached.
func (r Reader) readPlace(ctx context.Context, b Base, result commands.Result) (any, error) {
	switch result.Kind {
	case commands.KindOrganization:
		return present(b.Organization)(r.Store.Organization(ctx, events.OrganizationID(result.ID)))
	case commands.KindSpace:
		return present(b.Space)(r.Store.Space(ctx, events.SpaceID(result.ID)))
	case commands.KindDomain:
		return present(b.Domain)(r.Store.Domain(ctx, events.DomainID(result.ID)))
	case commands.KindOrganizationQuota, commands.KindSpaceQuota:
		q, err := r.Store.Quota(ctx, events.QuotaID(result.ID))
		if err != nil {
			return nil, err
		}
		shown, err := r.Quotas(ctx, b, r.Store.All(), q)
		if err != nil {
			return nil, err
		}
		return shown(q), nil
	case commands.KindRoute:
		route, err := r.Store.Route(ctx, events.RouteID(result.ID))
		if err != nil {
			return nil, err
		}
		to, err := r.Store.Destinations(ctx, route.GUID)
		return b.Route(route, to[route.GUID]), err
	case commands.KindGroup:
		return present(b.Group)(r.Store.Group(ctx, events.GroupID(result.ID)))
	case commands.KindStrategy:
		return present(b.Strategy)(r.Store.Strategy(ctx, events.StrategyID(result.ID)))
	case commands.KindSubscription:
		s, err := r.Store.Subscription(ctx, events.SubscriptionID(result.ID))
		if err != nil {
			return nil, err
		}
		shown := b.Subscription(s)
		if result.Secret && r.Secrets != nil {
			shown.Secret = r.Secrets(s.GUID, s.Generation)
		}
		return shown, nil
	}
	return nil, fmt.Errorf("no resource of kind %q", result.Kind)
}

// deletable says whether a command can have deleted a resource of this kind, so that its absence is its result.
func deletable(kind commands.Kind) bool {
	switch kind {
	case commands.KindApp, commands.KindOrganization, commands.KindSpace, commands.KindOrganizationQuota, commands.KindSpaceQuota,
		commands.KindRoute, commands.KindStrategy, commands.KindSubscription, commands.KindPolicy:
		return true
	}
	return false
}

// Quotas looks up who of those that are seen has the quotas, and gives what presents them.
func (r Reader) Quotas(ctx context.Context, b Base, seen projections.Sight, quotas ...projections.Quota) (func(projections.Quota) Quota, error) {
	ids := make([]events.QuotaID, len(quotas))
	for i, q := range quotas {
		ids[i] = q.GUID
	}
	organizations, spaces := map[events.QuotaID][]events.OrganizationID{}, map[events.QuotaID][]events.SpaceID{}
	if len(ids) > 0 {
		of, err := seen.Organizations(ctx, projections.OrganizationFilter{Quotas: ids}, projections.Order{}, projections.Page{})
		if err != nil {
			return nil, err
		}
		for _, o := range of.Rows {
			organizations[o.Quota] = append(organizations[o.Quota], o.GUID)
		}
		in, err := seen.Spaces(ctx, projections.SpaceFilter{Quotas: ids}, projections.Order{}, projections.Page{})
		if err != nil {
			return nil, err
		}
		for _, p := range in.Rows {
			spaces[p.Quota] = append(spaces[p.Quota], p.GUID)
		}
	}
	return func(q projections.Quota) Quota {
		if q.Organization == "" {
			return b.OrganizationQuota(q, organizations[q.GUID])
		}
		return b.SpaceQuota(q, spaces[q.GUID])
	}, nil
}

// OrganizationOfSpace implements commands.Places.
func (f Finder) OrganizationOfSpace(ctx context.Context, id events.SpaceID) (events.OrganizationID, error) {
	return find(ctx, f, func() (events.OrganizationID, error) {
		p, err := f.Store.Space(ctx, id)
		return p.Organization, err
	})
}

// OrganizationOfDeletedSpace implements commands.Places.
func (f Finder) OrganizationOfDeletedSpace(ctx context.Context, id events.SpaceID) (events.OrganizationID, error) {
	return find(ctx, f, func() (events.OrganizationID, error) { return f.organizationOfDeleted(ctx, id) })
}

// OrganizationOfQuota implements commands.Places.
func (f Finder) OrganizationOfQuota(ctx context.Context, id events.QuotaID) (events.OrganizationID, error) {
	return find(ctx, f, func() (events.OrganizationID, error) { return f.homeOfQuota(ctx, id) })
}

// QuotaInUse implements commands.Places.
func (f Finder) QuotaInUse(ctx context.Context, id events.QuotaID) (bool, error) {
	if err := f.caughtUp(ctx); err != nil {
		return false, err
	}
	l, err := f.Store.All().Organizations(ctx, projections.OrganizationFilter{Quotas: []events.QuotaID{id}}, projections.Order{},
		projections.Page{Number: 1, PerPage: 1})
	return l.Total > 0, err
}

// CountStrategies implements commands.Finder.
func (f Finder) CountStrategies(ctx context.Context) (int, error) {
	if err := f.caughtUp(ctx); err != nil {
		return 0, err
	}
	l, err := f.Store.Strategies(ctx, projections.Place{}, 1)
	return l.Total, err
}

// CountSubscriptions implements commands.Finder.
func (f Finder) CountSubscriptions(ctx context.Context, o events.OrganizationID, s events.SpaceID) (int, error) {
	if err := f.caughtUp(ctx); err != nil {
		return 0, err
	}
	return f.Store.CountSubscriptions(ctx, o, s)
}

// Contents implements commands.Places.
func (f Finder) Contents(ctx context.Context, o events.OrganizationID, s events.SpaceID) (all commands.Contents, err error) {
	if err := f.caughtUp(ctx); err != nil {
		return all, err
	}
	of, in, seen := some(o), some(s), f.Store.All()
	apps, err := seen.Apps(ctx, projections.AppFilter{Organizations: of, Spaces: in}, projections.Order{}, projections.Page{})
	if err != nil {
		return all, err
	}
	routes, err := seen.Routes(ctx, projections.RouteFilter{Organizations: of, Spaces: in}, projections.Order{}, projections.Page{})
	if err != nil {
		return all, err
	}
	listening, err := seen.Subscriptions(ctx, projections.SubscriptionFilter{Organizations: of, Spaces: in}, projections.Order{}, projections.Page{})
	return commands.Contents{
		Apps:          Each(apps.Rows, func(a projections.App) events.AppID { return a.GUID }),
		Routes:        Each(routes.Rows, func(r projections.Route) events.RouteID { return r.GUID }),
		Subscriptions: Each(listening.Rows, func(s projections.Subscription) events.SubscriptionID { return s.GUID }),
	}, err
}

// Forsaken implements commands.Places.
func (f Finder) Forsaken(ctx context.Context) ([]commands.Home, error) {
	if err := f.caughtUp(ctx); err != nil {
		return nil, err
	}
	gone, err := f.Store.Forsaken(ctx)
	return Each(gone, func(h projections.Home) commands.Home {
		return commands.Home{Organization: h.Organization, Space: h.Space}
	}), err
}

func some[ID ~string](id ID) []ID {
	if id == "" {
		return nil
	}
	return []ID{id}
}

// Usage implements commands.Usage.
func (f Finder) Usage(ctx context.Context, o events.OrganizationID, s events.SpaceID) (ofOrganization, ofSpace app.Usage, err error) {
	if err := f.caughtUp(ctx); err != nil {
		return ofOrganization, ofSpace, err
	}
	all, err := f.Store.Usage(ctx, o)
	if err != nil {
		return ofOrganization, ofSpace, err
	}
	here, err := f.Store.SpaceUsage(ctx, s)
	return usage(all), usage(here), err
}

func usage(u projections.Usage) app.Usage {
	return app.Usage{Instances: u.Instances, MemoryMB: u.MemoryMB, LogRate: u.LogRate, Unlimited: u.Unlimited > 0, Routes: u.Routes}
}

// caughtUp waits until the read models hold all that the log holds now. It fails with eventlog.ErrUnavailable where they
// stay behind.
func (f Finder) caughtUp(ctx context.Context) error {
	newest, err := f.Log.Newest(ctx)
	if err != nil {
		return err
	}
	if err := f.Await(ctx, newest); errors.Is(err, ErrBehind) { // which would say that something was carried out
		return fmt.Errorf("read models: %w: %v", eventlog.ErrUnavailable, err)
	} else if err != nil {
		return err
	}
	return nil
}
