package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/internal/resource"
)

// apiVersion is the version of Cloud Foundry's API that clients are told: below 3.211.0 the cf CLI takes other paths.
const apiVersion = "3.228.0"

// rootLink is a link of the root, which may tell more than where it leads.
type rootLink struct {
	resource.Link
	Meta *rootMeta `json:"meta,omitempty"`
}

type rootMeta struct {
	Version string `json:"version"`
}

// root says where the API is, and where to log in.
func (a *API) root(c echo.Context) error {
	base := string(a.base(c))
	return answer(c, http.StatusOK, map[string]any{"links": map[string]rootLink{
		"self":                {Link: resource.Link{Href: base}},
		"login":               {Link: resource.Link{Href: base + loginPath}},
		"uaa":                 {Link: resource.Link{Href: base + loginPath}},
		"openapi":             {Link: resource.Link{Href: base + pathOpenAPI}},
		"cloud_controller_v3": {Link: resource.Link{Href: base + "/v3"}, Meta: &rootMeta{apiVersion}},
	}})
}

// root3 links to each collection.
func (a *API) root3(c echo.Context) error {
	base := string(a.base(c)) + "/v3"
	links := resource.Links{"self": {Href: base}}
	for _, collection := range []string{
		"apps", "audit_events", "builds", "deployments", "domains", "droplets", "info", "organization_quotas", "organizations", "packages",
		"processes", "routes", "space_quotas", "spaces",
	} {
		links[collection] = resource.Link{Href: base + "/" + collection}
	}
	return answer(c, http.StatusOK, map[string]any{"links": links})
}

// info describes the server with Cloud Foundry's fields.
func (a *API) info(c echo.Context) error {
	type cliVersion struct {
		Minimum     string `json:"minimum"`
		Recommended string `json:"recommended"`
	}
	return answer(c, http.StatusOK, struct {
		Build       string         `json:"build"`
		CLIVersion  cliVersion     `json:"cli_version"`
		Custom      map[string]any `json:"custom"`
		Description string         `json:"description"`
		Name        string         `json:"name"`
		Version     int            `json:"version"`
		OSBAPI      string         `json:"osbapi_version"`
		Links       resource.Links `json:"links"`
	}{
		Custom: map[string]any{}, Name: "Slipway",
		Description: "Rolls out new versions of apps without downtime and keeps every decision as an event",
		Links:       resource.Links{"self": {Href: string(a.base(c)) + "/v3/info"}},
	})
}
