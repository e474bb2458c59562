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

// policyRoutes are our own addition, in Cloud Foundry's style.
func (a *API) policyRoutes() {
	a.get("/v3/policies", a.listPolicies)
	a.echo.POST("/v3/policies", a.createPolicy)
	a.echo.POST("/v3/policies/evaluate", a.evaluatePolicies)
	a.get("/v3/policies/:guid", a.getPolicy)
	a.echo.PATCH("/v3/policies/:guid", a.updatePolicy)
	a.echo.DELETE("/v3/policies/:guid", a.deletePolicy)
}

var outcomes = []string{events.OutcomeAllow, events.OutcomeDeny, events.OutcomeApproval, events.OutcomeHold}

func (a *API) listPolicies(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids", "outcomes",
		"label_selector")
	f := projections.PolicyFilter{
		GUIDs: list[events.PolicyID](q, "guids"), Names: list[string](q, "names"),
		Organizations: list[events.OrganizationID](q, "organization_guids"), Spaces: list[events.SpaceID](q, "space_guids"),
		Outcomes: oneOf(q, "outcomes", outcomes), Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy(projections.ByName)
	return listed(a, c, q, auth.Read, projections.Sight.Policies, f, a.base(c).Policy)
}

type createPolicy struct {
	Name          string            `json:"name"`
	Rule          events.PolicyRule `json:"rule"` // what it judges, and how
	Relationships inScope           `json:"relationships"`
	Metadata      metadata          `json:"metadata"`
}

func (a *API) createPolicy(c echo.Context) error {
	var body createPolicy
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.CreatePolicy{
		Called: body.Name, Rule: body.Rule, Metadata: events.Metadata(body.Metadata),
		Organization: events.OrganizationID(body.Relationships.Organization.guid()), Space: events.SpaceID(body.Relationships.Space.guid()),
	})
}

// getPolicy shows a policy to whoever sees it in the list.
func (a *API) getPolicy(c echo.Context) error {
	if err := noQuery(c); err != nil {
		return err
	}
	f := projections.PolicyFilter{GUIDs: []events.PolicyID{events.PolicyID(c.Param("guid"))}}
	seen, err := all(a, c, auth.Read, projections.Sight.Policies, f)
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return aggregates.NotFound(string(commands.KindPolicy))
	}
	return one(c, seen[0].Stamp, a.base(c).Policy(seen[0]))
}

// updatePolicy is the body of a change; a rule replaces the whole one.
type updatePolicy struct {
	Name     *string                `json:"name"`
	Rule     *events.PolicyRule     `json:"rule"` // replaces the whole one
	Metadata commands.MetadataPatch `json:"metadata"`
}

func (a *API) updatePolicy(c echo.Context) error {
	var body updatePolicy
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdatePolicy{
		Policy: events.PolicyID(c.Param("guid")), Called: body.Name, Rule: body.Rule, Metadata: body.Metadata,
	})
}

func (a *API) deletePolicy(c echo.Context) error {
	if _, err := a.carryOut(c, commands.DeletePolicy{Policy: events.PolicyID(c.Param("guid"))}); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// evaluatePolicies says which policies would match a deployment, and what would come out; it writes nothing. Its body is that of a
// request for one. Whoever could ask for the deployment may ask for this.
func (a *API) evaluatePolicies(c echo.Context) error {
	var body createDeployment
	fault := bind(c, &body)
	create, err := body.command(fault)
	if err != nil {
		return err
	}
	return a.ask(c, commands.EvaluatePolicies{CreateDeployment: create})
}

// ask answers a question of somebody who may send what it is about.
func (a *API) ask(c echo.Context, q commands.Question) error {
	if err := a.allow(c, q.About()); err != nil {
		return err
	}
	shown, at, err := resource.Ask(c.Request().Context(), a.Commands, q, a.caller(c, events.CommandID(events.NewID())))
	if err != nil {
		return err
	}
	standsAt(c, at)
	return answer(c, http.StatusOK, shown)
}
