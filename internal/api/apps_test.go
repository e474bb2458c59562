package api_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/eventlog"
	"slipway/projections/storetest"
)

func TestAppHasTheKeysOfTheReference(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	v := w.must(201, "POST", "/v3/apps", `{"name":"hello & <co>","relationships":{"space":{"data":{"guid":"default"}}},
		"lifecycle":{"type":"buildpack","data":{"buildpacks":[],"stack":null}},"environment_variables":{"A":"1"},
		"metadata":{"labels":{"env":"prod"}}}`)
	id := text(v, "guid")
	is.Equal(keys(v), []string{"created_at", "guid", "lifecycle", "links", "metadata", "name", "relationships", "state", "updated_at"})
	is.Equal(text(v, "name"), "hello & <co>")
	is.Equal(text(v, "state"), "STOPPED")
	is.Equal(at(v, "lifecycle"), map[string]any{"type": "buildpack", "data": map[string]any{"buildpacks": []any{}, "stack": nil}})
	is.Equal(at(v, "relationships"), map[string]any{
		"space": map[string]any{"data": map[string]any{"guid": "default"}}, "current_droplet": map[string]any{"data": nil},
	})
	is.Equal(at(v, "metadata", "labels"), map[string]any{"env": "prod"})
	is.True(strings.Contains(w.call("GET", "/v3/apps/"+id, "").Body.String(), `"hello & <co>"`)) // for people to read
}

// TestLinksLead follows every link that resources give.
func TestLinksLead(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	deployment := w.ongoing()
	app := text(w.must(200, "GET", "/v3/apps?names=ongoing", ""), "resources", 0, "guid")
	waiting := text(w.must(201, "POST", "/v3/droplets", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}}}`), "guid")
	revision := text(w.must(200, "GET", "/v3/apps/"+app+"/revisions", ""), "resources", 0, "guid")
	followed := 0
	for _, path := range []string{
		"/", "/v3", "/v3/info", "/v3/apps/" + app, "/v3/apps/" + app + "/environment_variables", "/v3/processes/" + app,
		"/v3/deployments/" + deployment, "/v3/droplets/" + waiting, "/v3/revisions/" + revision,
		"/v3/revisions/" + revision + "/environment_variables", "/v3/apps/" + app + "/relationships/current_droplet",
	} {
		links, _ := at(w.must(200, "GET", path, ""), "links").(map[string]any)
		is.True(len(links) > 0)
		delete(links, "login") // what these two name is the beginning of the token server's paths, and no resource
		delete(links, "uaa")
		for _, l := range links {
			method, href := text(l, "method"), cmp.Or(strings.TrimPrefix(text(l, "href"), server), "/")
			if method == "" {
				method = "HEAD"
			}
			got := w.call(method, href, "")
			if strings.Contains(got.Body.String(), "Unknown request") || method == "HEAD" && got.Code != 200 {
				t.Errorf("%s leads to %s %s: %d %s", path, method, href, got.Code, got.Body)
			}
			followed++
		}
	}
	is.True(followed > 35)
}

func TestAppLife(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	d := w.droplet(app)
	path := "/v3/apps/" + app
	v := w.must(200, "PATCH", path+"/relationships/current_droplet", `{"data":{"guid":"`+d+`"}}`)
	is.Equal(keys(v), []string{"data", "links"})
	is.Equal(text(v, "data", "guid"), d)
	is.Equal(text(w.must(200, "GET", path+"/droplets/current", ""), "guid"), d)
	is.Equal(text(w.must(200, "POST", path+"/actions/start", ""), "state"), "STARTED")
	is.Equal(text(w.must(200, "POST", path+"/actions/restart", ""), "state"), "STARTED")
	is.Equal(text(w.must(200, "POST", path+"/actions/stop", ""), "state"), "STOPPED")
	v = w.must(200, "PATCH", path+"/environment_variables", `{"var":{"A":"1","B":"2"}}`)
	is.Equal(at(v, "var"), map[string]any{"A": "1", "B": "2"})
	v = w.must(200, "PATCH", path+"/environment_variables", `{"var":{"A":null}}`)
	is.Equal(at(v, "var"), map[string]any{"B": "2"})
	v = w.must(200, "GET", path+"/env", "")
	is.Equal(at(v, "environment_variables"), map[string]any{"B": "2"})
	is.Equal(at(v, "application_env_json", "VCAP_APPLICATION", "application_uris"), []any{"hello.localhost"})
	is.Equal(text(v, "application_env_json", "VCAP_APPLICATION", "space_id"), "default")
	is.Equal(keys(v), []string{"application_env_json", "environment_variables", "running_env_json", "staging_env_json", "system_env_json"})

	got := w.call("DELETE", path, "")
	is.Equal(got.Code, 202)
	is.Equal(got.Body.Len(), 0)
	job := got.Header().Get("Location")
	is.Equal(job, server+"/v3/jobs/app.delete."+app)
	is.Equal(text(w.must(200, "GET", strings.TrimPrefix(job, server), ""), "state"), "COMPLETE")
	is.Equal(w.call("GET", path, "").Code, 404)
	is.Equal(w.call("DELETE", path, "").Code, 202) // a retry is no error
	w.app("hello")                                 // the name is free again
}

func TestProcesses(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	v := w.must(200, "GET", "/v3/apps/"+app+"/processes/web", "")
	is.Equal(keys(v), []string{
		"command", "created_at", "disk_in_mb", "guid", "health_check", "instances", "links",
		"log_rate_limit_in_bytes_per_second", "memory_in_mb", "metadata", "readiness_health_check", "relationships", "type",
		"updated_at", "user", "version",
	})
	is.Equal(text(v, "guid"), app)
	v = w.must(202, "POST", "/v3/apps/"+app+"/processes/web/actions/scale", `{"instances":4,"memory_in_mb":256}`)
	is.Equal([]any{at(v, "instances"), at(v, "memory_in_mb")}, []any{4.0, 256.0})
	v = w.must(202, "POST", "/v3/processes/"+app+"/actions/scale", `{"instances":2,"disk_in_mb":null}`)
	is.Equal(at(v, "instances"), 2.0)
	v = w.must(200, "PATCH", "/v3/processes/"+app, `{"command":"./mine","health_check":{"type":"http","data":{"endpoint":"/up","timeout":9}}}`)
	is.Equal(text(v, "command"), "./mine")
	is.Equal(at(v, "health_check"), map[string]any{"type": "http", "data": map[string]any{
		"endpoint": "/up", "timeout": 9.0, "invocation_timeout": nil, "interval": nil,
	}})
	v = w.must(200, "PATCH", "/v3/processes/"+app, `{"command":null,"health_check":{"type":"port"}}`)
	is.Equal(text(v, "command"), "") // the droplet's, of which there is none
	is.Equal(at(v, "health_check", "data"), map[string]any{"timeout": 9.0, "invocation_timeout": nil, "interval": nil})
	v = w.must(200, "PATCH", "/v3/processes/"+app, `{"health_check":{"data":{"timeout":null}}}`)
	is.Equal(at(v, "health_check", "data", "timeout"), nil) // back to the default
	v = w.must(200, "GET", "/v3/processes?app_guids="+app+"&types=web,worker", "")
	is.Equal(text(v, "resources", 0, "command"), "[PRIVATE DATA HIDDEN IN LISTS]")
	stats := w.must(200, "GET", "/v3/processes/"+app+"/stats", "")
	is.Equal(keys(at(stats, "resources", 1)), []string{"index", "isolation_segment", "routable", "state", "type", "uptime"})
	is.Equal(text(stats, "resources", 1, "state"), "DOWN")
}

func TestStatsOfEachState(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := events.AppID(w.app("hello"))
	w.must(202, "POST", "/v3/processes/"+string(app)+"/actions/scale", `{"instances":5}`)
	process, status := events.ProcessID(app), 137
	w.report(events.InstanceStarting{InstanceRef: ref(app, process, 0)})
	w.report(events.InstanceRunning{InstanceRef: ref(app, process, 1), Address: "[::1]:61001"})
	w.report(events.InstanceUnready{InstanceRef: ref(app, process, 2), Reason: "busy"})
	w.report(events.InstanceCrashed{InstanceRef: ref(app, process, 3), Reason: "killed", ExitStatus: &status, Crashes: 2})
	w.caughtUp()
	v := w.must(200, "GET", "/v3/processes/"+string(app)+"/stats", "")
	type row struct {
		state, details, host string
		routable             bool
	}
	rows := func(v any) (all []row) {
		for _, r := range at(v, "resources").([]any) {
			all = append(all, row{text(r, "state"), text(r, "details"), text(r, "host"), at(r, "routable").(bool)})
		}
		return all
	}
	is.Equal(rows(v), []row{
		{"STARTING", "", "", false}, {"RUNNING", "", "::1", true}, {"RUNNING", "busy", "", false},
		{"CRASHED", "killed", "", false}, {"DOWN", "", "", false},
	})
	is.Equal(at(v, "resources", 1, "instance_ports"), []any{map[string]any{"external": 61001.0, "internal": 61001.0}})
	is.Equal(at(v, "resources", 3, "exit_status"), 137.0)
	is.Equal(at(v, "resources", 3, "crashes"), 2.0)
	is.Equal(at(v, "resources", 1, "mem_quota"), 1024.0*1024*1024)

	// What ran before a start is not what was started: a client that waits for RUNNING waits on.
	w.must(200, "PATCH", "/v3/apps/"+string(app)+"/relationships/current_droplet", `{"data":{"guid":"`+w.droplet(string(app))+`"}}`)
	w.must(200, "POST", "/v3/apps/"+string(app)+"/actions/start", "")
	v = w.must(200, "GET", "/v3/processes/"+string(app)+"/stats", "")
	is.Equal(rows(v)[1:4], []row{{"STOPPING", "", "::1", true}, {"STOPPING", "", "", false}, {"CRASHED", "killed", "", false}})
	v = w.must(200, "GET", "/v3/processes?embed=process_instances", "")
	is.Equal(text(v, "resources", 0, "process_instances", 1, "state"), "STOPPING")
}

func TestDroplets(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	d := w.droplet(app)
	v := w.must(200, "GET", "/v3/droplets/"+d, "")
	is.Equal(keys(v), []string{
		"buildpacks", "checksum", "created_at", "error", "execution_metadata", "guid", "image", "lifecycle", "links", "metadata",
		"process_types", "relationships", "size_in_bytes", "stack", "state", "updated_at",
	})
	is.Equal(at(v, "process_types"), map[string]any{"web": "./hello && true"})
	is.Equal(at(v, "links", "upload"), nil) // it has its bits
	v = w.must(200, "GET", "/v3/droplets?states=STAGED&app_guids="+app, "")
	is.Equal(at(v, "pagination", "total_results"), 1.0)
	is.Equal(keys(at(v, "resources", 0, "process_types")), []string{"redacted_message"})
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app+"/droplets?current=true", ""), "pagination", "total_results"), 0.0)
	w.deploy(app, d, "{}")
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app+"/droplets?current=true", ""), "pagination", "total_results"), 1.0)
	is.Equal(w.call("GET", "/v3/apps/"+app+"/droplets?current=maybe", "").Code, 400)
}

func TestRevisions(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.must(200, "PATCH", "/v3/apps/"+app+"/environment_variables", `{"var":{"A":"1"}}`)
	w.deploy(app, w.droplet(app), "{}")
	w.deploy(app, w.droplet(app), "{}")
	v := w.must(200, "GET", "/v3/apps/"+app+"/revisions?versions=1,x", "")
	is.Equal(at(v, "pagination", "total_results"), 1.0)
	is.Equal(keys(at(v, "resources", 0)), []string{
		"created_at", "deployable", "description", "droplet", "guid", "links", "metadata", "processes", "relationships",
		"sidecars", "updated_at", "version",
	})
	is.Equal(at(v, "resources", 0, "processes"), map[string]any{"web": map[string]any{"command": nil}})
	id := text(v, "resources", 0, "guid")
	is.Equal(at(w.must(200, "GET", "/v3/revisions/"+id+"/environment_variables", ""), "var"), map[string]any{"A": "1"})
	v = w.must(200, "GET", "/v3/apps/"+app+"/revisions/deployed", "")
	is.Equal(at(v, "pagination", "total_results"), 2.0) // the old version and the one that comes
}

func TestHead(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	path := "/v3/apps/" + w.app("hello")
	get, head := w.call("GET", path, ""), w.call("HEAD", path, "")
	is.Equal(head.Code, 200)
	is.Equal(head.Body.Len(), 0)
	is.Equal(head.Header().Get("Content-Length"), get.Header().Get("Content-Length"))
	is.Equal(head.Header().Get("X-Slipway-Sequence"), get.Header().Get("X-Slipway-Sequence"))
	is.Equal(w.call("HEAD", "/v3/apps/nobody", "").Body.Len(), 0)
	got := w.call("HEAD", "/v3/deployments/"+w.ongoing()+"/stream", "") // returns although the rollout goes on
	is.Equal(got.Code, 200)
	is.Equal(got.Body.Len(), 0)
}

func TestTrailingSlash(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	v := w.must(200, "GET", "/v3/deployments/?per_page=1", "")
	is.Equal(text(v, "pagination", "first", "href"), server+"/v3/deployments?page=1&per_page=1")
}

func TestHeaders(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	for _, path := range []string{"/", "/v3/nonsense"} {
		h := w.call("GET", path, "").Header()
		is.Equal(h.Get("X-Content-Type-Options"), "nosniff")
		is.Equal(h.Get("Cache-Control"), "no-store")
		is.Equal(h.Get("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'")
	}
	is.Equal(text(w.must(200, "GET", "/", ""), "links", "cloud_controller_v3", "meta", "version"), "3.228.0")
	v := w.must(200, "GET", "/", "", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example")
	is.Equal(text(v, "links", "self", "href"), server) // anybody can send these
	a := api.New(api.Config{Auth: admin{}, Store: w.store, Logger: quiet, BaseURL: "https://slipway.example"})
	v = object(t, call(a, "GET", "/", "").Body.Bytes())
	is.Equal(text(v, "links", "self", "href"), "https://slipway.example")
}

// TestCallerIsInTheHistory holds that who, why and which trace come with a command into the log.
func TestCallerIsInTheHistory(t *testing.T) {
	const w3c = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for name, tt := range map[string]struct {
		header []string
		trace  string
	}{
		"W3C":       {[]string{"traceparent", w3c, "X-B3-TraceId", "80f198ee56343ba8", "X-B3-SpanId", "e457b5a2e4d86bd1"}, w3c},
		"B3":        {[]string{"X-B3-TraceId", "80f198ee56343ba8", "X-B3-SpanId", "e457b5a2e4d86bd1"}, "00-000000000000000080f198ee56343ba8-e457b5a2e4d86bd1-01"},
		"none":      {nil, ""},
		"nonsense":  {[]string{"traceparent", "x\ty", "X-B3-TraceId", "1"}, ""},
		"half a B3": {[]string{"X-B3-TraceId", "80f198ee56343ba8"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := newWorld(t)
			w.must(201, "POST", "/v3/apps", `{"name":"x"}`, append(tt.header, "Idempotency-Key", "c1")...)
			history := w.history()
			c := history[1] // after its name's, before its route's
			is.Equal(c.CommandID, events.CommandID("c1"))
			is.Equal(c.Actor, events.Actor("user/admin"))
			is.Equal(c.Cause, "http")
			is.Equal(c.Trace, tt.trace)
		})
	}
}

func TestHealth(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.app("hello")
	is.Equal(text(w.must(200, "GET", "/healthz", ""), "status"), "ok")
	v := w.must(200, "GET", "/readyz", "")
	is.Equal(text(v, "status"), "ready")
	is.Equal(at(v, "newest"), 3.0) // name, app, route

	log := eventlog.NewMemory(events.NewRegistry())
	for range 5001 { // more than the read models may be behind
		log.Inject(events.Message{Subject: "events.app.x"})
	}
	behind := api.New(api.Config{Auth: admin{}, Store: storetest.Open(t), Log: log, Logger: quiet})
	got := call(behind, "GET", "/readyz", "")
	refused(t, got, http.StatusServiceUnavailable, 10015, "CF-ServiceUnavailable", "The read models are 5001 commits behind the event log")
}

// TestParentsBesideAppsAndRoutes asks for what an app or a route belongs to together with it.
func TestParentsBesideAppsAndRoutes(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	organization := text(w.must(201, "POST", "/v3/organizations", `{"name":"acme"}`), "guid")
	space := text(w.must(201, "POST", "/v3/spaces", `{"name":"prod","relationships":{"organization":{"data":{"guid":"`+organization+`"}}}}`), "guid")
	for _, name := range []string{"one", "two"} {
		w.must(201, "POST", "/v3/apps", `{"name":"`+name+`","relationships":{"space":{"data":{"guid":"`+space+`"}}}}`)
	}
	v := w.must(200, "GET", "/v3/apps?include=space.organization&lifecycle_type=buildpack", "")
	is.Equal(len(at(v, "resources").([]any)), 2)
	is.Equal(len(at(v, "included", "spaces").([]any)), 1) // once for both apps
	is.Equal(text(v, "included", "organizations", 0, "name"), "acme")
	app := text(v, "resources", 0, "guid")
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app+"?include=space", ""), "included", "spaces", 0, "guid"), space)
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app, ""), "included"), nil) // only where it is asked for
	v = w.must(200, "GET", "/v3/routes?include=domain,space&hosts=one", "")
	is.Equal(text(v, "included", "spaces", 0, "name"), "prod")
	route := text(v, "resources", 0, "guid")
	is.Equal(text(w.must(200, "GET", "/v3/routes/"+route+"?include=space", ""), "included", "spaces", 0, "name"), "prod")
	for _, query := range []string{"lifecycle_type=docker", "stacks=cflinuxfs4", "include=space&names=nobody"} {
		is.Equal(at(w.must(200, "GET", "/v3/apps?"+query, ""), "resources"), []any{})
	}
	is.Equal(w.refused(400, "GET", "/v3/apps?include=space,route", ""), "The query parameter is invalid: "+
		"Invalid included resource: 'route'. Valid included resources are: 'space', 'space.organization'")
}
