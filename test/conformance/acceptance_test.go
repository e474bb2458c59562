package conformance_test

import (
	"fmt"
	"slices"
	"time"
)

// acceptance are the cases of 4.13, which Cloud Foundry runs with its CLI. Here they ask for what the CLI asks for, and
// look each second at the instances that the router could send a request to; test/clients runs the real CLI.
var acceptance = []row{
	{272, started(3), deploys(`{}`, after(5*time.Second)), do(
		active("DEPLOYING", "rolling", 1), served(16, 3), active("", "", 0), onlyRuns(1, 3),
	)},
	{273, started(3), deploys(`{"max_in_flight":2}`, after(5*time.Second)), do(
		active("DEPLOYING", "rolling", 2), served(11, 3), active("", "", 0), onlyRuns(1, 3),
	)},
	{274, started(3), canaries(`{}`), do(active("PAUSED", "canary", 1), func(w *world) { w.is.Equal(versions(w), w.droplets) })},
	{275, do(started(3), canaries(`{}`)), continues, do(active("", "", 0), onlyRuns(1, 3))},
	{276, do(started(3), canaries(`{}`)), cancels, do(active("", "", 0), onlyRuns(0, 3))},
	{277, do(started(3), canaries(`{"max_in_flight":2}`, after(5*time.Second)), passes(6*time.Second), active("PAUSED", "canary", 2)),
		continues, do(active("DEPLOYING", "canary", 2), served(6, 3), active("", "", 0), onlyRuns(1, 3))},
	{279, started(3), canaries(`{}`), func(w *world) {
		webs := w.webs()
		w.is.Equal(len(webs), 2)
		w.is.Equal(text(webs[0], "guid"), w.app)
		w.is.Equal(text(webs[1], "guid"), w.fresh())
	}},
	{281, started(1), deploys(`{}`, after(5*time.Second)), do(served(6, 1), onlyRuns(1, 1))},
	{284, do(startedOf(`{"web":"./web","worker":"./work"}`, 4), scaled("worker", 1)), do(canaries(`{}`), active("PAUSED", "canary", 1), func(w *world) {
		w.is.Equal(routable(w, w.fresh()), 1)
		w.worker = workers(w)
	}), do(continues, onlyRuns(1, 4), func(w *world) {
		w.is.Equal(len(workers(w)), 1)
		w.is.True(!slices.Equal(workers(w), w.worker)) // it was restarted
	})},
	{285, started(4), canaries(steps(1, 50, 75, 99)), func(w *world) {
		for want := 1; want <= 4; want++ {
			inState("PAUSED")(w)
			w.is.Equal(routable(w, w.fresh()), want) // canaries that run
			continues(w)
		}
		onlyRuns(1, 4)(w)
	}},
	{286, started(4), deploys(`{"max_in_flight":4}`, never), sizes(4, 4)},
	{287, do(started(4), canaries(`{"max_in_flight":4}`, ready, never), sizes(4, 1)), continues, sizes(3, 4)},
}

// active expects the deployment that the CLI shows as active; an empty reason: it shows none.
func active(reason, strategy string, inFlight int) act {
	return func(w *world) {
		w.t.Helper()
		l := w.get("/v3/deployments?order_by=-created_at&status_values=ACTIVE&app_guids=" + w.app)
		if reason == "" {
			w.is.Equal(len(guids(l)), 0)
			return
		}
		d := at(l, "resources", 0)
		got := fmt.Sprint(text(d, "status", "reason"), " ", text(d, "strategy"), " ", number(d, "options", "max_in_flight"))
		w.is.Equal(got, fmt.Sprint(reason, " ", strategy, " ", inFlight)) // what the CLI shows
	}
}

// served looks each second, so many times, that at least so many instances are routable.
func served(times, least int) act {
	return func(w *world) {
		for range times {
			n := 0
			for _, p := range w.webs() {
				n += routable(w, text(p, "guid"))
			}
			w.is.True(n >= least) // enough instances for the router
			passes(time.Second)(w)
		}
	}
}

func routable(w *world, process string) int {
	n := 0
	for _, i := range all(w.get("/v3/processes/"+process+"/stats"), "resources") {
		if at(i, "routable") == true {
			n++
		}
	}
	return n
}

// onlyRuns expects that web instances of one droplet only are there, so many.
func onlyRuns(droplet, instances int) act {
	return func(w *world) {
		w.is.Equal(versions(w), []string{w.droplets[droplet]})
		w.is.Equal(w.alive(w.droplets[droplet]), instances)
	}
}

// workers are the instances of type worker that run.
func workers(w *world) []string {
	var found []string
	for _, s := range w.driver.Alive() {
		if s.Type == "worker" {
			found = append(found, string(s.Instance))
		}
	}
	return found
}
