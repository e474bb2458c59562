package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

func (a *API) routeRoutes() {
	a.get("/v3/domains", a.listDomains)
	a.echo.POST("/v3/domains", a.createDomain)
	a.get("/v3/domains/:guid", a.getDomain)
	a.get("/v3/routes", a.listRoutes)
	a.echo.POST("/v3/routes", a.createRoute)
	a.get("/v3/routes/:guid", a.getRoute)
	a.echo.PATCH("/v3/routes/:guid", a.updateRoute)
	a.echo.DELETE("/v3/routes/:guid", a.deleteRoute)
	a.get("/v3/routes/:guid/destinations", a.getDestinations)
	a.echo.POST("/v3/routes/:guid/destinations", a.addDestinations)
	a.echo.PATCH("/v3/routes/:guid/destinations", a.setDestinations)
	a.echo.DELETE("/v3/routes/:guid/destinations/:destination", a.removeDestination)
	a.get("/v3/apps/:guid/routes", a.listAppRoutes)
}

func (a *API) listDomains(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids")
	return a.domainPage(c, q, projections.DomainFilter{Organizations: list[events.OrganizationID](q, "organization_guids")})
}

// listOrganizationDomains lists the domains that an organization can use: its own and everybody's.
func (a *API) listOrganizationDomains(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names")
	o, err := a.organization(c)
	if err != nil {
		return err
	}
	return a.domainPage(c, q, projections.DomainFilter{AvailableTo: o.GUID})
}

func (a *API) domainPage(c echo.Context, q *query, f projections.DomainFilter) error {
	f.GUIDs, f.Names = list[events.DomainID](q, "guids"), list[string](q, "names")
	f.Created, f.Updated = q.times("created_ats"), q.times("updated_ats")
	q.orderBy(projections.ByName)
	return listed(a, c, q, auth.ReadRoutes, projections.Sight.Domains, f, a.base(c).Domain)
}

func (a *API) getDomain(c echo.Context) error {
	return a.showDomain(c, events.DomainID(c.Param("guid")))
}

func (a *API) showDomain(c echo.Context, id events.DomainID) error {
	d, err := a.Store.Domain(c.Request().Context(), id)
	if err != nil {
		return missing(commands.KindDomain, err)
	}
	anybody(c) // without an organization it is everybody's
	if d.Organization != "" {
		if err := a.see(c, auth.ReadRoutes, thing(commands.KindDomain, d.GUID), commands.KindDomain); err != nil {
			return err
		}
	}
	return one(c, d.Stamp, a.base(c).Domain(d))
}

func (a *API) getDefaultDomain(c echo.Context) error {
	if _, err := a.organization(c); err != nil {
		return err
	}
	return a.showDomain(c, events.DefaultDomain)
}

type createDomain struct {
	Name          string `json:"name"`
	Internal      bool   `json:"internal"`
	Relationships struct {
		Organization toOne `json:"organization"`
	} `json:"relationships"`
}

func (a *API) createDomain(c echo.Context) error {
	var body createDomain
	if err := bind(c, &body); err != nil {
		return err
	}
	if body.Internal {
		return aggregates.Reject("Internal must be false: there are no internal domains here")
	}
	return a.shown(c, http.StatusCreated, commands.CreateDomain{
		Called: body.Name, Organization: events.OrganizationID(body.Relationships.Organization.guid()),
	})
}

func unknownOrganization(id events.OrganizationID, err error) error {
	if errors.Is(err, projections.ErrNotFound) {
		return aggregates.Reject("Organization with guid '%s' does not exist, or you do not have access to it.", id)
	}
	return err
}

func (a *API) listRoutes(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "hosts", "domain_guids", "space_guids",
		"organization_guids", "app_guids", "label_selector", "paths", "ports", "include")
	f := projections.RouteFilter{
		GUIDs: list[events.RouteID](q, "guids"), Spaces: list[events.SpaceID](q, "space_guids"),
		Organizations: list[events.OrganizationID](q, "organization_guids"), Apps: list[events.AppID](q, "app_guids"),
	}
	return a.routePage(c, q, f)
}

func (a *API) listAppRoutes(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "hosts", "domain_guids", "label_selector", "paths", "ports", "include")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.routePage(c, q, projections.RouteFilter{Apps: []events.AppID{of.GUID}})
}

func (a *API) routePage(c echo.Context, q *query, f projections.RouteFilter) error {
	f.Hosts, f.Domains = list[string](q, "hosts"), list[events.DomainID](q, "domain_guids")
	f.Created, f.Updated, f.Labels = q.times("created_ats"), q.times("updated_ats"), q.labels()
	q.orderBy()
	if none(list[string](q, "paths")) || none(list[string](q, "ports")) {
		f.GUIDs = []events.RouteID{""} // no route has a path or a port
	}
	include := q.include(includeDomain, includeSpace, includeSpaceOrganization)
	ctx := c.Request().Context()
	l, err := find(a, c, q, auth.ReadRoutes, projections.Sight.Routes, f)
	if err != nil {
		return err
	}
	to, err := a.Store.Destinations(ctx, resource.Each(l.Rows, func(r projections.Route) events.RouteID { return r.GUID })...)
	if err != nil {
		return err
	}
	base := a.base(c)
	show := func(r projections.Route) resource.Route { return base.Route(r, to[r.GUID]) }
	return pageBeside(a, c, q, l, show, include, parentsOf(l.Rows...))
}

// none says whether a filter was given that only something empty would fit, and no empty value is among it.
func none(values []string) bool {
	for _, v := range values {
		if v == "" {
			return false
		}
	}
	return len(values) > 0
}

// route reads the route that the path names, and where it leads.
func (a *API) route(c echo.Context) (projections.Route, []projections.Destination, error) {
	r, err := named(a, c, auth.ReadRoutes, commands.KindRoute, a.Store.Route, events.RouteID(c.Param("guid")))
	if err != nil {
		return r, nil, err
	}
	to, err := a.Store.Destinations(c.Request().Context(), r.GUID)
	return r, to[r.GUID], err
}

func (a *API) getRoute(c echo.Context) error {
	include, err := besides(c, includeDomain, includeSpace, includeSpaceOrganization)
	if err != nil {
		return err
	}
	r, to, err := a.route(c)
	if err != nil {
		return err
	}
	shown := struct {
		resource.Route
		Included *resource.Included `json:"included,omitempty"`
	}{Route: a.base(c).Route(r, to)}
	if shown.Included, err = a.included(c, include, parentsOf(r)); err != nil {
		return err
	}
	return one(c, r.Stamp, shown)
}

func parentsOf(routes ...projections.Route) (of parents) {
	for _, r := range routes {
		of.spaces, of.domains = append(of.spaces, r.Space), append(of.domains, r.Domain)
	}
	return of
}

type createRoute struct {
	Host          string `json:"host"`
	Path          string `json:"path"`
	Port          *int   `json:"port"`
	Relationships struct {
		Space  toOne `json:"space"`
		Domain toOne `json:"domain"`
	} `json:"relationships"`
	Metadata metadata `json:"metadata"`
}

func (a *API) createRoute(c echo.Context) error {
	var body createRoute
	if err := bind(c, &body); err != nil {
		return err
	}
	switch {
	case body.Path != "":
		return aggregates.Reject("Paths are not supported: routes are told apart by their host name")
	case body.Port != nil:
		return aggregates.Reject("Ports are not supported for domains of type HTTP")
	case body.Relationships.Space.guid() == "":
		return aggregates.Reject("Invalid space. Ensure that the space exists and you have access to it.")
	case body.Relationships.Domain.guid() == "":
		return aggregates.Reject("Invalid domain. Ensure that the domain exists and you have access to it.")
	}
	return a.shown(c, http.StatusCreated, commands.CreateRoute{
		Space: events.SpaceID(body.Relationships.Space.guid()), Domain: events.DomainID(body.Relationships.Domain.guid()), Host: body.Host,
		Metadata: events.Metadata(body.Metadata),
	})
}

type updateRoute struct {
	Metadata commands.MetadataPatch `json:"metadata"`
}

func (a *API) updateRoute(c echo.Context) error {
	var body updateRoute
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateRoute{Route: events.RouteID(c.Param("guid")), Metadata: body.Metadata})
}

func (a *API) deleteRoute(c echo.Context) error {
	var unseen error
	id := events.RouteID(c.Param("guid"))
	if _, err := a.Store.Route(c.Request().Context(), id); errors.Is(err, projections.ErrNotFound) {
		unseen = aggregates.NotFound(string(commands.KindRoute))
	} else if _, _, err := a.route(c); err != nil {
		return err
	}
	return a.deletesGone(c, resource.OperationRouteDelete, commands.DeleteRoute{Route: id}, unseen)
}

func (a *API) getDestinations(c echo.Context) error {
	r, to, err := a.route(c)
	if err != nil {
		return err
	}
	return one(c, r.Stamp, a.base(c).DestinationsOf(r, to))
}

type destinations struct {
	Destinations []struct {
		App struct {
			GUID    string `json:"guid"`
			Process *struct {
				Type string `json:"type"`
			} `json:"process"`
		} `json:"app"`
		Weight   *int    `json:"weight"`
		Port     *int    `json:"port"`
		Protocol *string `json:"protocol"`
	} `json:"destinations"`
}

// wanted reads where a route shall lead.
func (d destinations) wanted() ([]commands.Destination, error) {
	to := make([]commands.Destination, 0, len(d.Destinations))
	for i, given := range d.Destinations {
		switch {
		case given.Weight != nil:
			return nil, aggregates.Reject("Destinations[%d]: weighted destinations are not supported: use a canary deployment", i)
		case given.Port != nil:
			return nil, aggregates.Reject("Destinations[%d]: ports are not supported: each instance has its own", i)
		case given.Protocol != nil && *given.Protocol != "http1":
			return nil, aggregates.Reject("Destinations[%d]: protocol must be 'http1'", i)
		}
		wanted := commands.Destination{App: events.AppID(given.App.GUID)}
		if given.App.Process != nil {
			wanted.Type = given.App.Process.Type
		}
		to = append(to, wanted)
	}
	return to, nil
}

func (a *API) addDestinations(c echo.Context) error {
	return a.lead(c, func(to []commands.Destination) commands.Command {
		return commands.AddDestinations{Route: events.RouteID(c.Param("guid")), Destinations: to}
	})
}

func (a *API) setDestinations(c echo.Context) error {
	return a.lead(c, func(to []commands.Destination) commands.Command {
		return commands.SetDestinations{Route: events.RouteID(c.Param("guid")), Destinations: to}
	})
}

// lead lets a route lead to what the body names, and shows where it leads.
func (a *API) lead(c echo.Context, command func([]commands.Destination) commands.Command) error {
	var body destinations
	if err := bind(c, &body); err != nil {
		return err
	}
	to, err := body.wanted()
	if err != nil {
		return err
	}
	if _, err := a.carryOut(c, command(to)); err != nil {
		return err
	}
	return a.getDestinations(c)
}

func (a *API) removeDestination(c echo.Context) error {
	command := commands.RemoveDestination{Route: events.RouteID(c.Param("guid")), Destination: c.Param("destination")}
	if _, err := a.carryOut(c, command); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
