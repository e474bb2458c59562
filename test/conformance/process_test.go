package conformance_test

import (
	"fmt"
	"slices"

	"slipway/internal/agent/driver"
)

// process are the cases of 4.2: the new process and the app.
var process = []row{
	{38, do(started(3), sized(`{"memory_in_mb":500,"disk_in_mb":600,"log_rate_limit_in_bytes_per_second":700}`), checked), deploys(`{"max_in_flight":1}`, never),
		func(w *world) {
			webs := w.webs()
			w.is.Equal(len(webs), 2)
			old, fresh := webs[0], webs[1]
			w.is.Equal(number(fresh, "instances"), 1)
			for _, key := range []string{"type", "memory_in_mb", "disk_in_mb", "log_rate_limit_in_bytes_per_second", "health_check", "readiness_health_check"} {
				w.is.Equal(at(fresh, key), at(old, key)) // as the old one
			}
			w.is.Equal(number(fresh, "memory_in_mb"), 500)
		}},
	{39, do(started(3), deploys(`{"max_in_flight":4,"web_instances":4,"memory_in_mb":2,"disk_in_mb":6,"log_rate_limit_in_bytes_per_second":12}`, never), webSizes(3, 4)),
		deploys(`{"max_in_flight":1}`, never), func(w *world) {
			fresh := w.get("/v3/processes/" + w.fresh())
			w.is.Equal(number(fresh, "instances"), 1)
			w.is.Equal(number(fresh, "memory_in_mb"), 2) // of the newer one
			w.is.Equal(number(fresh, "disk_in_mb"), 6)
			w.is.Equal(number(fresh, "log_rate_limit_in_bytes_per_second"), 12)
		}},
	{40, do(started(1), secondRoute), func(w *world) {
		before := destinations(w)
		deploys(`{}`, never)(w)
		w.is.Equal(destinations(w), before) // none more, none less, and of type web: old and new alike
	}, func(w *world) {
		w.is.Equal(destinations(w), []string{w.app + " web", w.app + " web"})
	}},
	{41, started(1), deploys(`{}`, never), func(w *world) {
		webs := w.webs()
		w.is.Equal(len(webs), 2)
		w.is.Equal(text(w.shown(), "new_processes", 0, "guid"), text(webs[1], "guid"))
	}},
	{42, started(1), deploys(`{}`, never), func(w *world) {
		w.is.True(slices.ContainsFunc(w.driver.Alive(), func(s driver.Spec) bool { return string(s.Process) == w.fresh() }))
	}},
	{43, started(1), deploys(`{}`, never), func(w *world) {
		w.is.Equal(at(w.accepted(), "new_processes"), []any{map[string]any{"guid": text(w.webs()[1], "guid"), "type": "web"}})
	}},
	{44, bare, deploys(`{}`), func(w *world) {
		w.is.Equal(at(w.accepted(), "previous_droplet"), map[string]any{"guid": nil})
		w.is.Equal(currentDroplet(w), w.last())
	}},
	{45, do(started(1), bare), func(w *world) {
		requests(`"droplet":{"guid":"` + w.droplets[0] + `"}`)(w)
	}, refused("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")},
	{46, bare, requests(""), refused("Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.")},
	{48, started(3), deploys(`{"max_in_flight":100}`, never), sizes(3, 3)},
	{49, started(5), deploys(`{"web_instances":10,"max_in_flight":200}`, never), sizes(5, 10)},
	{50, started(10), do(rests, deploys(`{"web_instances":5,"max_in_flight":200}`, never)), sizes(10, 5)},
	{52, started(3), canaries(`{"max_in_flight":1,`+steps(33, 99)[1:], never), do(storedWeights(33, 99), sizes(3, 1))},
	{53, started(3), canaries(`{"max_in_flight":100,`+steps(33, 99)[1:], never), sizes(3, 1)},
	{54, started(1), requests(`"strategy":null`), func(w *world) { w.is.Equal(text(w.accepted(), "strategy"), "rolling") }},
	{55, started(1), deploys(`{"max_in_flight":10}`), option("max_in_flight", 10.0)},
	{56, started(1), deploys(`{}`), option("max_in_flight", 1.0)},
	{57, started(1), deploys(`{"web_instances":12}`), option("web_instances", 12.0)},
	{58, started(1), deploys(`{"web_instances":null}`), option("web_instances", nil)},
	{59, do(started(1), sized(`{"memory_in_mb":500}`)), deploys(`{"memory_in_mb":1000}`, never),
		do(option("memory_in_mb", 1000.0), freshHas("memory_in_mb", 1000))},
	{60, do(started(1), sized(`{"memory_in_mb":500}`)), deploys(`{"memory_in_mb":null}`, never),
		do(option("memory_in_mb", nil), freshHas("memory_in_mb", 500))},
	{61, started(1), deploys(`{"disk_in_mb":1000}`, never), freshHas("disk_in_mb", 1000)},
	{61, started(1), deploys(`{"disk_in_mb":null}`, never), freshHas("disk_in_mb", 1024)},
	{70, created(3), deploys(`{"web_instances":12}`), do(webSizes(12), appIs("STARTED"))},
	{70, created(3), deploys(`{"web_instances":null}`), do(webSizes(3), appIs("STARTED"))},
	{71, do(created(3), sized(`{"memory_in_mb":500}`)), deploys(`{"memory_in_mb":1000}`), oldHas("memory_in_mb", 1000)},
	{71, do(created(3), sized(`{"memory_in_mb":500}`)), deploys(`{"memory_in_mb":null}`), oldHas("memory_in_mb", 500)},
}

// checked gives the web process a health check of its own.
func checked(w *world) {
	w.must(200, "PATCH", "/v3/processes/"+w.app, `{"health_check":{"type":"http","data":{"endpoint":"/up","timeout":7,"interval":3,"invocation_timeout":2}}}`)
}

// steps are options of a canary that pauses at these weights.
func steps(weights ...int) string {
	list := ""
	for i, weight := range weights {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(`{"instance_weight":%d}`, weight)
	}
	return `{"canary":{"steps":[` + list + `]}}`
}

func storedWeights(want ...int) act {
	return func(w *world) { w.is.Equal(weights(w.shown()), want) }
}

func freshHas(key string, want int) act {
	return func(w *world) { w.is.Equal(number(w.get("/v3/processes/"+w.fresh()), key), want) }
}

// oldHas expects something of the web process that was there before.
func oldHas(key string, want int) act {
	return func(w *world) { w.is.Equal(number(w.get("/v3/processes/"+w.app), key), want) }
}

func appIs(want string) act {
	return func(w *world) { w.is.Equal(text(w.get("/v3/apps/"+w.app), "state"), want) }
}

// secondRoute gives the app a route beside the one it has by default.
func secondRoute(w *world) {
	route := text(w.must(201, "POST", "/v3/routes", `{"host":"second","relationships":{"space":{"data":{"guid":"default"}},`+
		`"domain":{"data":{"guid":"localhost"}}}}`), "guid")
	w.must(200, "POST", "/v3/routes/"+route+"/destinations", `{"destinations":[{"app":{"guid":"`+w.app+`"}}]}`)
}

// destinations are the app and process type that each destination of the app's routes names.
func destinations(w *world) []string {
	var found []string
	for _, route := range all(w.get("/v3/apps/"+w.app+"/routes"), "resources") {
		for _, d := range all(route, "destinations") {
			found = append(found, text(d, "app", "guid")+" "+text(d, "app", "process", "type"))
		}
	}
	return found
}
