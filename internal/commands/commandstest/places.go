package commandstest

import (
	"context"

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
		if e, ok := e.(events.SpaceCreated); ok && e.Space == id {
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
func (f Finder) Contents(ctx context.Context, o events.OrganizationID, s events.SpaceID) (apps []events.AppID, routes []events.RouteID, err error) {
	in := func(organization events.OrganizationID, space events.SpaceID) bool {
		return (o == "" || o == organization) && (s == "" || s == space)
	}
	gone := map[events.AppID]bool{}
	err = f.each(ctx, func(e events.Event) {
		switch e := e.(type) {
		case events.AppCreated:
			if in(e.Organization, e.Space) {
				apps = append(apps, e.App)
			}
		case events.AppDeleted:
			gone[e.App] = true
		case events.RouteCreated:
			if in(e.Organization, e.Space) {
				routes = append(routes, e.Route)
			}
		}
	})
	left := apps[:0]
	for _, id := range apps {
		if !gone[id] {
			left = append(left, id)
		}
	}
	return left, routes, err
}

// Usage implements [commands.Usage]: routes only, and of each scope.
func (f Finder) Usage(ctx context.Context, o events.OrganizationID, s events.SpaceID) (ofOrganization, ofSpace app.Usage, err error) {
	_, all, err := f.Contents(ctx, o, "")
	if err != nil {
		return ofOrganization, ofSpace, err
	}
	_, here, err := f.Contents(ctx, o, s)
	return app.Usage{Routes: len(all)}, app.Usage{Routes: len(here)}, err
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
