package api

import (
	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

const kindFeature commands.Kind = "Feature"

func (a *API) featureRoutes() {
	a.get("/v3/apps/:guid/features", a.listFeatures)
	a.get("/v3/apps/:guid/features/:feature", a.getFeature)
	a.echo.PATCH("/v3/apps/:guid/features/:feature", a.setFeature)
	a.get("/v3/apps/:guid/ssh_enabled", a.getSSHEnabled)
	a.get("/v3/apps/:guid/sidecars", a.listAppSidecars)
	a.get("/v3/processes/:process/sidecars", a.listProcessSidecars)
}

func (a *API) getSSHEnabled(c echo.Context) error { return ofApp(a, c, auth.Read, resource.SSH) }

func (a *API) listFeatures(c echo.Context) error {
	q := listQuery(c)
	of, err := a.app(c)
	if err != nil {
		return err
	}
	if err := q.err(); err != nil {
		return err
	}
	all := resource.Features(of)
	return page(a, c, q, projections.List[resource.Feature]{
		Rows: []resource.Feature{all[events.FeatureSSH], all[events.FeatureRevisions]}, Total: len(all), Sequence: of.Sequence,
	}, same)
}

func same[V any](v V) V { return v }

func (a *API) getFeature(c echo.Context) error {
	of, err := a.app(c)
	if err != nil {
		return err
	}
	f, ok := resource.Features(of)[c.Param("feature")]
	if !ok {
		return aggregates.NotFound(string(kindFeature))
	}
	return one(c, of.Stamp, f)
}

type setFeature struct {
	Enabled *bool `json:"enabled"`
}

func (a *API) setFeature(c echo.Context) error {
	var body setFeature
	if err := bind(c, &body); err != nil {
		return err
	}
	if body.Enabled == nil {
		return aggregates.Reject("Enabled must be a boolean")
	}
	command := commands.SetFeature{App: events.AppID(c.Param("guid")), Feature: c.Param("feature"), Enabled: *body.Enabled}
	if _, err := a.carryOut(c, command); err != nil {
		return err
	}
	return a.getFeature(c)
}

// listAppSidecars lists the sidecars of an app: it has none, but clients ask.
func (a *API) listAppSidecars(c echo.Context) error {
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.noSidecars(c, of.Sequence)
}

func (a *API) listProcessSidecars(c echo.Context) error {
	of, err := a.process(c)
	if err != nil {
		return err
	}
	return a.noSidecars(c, of.Sequence)
}

func (a *API) noSidecars(c echo.Context, at events.Sequence) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats")
	if err := q.err(); err != nil {
		return err
	}
	return page(a, c, q, projections.List[struct{}]{Sequence: at}, same)
}
