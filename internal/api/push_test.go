package api_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// apply sends a manifest as the cf CLI does and follows its job.
func (w *world) apply(text string, header ...string) map[string]any {
	w.t.Helper()
	got := w.call("POST", "/v3/spaces/default/actions/apply_manifest", text, append(header, "Content-Type", "application/x-yaml")...)
	if got.Code != 202 || got.Body.Len() != 0 {
		w.t.Fatalf("apply manifest: %d %s", got.Code, got.Body)
	}
	return w.must(200, "GET", strings.TrimPrefix(got.Header().Get("Location"), server), "")
}

// lookup is how the cf CLI finds an app.
func (w *world) lookup(name string) string {
	w.t.Helper()
	v := w.must(200, "GET", "/v3/apps?names="+name+"&space_guids=default", "")
	if at(v, "pagination", "total_results") != 1.0 {
		w.t.Fatalf("app %s is not there once: %v", name, v)
	}
	return text(v, "resources", 0, "guid")
}

// runningSoon waits until what the CLI polls says that the app runs.
func (w *world) runningSoon(app string) {
	w.t.Helper()
	w.until("an instance runs", func() bool {
		newest := text(w.must(200, "GET", "/v3/apps/"+app+"/processes/web", ""), "guid")
		stats := w.must(200, "GET", "/v3/processes/"+newest+"/stats", "")
		return text(stats, "resources", 0, "state") == "RUNNING"
	})
}

// summary is what the CLI asks for last (reference 3.3, cf app).
func (w *world) summary(app string) {
	w.t.Helper()
	processes := w.must(200, "GET", "/v3/apps/"+app+"/processes", "")
	list, _ := at(processes, "resources").([]any)
	for _, p := range list {
		w.must(200, "GET", "/v3/processes/"+text(p, "guid")+"/sidecars", "")
		w.must(200, "GET", "/v3/processes/"+text(p, "guid")+"/stats", "")
		w.must(200, "GET", "/v3/processes/"+text(p, "guid"), "")
	}
	w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", "")
	w.must(200, "GET", "/v3/deployments?app_guids="+app+"&order_by=-created_at&page=1&per_page=1&status_values=ACTIVE", "")
}

// stagedBy begins a build and polls it, as the CLI does; it gives the droplet.
func (w *world) stagedBy(pkg string) string {
	w.t.Helper()
	build := text(w.must(201, "POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"}}`), "guid")
	w.until("the build has ended", func() bool {
		return text(w.must(200, "GET", "/v3/builds/"+build, ""), "state") != "STAGING"
	})
	v := w.must(200, "GET", "/v3/builds/"+build, "")
	if text(v, "state") != "STAGED" {
		w.t.Fatalf("build: %v", v)
	}
	return text(w.must(200, "GET", "/v3/droplets/"+text(v, "droplet", "guid"), ""), "guid")
}

// TestPushOfADirectory replays `cf push hello -p DIR`, then `cf push hello -p DIR --strategy rolling -i 2`.
func TestPushOfADirectory(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	w.stagers()
	push := func(manifest string, bits string) (app, droplet string) {
		is.Equal(text(w.apply(manifest), "state"), "COMPLETE")
		app = w.lookup("hello")
		w.must(201, "POST", "/v3/resource_matches", `{"resources":[{"checksum":{"value":"a"},"size_in_bytes":1,"path":"x","mode":"644"}]}`)
		pkg := w.pack(app, bits)
		is.Equal(text(w.must(200, "GET", "/v3/packages/"+pkg, ""), "state"), "READY")
		return app, w.stagedBy(pkg)
	}
	app, first := push("applications:\n- name: hello\n  path: /tmp/hello\n  default-route: true\n  instances: 2\n  memory: 64M\n",
		zipped(t, "Procfile", "web: ./v1"))
	w.must(200, "PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+first+`"}}`)
	is.Equal(text(w.must(200, "POST", "/v3/apps/"+app+"/actions/restart", ""), "state"), "STARTED")
	w.runningSoon(app)
	w.summary(app)

	again, second := push("applications:\n- name: hello\n  path: /tmp/hello\n  default-route: true\n", zipped(t, "Procfile", "web: ./v2"))
	is.Equal(again, app)
	d := w.deploy(app, second, `{"web_instances":3,"memory_in_mb":null,"canary":null}`)
	w.until("the rollout is over", func() bool { return w.status(d) == "FINALIZED/DEPLOYED" })
	w.runningSoon(app)
	w.summary(app)
	v := w.must(200, "GET", "/v3/apps/"+app+"/processes/web", "")
	is.Equal([]any{at(v, "instances"), at(v, "memory_in_mb"), at(v, "command")}, []any{3.0, 64.0, "./v2"})
}

// TestPushOfAnImage replays `cf push hello --docker-image shop/web:3 --strategy rolling`.
func TestPushOfAnImage(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.stagers()
	is.Equal(text(w.apply("applications:\n- name: hello\n  docker:\n    image: shop/web:3\n  default-route: true\n"), "state"), "COMPLETE")
	app := w.lookup("hello")
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app, ""), "lifecycle", "type"), "docker") // else the CLI would send files
	pkg := text(w.must(201, "POST", "/v3/packages", `{"type":"docker",`+ofApp(app)+`,"data":{"image":"shop/web:3"}}`), "guid")
	droplet := w.stagedBy(pkg)
	d := w.deploy(app, droplet, `null`)
	is.Equal(w.status(d), "FINALIZED/DEPLOYED") // the app was stopped
	w.summary(app)
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "image"), "shop/web:3")
	w.app("bits")
	job := w.apply("applications: [{name: bits, docker: {image: shop/web:3}}]")
	is.Equal(text(job, "errors", 0, "detail"), "For application 'bits': Lifecycle type cannot be changed")
	made := w.must(201, "POST", "/v3/apps", `{"name":"made","lifecycle":{"type":"docker","data":{}}}`) // cf create-app --app-type docker
	is.Equal(at(made, "lifecycle"), map[string]any{"type": "docker", "data": map[string]any{}})
}

// TestPushOfADroplet replays `cf push hello --droplet F.tgz --strategy canary --instance-steps 50`.
func TestPushOfADroplet(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	is.Equal(text(w.apply("applications:\n- name: hello\n  default-route: true\n  instances: 2\n"), "state"), "COMPLETE")
	app := w.lookup("hello")
	deploy := func(strategy string) string {
		droplet := text(w.must(201, "POST", "/v3/droplets", `{`+ofApp(app)+`}`), "guid")
		body, contentType := multiform("[]", "bits")
		got := w.call("POST", "/v3/droplets/"+droplet+"/upload", body, "Content-Type", contentType)
		is.Equal(got.Code, 202)
		is.Equal(text(w.must(200, "GET", strings.TrimPrefix(got.Header().Get("Location"), server), ""), "state"), "COMPLETE")
		return text(w.must(201, "POST", "/v3/deployments", `{`+ofApp(app)+`,"droplet":{"guid":"`+droplet+`"},`+strategy+`}`), "guid")
	}
	is.Equal(w.status(deploy(`"strategy":"rolling"`)), "FINALIZED/DEPLOYED")
	w.runningSoon(app)
	is.Equal(text(w.apply("applications:\n- name: hello\n  default-route: true\n"), "state"), "COMPLETE")
	d := deploy(`"strategy":"canary","options":{"canary":{"steps":[{"instance_weight":50}]},"max_in_flight":null}`)
	w.until("it is paused", func() bool { return w.status(d) == "ACTIVE/PAUSED" })
	w.summary(app)

	job := w.apply("applications:\n- name: hello\n  instances: 5\n")
	is.Equal(text(job, "state"), "FAILED") // what a deployment in flight blocks
	is.Equal(at(job, "errors"), []any{map[string]any{
		"code": 10008.0, "title": "CF-UnprocessableEntity",
		"detail": "For application 'hello': Cannot scale this process while a deployment is in flight.",
	}})
	job = w.apply("applications:\n- name: hello\n  command: ./other\n")
	is.Equal(text(job, "errors", 0, "detail"), "For application 'hello': Cannot update this process while a deployment is in flight.")
	is.Equal(text(w.apply("applications:\n- name: hello\n  env: {A: 1}\n"), "state"), "COMPLETE") // what it does not
}

func TestApplyManifest(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	const whole = `applications:
- name: hello
  env: {A: 1, B: two}
  metadata: {labels: {team: checkout}}
  processes:
  - type: web
    instances: 3
    memory: 256M
    disk_quota: 2G
    log-rate-limit-per-second: 1K
    command: ./web
    health-check-type: http
    health-check-http-endpoint: /up
    timeout: 9
  - type: worker
    instances: 1
    command: ./work
- name: other
`
	job := w.apply(whole, "Idempotency-Key", "m-1")
	is.Equal([]string{text(job, "guid"), text(job, "state"), text(job, "operation")},
		[]string{"space.apply_manifest.m-1", "COMPLETE", "space.apply_manifest"})
	app := w.lookup("hello")
	w.lookup("other")
	v := w.must(200, "GET", "/v3/apps/"+app+"/processes/web", "")
	is.Equal([]any{at(v, "instances"), at(v, "memory_in_mb"), at(v, "disk_in_mb"), at(v, "log_rate_limit_in_bytes_per_second"), at(v, "command")},
		[]any{3.0, 256.0, 2048.0, 1024.0, "./web"})
	is.Equal(at(v, "health_check"), map[string]any{"type": "http", "data": map[string]any{
		"endpoint": "/up", "timeout": 9.0, "invocation_timeout": nil, "interval": nil,
	}})
	v = w.must(200, "GET", "/v3/apps/"+app+"/processes/worker", "")
	is.Equal([]any{at(v, "instances"), at(v, "command"), text(v, "health_check", "type")}, []any{1.0, "./work", "process"})
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app+"/environment_variables", ""), "var"), map[string]any{"A": "1", "B": "two"})
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app, ""), "metadata", "labels", "team"), "checkout")

	w.caughtUp()
	before, err := w.log.Newest(t.Context())
	is.NoErr(err)
	w.apply(whole, "Idempotency-Key", "m-1")
	after, err := w.log.Newest(t.Context())
	is.NoErr(err)
	is.Equal(after, before) // the same manifest under the same id changes nothing
	w.apply(whole)
	after, err = w.log.Newest(t.Context())
	is.NoErr(err)
	is.Equal(after, before+1) // under another one it is noted that all stands as it says

	w.apply("applications: [{name: hello, env: {B: 2, C: 3}, metadata: {annotations: {a: b}}}]")
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app+"/environment_variables", ""), "var"), map[string]any{"A": "1", "B": "2", "C": "3"})
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app, ""), "metadata", "labels", "team"), "checkout") // it stays
}

func TestApplyManifestRefuses(t *testing.T) {
	w := newWorld(t)
	const path = "/v3/spaces/default/actions/apply_manifest"
	yaml := []string{"Content-Type", "application/x-yaml"}
	refused(t, w.call("POST", path, "applications: [{name: a}, {name: b, memory: x}]", yaml...), 422, 10008, unprocessable,
		`For application 'b': Process "web": Memory is not a number`)
	refused(t, w.call("POST", path, "{{", yaml...), 400, 1001, "CF-MessageParseError", parseError)
	refused(t, w.call("POST", path, "applications: [{name: a}]"), 415, 1004, "CF-BadRequest",
		"The body must be YAML: send it with 'Content-Type: application/x-yaml'")
	refused(t, w.call("POST", "/v3/spaces/moon/actions/apply_manifest", "applications: [{name: a}]", yaml...), 404, 10010,
		"CF-ResourceNotFound", "Space not found")
	is := is.New(t)
	is.Equal(at(w.must(200, "GET", "/v3/apps", ""), "pagination", "total_results"), 0.0) // nothing was left behind
	for _, job := range []string{"space.apply_manifest.nobody", "space.apply_manifest.a*b", "potato.x"} {
		is.Equal(w.call("GET", "/v3/jobs/"+job, "").Code, 404)
	}
	w.must(201, "POST", "/v3/apps", `{"name":"x"}`, "Idempotency-Key", "no-manifest")
	is.Equal(w.call("GET", "/v3/jobs/space.apply_manifest.no-manifest", "").Code, 404) // the id of another command
}

func TestManifestDiff(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	diff := func(text string) any {
		return at(w.must(201, "POST", "/v3/spaces/default/manifest_diff", text, "Content-Type", "application/x-yaml"), "diff")
	}
	change := func(op, path string, was, value any) any {
		c := map[string]any{"op": op, "path": path, "value": value}
		if was != nil {
			c["was"] = was
		}
		return c
	}
	is.Equal(diff("applications: [{name: hello, instances: 2}]"), []any{
		change("add", "/applications/0/name", nil, "hello"), change("add", "/applications/0/instances", nil, 2.0),
	})
	w.apply("applications: [{name: hello, instances: 2, memory: 1G, env: {A: 1, a/b: 2}, processes: [{type: worker, command: ./work}]}]")
	is.Equal(diff("applications: [{name: hello, instances: 2, memory: 1024M, env: {A: 1}}]"), []any{}) // it says what is
	is.Equal(diff(`applications:
- name: other
- name: hello
  memory: 512M
  env: {A: 2, B: x, a/b: 3}
  health-check-type: http
  processes:
  - type: worker
    command: ./more
    instances: 0
`), []any{
		change("add", "/applications/0/name", nil, "other"),
		change("replace", "/applications/1/env/A", "1", "2"), change("add", "/applications/1/env/B", nil, "x"),
		change("replace", "/applications/1/env/a~1b", "2", "3"),
		change("replace", "/applications/1/memory", "1024M", "512M"),
		change("replace", "/applications/1/health-check-type", "port", "http"),
		change("replace", "/applications/1/processes/0/command", "./work", "./more"),
	})
	is.Equal(at(w.must(200, "GET", "/v3/apps", ""), "pagination", "total_results"), 1.0) // it changes nothing
}

// TestAManifestOfWhatIsChangesNothing applies to an app the manifest that the server writes of it.
func TestAManifestOfWhatIsChangesNothing(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.apply(`applications: [{name: hello, default-route: true, env: {A: "1.10", B: ""}, metadata: {annotations: {note: "a: b"}}, health-check-type: http,
		health-check-http-endpoint: /up, log-rate-limit-per-second: 3K, processes: [{type: worker, instances: 2, command: "./w #x"}]}]`)
	got := w.call("GET", "/v3/apps/"+w.lookup("hello")+"/manifest", "")
	is.Equal(got.Code, 200)
	is.Equal(got.Header().Get("Content-Type"), "application/x-yaml")
	is.True(strings.HasPrefix(got.Body.String(), "applications:\n    - name: hello\n"))
	v := w.must(201, "POST", "/v3/spaces/default/manifest_diff", got.Body.String(), "Content-Type", "application/x-yaml")
	is.Equal(at(v, "diff"), []any{})
	before, err := w.log.Newest(t.Context())
	is.NoErr(err)
	is.Equal(text(w.apply(got.Body.String()), "state"), "COMPLETE")
	after, err := w.log.Newest(t.Context())
	is.NoErr(err)
	is.Equal(after, before+events.Sequence(1)) // the record only
}

func TestRoutesOfAManifest(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	urls := func(name string) (all []string) {
		list, _ := at(w.must(200, "GET", "/v3/apps/"+w.lookup(name)+"/routes", ""), "resources").([]any)
		for _, r := range list {
			all = append(all, text(r, "url"))
		}
		return all
	}
	says := func(manifest string) string {
		job := w.apply("applications: [{" + manifest + "}]")
		return text(job, "state") + text(job, "errors", 0, "detail")
	}
	is.Equal(says("name: Hello World, default-route: true"), "COMPLETE")
	is.Equal(urls("Hello%20World"), []string{"hello-world.localhost"})
	is.Equal(says("name: Hello World, default-route: true"), "COMPLETE")
	is.Equal(urls("Hello%20World"), []string{"hello-world.localhost"}) // it has one
	is.Equal(says("name: Hello World, no-route: true"), "COMPLETE")
	is.Equal(urls("Hello%20World"), nil)
	is.Equal(says("name: Hello World, default-route: true"), "COMPLETE")
	is.Equal(urls("Hello%20World"), []string{"hello-world.localhost"}) // the route was there still

	is.Equal(says("name: plain"), "COMPLETE")
	is.Equal(urls("plain"), nil) // nobody asked for one
	is.Equal(says("name: lucky, random-route: true"), "COMPLETE")
	is.True(len(urls("lucky")) == 1 && strings.HasPrefix(urls("lucky")[0], "lucky-"))

	w.must(201, "POST", "/v3/domains", `{"name":"example.org"}`)
	is.Equal(says("name: many, default-route: true, routes: [{route: A.example.org}, {route: b.localhost}]"), "COMPLETE")
	is.Equal(urls("many"), []string{"a.example.org", "b.localhost"})
	is.Equal(says("name: plain, routes: [{route: b.localhost}]"), "COMPLETE")
	is.Equal(urls("plain"), []string{"b.localhost"}) // two apps may share one
	is.Equal(says("name: plain, routes: [{route: a.example.com}]"),
		"FAILEDFor application 'plain': The route 'a.example.com' did not match any existing domains.")
	is.Equal(says("name: plain, routes: [{route: a.localhost/x}]"),
		"FAILEDFor application 'plain': The route 'a.localhost/x' has a path or a port, which is not supported")
	is.Equal(says("name: '!!', default-route: true"),
		"FAILEDFor application '!!': Failed to create default route from app name: "+
			`Host must be either "*" or contain only alphanumeric characters, "_", or "-"`)
}
