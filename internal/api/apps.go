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

func (a *API) appRoutes() {
	a.get("/v3/apps", a.listApps)
	a.echo.POST("/v3/apps", a.createApp)
	a.get("/v3/apps/:guid", a.getApp)
	a.echo.PATCH("/v3/apps/:guid", a.updateApp)
	a.echo.DELETE("/v3/apps/:guid", a.deleteApp)
	a.echo.POST("/v3/apps/:guid/actions/start", a.startApp)
	a.echo.POST("/v3/apps/:guid/actions/stop", a.stopApp)
	a.echo.POST("/v3/apps/:guid/actions/restart", a.restartApp)
	a.get("/v3/apps/:guid/env", a.getEnv)
	a.get("/v3/apps/:guid/environment_variables", a.getVariables)
	a.echo.PATCH("/v3/apps/:guid/environment_variables", a.setVariables)
	a.get("/v3/apps/:guid/relationships/current_droplet", a.getCurrentDroplet)
	a.echo.PATCH("/v3/apps/:guid/relationships/current_droplet", a.assignDroplet)
}

func (a *API) listApps(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids",
		"stacks", "lifecycle_type", "include", "label_selector")
	f := projections.AppFilter{
		GUIDs: list[events.AppID](q, "guids"), Names: list[string](q, "names"), Spaces: list[events.SpaceID](q, "space_guids"),
		Organizations: list[events.OrganizationID](q, "organization_guids"),
		Created:       q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	for _, kind := range list[string](q, "lifecycle_type") {
		if kind == "buildpack" {
			kind = "" // what every app is that is no docker app
		}
		f.Lifecycles = append(f.Lifecycles, kind)
	}
	if none(list[string](q, "stacks")) {
		f.GUIDs = []events.AppID{""} // no app here is built for a stack
	}
	q.orderBy(projections.ByName, projections.ByState)
	include := q.include(includeSpace, includeSpaceOrganization)
	l, err := find(a, c, q, auth.Read, projections.Sight.Apps, f)
	if err != nil {
		return err
	}
	of := parents{spaces: resource.Each(l.Rows, func(a projections.App) events.SpaceID { return a.Space })}
	return pageBeside(a, c, q, l, a.base(c).App, include, of)
}

// app reads the app that the path names.
func (a *API) app(c echo.Context) (projections.App, error) { return a.appFor(c, auth.Read) }

// appFor reads the app that the path names for a caller who may do the action with it.
func (a *API) appFor(c echo.Context, action auth.Action) (projections.App, error) {
	return named(a, c, action, commands.KindApp, a.Store.App, events.AppID(c.Param("guid")))
}

// ofApp makes a handler that shows something of the app's own row.
func ofApp[V any](a *API, c echo.Context, action auth.Action, show func(projections.App) V) error {
	found, err := a.appFor(c, action)
	if err != nil {
		return err
	}
	return one(c, found.Stamp, show(found))
}

func (a *API) getVariables(c echo.Context) error {
	return ofApp(a, c, auth.ReadEnvironment, a.base(c).AppVariables)
}

func (a *API) getCurrentDroplet(c echo.Context) error {
	return ofApp(a, c, auth.Read, a.base(c).CurrentDroplet)
}

func (a *API) getApp(c echo.Context) error {
	include, err := besides(c, includeSpace, includeSpaceOrganization)
	if err != nil {
		return err
	}
	found, err := a.app(c)
	if err != nil {
		return err
	}
	shown := struct {
		resource.App
		Included *resource.Included `json:"included,omitempty"`
	}{App: a.base(c).App(found)}
	if shown.Included, err = a.included(c, include, parents{spaces: []events.SpaceID{found.Space}}); err != nil {
		return err
	}
	return one(c, found.Stamp, shown)
}

// getEnv shows the app's environment: its own variables, and what it is told of where it lives.
func (a *API) getEnv(c echo.Context) error {
	ctx := c.Request().Context()
	of, err := a.appFor(c, auth.ReadEnvironment)
	if err != nil {
		return err
	}
	// An app of the time before there were spaces lives where nothing is known of.
	space, err := a.Store.Space(ctx, of.Space)
	if err != nil && !errors.Is(err, projections.ErrNotFound) {
		return err
	}
	organization, err := a.Store.Organization(ctx, space.Organization)
	if err != nil && !errors.Is(err, projections.ErrNotFound) {
		return err
	}
	routes, err := a.Store.All().Routes(ctx, projections.RouteFilter{Apps: []events.AppID{of.GUID}}, projections.Order{}, projections.Page{})
	if err != nil {
		return err
	}
	return one(c, of.Stamp, a.base(c).AppEnv(of, space, organization, routes.Rows))
}

type createApp struct {
	Name          string `json:"name"`
	Relationships struct {
		Space toOne `json:"space"`
	} `json:"relationships"`
	Lifecycle   *lifecycle        `json:"lifecycle"`
	Environment map[string]string `json:"environment_variables"`
	Metadata    metadata          `json:"metadata"`
}

type lifecycle struct {
	Type string                 `json:"type"`
	Data resource.LifecycleData `json:"data"`
}

func (a *API) createApp(c echo.Context) error {
	var body createApp
	if err := bind(c, &body); err != nil {
		return err
	}
	kind := ""
	if body.Lifecycle != nil {
		kind = body.Lifecycle.Type
	}
	if l := body.Lifecycle; l != nil && len(l.Data.Buildpacks) > 0 {
		return aggregates.Reject("Lifecycle buildpacks must be empty: droplets are built elsewhere and uploaded")
	}
	return a.shown(c, http.StatusCreated, commands.CreateApp{
		AppName: body.Name, Space: events.SpaceID(body.Relationships.Space.guid()), Lifecycle: kind,
		Environment: body.Environment,
		Metadata:    events.Metadata(body.Metadata),
	})
}

type updateApp struct {
	Name      *string                  `json:"name"`
	Lifecycle *lifecycle               `json:"lifecycle"`
	Metadata  aggregates.MetadataPatch `json:"metadata"`
}

// updateApp changes labels and annotations. An app keeps its name: routes, the feed and people know it by that.
func (a *API) updateApp(c echo.Context) error {
	var body updateApp
	if err := bind(c, &body); err != nil {
		return err
	}
	of, err := a.app(c)
	if err != nil {
		return err
	}
	if body.Name != nil && *body.Name != of.Name {
		return aggregates.Reject("Name cannot be changed: create another app instead")
	}
	if l := body.Lifecycle; l != nil && (l.Type != a.base(c).App(of).Lifecycle.Type || len(l.Data.Buildpacks) > 0) {
		return aggregates.Reject("Lifecycle type cannot be changed")
	}
	return a.shown(c, http.StatusOK, commands.UpdateApp{App: of.GUID, Metadata: body.Metadata})
}

// deleteApp is done when it is answered; deleting what is deleted already is no error, so that a retry is none.
func (a *API) deleteApp(c echo.Context) error {
	id := c.Param("guid")
	if _, err := a.carryOut(c, commands.DeleteApp{App: events.AppID(id)}); err != nil {
		return err
	}
	a.accepted(c, resource.OperationAppDelete, id)
	return c.NoContent(http.StatusAccepted)
}

func (a *API) startApp(c echo.Context) error {
	return a.shown(c, http.StatusOK, commands.StartApp{App: events.AppID(c.Param("guid"))})
}

func (a *API) stopApp(c echo.Context) error {
	return a.shown(c, http.StatusOK, commands.StopApp{App: events.AppID(c.Param("guid"))})
}

func (a *API) restartApp(c echo.Context) error {
	return a.shown(c, http.StatusOK, commands.RestartApp{App: events.AppID(c.Param("guid"))})
}

type setVariables struct {
	Var map[string]*string `json:"var"`
}

func (a *API) setVariables(c echo.Context) error {
	var body setVariables
	if err := bind(c, &body); err != nil {
		return err
	}
	if _, err := a.carryOut(c, commands.SetEnvironment{App: events.AppID(c.Param("guid")), Var: body.Var}); err != nil {
		return err
	}
	return a.getVariables(c)
}

type assignDroplet struct {
	Data *ref `json:"data"`
}

func (a *API) assignDroplet(c echo.Context) error {
	var body assignDroplet
	if err := bind(c, &body); err != nil {
		return err
	}
	if body.Data == nil {
		return aggregates.Reject("Current droplet cannot be removed. Replace it with a preferred droplet.")
	}
	command := commands.AssignDroplet{App: events.AppID(c.Param("guid")), Droplet: events.DropletID(body.Data.GUID)}
	if _, err := a.carryOut(c, command); err != nil {
		return err
	}
	return a.getCurrentDroplet(c)
}
