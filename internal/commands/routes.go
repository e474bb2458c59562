package commands

import (
	"context"
	"errors"
	"log/slog"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/route"
	"slipway/events"
	"slipway/internal/eventlog"
)

func (h *Handler) createDomain(ctx context.Context, c CreateDomain, m eventlog.Meta) (Result, error) {
	if c.Organization != "" {
		agg, err := h.places.organizations.Load(ctx, string(c.Organization))
		if err != nil {
			return Result{}, err
		}
		if !agg.State.Exists() {
			return Result{}, aggregates.Reject("Organization with guid '%s' does not exist or you do not have access to it.", c.Organization)
		}
	}
	id := events.DomainIDOf(c.Called)
	out, err := h.places.domains.Decide(ctx, string(id), m, func(d route.Domain) ([]events.Event, error) {
		return route.CreateDomain(d, c.Called, c.Organization)
	})
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindDomain, string(id), out), nil
}

func (h *Handler) createRoute(ctx context.Context, c CreateRoute, m eventlog.Meta) (Result, error) {
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return Result{}, err
	}
	if c.Space == "" {
		c.Space = events.DefaultSpace
	}
	if c.Domain == "" {
		c.Domain = events.DefaultDomain
	}
	organization, err := h.organizationOf(ctx, c.Space)
	if err != nil {
		return Result{}, err
	}
	create := route.Create{Space: c.Space, Organization: organization, Host: c.Host, Metadata: c.Metadata}
	made, err := h.makeRoute(ctx, create, c.Domain, nil, m)
	if err != nil {
		return Result{}, err
	}
	return h.settle(ctx, Home{organization, c.Space}, made, m)
}

// makeRoute makes a route and lets it lead to destinations, in one commit.
func (h *Handler) makeRoute(ctx context.Context, c route.Create, under events.DomainID, to []events.Destination, m eventlog.Meta) (Result, error) {
	domain, err := h.domain(ctx, under)
	if err != nil {
		return Result{}, err
	}
	c.Domain = domain
	quota, err := h.quota(ctx, c.Organization, c.Space)
	if err != nil {
		return Result{}, err
	}
	c.OrganizationName = quota.Organization.Name
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	return h.onRoute(ctx, events.RouteIDOf(c.URL()), m, func(s route.State) ([]events.Event, error) {
		made, err := route.CreateRoute(s, c)
		if err != nil {
			return nil, err
		}
		if err := checkRoutes(quota); err != nil || len(to) == 0 {
			return made, err
		}
		leads, err := route.SetDestinations(route.Evolve(s, made[0]), m.CommandID, to)
		return append(made, leads...), err
	})
}

// domain is the domain of an id. The default one is there even before [Handler.Bootstrap].
func (h *Handler) domain(ctx context.Context, id events.DomainID) (route.Domain, error) {
	agg, err := h.places.domains.Load(ctx, string(id))
	if id == events.DefaultDomain && !agg.Exists() {
		return route.Domain{ID: id, Name: string(id)}, err
	}
	return agg.State, err
}

// checkRoutes refuses one more route where a quota allows none.
func checkRoutes(q app.Quota) error {
	reached := func(s app.QuotaScope) bool { return s.Limits.Routes != nil && s.Used.Routes >= *s.Limits.Routes }
	switch {
	case reached(q.Space):
		return aggregates.Reject("Routes quota exceeded for space '%s'.", q.Space.Name)
	case reached(q.Organization):
		return aggregates.Reject("Routes quota exceeded for organization '%s'.", q.Organization.Name)
	}
	return nil
}

func (h *Handler) onRoute(ctx context.Context, id events.RouteID, m eventlog.Meta, decide func(route.State) ([]events.Event, error)) (Result, error) {
	out, err := h.places.routes.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindRoute, string(id), out), nil
}

func (h *Handler) updateRoute(ctx context.Context, c UpdateRoute, m eventlog.Meta) (Result, error) {
	return h.onRoute(ctx, c.Route, m, func(s route.State) ([]events.Event, error) {
		if err := app.CheckMetadata(c.Metadata.On(s.Metadata)); err != nil {
			return nil, err
		}
		return route.Update(s, c.Metadata)
	})
}

func (h *Handler) setDestinations(ctx context.Context, c SetDestinations, m eventlog.Meta) (Result, error) {
	return h.lead(ctx, c.Route, c.Destinations, route.SetDestinations, m)
}

func (h *Handler) addDestinations(ctx context.Context, c AddDestinations, m eventlog.Meta) (Result, error) {
	return h.lead(ctx, c.Route, c.Destinations, route.AddDestinations, m)
}

func (h *Handler) removeDestination(ctx context.Context, c RemoveDestination, m eventlog.Meta) (Result, error) {
	return h.onRoute(ctx, c.Route, m, func(s route.State) ([]events.Event, error) { return route.RemoveDestination(s, c.Destination) })
}

func (h *Handler) deleteRoute(ctx context.Context, c DeleteRoute, m eventlog.Meta) (Result, error) {
	return h.onRoute(ctx, c.Route, m, func(s route.State) ([]events.Event, error) { return route.Delete(s), nil })
}

// lead lets decide say where the route leads, after the apps were looked at: they exist, in the route's space.
func (h *Handler) lead(ctx context.Context, id events.RouteID, to []Destination,
	decide func(route.State, events.CommandID, []events.Destination) ([]events.Event, error), m eventlog.Meta,
) (Result, error) {
	agg, err := h.places.routes.Load(ctx, string(id))
	if err != nil {
		return Result{}, err
	}
	wanted := make([]events.Destination, 0, len(to))
	for _, d := range to {
		owner, err := h.apps.Load(ctx, string(d.App))
		if err != nil {
			return Result{}, err
		}
		if !owner.State.Exists() {
			return Result{}, aggregates.Reject("App(s) with guid(s) %q do not exist or you do not have access.", string(d.App))
		}
		if agg.State.Exists() && owner.State.Space != agg.State.Space {
			return Result{}, aggregates.Reject("Routes cannot be mapped to destinations in different spaces.")
		}
		wanted = append(wanted, events.Destination{App: d.App, ProcessType: d.Type})
	}
	return h.onRoute(ctx, id, m, func(s route.State) ([]events.Event, error) { return decide(s, m.CommandID, wanted) })
}

// routeByDefault gives a new app its default route. Where it cannot have one, because its name makes no host or the host is
// another's, it is left without: the app is what was asked for (docs/adr/0011). Where the log fails the caller is told to send
// the command again, which completes it.
func (h *Handler) routeByDefault(ctx context.Context, c app.Create, result Result, m eventlog.Meta) (Result, error) {
	host := route.DefaultHost(c.Name)
	if host == "" {
		return result, nil
	}
	if agg, err := h.apps.Load(ctx, string(c.ID)); err != nil || !agg.State.Exists() {
		return result, err // the command came again after the app was deleted
	}
	create := route.Create{Space: c.Space, Organization: c.Organization, Host: host, App: c.ID}
	made, err := h.makeRoute(ctx, create, events.DefaultDomain, []events.Destination{{App: c.ID}}, derived(m, "route"))
	if refused := (*aggregates.RejectedError)(nil); errors.As(err, &refused) {
		h.logger.LogAttrs(ctx, slog.LevelInfo, "app has no default route",
			slog.String("app", string(c.ID)), slog.String("host", host), slog.Any("err", err))
		return result, nil
	}
	return result.and(made.Sequence), err
}

// abandonRoute lets the default route of a deleted app go. Where that fails it is told only: it leads to nothing.
func (h *Handler) abandonRoute(ctx context.Context, s app.State, result Result, m eventlog.Meta) Result {
	host := route.DefaultHost(s.Name)
	if host == "" {
		return result
	}
	id := events.RouteIDOf(host + "." + string(events.DefaultDomain))
	gone, err := h.onRoute(ctx, id, derived(m, "abandon"), func(r route.State) ([]events.Event, error) { return route.Abandon(r, s.ID), nil })
	if err != nil {
		h.logger.LogAttrs(ctx, slog.LevelWarn, "the route of a deleted app is left", slog.String("app", string(s.ID)), slog.Any("err", err))
	}
	return result.and(gone.Sequence)
}
