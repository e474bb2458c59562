package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) dropletRoutes() {
	a.get("/v3/droplets", a.listDroplets)
	a.echo.POST("/v3/droplets", a.createDroplet)
	a.get("/v3/droplets/:guid", a.getDroplet)
	a.echo.POST("/v3/droplets/:guid/upload", a.uploadDroplet)
	a.get("/v3/apps/:guid/droplets", a.listAppDroplets)
	a.get("/v3/apps/:guid/droplets/current", a.getAppDroplet)
}

func (a *API) listDroplets(c echo.Context) error {
	q := listQuery(c, "order_by", "guids", "app_guids", "space_guids", "organization_guids", "states")
	return a.dropletPage(c, q, projections.DropletFilter{
		GUIDs: list[events.DropletID](q, "guids"), Apps: list[events.AppID](q, "app_guids"),
		Spaces: list[events.SpaceID](q, "space_guids"), Organizations: list[events.OrganizationID](q, "organization_guids"),
		States: list[projections.DropletState](q, "states"),
	})
}

// listAppDroplets lists the droplets of an app; current=true leaves the current one only.
func (a *API) listAppDroplets(c echo.Context) error {
	q := listQuery(c, "order_by", "guids", "states", "current")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	f := projections.DropletFilter{
		GUIDs: list[events.DropletID](q, "guids"), Apps: []events.AppID{of.GUID},
		States: list[projections.DropletState](q, "states"),
	}
	switch current, given := q.given["current"]; {
	case current == "true" && len(f.GUIDs) > 0:
		q.fault("Current cannot be combined with guids")
	case current == "true":
		f.GUIDs = []events.DropletID{of.Droplet}
	case given && current != "false":
		q.fault("Current must be a boolean")
	}
	return a.dropletPage(c, q, f)
}

func (a *API) dropletPage(c echo.Context, q *query, f projections.DropletFilter) error {
	q.orderBy()
	return listed(a, c, q, auth.Read, projections.Sight.Droplets, f, a.base(c).ListedDroplet)
}

func (a *API) getDroplet(c echo.Context) error {
	return a.showDroplet(c, events.DropletID(c.Param("guid")))
}

func (a *API) getAppDroplet(c echo.Context) error {
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.showDroplet(c, of.Droplet)
}

func (a *API) showDroplet(c echo.Context, id events.DropletID) error {
	d, err := named(a, c, auth.Read, commands.KindDroplet, a.Store.Droplet, id)
	if err != nil {
		return err
	}
	shown, err := a.discreet(c, thing(commands.KindDroplet, id), a.base(c).Droplet(d))
	if err != nil {
		return err
	}
	return one(c, d.Stamp, shown)
}

type createDroplet struct {
	Relationships struct {
		App toOne `json:"app"`
	} `json:"relationships"`
	ProcessTypes map[string]string `json:"process_types"`
}

func (a *API) createDroplet(c echo.Context) error {
	var body createDroplet
	if err := bind(c, &body); err != nil {
		return err
	}
	app := body.Relationships.App.guid()
	if app == "" {
		return aggregates.Reject("Relationships App can't be blank")
	}
	return a.shown(c, http.StatusCreated, commands.CreateDroplet{App: events.AppID(app), ProcessTypes: body.ProcessTypes})
}
