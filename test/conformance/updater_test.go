package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/agent/driver/sim"
)

// updaterPasses are the cases of 4.7: passes of the updater and the end of a rollout.
var updaterPasses = []row{
	{166, do(started(6), deploys(`{"max_in_flight":2}`, slices.Concat(lots(4, ready), lots(2, after(10*time.Second)))...), sizes(2, 6),
		rests, passes(11*time.Second)), moves, do(inState("DEPLOYED"), status("FINALIZED/DEPLOYED"), webSizes(6), onlyTheNew)},
	{168, started(6), deploys(`{"web_instances":10,"max_in_flight":100}`, never), sizes(6, 10)},
	{171, do(started(10), canaries(half(2), slices.Concat(lots(3, ready), lots(2, after(10*time.Second)))...), sizes(8, 5),
		rests, passes(11*time.Second)), moves, do(inState("PAUSED"), status("ACTIVE/PAUSED"), sizes(6, 5))},
	{172, started(10), canaries(half(5), slices.Concat(lots(4, ready), lots(1, never))...), inState("PREPAUSED")},
	{173, do(started(10), rests, canaries(half(5)), unready(4)), moves, inState("PREPAUSED")},
	{174, do(started(10), rests, canaries(half(5)), vanish(4)), moves, inState("PREPAUSED")},
	{175, started(1), canaries(`{}`), inState("PAUSED")},
	{177, started(1), canaries(`{}`, never), do(inState("PREPAUSED"), status("ACTIVE/DEPLOYING"))},
	{178, started(1), do(canaries(`{}`, broken), passes(10*time.Second)), do(inState("PREPAUSED"), healthyAfter(0))},
	{184, do(started(3), deploys(`{}`, broken), unhealthy), mends(ready, never), do(errorIs(nil), sizes(2, 2))},
	{184, do(started(3), canaries(`{}`, broken), unhealthy), mends(ready), do(errorIs(nil), inState("PAUSED"))},
	{184, do(started(3), deploys(`{}`, broken), unhealthy), cancels, do(errorIs(nil), inState("CANCELED"))},
	{188, do(startedOf(`{"web":"./web","worker":"./work"}`, 1), withoutRevisions, func(w *world) {
		w.must(200, "PATCH", "/v3/processes/"+workerOf(w), `{"command":"./mine"}`)
	}), deploys(`{}`), func(w *world) {
		inState("DEPLOYED")(w)
		w.is.Equal(at(w.shown(), "revision"), nil)
		w.is.Equal(text(w.get("/v3/processes/"+workerOf(w)), "command"), "./mine")
	}},
	{189, do(startedOf(`{"web":"./web","worker":"./work","nonweb":"./other"}`, 3), deploys(`{}`, ready, never), webSizes(2, 2)), deploys(`{}`),
		func(w *world) {
			onlyTheNew(w)
			var left []string
			for _, p := range all(w.get("/v3/apps/"+w.app+"/processes"), "resources") {
				left = append(left, fmt.Sprint(text(p, "type"), " ", number(p, "instances")))
				w.is.True(text(p, "guid") != w.app)
			}
			slices.Sort(left)
			w.is.Equal(left, []string{"nonweb 0", "web 3", "worker 0"})
		}},
}

// half are options of a canary that pauses at 50 and 80 %.
func half(inFlight int) string {
	return fmt.Sprintf(`{"max_in_flight":%d,%s`, inFlight, steps(50, 80)[1:])
}

// onlyTheNew expects that the process of the last deployment is the only web process.
func onlyTheNew(w *world) {
	webs := w.webs()
	w.is.Equal(len(webs), 1)
	w.is.Equal(text(webs[0], "guid"), w.fresh())
}

// unhealthy expects the error that tells of crashing new instances.
func unhealthy(w *world) {
	w.is.True(strings.HasPrefix(text(w.shown(), "status", "details", "error"), "1 of 1 new instances unhealthy: instance 0 CRASHED once"))
}

// mends lets instances of the new version that start from now on live so, and waits for the next start of those that crash.
func mends(lives ...sim.Life) act {
	return func(w *world) {
		w.script(w.last(), lives...)
		passes(2 * time.Second)(w)
	}
}

func workerOf(w *world) string { return text(w.get("/v3/apps/"+w.app+"/processes/worker"), "guid") }
