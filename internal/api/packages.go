package api

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) packageRoutes() {
	a.get("/v3/packages", a.listPackages)
	a.echo.POST("/v3/packages", a.createPackage)
	a.get("/v3/packages/:guid", a.getPackage)
	a.echo.POST("/v3/packages/:guid/upload", a.uploadPackage)
	a.get("/v3/packages/:guid/droplets", a.listPackageDroplets)
	a.get("/v3/apps/:guid/packages", a.listAppPackages)
	a.echo.POST("/v3/resource_matches", a.matchResources)
}

func (a *API) listPackages(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "app_guids", "space_guids", "organization_guids", "states", "types",
		"label_selector")
	return a.packagePage(c, q, list[events.AppID](q, "app_guids"))
}

func (a *API) listAppPackages(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "states", "types", "label_selector")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.packagePage(c, q, []events.AppID{of.GUID})
}

func (a *API) packagePage(c echo.Context, q *query, apps []events.AppID) error {
	f := projections.PackageFilter{
		GUIDs: list[events.PackageID](q, "guids"), Apps: apps, Spaces: list[events.SpaceID](q, "space_guids"),
		Organizations: list[events.OrganizationID](q, "organization_guids"),
		States:        list[projections.PackageState](q, "states"), Types: list[string](q, "types"),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy()
	return listed(a, c, q, auth.Read, projections.Sight.Packages, f, a.base(c).Package)
}

// pkg reads the package that the path names.
func (a *API) pkg(c echo.Context) (projections.Package, error) {
	return named(a, c, auth.Read, commands.KindPackage, a.Store.Package, events.PackageID(c.Param("guid")))
}

func (a *API) getPackage(c echo.Context) error {
	p, err := a.pkg(c)
	if err != nil {
		return err
	}
	return one(c, p.Stamp, a.base(c).Package(p))
}

func (a *API) listPackageDroplets(c echo.Context) error {
	q := listQuery(c, "order_by", "guids", "states")
	of, err := a.pkg(c)
	if err != nil {
		return err
	}
	return a.dropletPage(c, q, projections.DropletFilter{
		GUIDs: list[events.DropletID](q, "guids"), States: list[projections.DropletState](q, "states"),
		Packages: []events.PackageID{of.GUID},
	})
}

type createPackage struct {
	Type          string `json:"type"`
	Relationships struct {
		App toOne `json:"app"`
	} `json:"relationships"`
	Data     imageData `json:"data"`
	Metadata metadata  `json:"metadata"`
}

// imageData is the image of a package. Credentials are refused: history is for good, and they would stand in it.
type imageData struct {
	Image    string  `json:"image"`
	Username *string `json:"username"`
	Password *string `json:"password"`
}

func (a *API) createPackage(c echo.Context) error {
	var body createPackage
	if err := bind(c, &body); err != nil {
		return err
	}
	app := body.Relationships.App.guid()
	switch {
	case app == "":
		return aggregates.Reject("Relationships App can't be blank")
	case body.Data.Username != nil && *body.Data.Username != "", body.Data.Password != nil && *body.Data.Password != "":
		return aggregates.Reject("Credentials of an image are not supported: they would stand in the history for good")
	}
	return a.shown(c, http.StatusCreated, commands.CreatePackage{
		App: events.AppID(app), Type: body.Type, Image: body.Data.Image, Metadata: events.Metadata(body.Metadata),
	})
}

// uploadPackage takes the zip of a package: as the file `bits` of a multipart form (Cloud Foundry's way), or as the body.
func (a *API) uploadPackage(c echo.Context) error {
	id := events.PackageID(c.Param("guid"))
	result, err := uploaded(a, c, access.UploadPackage(id), (*upload).zip, a.Packages.UploadPackage, id)
	if err != nil {
		return err
	}
	return a.result(c, http.StatusOK, result)
}

// zip finds the zip in the body.
func (u *upload) zip(r *http.Request) (io.Reader, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "multipart/form-data" && params["boundary"] != "":
		return u.file(multipart.NewReader(u, params["boundary"]), "Upload must include bits", noResources)
	case err == nil && (media == "application/zip" || media == "application/octet-stream"):
		return u, nil
	}
	return nil, cferror.UnsupportedMediaType.With("Send the zip as file 'bits' of multipart/form-data, or as application/zip")
}

// noResources refuses files that the upload takes to be here already: none are kept, and none were said to be.
func noResources(part *multipart.Part) error {
	if part.FormName() != "resources" {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(part, commands.MaxBody))
	var named []json.RawMessage
	if err != nil || len(text) > 0 && json.Unmarshal(text, &named) != nil {
		return aggregates.Reject("Resources is not valid JSON")
	}
	if len(named) > 0 {
		return aggregates.Reject("Resources must be empty: no files are kept here, so upload all of them as 'bits'")
	}
	return nil
}

type matchResources struct {
	Resources []json.RawMessage `json:"resources"`
}

// matchResources says which files the server has already, so that they need not be sent: none. A package is kept whole.
func (a *API) matchResources(c echo.Context) error {
	var body matchResources
	if err := bind(c, &body); err != nil {
		return err
	}
	anybody(c)
	return answer(c, http.StatusCreated, map[string]any{"resources": []struct{}{}})
}
