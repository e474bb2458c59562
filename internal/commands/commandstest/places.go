package commandstest

import (
	"context"
	"slices"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

func (f Finder) each(ctx context.Context, fn func(events.Event)) error {
	return f.Log.Replay(ctx, eventlog.Query{}, func(c events.Recorded) error {
		for _, e := range c.Events {
			fn(e)
		}
		return nil
	})
}

// OrganizationOfSpace implements [commands.Places].
func (f Finder) OrganizationOfSpace(ctx context.Context, id events.SpaceID) (found events.OrganizationID, err error) {
	err = f.each(ctx, func(e events.Event) {
		switch e := e.(type) {
		case events.SpaceCreated:
			if e.Space == id {
				found = e.Organization
			}
		case events.SpaceDeleted:
			if e.Space == id {
				found = ""
			}
		}
	})
	if err == nil && found == "" {
		err = commands.ErrUnknown
	}
	return found, err
}

// OrganizationOfDeletedSpace implements [commands.Places].
func (f Finder) OrganizationOfDeletedSpace(ctx context.Context, id events.SpaceID) (found events.OrganizationID, err error) {
	err = f.each(ctx, func(e events.Event) {
		if e, ok := e.(events.SpaceDeleted); ok && e.Space == id {
			found = e.Organization
		}
	})
	if err == nil && found == "" {
		err = commands.ErrUnknown
	}
	return found, err
}

// OrganizationOfQuota implements [commands.Places].
func (f Finder) OrganizationOfQuota(ctx context.Context, id events.QuotaID) (found events.OrganizationID, err error) {
	err = f.each(ctx, func(e events.Event) {
		if e, ok := e.(events.QuotaCreated); ok && e.Quota == id {
			found = e.Organization
		}
	})
	if err == nil && found == "" {
		err = commands.ErrUnknown
	}
	return found, err
}

// QuotaInUse implements [commands.Places].
func (f Finder) QuotaInUse(ctx context.Context, id events.QuotaID) (bool, error) {
	has := map[events.OrganizationID]bool{}
	err := f.each(ctx, func(e events.Event) {
		if e, ok := e.(events.QuotaApplied); ok && e.Space == "" {
			has[e.Organization] = e.Quota == id
		}
	})
	for _, yes := range has {
		if yes {
			return true, err
		}
	}
	return false, err
}

// CountStrategies implements [commands.Finder].
func (f Finder) CountStrategies(ctx context.Context) (n int, err error) {
	err = f.each(ctx, func(e events.Event) {
		switch e.(type) {
		case events.StrategyCreated:
			n++
		case events.StrategyDeleted:
			n--
		}
	})
	return n, err
}

// Contents implements [commands.Places].
func (f Finder) Contents(ctx context.Context, o events.OrganizationID, s events.SpaceID) (all commands.Contents, err error) {
	in := func(organization events.OrganizationID, space events.SpaceID) bool {
		return (o == "" || o == organization) && (s == "" || s == space)
	}
	err = f.each(ctx, func(e events.Event) {
		switch e := e.(type) {
		case events.AppCreated:
			if in(e.Organization, e.Space) {
				all.Apps = append(all.Apps, e.App)
			}
		case events.AppDeleted:
			all.Apps = slices.DeleteFunc(all.Apps, func(id events.AppID) bool { return id == e.App })
		case events.RouteCreated:
			if in(e.Organization, e.Space) {
				all.Routes = append(all.Routes, e.Route)
			}
		case events.RouteDeleted:
			all.Routes = slices.DeleteFunc(all.Routes, func(id events.RouteID) bool { return id == e.Route })
		case events.SubscriptionCreated:
			if in(e.Organization, e.Space) {
				all.Subscriptions = append(all.Subscriptions, e.Subscription)
			}
		case events.SubscriptionDeleted:
			all.Subscriptions = slices.DeleteFunc(all.Subscriptions, func(id events.SubscriptionID) bool { return id == e.Subscription })
		}
	})
	return all, err
}

// Forsaken implements [commands.Places]: it gives every place that anything was ever in, there or not.
func (f Finder) Forsaken(ctx context.Context) (homes []commands.Home, err error) {
	err = f.each(ctx, func(e events.Event) {
		var home commands.Home
		switch e := e.(type) {
		case events.AppCreated:
			home = commands.Home{Organization: e.Organization, Space: e.Space}
		case events.RouteCreated:
			home = commands.Home{Organization: e.Organization, Space: e.Space}
		case events.SubscriptionCreated:
			home = commands.Home{Organization: e.Organization, Space: e.Space}
		case events.PolicyCreated:
			home = commands.Home{Organization: e.Organization, Space: e.Space}
		case events.HaltDeclared:
			home = commands.Home{Organization: e.Organization, Space: e.Space}
		}
		if home != (commands.Home{}) && !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	})
	return homes, err
}

// Usage implements [commands.Usage]: routes only, and of each scope.
func (f Finder) Usage(ctx context.Context, o events.OrganizationID, s events.SpaceID) (ofOrganization, ofSpace app.Usage, err error) {
	all, err := f.Contents(ctx, o, "")
	if err != nil {
		return ofOrganization, ofSpace, err
	}
	here, err := f.Contents(ctx, o, s)
	return app.Usage{Routes: len(all.Routes)}, app.Usage{Routes: len(here.Routes)}, err
}

// CountSubscriptions implements [commands.Finder].
func (f Finder) CountSubscriptions(ctx context.Context, o events.OrganizationID, s events.SpaceID) (n int, err error) {
	err = f.each(ctx, func(e events.Event) {
		made, ok := e.(events.SubscriptionEvent)
		if !ok || made.Ref().Organization != o || made.Ref().Space != s {
			return
		}
		switch e.(type) {
		case events.SubscriptionCreated:
			n++
		case events.SubscriptionDeleted:
			n--
		}
	})
	return n, err
}
