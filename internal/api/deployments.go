package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

func (a *API) deploymentRoutes() {
	a.get("/v3/deployments", a.listDeployments)
	a.echo.POST("/v3/deployments", a.createDeployment)
	a.get("/v3/deployments/:guid", a.getDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/cancel", a.cancelDeployment)
	a.get("/v3/deployments/:guid/events", a.listEvents)
	a.get("/v3/deployments/:guid/stream", a.streamEvents)
}

func (a *API) listDeployments(c echo.Context) error {
	q, err := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "label_selector", "app_guids", "states",
		"status_reasons", "status_values")
	if err != nil {
		return err
	}
	f := projections.DeploymentFilter{
		GUIDs: list[events.DeploymentID](q, "guids"), Apps: list[events.AppID](q, "app_guids"),
		States:       list[projections.DeploymentState](q, "states"),
		StatusValues: list[string](q, "status_values"), StatusReasons: list[string](q, "status_reasons"),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	order := q.order(projections.ByCreated, projections.ByUpdated)
	if err := q.err(); err != nil {
		return err
	}
	l, err := a.Store.Deployments(c.Request().Context(), f, order, q.page)
	if err != nil {
		return err
	}
	return page(a, c, q, l, a.base(c).Deployment)
}

// createDeployment is the body of a request for a rollout. Cloud Foundry's "revision" comes with rolling back.
type createDeployment struct {
	Relationships struct {
		App toOne `json:"app"`
	} `json:"relationships"`
	Droplet  *ref             `json:"droplet"`
	Strategy string           `json:"strategy"`
	Options  commands.Options `json:"options"`
	Metadata metadata         `json:"metadata"`
}

func (a *API) createDeployment(c echo.Context) error {
	var body createDeployment
	if err := bind(c, &body); err != nil {
		return err
	}
	create := commands.CreateDeployment{
		App: events.AppID(body.Relationships.App.guid()), Strategy: body.Strategy, Options: body.Options,
		Metadata: events.Metadata(body.Metadata),
	}
	if body.Droplet != nil {
		create.Droplet = events.DropletID(body.Droplet.GUID)
		if create.Droplet == "" {
			return aggregates.Reject("Droplet guid must be a string")
		}
	}
	return a.shown(c, http.StatusCreated, create)
}

// getDeployment shows a deployment as it is, or with ?at= as it was.
func (a *API) getDeployment(c echo.Context) error {
	q, err := parseQuery(c.Request().URL.RawQuery, []string{"at"})
	if err != nil {
		return err
	}
	if err := q.err(); err != nil {
		return err
	}
	id := events.DeploymentID(c.Param("guid"))
	if at, past := q.given["at"]; past {
		return a.getPast(c, id, at)
	}
	d, err := a.Store.Deployment(c.Request().Context(), id)
	if err != nil {
		return missing(commands.KindDeployment, err)
	}
	return one(c, d.Stamp, a.base(c).Deployment(d))
}

// cancelDeployment answers with an empty body, as Cloud Foundry does.
func (a *API) cancelDeployment(c echo.Context) error {
	if _, err := a.carryOut(c, commands.CancelDeployment{Deployment: events.DeploymentID(c.Param("guid"))}); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// listEvents is the history of a deployment: all that happened to its app while it went on, with who, when and why. It
// stays when the deployment is gone.
func (a *API) listEvents(c echo.Context) error {
	q, err := listQuery(c, "types")
	if err != nil {
		return err
	}
	f := projections.HistoryFilter{Deployment: events.DeploymentID(c.Param("guid")), Types: list[events.Type](q, "types")}
	if err := q.err(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if _, err := a.Store.AppOfDeployment(ctx, f.Deployment); err != nil {
		return missing(commands.KindDeployment, err)
	}
	l, err := a.Store.History(ctx, f, q.page)
	if err != nil {
		return err
	}
	return page(a, c, q, l, a.showEvent(c))
}

func (a *API) showEvent(c echo.Context) func(projections.HistoryEvent) resource.Event {
	base := a.base(c)
	return func(e projections.HistoryEvent) resource.Event { return base.Event(a.registry, e) }
}
