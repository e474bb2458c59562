package conformance_test

import (
	"strings"
	"time"

	"testing"

	"slipway/internal/agent/driver/sim"
)

// Lives of instances of a version that is no good.
var (
	dies     = sim.Life{HealthyAfter: time.Minute, ExitAfter: 5 * time.Second, ExitStatus: 1} // and again after each start
	diesLate = sim.Life{ExitAfter: 30 * time.Second, ExitStatus: 1}                           // when it has served for a while
	slow     = sim.Life{HealthyAfter: 20 * time.Second}                                       // to come up
)

// pausing are options of a canary that pauses at half of the instances, for a minute.
func pausing(then string) string {
	return `{"max_in_flight":4,"canary":{"steps":[{"instance_weight":50,"pause":{"seconds":60,"then":"` + then + `"}}]}}`
}

// breaker are options that bear one crash.
func breaker(onFailure string) string {
	return `{"max_in_flight":2,"breaker":{"crashes":2},"on_failure":"` + onFailure + `"}`
}

// guarded are rows for pauses that end, for bakes, and for rollouts that fail.
var guarded = map[string]row{
	"a pause that times out and goes on": {
		given: do(started(4), canaries(pausing("continue"))),
		when:  do(status("ACTIVE/PAUSED"), pausesFor(60*time.Second, "continue"), passes(59*time.Second), status("ACTIVE/PAUSED"), passes(2*time.Second)),
		then:  do(status("FINALIZED/DEPLOYED"), onlyRuns(1, 4), records("deployment.continued", "actor", "updater")),
	},
	"a pause that times out and is canceled": {
		given: do(started(4), canaries(pausing("cancel"))), when: do(passes(59*time.Second), status("ACTIVE/PAUSED"), passes(2*time.Second)),
		then: do(status("FINALIZED/CANCELED"), onlyRuns(0, 4)),
	},
	"a pause that times out and holds": {
		given: do(started(4), canaries(pausing("hold"))), when: passes(time.Hour),
		then: do(status("ACTIVE/PAUSED"), sizes(3, 2), continues, status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"a pause that somebody ends before its time": {
		given: do(started(4), canaries(pausing("cancel"))), when: do(passes(30*time.Second), continues),
		then: do(status("FINALIZED/DEPLOYED"), passes(time.Minute), status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"a step without a pause of its own waits for somebody": {
		given: do(started(4), canaries(`{"canary":{"steps":[{"instance_weight":25},{"instance_weight":50,"pause":{"seconds":5,"then":"continue"}}]}}`)),
		when:  passes(24 * time.Hour),
		then: do(status("ACTIVE/PAUSED"), current(1), func(w *world) { w.is.Equal(at(w.shown(), "status", "paused_until"), nil) },
			continues, current(2), passes(6*time.Second), status("FINALIZED/DEPLOYED")),
	},
	"a bake, after which it is done": {
		given: started(4), when: deploys(`{"max_in_flight":4,"bake_in_seconds":120}`),
		then: do(status("ACTIVE/BAKING"), bakesFor(2*time.Minute), sizes(0, 4), listed("status_reasons=BAKING"), listed("states=BAKING&status_values=ACTIVE"),
			passes(119*time.Second), status("ACTIVE/BAKING"), passes(2*time.Second), status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"a bake that is canceled": {
		given: do(started(4), deploys(`{"bake_in_seconds":120}`)), when: cancels, then: do(status("FINALIZED/CANCELED"), onlyRuns(0, 4)),
	},
	"a bake in which instances crash": {
		given: do(started(4), deploys(`{"max_in_flight":4,"bake_in_seconds":120,"breaker":{"percent":50}}`, ready, ready, diesLate)), when: passes(31 * time.Second),
		then: do(status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4), breached("crashes", "rollback", "2 of 4 new instances are down: ")),
	},
	"too many crashes roll back": {
		given: do(started(4), deploys(breaker("rollback"), dies)), when: passes(12 * time.Second),
		then: do(status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4), breached("crashes", "rollback", "new instances crashed 2 times, 1 are borne: "),
			listed("status_reasons=ROLLED_BACK"), listed("states=ROLLED_BACK&status_values=FINALIZED"), func(w *world) {
				w.is.Equal(currentDroplet(w), w.droplets[0])
				w.is.Equal(at(w.shown(), "links", "rollback"), nil)
			}),
	},
	"too many crashes cancel": {
		given: do(started(4), deploys(breaker("cancel"), dies)), when: passes(12 * time.Second),
		then: do(status("FINALIZED/CANCELED"), onlyRuns(0, 4), breached("crashes", "cancel", "new instances crashed 2 times, 1 are borne: ")),
	},
	"too many crashes hold until somebody lets it go on": {
		given: do(started(4), deploys(breaker("hold"), dies), passes(12*time.Second)),
		when: do(status("ACTIVE/PAUSED"), breached("crashes", "hold", "new instances crashed 2 times, 1 are borne: "), warns("new instances crashed 2 times"),
			passes(time.Hour), status("ACTIVE/PAUSED"), mends(ready), continues, passes(6*time.Minute)),
		then: do(status("FINALIZED/DEPLOYED"), onlyRuns(1, 4), func(w *world) { w.is.Equal(at(w.shown(), "status", "failure"), nil) }),
	},
	"what is held can be canceled, or rolled back": {
		given: do(started(4), deploys(breaker("hold"), dies), passes(12*time.Second)), when: cancels,
		then: do(status("FINALIZED/CANCELED"), onlyRuns(0, 4), deploys(breaker("hold"), dies), passes(12*time.Second), status("ACTIVE/PAUSED"), rollsBack,
			status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4)),
	},
	"a few crashes are borne": {
		given: do(started(2), deploys(`{"breaker":{"crashes":3}}`, dies), passes(6*time.Second)), when: do(mends(ready), passes(time.Minute)),
		then: do(status("FINALIZED/DEPLOYED"), onlyRuns(1, 2)),
	},
	"what crashes without a breaker is told and waits": {
		given: do(started(4), deploys(`{}`, dies)), when: passes(time.Hour),
		then: func(w *world) {
			status("ACTIVE/DEPLOYING")(w)
			w.is.Equal(at(w.shown(), "status", "failure"), nil)
			w.is.True(strings.Contains(text(w.shown(), "status", "details", "error"), "CRASHED"))
		},
	},
	"an instance that takes too long to start": {
		given: do(started(2), deploys(`{"startup_timeout_in_seconds":30}`, never)), when: do(passes(29*time.Second), status("ACTIVE/DEPLOYING"), passes(2*time.Second)),
		then: do(status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 2), breached("startup", "rollback", "new instance 0 has not become routable within 30s of its start")),
	},
	"no progress for too long": {
		given: do(started(2), deploys(`{"progress_deadline_in_seconds":40,"on_failure":"cancel"}`, never)),
		when:  do(passes(39*time.Second), status("ACTIVE/DEPLOYING"), passes(2*time.Second)),
		then:  do(status("FINALIZED/CANCELED"), breached("deadline", "cancel", "no progress for 40s: 0 of 2 new instances are routable")),
	},
	"ten minutes are too long for what watches itself": {
		given: do(started(2), deploys(`{"on_failure":"rollback"}`, never)), when: do(passes(9*time.Minute), status("ACTIVE/DEPLOYING"), passes(2*time.Minute)),
		then: do(status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 2)),
	},
	"going back, the old version is at full strength before the new one leaves": {
		given: do(started(4), deploysAs("all-at-once", `{"bake_in_seconds":600}`), status("ACTIVE/BAKING"), sizes(0, 4), slowly(0)), when: rollsBack,
		then: do(status("ACTIVE/ROLLING_BACK"), sizes(4, 4), listed("status_reasons=ROLLING_BACK"), rollsBack, passes(19*time.Second), sizes(4, 4),
			passes(2*time.Second), status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4)),
	},
	"going back fast does not wait for the old version": {
		given: do(started(4), deploysAs("all-at-once", `{"bake_in_seconds":600,"startup_timeout_in_seconds":5,"fast":true,"breaker":{"crashes":1}}`, diesLate),
			status("ACTIVE/BAKING"), slowly(0)),
		when: passes(31 * time.Second), then: do(status("FINALIZED/ROLLED_BACK"), webSizes(4), onlyRuns(0, 4)),
	},
	"a cancel makes a rollback quick": {
		given: do(started(4), deploysAs("all-at-once", `{"bake_in_seconds":600}`), slowly(0), rollsBack), when: cancels,
		then: do(status("FINALIZED/CANCELED"), webSizes(4)),
	},
	"a rollback is fenced, and means nothing when it is over": {
		given: do(started(4), canaries(tenThenForty), continues, current(2)), when: func(w *world) {
			w.answer = w.call("POST", w.own("actions/rollback")[len(server):], `{"expected_step":1}`)
		},
		then: do(func(w *world) { w.is.Equal(w.answer.Code, 409) }, status("ACTIVE/PAUSED"), rollsBack, status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4),
			steers("rollback"), refused("Cannot roll back a deployment with status: FINALIZED and reason: ROLLED_BACK")),
	},
	"nothing to go back to": {
		given: do(bare, func(w *world) { w.makes() }), when: do(requestsDroplet, steers("rollback")),
		then: refused("Cannot roll back a deployment with status: FINALIZED and reason: DEPLOYED"),
	},
	"the same version again after it was rolled back": {
		given: do(started(4), deploys(breaker("rollback"), dies), passes(12*time.Second), status("FINALIZED/ROLLED_BACK")),
		when: func(w *world) {
			w.script(w.last(), ready)
			requests(`"droplet":{"guid":"` + w.last() + `"},"options":` + breaker("rollback"))(w)
		},
		then: do(status("FINALIZED/DEPLOYED"), onlyRuns(1, 4)),
	},
	"a stored strategy that fails in its second step": {
		given: do(started(4), stored("LINEAR", 50, 2, 1), growsWith(`{"breaker":{"crashes":1}}`, ready, ready, dies)),
		when:  do(share(1, 3, 50, time.Minute), passes(61*time.Second), share(2, 3, 100, 59*time.Second), passes(5*time.Second)),
		then:  do(status("FINALIZED/ROLLED_BACK"), onlyRuns(0, 4), breached("crashes", "rollback", "new instances crashed ")),
	},
	"the past and the history tell of it": {
		given: do(started(2), deploys(breaker("hold"), dies), passes(12*time.Second), status("ACTIVE/PAUSED"), rollsBack), when: status("FINALIZED/ROLLED_BACK"),
		then: func(w *world) {
			breaches := w.get("/v3/deployments/" + w.deployment + "/events?types=deployment.breached")
			w.is.Equal(text(breaches, "resources", 0, "data", "cause"), "crashes")
			past := w.get("/v3/deployments/" + w.deployment + "?at=" + text(breaches, "resources", 0, "sequence"))
			w.is.Equal(text(past, "status", "reason"), "PAUSED")
			w.is.Equal(text(past, "status", "failure", "action"), "hold")
			w.is.Equal(text(past, "links", "rollback", "method"), "POST")
		},
	},
}

func TestGuarded(t *testing.T) { rowsOf(t, guarded) }

var rollsBack = do(steers("rollback"), answered(200, ""))

// requestsDroplet rolls out the newest droplet.
func requestsDroplet(w *world) { requests(`"droplet":{"guid":"` + w.last() + `"}`)(w) }

// slowly lets the instances of a version that start from now on take their time.
func slowly(droplet int) act { return func(w *world) { w.script(w.droplets[droplet], slow) } }

// pausesFor expects how long the pause still lasts, and what then.
func pausesFor(d time.Duration, then string) act {
	return func(w *world) {
		w.t.Helper()
		v := w.shown()
		w.is.Equal(w.until(v, "paused_until"), d) // until the end of the pause
		w.is.Equal(text(v, "status", "then"), then)
	}
}

// breached expects why the rollout failed, and what became of it.
func breached(cause, action, reason string) act {
	return func(w *world) {
		w.t.Helper()
		f := at(w.shown(), "status", "failure")
		w.is.Equal([]string{text(f, "cause"), text(f, "action")}, []string{cause, action}) // cause and action
		if got := text(f, "reason"); !strings.HasPrefix(got, reason) {
			w.t.Errorf("failed for %q, want %q", got, reason)
		}
	}
}

// listed expects the deployment in a list with this filter.
func listed(filter string) act {
	return func(w *world) {
		w.t.Helper()
		l := w.get("/v3/deployments?guids=" + w.deployment + "&" + filter)
		w.is.Equal(number(l, "pagination", "total_results"), 1) // in the list
	}
}

// warns expects a warning of this text where cf looks for them.
func warns(text string) act {
	return func(w *world) {
		w.t.Helper()
		got := w.call("GET", "/v3/deployments?app_guids="+w.app, "").Header().Get("X-Cf-Warnings")
		w.is.True(strings.HasPrefix(got, strings.ReplaceAll(text, " ", "+"))) // the warning
	}
}

// records expects a field of the newest event of a type in the deployment's history.
func records(event, field, want string) act {
	return func(w *world) {
		w.t.Helper()
		l := all(w.get("/v3/deployments/"+w.deployment+"/events?types="+event), "resources")
		w.is.True(len(l) > 0) // such an event
		w.is.Equal(text(l[len(l)-1], field), want)
	}
}
