package api_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

func TestRollout(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app := w.app("hello")
	first := w.deploy(app, w.droplet(app), `{"web_instances":3}`)
	is.Equal(w.status(first), "FINALIZED/DEPLOYED") // a stopped app is simply started
	second := w.deploy(app, w.droplet(app), `{"max_in_flight":2}`)
	w.until("it is deployed", func() bool { return w.status(second) == "FINALIZED/DEPLOYED" })
	stats := w.must(200, "GET", "/v3/apps/"+app+"/processes/web/stats", "")
	is.Equal(len(at(stats, "resources").([]any)), 3)           // all of the new version
	is.Equal(text(stats, "resources", 2, "state"), "RUNNING")  // and they run
	is.Equal(at(stats, "resources", 2, "routable"), true)      // with traffic
	is.Equal(text(stats, "resources", 2, "host"), "127.0.0.1") // where
	revisions := w.must(200, "GET", "/v3/apps/"+app+"/revisions/deployed", "")
	is.Equal(at(revisions, "resources", 0, "version"), float64(2)) // one version serves
	is.Equal(at(revisions, "pagination", "total_results"), float64(1))
}

// TestDeploymentHasTheKeysOfTheReference compares with the object in Cloud Foundry's documentation, and what Slipway adds.
func TestDeploymentHasTheKeysOfTheReference(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	d1 := w.droplet(app)
	w.deploy(app, d1, `{"web_instances":3}`)
	d2 := w.droplet(app)
	body := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + d2 + `"},"strategy":"rolling",
		"options":{"max_in_flight":2,"web_instances":"4","memory_in_mb":512,"disk_in_mb":1024,"log_rate_limit_in_bytes_per_second":-1},
		"metadata":{"labels":{"team":"pay","gone":null},"annotations":null}}`
	v := w.must(201, "POST", "/v3/deployments", body)
	is.Equal(keys(v), []string{
		"created_at", "droplet", "guid", "links", "metadata", "new_processes", "options", "previous_droplet",
		"relationships", "revision", "status", "strategy", "updated_at",
	})
	id := text(v, "guid")
	is.Equal(keys(at(v, "status")), []string{"details", "reason", "value"})
	is.Equal(keys(at(v, "status", "details")), []string{"last_status_change", "last_successful_healthcheck"}) // no error, no key
	is.Equal(at(v, "options"), map[string]any{
		"max_in_flight": 2.0, "web_instances": 4.0, "memory_in_mb": 512.0, "disk_in_mb": 1024.0,
		"log_rate_limit_in_bytes_per_second": -1.0,
	})
	is.Equal(at(v, "droplet"), map[string]any{"guid": d2})
	is.Equal(at(v, "previous_droplet"), map[string]any{"guid": d1})
	is.Equal(keys(at(v, "new_processes", 0)), []string{"guid", "type"})
	is.Equal(keys(at(v, "revision")), []string{"guid", "version"})
	is.Equal(at(v, "relationships"), map[string]any{"app": map[string]any{"data": map[string]any{"guid": app}}})
	is.Equal(at(v, "metadata"), map[string]any{"labels": map[string]any{"team": "pay"}, "annotations": map[string]any{}})
	is.Equal(at(v, "links", "self"), map[string]any{"href": server + "/v3/deployments/" + id})
	is.Equal(at(v, "links", "cancel"), map[string]any{"href": server + "/v3/deployments/" + id + "/actions/cancel", "method": "POST"})
	is.Equal(at(v, "links", "continue"), nil) // nothing to continue
	is.Equal(len(text(v, "created_at")), len("2026-01-31T23:59:59Z"))

	w.until("an old version can be gone back to", func() bool { return w.status(id) == "ACTIVE/DEPLOYING" })
	got := w.call("POST", "/v3/deployments/"+id+"/actions/cancel", "")
	is.Equal(got.Code, 200)
	is.Equal(got.Body.Len(), 0) // an empty body
	w.until("it is canceled", func() bool { return w.status(id) == "FINALIZED/CANCELED" })
	v = w.must(200, "GET", "/v3/deployments/"+id, "")
	is.Equal(at(v, "links", "cancel"), nil) // over
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid"), d1)
}

func TestFirstDeploymentHasNoPreviousDroplet(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	v := w.must(201, "POST", "/v3/deployments", deployment(app, w.droplet(app), "{}"))
	is.Equal(at(v, "previous_droplet"), map[string]any{"guid": nil})
	is.Equal(at(v, "new_processes"), []any{}) // never null
	is.Equal(at(v, "options"), map[string]any{"max_in_flight": 1.0})
}

func TestTheSameRequestTwiceDoesTheThingOnce(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	droplet := w.droplet(app)
	var seen []string
	for range 3 {
		got := w.call("POST", "/v3/deployments", deployment(app, droplet, "{}"), "Idempotency-Key", "ci-42")
		is.Equal(got.Code, 201)
		is.Equal(got.Header().Get("X-Slipway-Command"), "ci-42")
		seen = append(seen, text(object(t, got.Body.Bytes()), "guid"))
	}
	is.Equal(len(slices.Compact(seen)), 1) // one deployment
	l := w.must(200, "GET", "/v3/deployments", "")
	is.Equal(at(l, "pagination", "total_results"), 1.0)
}

func TestEventsOfADeployment(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":1}`)
	id := w.deploy(app, w.droplet(app), `{}`)
	process := text(w.must(200, "GET", "/v3/deployments/"+id, ""), "new_processes", 0, "guid")
	w.report(events.InstanceCrashed{InstanceRef: ref(events.AppID(app), events.ProcessID(process), 0), Reason: "exit status 1", Crashes: 1})
	w.caughtUp()
	v := w.must(200, "GET", "/v3/deployments/"+id+"/events?per_page=2", "")
	is.Equal(text(v, "pagination", "next", "href"), server+"/v3/deployments/"+id+"/events?page=2&per_page=2")
	is.Equal(keys(at(v, "resources", 0)), []string{
		"actor", "cause", "data", "dataversion", "id", "index", "sequence", "source", "specversion", "subject", "time", "type",
	})
	is.Equal(text(v, "resources", 0, "actor"), "user/admin")
	is.Equal(text(v, "resources", 0, "cause"), "http")
	is.Equal(text(v, "resources", 0, "source"), "/slipway/app/"+app)
	crashed := w.must(200, "GET", "/v3/deployments/"+id+"/events?types=instance.crashed", "")
	is.Equal(text(crashed, "resources", 0, "data", "reason"), "exit status 1") // facts of agents are there too
	is.Equal(text(crashed, "resources", 0, "source"), "/slipway/instance/"+process)
	is.Equal(text(crashed, "resources", 0, "actor"), "agent/a1")
	stats := w.must(200, "GET", "/v3/processes/"+process+"/stats", "")
	is.Equal(text(stats, "resources", 0, "state"), "CRASHED")
	is.Equal(text(stats, "resources", 0, "details"), "exit status 1")
	is.Equal(at(stats, "resources", 0, "routable"), false)
}

func keys(v any) []string {
	m, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}
