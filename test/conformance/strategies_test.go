package conformance_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/audit"
)

// strategies are rows for how rollouts move that Cloud Foundry does not know.
var strategies = map[string]row{
	"all at once: all new ones start, and old ones leave as new ones take over": {
		given: started(4), when: deploysAs("all-at-once", `{}`, ready, ready, after(10*time.Second)),
		then: do(sizes(2, 4), status("ACTIVE/DEPLOYING"), passes(11*time.Second), status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"all at once, by so many at a time": {
		given: started(4), when: deploysAs("all-at-once", `{"max_in_flight":3}`, after(10*time.Second)),
		then: do(sizes(4, 3), passes(11*time.Second), sizes(1, 4), passes(10*time.Second), status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"blue-green: both stand whole, and the old ones stay until the bake is over": {
		given: started(3), when: deploysAs("blue-green", `{"bake_in_seconds":60}`, ready, ready, after(10*time.Second)),
		then: do(sizes(3, 3), steps2(1, 2), passes(11*time.Second), status("ACTIVE/BAKING"), steps2(2, 2), sizes(3, 3), bakesFor(59*time.Second),
			passes(58*time.Second), status("ACTIVE/BAKING"), passes(2*time.Second), status("FINALIZED/DEPLOYED"), onlyRuns(1, 3)),
	},
	"blue-green without a bake": {
		given: started(3), when: deploysAs("blue-green", `{}`), then: do(status("FINALIZED/DEPLOYED"), onlyRuns(1, 3)),
	},
	"blue-green is canceled in its bake, and the old ones have never left": {
		given: do(started(3), deploysAs("blue-green", `{"bake_in_seconds":60}`), sizes(3, 3)), when: cancels,
		then: do(status("FINALIZED/CANCELED"), onlyRuns(0, 3)),
	},
	"linear: a step each minute, then the bake": {
		given: do(started(4), stored("LINEAR", 50, 2, 1)), when: grows(ready),
		then: do(sizes(2, 2), share(1, 3, 50, time.Minute),
			passes(59*time.Second), sizes(2, 2), passes(2*time.Second), sizes(0, 4), share(2, 3, 100, 59*time.Second),
			passes(58*time.Second), status("ACTIVE/DEPLOYING"), passes(2*time.Second), status("ACTIVE/BAKING"), bakesFor(time.Minute-time.Second),
			passes(57*time.Second), status("ACTIVE/BAKING"), passes(2*time.Second), status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"linear: a step begins when its time has come and the one before is healthy": {
		given: do(started(4), stored("LINEAR", 50, 1, 0)), when: grows(ready, after(50*time.Second), ready),
		then: do(passes(31*time.Second), sizes(3, 2), share(1, 3, 50, -time.Second), passes(20*time.Second), sizes(0, 4), share(2, 3, 100, 9*time.Second),
			passes(10*time.Second), status("FINALIZED/DEPLOYED")),
	},
	"exponential: the share doubles": {
		given: do(started(8), stored("EXPONENTIAL", 12.5, 4, 0)), when: grows(ready),
		then: do(share(1, 5, 12.5, time.Minute), sizes(7, 1), passes(61*time.Second), share(2, 5, 25, 59*time.Second), sizes(6, 2),
			passes(time.Minute), share(3, 5, 50, 59*time.Second), sizes(4, 4), passes(time.Minute), share(4, 5, 100, 59*time.Second), sizes(0, 8),
			passes(time.Minute), status("FINALIZED/DEPLOYED"), onlyRuns(1, 8)),
	},
	"a predefined strategy": {
		given: do(started(2), func(w *world) { w.strategy = "AppConfig.AllAtOnce" }), when: grows(ready),
		then: do(status("ACTIVE/BAKING"), bakesFor(10*time.Minute), passes(601*time.Second), status("FINALIZED/DEPLOYED")),
	},
	"a strategy that is deleted meanwhile": {
		given: do(started(4), stored("LINEAR", 50, 2, 0), grows(ready)),
		when:  func(w *world) { w.must(204, "DELETE", "/deploymentstrategies/"+w.strategy, "") },
		then: do(passes(121*time.Second), status("FINALIZED/DEPLOYED"), func(w *world) {
			v := w.shown()
			w.is.Equal(text(v, "relationships", "deployment_strategy", "data", "guid"), w.strategy)
			w.is.Equal(at(v, "growth", "growth_factor"), 50.0) // its numbers stand in the deployment
			grows(ready)(w)
			refused("Unable to use deployment strategy. Ensure that the deployment strategy exists and you have access to it.")(w)
		}),
	},
	"what cannot be a strategy": {
		given: started(1), when: requests(`"strategy":"all-at-once","options":{"canary":{},"bake_in_seconds":"x","on_failure":"cry"}`),
		then: refused("Bake in seconds is not a number, On failure must be 'rollback', 'hold' or 'cancel', Options canary are only valid for Canary deployments"),
	},
	"a stored strategy beside a name": {
		given: do(started(1), stored("LINEAR", 50, 2, 0)),
		when: func(w *world) {
			requests(`"strategy":"rolling","relationships":` + w.following())(w)
		},
		then: func(w *world) {
			refused("Strategy 'rolling' does not go with deployment strategy " + w.strategy + ": leave one of them out")(w)
		},
	},
}

func TestStrategies(t *testing.T) { rowsOf(t, strategies) }

// rowsOf runs rows, and then audits all that has happened.
func rowsOf(t *testing.T, rows map[string]row) {
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r.run(w)
				lawful(w)
			})
		})
	}
}

// lawful expects that history is whole and that no decision took the capacity below its floor.
func lawful(w *world) {
	w.t.Helper()
	report, err := audit.Verify(w.t.Context(), w.log, events.NewRegistry(), nil)
	w.is.NoErr(err)
	w.is.Equal(report.Breaches, nil) // no law is broken
}

// stored makes a deployment strategy: of what follows, it is the one that is used.
func stored(growth string, factor float64, minutes, bake int) act {
	return func(w *world) {
		w.strategy = text(w.must(201, "POST", "/deploymentstrategies", fmt.Sprintf(
			`{"Name":"s","GrowthType":%q,"GrowthFactor":%v,"DeploymentDurationInMinutes":%d,"FinalBakeTimeInMinutes":%d}`,
			growth, factor, minutes, bake)), "Id")
	}
}

// following are the relationships of a deployment that follows the stored strategy.
func (w *world) following() string {
	return fmt.Sprintf(`{"app":{"data":{"guid":%q}},"deployment_strategy":{"data":{"guid":%q}}}`, w.app, w.strategy)
}

// grows rolls out a new droplet by the stored strategy.
func grows(lives ...sim.Life) act { return growsWith(`{}`, lives...) }

func growsWith(options string, lives ...sim.Life) act {
	return func(w *world) {
		w.t.Helper()
		w.script(w.makes(), lives...)
		w.answer = w.call("POST", "/v3/deployments", `{"relationships":`+w.following()+`,"droplet":{"guid":"`+w.last()+`"},"options":`+options+`}`)
		if w.answer.Code == 201 {
			w.deployment = text(w.object(w.answer), "guid")
		}
	}
}

// steps2 expects step so much of so many.
func steps2(current, total int) act {
	return func(w *world) {
		w.t.Helper()
		v := w.shown()
		w.is.Equal([]int{number(v, "status", "step", "current"), number(v, "status", "step", "total")}, []int{current, total}) // step
	}
}

// share expects the present step, the share asked for, and in what time the next one begins: whole seconds, as times are shown.
func share(current, total int, percent float64, next time.Duration) act {
	return func(w *world) {
		w.t.Helper()
		steps2(current, total)(w)
		v := w.shown()
		w.is.Equal(at(v, "status", "step", "share"), percent) // share of new instances
		w.is.Equal(w.until(v, "step", "next_at"), next)       // until the next step
	}
}

// bakesFor expects how long the bake still lasts.
func bakesFor(d time.Duration) act {
	return func(w *world) {
		w.t.Helper()
		w.is.Equal(w.until(w.shown(), "bake_until"), d) // until the end of the bake
	}
}

// until is how far away a moment in the status is, in whole seconds.
func (w *world) until(v any, path ...any) time.Duration {
	w.t.Helper()
	moment, err := time.Parse(time.RFC3339, text(v, append([]any{"status"}, path...)...))
	w.is.NoErr(err)
	return moment.Sub(time.Now().UTC().Truncate(time.Second))
}
