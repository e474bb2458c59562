package conformance_test

import "slices"

// create are the cases of 4.1: the request and its answer.
var create = []row{
	{1, started(1), do(rests, requests("")), func(w *world) {
		v := w.accepted()
		w.is.Equal(text(v, "droplet", "guid"), w.droplets[0])
		w.is.Equal(text(v, "previous_droplet", "guid"), w.droplets[0])
		w.is.Equal(text(v, "strategy"), "rolling")
		w.is.Equal(number(v, "options", "max_in_flight"), 1)
		w.is.Equal(text(v, "status", "value"), "ACTIVE")
		w.is.Equal(text(v, "status", "reason"), "DEPLOYING")
		w.is.Equal(len(all(v, "new_processes")), 1)
		w.is.Equal(text(v, "new_processes", 0, "type"), "web")
		w.is.Equal(at(v, "links", "cancel"), map[string]any{"href": w.own("actions/cancel"), "method": "POST"})
		w.is.Equal(at(v, "links", "continue"), nil)
	}},
	{2, started(1), deploys(`{}`, never), func(w *world) {
		v := w.accepted()
		w.is.Equal(text(v, "droplet", "guid"), w.droplets[1])
		w.is.Equal(text(v, "previous_droplet", "guid"), w.droplets[0])
		w.is.Equal(currentDroplet(w), w.droplets[1]) // at once
	}},
	{3, do(started(1), deploys(`{}`), deploys(`{}`)), rollsBackTo(2), func(w *world) {
		v := w.accepted()
		w.is.Equal(text(v, "droplet", "guid"), w.droplets[1])
		w.is.Equal(number(v, "revision", "version"), 4) // a new one
		w.is.Equal(text(w.get("/v3/revisions/"+text(v, "revision", "guid")), "droplet", "guid"), w.droplets[1])
	}},
	{5, do(started(1), deploys(`{}`), withoutRevisions), rollsBackTo(1),
		refused("Cannot create deployment from a revision for an app without revisions enabled")},
	{8, created(1), deploys(`{}`), func(w *world) {
		v := w.accepted()
		w.is.Equal(text(v, "status", "value"), "FINALIZED")
		w.is.Equal(text(v, "status", "reason"), "DEPLOYED")
		w.is.Equal(at(v, "new_processes"), []any{})
		w.is.Equal(at(v, "options"), map[string]any{"max_in_flight": 1.0})
		w.is.Equal(cloudFoundryLinks(v), []string{"app", "self"})
		w.is.Equal(text(w.get("/v3/apps/"+w.app), "state"), "STARTED")
	}},
	{9, created(1), requests(`"strategy":"rolling"`), func(w *world) {
		w.accepted()
		w.is.Equal(text(w.get("/v3/apps/"+w.app), "state"), "STARTED")
	}},
	{10, created(1), canaries(`{"canary":{"steps":[{"instance_weight":40},{"instance_weight":80}]}}`), func(w *world) {
		v := w.accepted()
		w.is.Equal(weights(v), []int{40, 80})
		inState("DEPLOYED")(w)
	}},
	{11, started(1), requests(`"strategy":"rolling"`), func(w *world) {
		v := w.accepted()
		w.is.Equal(text(v, "strategy"), "rolling")
		w.is.Equal(at(v, "status", "canary"), nil)
	}},
	{14, started(1), deploys(`{"max_in_flight":5}`), option("max_in_flight", 5.0)},
	{16, started(10), canaries(steps(20, 40, 60, 80)), func(w *world) {
		v := w.accepted()
		w.is.Equal(weights(v), []int{20, 40, 60, 80})
		w.is.Equal(at(v, "status", "canary"), map[string]any{"steps": map[string]any{"current": 1.0, "total": 4.0}})
	}},
	{19, started(1), deploys(`{}`), option("memory_in_mb", nil)},
	{20, started(10), deploys(`{"disk_in_mb":500}`), option("disk_in_mb", 500.0)},
	{23, started(10), deploys(`{"log_rate_limit_in_bytes_per_second":500}`), option("log_rate_limit_in_bytes_per_second", 500.0)},
	{25, started(1), deploys(`{}`), option("log_rate_limit_in_bytes_per_second", nil)},
	{26, started(10), deploys(`{"web_instances":5}`), option("web_instances", 5.0)},
}

// option expects an option of the last deployment, as it was answered and as it is shown; nil: no such key.
func option(key string, want any) act {
	return func(w *world) {
		w.is.Equal(at(w.accepted(), "options", key), want)
		w.is.Equal(at(w.shown(), "options", key), want)
	}
}

// own is the address of something of the last deployment.
func (w *world) own(path string) string {
	return server + "/v3/deployments/" + w.deployment + "/" + path
}

func currentDroplet(w *world) string {
	return text(w.get("/v3/apps/"+w.app+"/droplets/current"), "guid")
}

// cloudFoundryLinks are the names of the links that Cloud Foundry knows: Slipway has some of its own.
func cloudFoundryLinks(v any) []string {
	var names []string
	for _, name := range []string{"app", "cancel", "continue", "self"} {
		if at(v, "links", name) != nil {
			names = append(names, name)
		}
	}
	return names
}

func weights(v any) []int {
	var weights []int
	for _, step := range all(v, "options", "canary", "steps") {
		weights = append(weights, number(step, "instance_weight"))
	}
	return weights
}

// rollsBackTo deploys the app's revision of that version.
func rollsBackTo(version int) act {
	return func(w *world) {
		revisions := all(w.get("/v3/apps/"+w.app+"/revisions?per_page=5000"), "resources")
		i := slices.IndexFunc(revisions, func(r any) bool { return number(r, "version") == version })
		w.is.True(i >= 0) // there is such a revision
		requests(`"revision":{"guid":"` + text(revisions[i], "guid") + `"}`)(w)
	}
}

// withoutRevisions switches the app's revisions off.
func withoutRevisions(w *world) {
	w.must(200, "PATCH", "/v3/apps/"+w.app+"/features/revisions", `{"enabled":false}`)
}
