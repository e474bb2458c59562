package api_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestSecrets: start commands and environment variables, wherever they stand, are for developers.
func TestSecrets(t *testing.T) {
	w, e := settled(t)
	w.must(200, "PATCH", "/v3/processes/"+e["process"], `{"command":"./run --password hunter2"}`)
	w.must(200, "PATCH", "/v3/apps/"+e["app"]+"/environment_variables", `{"var":{"KEY":"hunter3"}}`)
	d := w.deploy(e["app"], e["droplet"], `{}`)
	w.until("the deployment is over", func() bool { return w.status(d) == "FINALIZED/DEPLOYED" })
	e["process"] = text(w.must(200, "GET", "/v3/apps/"+e["app"]+"/processes/web", ""), "guid")
	e["revision"] = text(w.must(200, "GET", "/v3/apps/"+e["app"]+"/revisions?order_by=-created_at", ""), "resources", 0, "guid")
	e["deployment"] = d
	for path, marks := range map[string][]string{
		"/v3/processes/{process}":             {"hunter2"},
		"/v3/apps/{app}/processes/web":        {"hunter2"},
		"/v3/droplets/{droplet}":              {"./hello"},
		"/v3/apps/{app}/droplets/current":     {"./hello"},
		"/v3/revisions/{revision}":            {"hunter2"},
		"/v3/apps/{app}/revisions":            {"hunter2"},
		"/v3/apps/{app}/revisions/deployed":   {"hunter2"},
		"/v3/deployments/{deployment}/events": {"hunter2", "hunter3"},
		"/v3/deployments/{deployment}/stream": {"hunter2", "hunter3"},
	} {
		t.Run(path, func(t *testing.T) {
			is := is.New(t)
			for _, mark := range marks {
				is.True(strings.Contains(w.as("developer", "GET", e.fill(path), "").Body.String(), mark)) // the developer reads it
				for _, who := range []string{"supporter", "auditor", "manager", "org_manager", "watcher"} {
					got := w.as(who, "GET", e.fill(path), "")
					is.Equal(got.Code, 200)
					is.True(!strings.Contains(got.Body.String(), mark)) // who may not, does not
					is.True(strings.Contains(got.Body.String(), "[PRIVATE DATA HIDDEN]"))
				}
			}
		})
	}
	t.Run("an answer to who may do it", func(t *testing.T) {
		is := is.New(t)
		got := w.as("supporter", "POST", "/v3/processes/"+e["process"]+"/actions/scale", `{"instances":2}`)
		is.Equal(got.Code, 202)
		is.True(!strings.Contains(got.Body.String(), "hunter"))
	})
	t.Run("lists and audit events", func(t *testing.T) {
		is := is.New(t)
		for _, path := range []string{"/v3/processes", "/v3/droplets", "/v3/audit_events?per_page=1000", "/v3/deployments"} {
			is.True(!strings.Contains(w.as("auditor", "GET", path, "").Body.String(), "hunter"))
		}
	})
}

// TestSomebodyElsesCommand: the id of a command gives nobody a look at what it made.
func TestSomebodyElsesCommand(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	made := w.as("developer", "POST", "/v3/packages", e.fill(bodies["POST /v3/packages"]), "Idempotency-Key", "mine")
	is.Equal(made.Code, 201)
	home := w.must(200, "GET", "/v3/spaces?names=lab", "")
	foreign := text(w.must(200, "GET", "/v3/apps?space_guids="+text(home, "resources", 0, "guid"), ""), "resources", 0, "guid")
	got := w.as("foreigner", "POST", "/v3/packages", `{"type":"bits","relationships":{"app":{"data":{"guid":"`+foreign+`"}}}}`, "Idempotency-Key", "mine")
	refused(t, got, 404, 10010, "CF-ResourceNotFound", "Package not found")
}
