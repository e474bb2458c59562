package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/aggregates/pack"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// stagingPatience is how long the answer to a build waits for its end. Most builds end within it, and the cf CLI would ask
// again only after three seconds; one that takes longer is shown as STAGING.
const stagingPatience = 2 * time.Second

func (a *API) buildRoutes() {
	a.get("/v3/builds", a.listBuilds)
	a.echo.POST("/v3/builds", a.createBuild)
	a.get("/v3/builds/:guid", a.getBuild)
	a.get("/v3/apps/:guid/builds", a.listAppBuilds)
}

func (a *API) listBuilds(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "app_guids", "space_guids", "organization_guids", "package_guids", "states", "label_selector")
	return a.buildPage(c, q, list[events.AppID](q, "app_guids"))
}

func (a *API) listAppBuilds(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "package_guids", "states", "label_selector")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.buildPage(c, q, []events.AppID{of.GUID})
}

func (a *API) buildPage(c echo.Context, q *query, apps []events.AppID) error {
	f := projections.BuildFilter{
		GUIDs: list[events.BuildID](q, "guids"), Apps: apps, Packages: list[events.PackageID](q, "package_guids"),
		Spaces: list[events.SpaceID](q, "space_guids"), Organizations: list[events.OrganizationID](q, "organization_guids"),
		States: list[pack.Phase](q, "states"), Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy()
	return listed(a, c, q, auth.Read, projections.Sight.Builds, f, func(b projections.Build) resource.Build { return a.showBuild(c, b) })
}

func (a *API) showBuild(c echo.Context, b projections.Build) resource.Build {
	return a.base(c).Build(b, a.UserIDs)
}

func (a *API) getBuild(c echo.Context) error {
	b, err := named(a, c, auth.Read, commands.KindBuild, a.Store.Build, events.BuildID(c.Param("guid")))
	if err != nil {
		return err
	}
	return one(c, b.Stamp, a.showBuild(c, b))
}

type createBuild struct {
	Package   *ref       `json:"package"`
	Lifecycle *lifecycle `json:"lifecycle"`
	Metadata  metadata   `json:"metadata"`
	// What staging may take is not limited: it copies files.
	MemoryMB *int   `json:"staging_memory_in_mb"`
	DiskMB   *int   `json:"staging_disk_in_mb"`
	LogRate  *int64 `json:"staging_log_rate_limit_bytes_per_second"`
}

func (a *API) createBuild(c echo.Context) error {
	var body createBuild
	if err := bind(c, &body); err != nil {
		return err
	}
	if body.Package == nil || body.Package.GUID == "" {
		return aggregates.Reject("Package guid must be a string")
	}
	if l := body.Lifecycle; l != nil && len(l.Data.Buildpacks) > 0 {
		return aggregates.Reject("Lifecycle buildpacks must be empty: staging takes the files as they are")
	}
	result, err := a.carryOut(c, commands.CreateBuild{
		Package: events.PackageID(body.Package.GUID), Metadata: events.Metadata(body.Metadata),
	})
	if err != nil {
		return err
	}
	b, err := named(a, c, auth.Read, commands.KindBuild, a.builtSoon, events.BuildID(result.ID))
	if err != nil {
		return err // it may be that of somebody else's command of the same id
	}
	standsAt(c, b.Sequence)
	return answer(c, http.StatusCreated, a.showBuild(c, b))
}

// builtSoon waits a moment for a build to end and gives it as it is then.
func (a *API) builtSoon(ctx context.Context, id events.BuildID) (projections.Build, error) {
	bounded, cancel := context.WithTimeout(ctx, stagingPatience)
	defer cancel()
	for {
		at, err := a.Store.Checkpoint(ctx) // before the look: what comes after it is waited for
		if err != nil {
			return projections.Build{}, err
		}
		b, err := a.Store.Build(ctx, id)
		if err != nil || b.State != pack.Staging || a.Store.Wait(bounded, at+1) != nil {
			return b, err
		}
	}
}
