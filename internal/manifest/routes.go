package manifest

import (
	"context"
	"errors"
	"strings"

	"slipway/aggregates"
	"slipway/aggregates/route"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/projections"
)

// route lets the routes lead to the app that a manifest asks for, or none. A default or a random one is made only for an app
// that has none at all (Cloud Foundry's rule).
func (a *Applier) route(ctx context.Context, space events.SpaceID, id events.AppID, asked App, by commands.Caller) error {
	if !asked.NoRoute && !asked.DefaultRoute && !asked.RandomRoute && len(asked.Routes) == 0 {
		return nil
	}
	if err := a.finder.CaughtUp(ctx); err != nil {
		return err
	}
	leading, err := a.store.All().Routes(ctx, projections.RouteFilter{Apps: []events.AppID{id}}, projections.Order{}, projections.Page{})
	switch {
	case err != nil:
		return err
	case asked.NoRoute:
		return a.leadNowhere(ctx, leading.Rows, id, by)
	case len(asked.Routes) > 0:
		for i, url := range asked.Routes {
			if err := a.lead(ctx, space, url, id, child(by, i)); err != nil {
				return err
			}
		}
		return nil
	case leading.Total > 0:
		return nil
	}
	host := route.DefaultHost(asked.Name)
	if host == "" {
		return aggregates.Reject("Failed to create default route from app name: " +
			"Host must be either \"*\" or contain only alphanumeric characters, \"_\", or \"-\"")
	}
	if asked.RandomRoute {
		host += "-" + strings.ToLower(events.DeriveID(by.CommandID, "host", 0)[20:])
	}
	return a.lead(ctx, space, host+"."+string(events.DefaultDomain), id, by)
}

// lead makes a route, if it is not there, and lets it lead to the app.
func (a *Applier) lead(ctx context.Context, space events.SpaceID, url string, id events.AppID, by commands.Caller) error {
	url = strings.ToLower(url)
	to := events.RouteIDOf(url)
	_, err := a.store.Route(ctx, to)
	if errors.Is(err, projections.ErrNotFound) {
		err = a.createRoute(ctx, space, url, child(by, 100))
	}
	if err != nil {
		return err
	}
	_, err = a.commands.Handle(ctx, commands.AddDestinations{Route: to, Destinations: []commands.Destination{{App: id}}}, child(by, 101))
	return err
}

func (a *Applier) createRoute(ctx context.Context, space events.SpaceID, url string, by commands.Caller) error {
	if strings.ContainsAny(url, "/:") {
		return aggregates.Reject("The route '%s' has a path or a port, which is not supported", url)
	}
	home, err := a.store.Home(ctx, space)
	if err != nil && !errors.Is(err, projections.ErrNotFound) { // the default space may not have been made yet
		return err
	}
	seen := a.store.Only(nil, []events.OrganizationID{home.Organization}) // of others' domains nobody shall hear
	domains, err := seen.Domains(ctx, projections.DomainFilter{}, projections.Order{}, projections.Page{})
	if err != nil {
		return err
	}
	under := ""
	for _, name := range append(names(domains.Rows), string(events.DefaultDomain)) {
		if (url == name || strings.HasSuffix(url, "."+name)) && len(name) > len(under) {
			under = name
		}
	}
	if under == "" {
		return aggregates.Reject("The route '%s' did not match any existing domains.", url)
	}
	host := strings.TrimSuffix(strings.TrimSuffix(url, under), ".")
	_, err = a.commands.Handle(ctx, commands.CreateRoute{Space: space, Domain: events.DomainIDOf(under), Host: host}, by)
	return err
}

func names(domains []projections.Domain) []string {
	var all []string
	for _, d := range domains {
		all = append(all, d.Name)
	}
	return all
}

// leadNowhere takes the app from the destinations of routes.
func (a *Applier) leadNowhere(ctx context.Context, routes []projections.Route, id events.AppID, by commands.Caller) error {
	n := 0
	for _, r := range routes {
		to, err := a.store.Destinations(ctx, r.GUID)
		if err != nil {
			return err
		}
		for _, d := range to[r.GUID] {
			if d.App != id {
				continue
			}
			n++
			remove := commands.RemoveDestination{Route: r.GUID, Destination: d.GUID}
			if _, err := a.commands.Handle(ctx, remove, child(by, 200+n)); err != nil {
				return err
			}
		}
	}
	return nil
}
