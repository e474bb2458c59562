package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) deploymentRoutes() {
	a.get("/v3/deployments", a.listDeployments)
	a.echo.POST("/v3/deployments", a.createDeployment)
	a.echo.POST("/v3/deployments/plan", a.planDeployment)
	a.get("/v3/deployments/:guid", a.getDeployment)
	a.echo.PATCH("/v3/deployments/:guid", a.updateDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/cancel", a.cancelDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/continue", a.continueDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/rollback", a.rollBackDeployment)
	a.get("/v3/deployments/:guid/events", a.listEvents(deploymentTold))
	a.get("/v3/deployments/:guid/stream", a.streamEvents(deploymentTold))
	a.get("/v3/apps/:guid/events", a.listEvents(appTold))
}

func (a *API) listDeployments(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "label_selector", "app_guids", "states",
		"status_reasons", "status_values", "group_guids")
	f := projections.DeploymentFilter{
		GUIDs: list[events.DeploymentID](q, "guids"), Apps: list[events.AppID](q, "app_guids"),
		States:       list[projections.DeploymentState](q, "states"),
		StatusValues: list[string](q, "status_values"), StatusReasons: list[string](q, "status_reasons"),
		Groups: list[events.GroupID](q, "group_guids"), Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy()
	l, err := find(a, c, q, auth.Read, projections.Sight.Deployments, f)
	if err != nil {
		return err
	}
	warn(c, l.Rows)
	return page(a, c, q, l, a.base(c).Deployment)
}

// headerWarnings is where the cf CLI looks for texts to show; it prints them on a list, not while it polls one.
const headerWarnings = "X-Cf-Warnings"

// warn tells why deployments of the list do not move.
func warn(c echo.Context, rows []projections.Deployment) {
	var texts []string
	for _, d := range rows {
		if why := d.Stuck(); why != "" && d.StatusValue == projections.StatusActive {
			texts = append(texts, url.QueryEscape(why))
		}
	}
	if len(texts) > 0 {
		c.Response().Header().Set(headerWarnings, strings.Join(texts, ","))
	}
}

// createDeployment is the body of a request for a rollout.
type createDeployment struct {
	Relationships ofRollout        `json:"relationships" jsonschema:"required"`
	Droplet       *ref             `json:"droplet"`  // what to roll out
	Revision      *ref             `json:"revision"` // an earlier one to go back to, in place of a droplet
	Strategy      string           `json:"strategy"` // rolling, canary, linear or exponential; rolling if not given
	Options       commands.Options `json:"options"`  // how it moves, and what fails it
	Metadata      metadata         `json:"metadata"`
}

// ofRollout is what a rollout is about.
type ofRollout struct {
	App                toOne `json:"app" jsonschema:"required"`
	DeploymentStrategy toOne `json:"deployment_strategy"` // our own addition: a stored one, in place of a strategy's name
}

// command is what the body asks for. fault is what was wrong with its form; all that is wrong is told together.
func (body createDeployment) command(fault error) (commands.CreateDeployment, error) {
	create := commands.CreateDeployment{
		App: events.AppID(body.Relationships.App.guid()), Strategy: body.Strategy, Options: body.Options,
		DeploymentStrategy: events.StrategyID(body.Relationships.DeploymentStrategy.guid()), Metadata: events.Metadata(body.Metadata),
	}
	if body.Droplet != nil {
		create.Droplet = events.DropletID(body.Droplet.GUID)
		if create.Droplet == "" {
			fault = commands.Together(fault, aggregates.Reject("Droplet guid must be a string"))
		}
	}
	if body.Revision != nil {
		create.Revision = events.RevisionID(body.Revision.GUID)
		if create.Revision == "" {
			fault = commands.Together(fault, aggregates.Reject("Revision guid must be a string"))
		}
	}
	if data := body.Relationships.DeploymentStrategy.Data; data != nil && data.GUID == "" {
		fault = commands.Together(fault, aggregates.Reject("Deployment strategy guid must be a string"))
	}
	return create, commands.Together(fault, create.Check())
}

func (a *API) createDeployment(c echo.Context) error {
	var body createDeployment
	fault := bind(c, &body)
	create, err := body.command(fault)
	if err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, create)
}

// getDeployment shows a deployment as it is, or with ?at= as it was.
func (a *API) getDeployment(c echo.Context) error {
	q := parseQuery(c.Request().URL.RawQuery, "at")
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
	if err := a.seeDeployment(c, d.GUID); err != nil {
		return err
	}
	return one(c, d.Stamp, a.base(c).Deployment(d))
}

// steps is the optional body of cancel, continue and rollback: the step that the caller has seen fences a retry (our own addition).
type steps struct {
	Expected int `json:"expected_step"` // the step that the caller has seen: another one is refused, so that a retry skips none
}

func (a *API) cancelDeployment(c echo.Context) error {
	return a.steer(c, func(id events.DeploymentID, s steps) commands.Command {
		return commands.CancelDeployment{Deployment: id, ExpectedStep: s.Expected}
	})
}

func (a *API) continueDeployment(c echo.Context) error {
	return a.steer(c, func(id events.DeploymentID, s steps) commands.Command {
		return commands.ContinueDeployment{Deployment: id, ExpectedStep: s.Expected}
	})
}

// rollBackDeployment is our own addition: a cancel that keeps the capacity.
func (a *API) rollBackDeployment(c echo.Context) error {
	return a.steer(c, func(id events.DeploymentID, s steps) commands.Command {
		return commands.RollBackDeployment{Deployment: id, ExpectedStep: s.Expected}
	})
}

// steer answers with an empty body, as Cloud Foundry does.
func (a *API) steer(c echo.Context, command func(events.DeploymentID, steps) commands.Command) error {
	var body steps
	if err := bind(c, &body); err != nil {
		return err
	}
	if _, err := a.carryOut(c, command(events.DeploymentID(c.Param("guid")), body)); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// updateDeployment is the body of a change.
type updateDeployment struct {
	Metadata commands.MetadataPatch `json:"metadata"`
}

// updateDeployment changes labels and annotations, the only things of a deployment that change by themselves.
func (a *API) updateDeployment(c echo.Context) error {
	var body updateDeployment
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateDeployment{
		Deployment: events.DeploymentID(c.Param("guid")), Metadata: body.Metadata,
	})
}

// seeDeployment lets those go on who may see a deployment, which may be deleted.
func (a *API) seeDeployment(c echo.Context, id events.DeploymentID) error {
	return a.see(c, auth.Read, thing(commands.KindDeployment, id), commands.KindDeployment)
}
