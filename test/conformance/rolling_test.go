package conformance_test

import (
	"slices"
	"testing/synctest"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver/sim"
)

// rolling are the cases of 4.6: one tick of the updater, up and down.
var rolling = []row{
	{120, started(6), deploys(`{"max_in_flight":1}`, never), sizes(6, 1)},
	{122, do(started(1), scaled("web", 0)), deploys(`{}`), do(status("FINALIZED/DEPLOYED"), webSizes(0))},
	{123, started(6), deploys(`{"max_in_flight":2}`, never), sizes(6, 2)},
	{125, started(6), deploys(`{"max_in_flight":100}`, never), sizes(6, 6)},
	{128, started(6), canaries(`{"max_in_flight":100,"canary":{"steps":[{"instance_weight":50}]}}`, never), sizes(6, 3)},
	{
		130, do(started(6), deploys(`{}`, ready, ready, ready, never)), deploys(`{}`, ready, ready, ready, never),
		do(webSizes(0, 3, 4), oldestIsTheFirst),
	},
	{
		130, do(started(6), deploys(`{"max_in_flight":10}`, ready, ready, ready, never)),
		deploys(`{"max_in_flight":10}`, ready, ready, ready, never), do(webSizes(0, 3, 6), oldestIsTheFirst),
	},
	{
		131, do(started(6), deploys(`{}`, ready, never), deploys(`{}`, slices.Concat(lots(5, ready), lots(1, never))...), webSizes(0, 1, 6)),
		deploys(`{}`, ready, never), do(webSizes(0, 5, 2), oldestIsTheFirst),
	},
	{
		133, do(started(30), rests, deploys(`{"web_instances":20,"max_in_flight":10}`,
			slices.Concat(lots(6, ready), lots(2, never), lots(1, broken), lots(1, ready))...), vanish(9)), moves, sizes(14, 10),
	},
	{
		135, do(started(10), deploys(`{"max_in_flight":5}`, slices.Concat(lots(4, ready), lots(1, never))...), sizes(6, 9),
			rests, vanish(1, 2, 3, 4, 5, 6, 7, 8)), moves, sizes(9, 9),
	},
	{
		136, do(started(10), rests, deploys(`{"max_in_flight":5}`, ready, ready, never, never, ready, never), unready(4)), moves,
		sizes(8, 7),
	},
	{137, started(6), deploys(`{"max_in_flight":2}`, ready, never), sizes(5, 3)},
	{139, started(6), oneRunsTwoFail, sizes(5, 3)},
	{
		140, started(3), do(deploys(`{}`, after(10*time.Second), never), passes(11*time.Second)),
		do(healthyAfter(10*time.Second), status("ACTIVE/DEPLOYING")),
	},
	{141, started(6), oneRunsTwoFail, do(healthyAfter(0), status("ACTIVE/DEPLOYING"))},
	{
		142, do(started(6), func(w *world) { w.agent.stop() }), do(deploys(`{}`), passes(5*time.Second)),
		do(sizes(6, 1), unmoved, errorIs(nil)),
	},
	{144, do(started(4), canaries(`{}`), status("ACTIVE/PAUSED"), webSizes(4, 1)), deploys(`{}`, never), webSizes(4, 1)},
	{
		145, do(started(6), deploys(`{}`, ready, after(10*time.Second)), webSizes(5, 2)),
		func(w *world) {
			superseded := w.deployment
			deploys(`{}`, never)(w)
			before := w.get("/v3/deployments/" + superseded)
			w.is.Equal(text(before, "status", "reason"), "SUPERSEDED")
			passes(11 * time.Second)(w) // what it still ran becomes routable
			w.is.Equal(w.get("/v3/deployments/"+superseded), before)
		},
		webSizes(5, 1, 1),
	},
	{146, do(started(10), fourOf(never, never), runs(2, 4, 5)), moves, grewBeyond(4)}, // 5 RUNNING, 1 STARTING
	{148, started(10), do(fourOf(never, never), moves), sizes(8, 4)},
	{
		150, do(started(6), deploys(`{}`, slices.Concat(lots(4, ready), lots(1, after(10*time.Second)), lots(1, never))...), sizes(2, 5),
			rests, passes(11*time.Second)), moves, do(status("ACTIVE/DEPLOYING"), sizes(1, 6)),
	},
	{151, started(5), deploys(`{}`, slices.Concat(lots(4, ready), lots(1, never))...), do(status("ACTIVE/DEPLOYING"), sizes(1, 5))},
	{152, do(started(10), fourOf(after(10*time.Second), after(10*time.Second)), passes(11*time.Second)), moves, sizes(6, 6)},
	{157, do(started(10), fourOf(after(10*time.Second), failing), passes(failed)), moves, sizes(7, 4)},
	{158, do(started(10), fourOf(never, never), vanish(1, 2, 3)), moves, sizes(9, 4)},
	{159, train, passes(11 * time.Second), webSizes(2, 1, 2, 10)},
	{160, nil, train, webSizes(3, 1, 2, 9)},
	{162, train, passes(21 * time.Second), webSizes(0, 1, 2, 10)},
	{163, train, passes(31 * time.Second), webSizes(0, 2, 10)},
	{164, do(train, passes(31*time.Second)), passes(10 * time.Second), webSizes(0, 1, 10)}, // interim: 2 -> 1; another: 1 -> gone
	{165, train, passes(21 * time.Second), oldestIsTheFirst},
}

// failing starts, and has crashed once at the moment failed.
var failing = sim.Life{NeverHealthy: true, ExitAfter: 10 * time.Second, ExitStatus: 1}

const failed = 10*time.Second + 500*time.Millisecond

func lots(n int, life sim.Life) []sim.Life { return slices.Repeat([]sim.Life{life}, n) }

// oneRunsTwoFail is a rollout whose new process has 3 instances: 1 routable, 2 CRASHED.
var oneRunsTwoFail = do(deploys(`{"max_in_flight":2}`, ready, failing), passes(failed))

// fourOf is a rollout by twos of 10, its new process at 4: two routable, the others live so. The updater rests.
func fourOf(third, fourth sim.Life) act {
	return do(deploys(`{"max_in_flight":2}`, ready, ready, third, fourth, never), sizes(8, 4), rests)
}

// train is three web processes of 3, 1 and 2 instances, and a rollout of 10 whose new process has 4 routable ones. It has 5
// after 10 s, then 7, 8 and 9, each 10 s later.
func train(w *world) {
	lives := slices.Concat(lots(4, ready), lots(1, after(10*time.Second)), lots(2, after(20*time.Second)),
		lots(1, after(30*time.Second)), lots(1, after(40*time.Second)), lots(1, never))
	do(started(10), rests, deploys(`{}`), deploys(`{"max_in_flight":2}`), deploys(`{"max_in_flight":5}`, lives...), moves,
		webSizes(3, 1, 2, 9))(w)
}

// oldestIsTheFirst expects that the oldest web process is the app's first one, kept with no instances.
func oldestIsTheFirst(w *world) {
	oldest := w.webs()[0]
	w.is.Equal(text(oldest, "guid"), w.app)
	w.is.Equal(number(oldest, "instances"), 0)
}

// healthyAfter expects when the rollout was last seen healthy: so long after its creation.
func healthyAfter(d time.Duration) act {
	return func(w *world) {
		v := w.shown()
		w.is.Equal(moment(w, v, "status", "details", "last_successful_healthcheck").Sub(moment(w, v, "created_at")), d)
	}
}

func moment(w *world, v any, path ...any) time.Time {
	at, err := time.Parse(time.RFC3339, text(v, path...))
	w.is.NoErr(err)
	return at
}

// unmoved expects a deployment in which nothing has happened since its creation.
func unmoved(w *world) {
	v := w.shown()
	w.is.Equal(text(v, "updated_at"), text(v, "created_at"))
}

// errorIs expects the error text of the last deployment; nil: no such key.
func errorIs(want any) act {
	return func(w *world) { w.is.Equal(at(w.shown(), "status", "details", "error"), want) }
}

// grewBeyond expects that the new process grew.
func grewBeyond(n int) act {
	return func(w *world) { w.is.True(number(w.get("/v3/processes/"+w.fresh()), "instances") > n) }
}

// runs reports instances of the new version as routable.
func runs(indexes ...int) act {
	return func(w *world) {
		process := events.ProcessID(w.fresh())
		for _, i := range indexes {
			w.report(events.InstanceRunning{InstanceRef: events.InstanceRef{
				App: events.AppID(w.app), Process: process, ProcessType: "web", Index: i, Agent: "agent-2",
				Instance: events.InstanceID(events.NewID()),
			}})
		}
		synctest.Wait()
	}
}
