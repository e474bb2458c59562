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

func (a *API) organizationRoutes() {
	a.get("/v3/organizations", a.listOrganizations)
	a.echo.POST("/v3/organizations", a.createOrganization)
	a.get("/v3/organizations/:guid", a.getOrganization)
	a.echo.PATCH("/v3/organizations/:guid", a.updateOrganization)
	a.echo.DELETE("/v3/organizations/:guid", a.deleteOrganization)
	a.get("/v3/organizations/:guid/relationships/quota", a.getOrganizationQuota)
	a.echo.PATCH("/v3/organizations/:guid/relationships/quota", a.setOrganizationQuota)
	a.get("/v3/organizations/:guid/domains", a.listOrganizationDomains)
	a.get("/v3/organizations/:guid/domains/default", a.getDefaultDomain)
	a.get("/v3/spaces", a.listSpaces)
	a.echo.POST("/v3/spaces", a.createSpace)
	a.get("/v3/spaces/:guid", a.getSpace)
	a.echo.PATCH("/v3/spaces/:guid", a.updateSpace)
	a.echo.DELETE("/v3/spaces/:guid", a.deleteSpace)
}

func (a *API) listOrganizations(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "label_selector")
	f := projections.OrganizationFilter{
		GUIDs: list[events.OrganizationID](q, "guids"), Names: list[string](q, "names"),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy(projections.ByName)
	return listed(a, c, q, auth.ReadOrganization, projections.Sight.Organizations, f, a.base(c).Organization)
}

// organization reads the organization that the path names.
func (a *API) organization(c echo.Context) (projections.Organization, error) {
	return named(a, c, auth.ReadOrganization, commands.KindOrganization, a.Store.Organization, events.OrganizationID(c.Param("guid")))
}

func (a *API) getOrganization(c echo.Context) error {
	o, err := a.organization(c)
	if err != nil {
		return err
	}
	return one(c, o.Stamp, a.base(c).Organization(o))
}

type createOrganization struct {
	Name      string   `json:"name"`
	Suspended bool     `json:"suspended"`
	Metadata  metadata `json:"metadata"`
}

// notSuspended refuses what Slipway does not do, rather than keep it without effect.
func notSuspended(suspended bool) error {
	if suspended {
		return aggregates.Reject("Suspended must be false: organizations cannot be suspended here")
	}
	return nil
}

func (a *API) createOrganization(c echo.Context) error {
	var body createOrganization
	if err := bind(c, &body); err != nil {
		return err
	}
	if err := notSuspended(body.Suspended); err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.CreateOrganization{Called: body.Name, Metadata: events.Metadata(body.Metadata)})
}

type updateOrganization struct {
	Name      *string                `json:"name"`
	Suspended bool                   `json:"suspended"`
	Metadata  commands.MetadataPatch `json:"metadata"`
}

func (a *API) updateOrganization(c echo.Context) error {
	var body updateOrganization
	if err := bind(c, &body); err != nil {
		return err
	}
	if err := notSuspended(body.Suspended); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateOrganization{
		Organization: events.OrganizationID(c.Param("guid")), Called: body.Name, Metadata: body.Metadata,
	})
}

// deletes carries out a deletion, and tells a client where the job is that it expects.
func (a *API) deletes(c echo.Context, operation string, command commands.Command) error {
	return a.deletesGone(c, operation, command, nil)
}

// deletesGone is deletes for what may have gone: then unseen is the answer, unless it was this very command that took it away.
func (a *API) deletesGone(c echo.Context, operation string, command commands.Command, unseen error) error {
	if err := a.removes(c, command, unseen); err != nil {
		return err
	}
	a.accepted(c, operation, c.Param("guid"))
	return c.NoContent(http.StatusAccepted)
}

// removes carries out a command that takes something away. Where that is not there the answer is unseen, unless the command was
// carried out before and its answer got lost.
func (a *API) removes(c echo.Context, command commands.Command, unseen error) error {
	result, err := a.carryOut(c, command)
	var rejected *aggregates.RejectedError
	switch {
	case unseen == nil:
		return err
	case err == nil && !result.Duplicate, errors.As(err, &rejected), errors.Is(err, auth.ErrScope):
		return unseen
	}
	return err
}

func (a *API) deleteOrganization(c echo.Context) error {
	return a.deletes(c, resource.OperationOrganizationDelete, commands.DeleteOrganization{Organization: events.OrganizationID(c.Param("guid"))})
}

func (a *API) getOrganizationQuota(c echo.Context) error {
	o, err := a.organization(c)
	if err != nil {
		return err
	}
	return one(c, o.Stamp, a.base(c).OrganizationQuotaOf(o))
}

func (a *API) setOrganizationQuota(c echo.Context) error {
	var body toOne
	if err := bind(c, &body); err != nil {
		return err
	}
	o, err := a.organization(c)
	if err != nil {
		return err
	}
	if body.guid() == "" {
		return aggregates.Reject("Organization quota cannot be removed. Replace it with a preferred quota.")
	}
	apply := commands.ApplyQuota{Quota: events.QuotaID(body.guid()), Organizations: []events.OrganizationID{o.GUID}}
	if _, err := a.carryOut(c, apply); err != nil {
		return err
	}
	return a.getOrganizationQuota(c)
}

func (a *API) listSpaces(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "label_selector", "include")
	f := projections.SpaceFilter{
		GUIDs: list[events.SpaceID](q, "guids"), Names: list[string](q, "names"),
		Organizations: list[events.OrganizationID](q, "organization_guids"),
		Created:       q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy(projections.ByName)
	include := q.include(includeOrganization)
	l, err := find(a, c, q, auth.Read, projections.Sight.Spaces, f)
	if err != nil {
		return err
	}
	of := parents{organizations: resource.Each(l.Rows, func(p projections.Space) events.OrganizationID { return p.Organization })}
	return pageBeside(a, c, q, l, a.base(c).Space, include, of)
}

// space reads the space that the path names.
func (a *API) space(c echo.Context) (projections.Space, error) {
	return named(a, c, auth.Read, commands.KindSpace, a.Store.Space, events.SpaceID(c.Param("guid")))
}

func (a *API) getSpace(c echo.Context) error {
	include, err := besides(c, includeOrganization)
	if err != nil {
		return err
	}
	p, err := a.space(c)
	if err != nil {
		return err
	}
	shown := struct {
		resource.Space
		Included *resource.Included `json:"included,omitempty"`
	}{Space: a.base(c).Space(p)}
	of := parents{organizations: []events.OrganizationID{p.Organization}}
	if shown.Included, err = a.included(c, include, of); err != nil {
		return err
	}
	return one(c, p.Stamp, shown)
}

type createSpace struct {
	Name          string `json:"name"`
	Relationships struct {
		Organization toOne `json:"organization"`
	} `json:"relationships"`
	Metadata metadata `json:"metadata"`
}

func (a *API) createSpace(c echo.Context) error {
	var body createSpace
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.CreateSpace{
		Organization: events.OrganizationID(body.Relationships.Organization.guid()), Called: body.Name, Metadata: events.Metadata(body.Metadata),
	})
}

type updateSpace struct {
	Name     *string                `json:"name"`
	Metadata commands.MetadataPatch `json:"metadata"`
}

func (a *API) updateSpace(c echo.Context) error {
	var body updateSpace
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateSpace{Space: events.SpaceID(c.Param("guid")), Called: body.Name, Metadata: body.Metadata})
}

func (a *API) deleteSpace(c echo.Context) error {
	return a.deletes(c, resource.OperationSpaceDelete, commands.DeleteSpace{Space: events.SpaceID(c.Param("guid"))})
}
