package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// haltRoutes are our own addition, in Cloud Foundry's style.
func (a *API) haltRoutes() {
	a.get("/v3/halts", a.listHalts)
	a.echo.POST("/v3/halts", a.declareHalt)
	a.get("/v3/halts/:guid", a.getHalt)
	a.echo.PATCH("/v3/halts/:guid", a.updateHalt)
	a.echo.POST("/v3/halts/:guid/actions/lift", a.liftHalt)
}

// inScope is the relationships of a body that say where something holds; none: everywhere.
type inScope struct {
	Organization toOne `json:"organization"`
	Space        toOne `json:"space"`
}

var haltStates = []projections.HaltState{projections.HaltInForce, projections.HaltLifted, projections.HaltOver}

func (a *API) listHalts(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "organization_guids", "space_guids", "states", "label_selector")
	f := projections.HaltFilter{
		GUIDs: list[events.HaltID](q, "guids"), Organizations: list[events.OrganizationID](q, "organization_guids"),
		Spaces: list[events.SpaceID](q, "space_guids"), States: oneOf(q, "states", haltStates), Now: a.Now(),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy()
	return listed(a, c, q, auth.Read, projections.Sight.Halts, f, a.showHalt(c))
}

func (a *API) showHalt(c echo.Context) func(projections.Halt) resource.Halt {
	base, now := a.base(c), a.Now()
	return func(h projections.Halt) resource.Halt { return base.Halt(h, now) }
}

type declareHalt struct {
	Reason        string   `json:"reason"`              // why, for everybody whose deployment stands still
	Until         string   `json:"until"`               // when it ends by itself, RFC 3339
	Seconds       *int     `json:"duration_in_seconds"` // or how long it lasts, at most a year
	Relationships inScope  `json:"relationships"`
	Metadata      metadata `json:"metadata"`
}

func (a *API) declareHalt(c echo.Context) error {
	var body declareHalt
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.DeclareHalt{
		Organization: events.OrganizationID(body.Relationships.Organization.guid()), Space: events.SpaceID(body.Relationships.Space.guid()),
		Reason: body.Reason, Until: body.Until, Seconds: body.Seconds, Metadata: events.Metadata(body.Metadata),
	})
}

// getHalt shows a halt to whoever sees it in the list.
func (a *API) getHalt(c echo.Context) error {
	if err := noQuery(c); err != nil {
		return err
	}
	f := projections.HaltFilter{GUIDs: []events.HaltID{events.HaltID(c.Param("guid"))}}
	seen, err := all(a, c, auth.Read, projections.Sight.Halts, f)
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return aggregates.NotFound(string(commands.KindHalt))
	}
	return one(c, seen[0].Stamp, a.showHalt(c)(seen[0]))
}

func (a *API) updateHalt(c echo.Context) error {
	var body updateDeployment
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateHalt{Halt: events.HaltID(c.Param("guid")), Metadata: body.Metadata})
}

func (a *API) liftHalt(c echo.Context) error {
	return a.act(c, commands.LiftHalt{Halt: events.HaltID(c.Param("guid"))})
}
