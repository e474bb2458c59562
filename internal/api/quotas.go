package api

import (
	"encoding/json"
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

func (a *API) quotaRoutes() {
	a.get("/v3/organization_quotas", a.listOrganizationQuotas)
	a.echo.POST("/v3/organization_quotas", a.createOrganizationQuota)
	a.echo.POST("/v3/organization_quotas/:guid/relationships/organizations", a.applyOrganizationQuota)
	a.get("/v3/space_quotas", a.listSpaceQuotas)
	a.echo.POST("/v3/space_quotas", a.createSpaceQuota)
	a.echo.POST("/v3/space_quotas/:guid/relationships/spaces", a.applySpaceQuota)
	a.echo.DELETE("/v3/space_quotas/:guid/relationships/spaces/:space", a.removeSpaceQuota)
	for _, kind := range []quotaKind{organizationQuotas, spaceQuotas} {
		path := "/v3/" + kind.collection + "/:guid"
		a.get(path, func(c echo.Context) error { return a.getQuota(c, kind) })
		a.echo.PATCH(path, func(c echo.Context) error { return a.updateQuota(c, kind) })
		a.echo.DELETE(path, func(c echo.Context) error { return a.deleteQuota(c, kind) })
	}
}

// quotaKind tells quotas of organizations from those of spaces.
type quotaKind struct {
	collection string
	kind       commands.Kind
	reading    auth.Action // of the places that have it
	ofSpaces   bool
	deletion   string
}

var (
	organizationQuotas = quotaKind{"organization_quotas", commands.KindOrganizationQuota, auth.ReadOrganization, false, resource.OperationOrganizationQuotaDelete}
	spaceQuotas        = quotaKind{"space_quotas", commands.KindSpaceQuota, auth.Read, true, resource.OperationSpaceQuotaDelete}
)

func (a *API) listOrganizationQuotas(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids")
	return a.quotaPage(c, q, projections.QuotaFilter{Organizations: list[events.OrganizationID](q, "organization_guids")})
}

func (a *API) listSpaceQuotas(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids")
	return a.quotaPage(c, q, projections.QuotaFilter{
		OfSpaces: true, Organizations: list[events.OrganizationID](q, "organization_guids"), Spaces: list[events.SpaceID](q, "space_guids"),
	})
}

func (a *API) quotaPage(c echo.Context, q *query, f projections.QuotaFilter) error {
	f.GUIDs, f.Names = list[events.QuotaID](q, "guids"), list[string](q, "names")
	f.Created, f.Updated = q.times("created_ats"), q.times("updated_ats")
	q.orderBy(projections.ByName)
	k := organizationQuotas
	if f.OfSpaces {
		k = spaceQuotas
	}
	l, err := find(a, c, q, k.reading, projections.Sight.Quotas, f)
	if err != nil {
		return err
	}
	show, err := a.showQuotas(c, k, l.Rows...)
	if err != nil {
		return err
	}
	return page(a, c, q, l, show)
}

// showQuotas presents quotas with those that have them, of whom the caller may see.
func (a *API) showQuotas(c echo.Context, k quotaKind, quotas ...projections.Quota) (func(projections.Quota) resource.Quota, error) {
	seen, err := a.sees(c, k.reading)
	if err != nil {
		return nil, err
	}
	return a.reader.Quotas(c.Request().Context(), a.base(c), seen, quotas...)
}

// quota reads the quota that the path names, and what presents it.
func (a *API) quota(c echo.Context, k quotaKind) (projections.Quota, resource.Quota, error) {
	ctx := c.Request().Context()
	q, err := a.Store.Quota(ctx, events.QuotaID(c.Param("guid")))
	if err == nil && (q.Organization != "") != k.ofSpaces {
		err = projections.ErrNotFound
	}
	if err != nil {
		return q, resource.Quota{}, missing(k.kind, err)
	}
	if err := a.see(c, k.reading, thing(k.kind, q.GUID), k.kind); err != nil {
		return q, resource.Quota{}, err
	}
	show, err := a.showQuotas(c, k, q)
	if err != nil {
		return q, resource.Quota{}, err
	}
	return q, show(q), nil
}

func (a *API) getQuota(c echo.Context, k quotaKind) error {
	q, shown, err := a.quota(c, k)
	if err != nil {
		return err
	}
	return one(c, q.Stamp, shown)
}

// limits is the limits of a body: what is absent stays, null is no limit.
type limits struct {
	Apps struct {
		MemoryMB         limit `json:"total_memory_in_mb"`
		InstanceMemoryMB limit `json:"per_process_memory_in_mb"`
		Instances        limit `json:"total_instances"`
		AppTasks         limit `json:"per_app_tasks"`
		LogRate          limit `json:"log_rate_limit_in_bytes_per_second"`
	}
	Services struct {
		PaidAllowed *bool `json:"paid_services_allowed"`
		Instances   limit `json:"total_service_instances"`
		Keys        limit `json:"total_service_keys"`
	}
	Routes struct {
		Routes        limit `json:"total_routes"`
		ReservedPorts limit `json:"total_reserved_ports"`
	}
	Domains struct {
		Domains limit `json:"total_domains"`
	}
}

// limit tells null from absent.
type limit struct {
	n   *int64
	set bool
}

// UnmarshalJSON implements json.Unmarshaler; null reaches it too.
func (l *limit) UnmarshalJSON(data []byte) error {
	l.set, l.n = true, nil
	return json.Unmarshal(data, &l.n)
}

func (l limit) on(stands **int) {
	if !l.set {
		return
	}
	*stands = nil
	if l.n != nil {
		*stands = new(int(*l.n))
	}
}

// on gives the limits that stand once the change is made.
func (l limits) on(stands events.QuotaLimits) events.QuotaLimits {
	l.Apps.MemoryMB.on(&stands.MemoryMB)
	l.Apps.InstanceMemoryMB.on(&stands.InstanceMemoryMB)
	l.Apps.Instances.on(&stands.Instances)
	l.Apps.AppTasks.on(&stands.AppTasks)
	if l.Apps.LogRate.set {
		stands.LogRate = l.Apps.LogRate.n
	}
	if l.Services.PaidAllowed != nil {
		stands.NoPaidServices = !*l.Services.PaidAllowed
	}
	l.Services.Instances.on(&stands.ServiceInstances)
	l.Services.Keys.on(&stands.ServiceKeys)
	l.Routes.Routes.on(&stands.Routes)
	l.Routes.ReservedPorts.on(&stands.ReservedPorts)
	l.Domains.Domains.on(&stands.Domains)
	return stands
}

// toMany is a relationship to several resources in a body.
type toMany struct {
	Data []ref `json:"data"`
}

func guids[ID ~string](t toMany) []ID {
	ids := make([]ID, len(t.Data))
	for i, r := range t.Data {
		ids[i] = ID(r.GUID)
	}
	return ids
}

type quotaBody struct {
	Name          *string         `json:"name"`
	Apps          json.RawMessage `json:"apps"`
	Services      json.RawMessage `json:"services"`
	Routes        json.RawMessage `json:"routes"`
	Domains       json.RawMessage `json:"domains"`
	Relationships struct {
		Organization  toOne  `json:"organization"`
		Organizations toMany `json:"organizations"`
		Spaces        toMany `json:"spaces"`
	} `json:"relationships"`
}

// limits reads the parts of the body that limit something.
func (b quotaBody) limits() (l limits, err error) {
	for _, part := range []struct {
		raw  json.RawMessage
		into any
	}{{b.Apps, &l.Apps}, {b.Services, &l.Services}, {b.Routes, &l.Routes}, {b.Domains, &l.Domains}} {
		if len(part.raw) == 0 || string(part.raw) == "null" {
			continue
		}
		if err := commands.DecodeStrict(part.raw, part.into); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (a *API) createOrganizationQuota(c echo.Context) error {
	body, limits, err := bindQuota(c)
	if err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.CreateQuota{
		Called: text(body.Name), Limits: limits.on(events.QuotaLimits{}), Organizations: guids[events.OrganizationID](body.Relationships.Organizations),
	})
}

func (a *API) createSpaceQuota(c echo.Context) error {
	body, limits, err := bindQuota(c)
	if err != nil {
		return err
	}
	home := events.OrganizationID(body.Relationships.Organization.guid())
	if _, err := a.Store.Organization(c.Request().Context(), home); err != nil {
		return unknownOrganization(home, err)
	}
	return a.shown(c, http.StatusCreated, commands.CreateQuota{
		Organization: home, Called: text(body.Name), Limits: limits.on(events.QuotaLimits{}), Spaces: guids[events.SpaceID](body.Relationships.Spaces),
	})
}

func bindQuota(c echo.Context) (body quotaBody, l limits, err error) {
	if err := bind(c, &body); err != nil {
		return body, l, err
	}
	l, err = body.limits()
	return body, l, err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (a *API) updateQuota(c echo.Context, k quotaKind) error {
	body, limits, err := bindQuota(c)
	if err != nil {
		return err
	}
	q, _, err := a.quota(c, k)
	if err != nil {
		return err
	}
	next := limits.on(q.Limits)
	return a.shown(c, http.StatusOK, commands.UpdateQuota{Quota: q.GUID, Called: body.Name, Limits: &next})
}

func (a *API) deleteQuota(c echo.Context, k quotaKind) error {
	unseen, err := a.quotaToEnd(c, k)
	if err != nil {
		return err
	}
	return a.deletesGone(c, k.deletion, commands.DeleteQuota{Quota: events.QuotaID(c.Param("guid"))}, unseen)
}

// quotaToEnd looks at the quota of a request that takes it away, or something of it. unseen is what to say where there is none, and
// never was one of another kind that the request would mean.
func (a *API) quotaToEnd(c echo.Context, k quotaKind) (unseen, err error) {
	_, err = a.Store.Quota(c.Request().Context(), events.QuotaID(c.Param("guid")))
	if errors.Is(err, projections.ErrNotFound) {
		return aggregates.NotFound(string(k.kind)), nil
	}
	_, _, err = a.quota(c, k)
	return nil, err
}

func (a *API) applyOrganizationQuota(c echo.Context) error {
	return a.apply(c, organizationQuotas, func(t toMany) commands.ApplyQuota {
		return commands.ApplyQuota{Organizations: guids[events.OrganizationID](t)}
	})
}

func (a *API) applySpaceQuota(c echo.Context) error {
	return a.apply(c, spaceQuotas, func(t toMany) commands.ApplyQuota { return commands.ApplyQuota{Spaces: guids[events.SpaceID](t)} })
}

// apply gives a quota to what the body names, and shows all that have it.
func (a *API) apply(c echo.Context, k quotaKind, command func(toMany) commands.ApplyQuota) error {
	var body toMany
	if err := bind(c, &body); err != nil {
		return err
	}
	q, _, err := a.quota(c, k)
	if err != nil {
		return err
	}
	apply := command(body)
	apply.Quota = q.GUID
	if _, err := a.carryOut(c, apply); err != nil {
		return err
	}
	_, shown, err := a.quota(c, k)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, a.base(c).Holders(shown, k.collection))
}

func (a *API) removeSpaceQuota(c echo.Context) error {
	unseen, err := a.quotaToEnd(c, spaceQuotas)
	if err != nil {
		return err
	}
	command := commands.RemoveQuota{Quota: events.QuotaID(c.Param("guid")), Space: events.SpaceID(c.Param("space"))}
	if err := a.removes(c, command, unseen); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
