package api

import (
	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// kindEvent is how Cloud Foundry calls an audit event that is not there.
const kindEvent commands.Kind = "Event"

func (a *API) auditRoutes() {
	a.get("/v3/audit_events", a.listAuditEvents)
	a.get("/v3/audit_events/:guid", a.getAuditEvent)
}

func (a *API) listAuditEvents(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "guids", "types", "target_guids", "target_guids[not]", "space_guids",
		"organization_guids", "actors")
	f := projections.AuditFilter{
		GUIDs: list[string](q, "guids"), Types: list[string](q, "types"), Targets: list[string](q, "target_guids"),
		NotTargets: list[string](q, "target_guids[not]"), Spaces: list[events.SpaceID](q, "space_guids"),
		Organizations: list[events.OrganizationID](q, "organization_guids"), Actors: list[events.Actor](q, "actors"), Created: q.times("created_ats"),
	}
	q.orderBy()
	base := a.base(c)
	show := func(e projections.AuditEvent) resource.AuditEvent { return base.AuditEvent(e, a.UserIDs) }
	return listed(a, c, q, auth.ReadAuditEvents, projections.Sight.AuditEvents, f, show)
}

func (a *API) getAuditEvent(c echo.Context) error {
	e, err := a.Store.AuditEvent(c.Request().Context(), c.Param("guid"))
	if err != nil {
		return missing(kindEvent, err)
	}
	where := access.Thing{} // of what is everywhere: who may read everything
	switch {
	case e.Space != "":
		where = thing(commands.KindSpace, e.Space)
	case e.Organization != "":
		where = thing(commands.KindWholeOrganization, e.Organization)
	}
	if err := a.see(c, auth.ReadAuditEvents, where, kindEvent); err != nil {
		return err
	}
	return one(c, projections.Stamp{Sequence: e.Sequence}, a.base(c).AuditEvent(e, a.UserIDs))
}
