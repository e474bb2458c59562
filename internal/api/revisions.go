package api

import (
	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) revisionRoutes() {
	a.get("/v3/apps/:guid/revisions", a.listRevisions)
	a.get("/v3/apps/:guid/revisions/deployed", a.listDeployedRevisions)
	a.get("/v3/revisions/:guid", a.getRevision)
	a.get("/v3/revisions/:guid/environment_variables", a.getRevisionVariables)
}

func (a *API) listRevisions(c echo.Context) error {
	q := listQuery(c, "order_by", "versions")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	numbers := q.numbers("versions")
	q.orderBy()
	return a.revisionPage(c, q, of.GUID, projections.RevisionFilter{Numbers: numbers})
}

// listDeployedRevisions lists what runs: two revisions while a deployment goes on.
func (a *API) listDeployedRevisions(c echo.Context) error {
	q := listQuery(c)
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.revisionPage(c, q, of.GUID, projections.RevisionFilter{Deployed: true})
}

func (a *API) revisionPage(c echo.Context, q *query, of events.AppID, f projections.RevisionFilter) error {
	secrets, err := a.secrets(c, thing(commands.KindApp, of))
	if err != nil {
		return err
	}
	f.Apps = []events.AppID{of}
	return listed(a, c, q, auth.Read, projections.Sight.Revisions, f, showing(secrets, a.base(c).Revision))
}

// revision reads the revision that the path names for a caller who may do the action with its app.
func (a *API) revision(c echo.Context, action auth.Action) (projections.Revision, error) {
	r, err := a.Store.Revision(c.Request().Context(), events.RevisionID(c.Param("guid")))
	if err != nil {
		return r, missing(commands.KindRevision, err)
	}
	return r, a.see(c, action, thing(commands.KindApp, r.App), commands.KindRevision)
}

func (a *API) getRevision(c echo.Context) error {
	r, err := a.revision(c, auth.Read)
	if err != nil {
		return err
	}
	shown, err := a.discreet(c, thing(commands.KindApp, r.App), a.base(c).Revision(r))
	if err != nil {
		return err
	}
	return one(c, r.Stamp, shown)
}

func (a *API) getRevisionVariables(c echo.Context) error {
	r, err := a.revision(c, auth.ReadSecrets)
	if err != nil {
		return err
	}
	return one(c, r.Stamp, a.base(c).RevisionVariables(r))
}
