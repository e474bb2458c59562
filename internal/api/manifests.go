package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/manifest"
	"slipway/internal/resource"
	"slipway/projections"
)

const kindSpace commands.Kind = "Space"

// yamlTypes are the content types of a manifest; Cloud Foundry's is the first.
var yamlTypes = []string{"application/x-yaml", "application/yaml", "text/yaml", "text/x-yaml"}

func (a *API) manifestRoutes() {
	a.echo.POST("/v3/spaces/:guid/actions/apply_manifest", a.applyManifest)
	a.echo.POST("/v3/spaces/:guid/manifest_diff", a.diffManifest)
	a.get("/v3/apps/:guid/manifest", a.getManifest)
}

// readManifest reads the manifest of a request and the space it is for.
func (a *API) readManifest(c echo.Context) (events.SpaceID, manifest.Manifest, error) {
	space := events.SpaceID(c.Param("guid"))
	if _, err := a.Store.Space(c.Request().Context(), space); err != nil && space != events.DefaultSpace {
		return "", manifest.Manifest{}, missing(kindSpace, err)
	}
	if err := a.may(c, access.ApplyManifest(space)); err != nil {
		return "", manifest.Manifest{}, err
	}
	media, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || !slices.Contains(yamlTypes, media) {
		return "", manifest.Manifest{}, cferror.UnsupportedMediaType.With("The body must be YAML: send it with 'Content-Type: %s'", yamlTypes[0])
	}
	text, err := readText(c)
	if err != nil {
		return "", manifest.Manifest{}, err
	}
	m, err := manifest.Parse(text)
	return space, m, err
}

// applyManifest does what a manifest says. It is done when it is answered; the job says how it ended, and outlives that.
func (a *API) applyManifest(c echo.Context) error {
	by, err := a.callerOf(c)
	if err != nil {
		return err
	}
	space, m, err := a.readManifest(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	recorded, err := a.manifests.Apply(ctx, space, m, by)
	if err != nil {
		return err
	}
	standsAt(c, recorded)
	if err := a.reader.Await(ctx, recorded); err != nil {
		return err
	}
	a.accepted(c, resource.OperationApplyManifest, string(by.CommandID))
	return c.NoContent(http.StatusAccepted)
}

// diffManifest says what applying a manifest would change, and changes nothing.
func (a *API) diffManifest(c echo.Context) error {
	space, m, err := a.readManifest(c)
	if err != nil {
		return err
	}
	present := map[string]manifest.App{}
	for _, asked := range m.Apps {
		found, err := a.Store.AppByName(c.Request().Context(), space, asked.Name)
		if errors.Is(err, projections.ErrNotFound) {
			continue
		}
		if err == nil {
			present[asked.Name], err = a.manifestOf(c.Request().Context(), found)
		}
		if err != nil {
			return err
		}
	}
	return answer(c, http.StatusCreated, map[string]any{"diff": manifest.Diff(m, present)})
}

// manifestOf says of an app what a manifest could say.
func (a *API) manifestOf(ctx context.Context, of projections.App) (manifest.App, error) {
	apps := []events.AppID{of.GUID}
	processes, err := a.Store.All().Processes(ctx, projections.ProcessFilter{Apps: apps}, projections.Order{}, projections.Page{})
	if err != nil {
		return manifest.App{}, err
	}
	routes, err := a.Store.All().Routes(ctx, projections.RouteFilter{Apps: apps}, projections.Order{}, projections.Page{})
	if err != nil {
		return manifest.App{}, err
	}
	d, err := a.Store.Droplet(ctx, of.Droplet)
	if err != nil && !errors.Is(err, projections.ErrNotFound) {
		return manifest.App{}, err
	}
	urls := resource.Each(routes.Rows, func(r projections.Route) string { return r.URL })
	return manifest.Present(of, processes.Rows, urls, d.Image), nil
}

// getManifest writes a manifest that leads to the app as it is.
func (a *API) getManifest(c echo.Context) error {
	of, err := a.appFor(c, auth.ReadSecrets)
	if err != nil {
		return err
	}
	m, err := a.manifestOf(c.Request().Context(), of)
	if err != nil {
		return err
	}
	text, err := m.YAML()
	if err != nil {
		return err
	}
	standsAt(c, of.Sequence)
	return c.Blob(http.StatusOK, yamlTypes[0], text)
}
