package api

import (
	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/projections"
)

func (a *API) revisionRoutes() {
	a.get("/v3/apps/:guid/revisions", a.listRevisions)
	a.get("/v3/apps/:guid/revisions/deployed", a.listDeployedRevisions)
	a.get("/v3/revisions/:guid", a.getRevision)
	a.get("/v3/revisions/:guid/environment_variables", a.getRevisionVariables)
}

func (a *API) listRevisions(c echo.Context) error {
	q, err := listQuery(c, "order_by", "versions")
	if err != nil {
		return err
	}
	of, err := a.app(c)
	if err != nil {
		return err
	}
	f := projections.RevisionFilter{Apps: []events.AppID{of.GUID}, Numbers: q.numbers("versions")}
	order := q.order(projections.ByCreated, projections.ByUpdated)
	if err := q.err(); err != nil {
		return err
	}
	l, err := a.Store.Revisions(c.Request().Context(), f, order, q.page)
	if err != nil {
		return err
	}
	return page(a, c, q, l, a.base(c).Revision)
}

// listDeployedRevisions lists what runs: two revisions while a deployment goes on.
func (a *API) listDeployedRevisions(c echo.Context) error {
	q, err := listQuery(c)
	if err != nil {
		return err
	}
	of, err := a.app(c)
	if err != nil {
		return err
	}
	if err := q.err(); err != nil {
		return err
	}
	l, err := a.Store.DeployedRevisions(c.Request().Context(), of.GUID, q.page)
	if err != nil {
		return err
	}
	return page(a, c, q, l, a.base(c).Revision)
}

func (a *API) revision(c echo.Context) (projections.Revision, error) {
	r, err := a.Store.Revision(c.Request().Context(), events.RevisionID(c.Param("guid")))
	return r, missing(kindRevision, err)
}

func (a *API) getRevision(c echo.Context) error {
	r, err := a.revision(c)
	if err != nil {
		return err
	}
	return one(c, r.Stamp, a.base(c).Revision(r))
}

func (a *API) getRevisionVariables(c echo.Context) error {
	r, err := a.revision(c)
	if err != nil {
		return err
	}
	return one(c, r.Stamp, a.base(c).RevisionVariables(r))
}
