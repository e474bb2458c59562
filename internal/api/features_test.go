package api_test

import (
	"testing"

	"github.com/matryer/is"
)

func TestFeatures(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	path := "/v3/apps/" + app + "/features"
	is.Equal(w.must(200, "GET", path+"/revisions", ""), map[string]any{
		"name": "revisions", "description": "Enable versioning of an application", "enabled": true,
	})
	is.Equal(at(w.must(200, "PATCH", path+"/revisions", `{"enabled":false}`), "enabled"), false)
	d := w.droplet(app)
	w.must(200, "PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+d+`"}}`)
	w.must(200, "POST", "/v3/apps/"+app+"/actions/start", "")
	none := w.must(200, "GET", "/v3/apps/"+app+"/revisions", "")
	is.Equal(at(none, "pagination", "total_results"), 0.0) // nothing is numbered
	is.Equal(at(w.must(200, "PATCH", path+"/revisions", `{"enabled":true}`), "enabled"), true)

	// A deployment names its revision while the feature is on.
	deployment := w.deploy(app, w.droplet(app), `{}`)
	of := func() any { return at(w.must(200, "GET", "/v3/deployments/"+deployment, ""), "revision", "version") }
	is.Equal(of(), 1.0)
	w.must(200, "PATCH", path+"/revisions", `{"enabled":false}`)
	is.Equal(of(), nil)
	listed := w.must(200, "GET", "/v3/deployments", "")
	is.Equal(at(listed, "resources", 0, "revision"), nil)
	w.must(200, "PATCH", path+"/revisions", `{"enabled":true}`)
	is.Equal(of(), 1.0)
	is.Equal(at(w.must(200, "GET", path+"/ssh", ""), "enabled"), false)
	is.Equal(at(w.must(200, "PATCH", path+"/ssh", `{"enabled":false}`), "enabled"), false)
	is.Equal(at(w.must(200, "GET", path, ""), "pagination", "total_results"), 2.0)
	is.Equal(w.must(200, "GET", "/v3/apps/"+app+"/ssh_enabled", ""), map[string]any{"enabled": false, "reason": "Disabled globally"})

	refused(t, w.call("PATCH", path+"/ssh", `{"enabled":true}`), 422, 10008, unprocessable,
		"Feature 'ssh' cannot be enabled: there is no way into an instance")
	refused(t, w.call("PATCH", path+"/revisions", `{}`), 422, 10008, unprocessable, "Enabled must be a boolean")
	refused(t, w.call("PATCH", path+"/revisions", `{"enabled":"yes"}`), 422, 10008, unprocessable, "Enabled must be a boolean")
	refused(t, w.call("GET", path+"/potato", ""), 404, 10010, "CF-ResourceNotFound", "Feature not found")
	refused(t, w.call("GET", "/v3/apps/nobody/features/ssh", ""), 404, 10010, "CF-ResourceNotFound", "App not found")
}

func TestSidecarsAreNone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	for _, path := range []string{"/v3/apps/" + app + "/sidecars", "/v3/processes/" + app + "/sidecars"} {
		v := w.must(200, "GET", path, "")
		is.Equal(at(v, "resources"), []any{})
		is.Equal(at(v, "pagination", "total_results"), 0.0)
	}
	is.Equal(w.call("GET", "/v3/processes/nobody/sidecars", "").Code, 404)
}

func TestProcessesWithTheirInstances(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app := w.app("hello")
	w.app("other")
	w.must(202, "POST", "/v3/processes/"+app+"/actions/scale", `{"instances":3}`)
	w.until("three run", func() bool {
		v := w.must(200, "GET", "/v3/processes?embed=process_instances&app_guids="+app, "")
		return text(v, "resources", 0, "process_instances", 2, "state") == "RUNNING"
	})
	v := w.must(200, "GET", "/v3/processes?embed=process_instances&space_guids=default", "")
	is.Equal(at(v, "resources", 0, "process_instances", 0, "index"), 0.0)
	is.True(at(v, "resources", 0, "process_instances", 0, "since").(float64) > 1e9)
	is.Equal(at(v, "resources", 0, "process_instances", 0, "routable"), true)
	is.Equal(text(v, "resources", 0, "command"), "[PRIVATE DATA HIDDEN IN LISTS]")
	is.Equal(len(at(v, "resources", 1, "process_instances").([]any)), 1)
	plain := w.must(200, "GET", "/v3/processes", "")
	is.Equal(at(plain, "resources", 0, "process_instances"), nil) // on demand only
	refused(t, w.call("GET", "/v3/processes?embed=potato", ""), 400, 10005, "CF-BadQueryParameter",
		"The query parameter is invalid: Invalid embedded resource: 'potato'. Valid embedded resources are: 'process_instances'")
}

func TestUpdateApp(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	path := "/v3/apps/" + w.app("hello")
	v := w.must(200, "PATCH", path, `{"name":"hello","metadata":{"labels":{"a":"1","b":"2"},"annotations":null}}`)
	is.Equal(at(v, "metadata", "labels"), map[string]any{"a": "1", "b": "2"})
	v = w.must(200, "PATCH", path, `{"metadata":{"labels":{"a":null}}}`)
	is.Equal(at(v, "metadata", "labels"), map[string]any{"b": "2"})
	w.must(200, "PATCH", path, `{}`)
	refused(t, w.call("PATCH", path, `{"name":"other"}`), 422, 10008, unprocessable, "Name cannot be changed: create another app instead")
	refused(t, w.call("PATCH", path, `{"lifecycle":{"type":"docker"}}`), 422, 10008, unprocessable,
		"Lifecycle type cannot be changed")
	refused(t, w.call("PATCH", "/v3/apps/nobody", `{}`), 404, 10010, "CF-ResourceNotFound", "App not found")
}
