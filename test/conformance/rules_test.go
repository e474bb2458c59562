package conformance_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// rules are rows for what the reference says beyond its list of cases.
var rules = map[string]row{
	"faults of a request are told together, before the app is looked for": {
		given: func(w *world) { w.app = "nobody" },
		when:  requests(`"x":1,"strategy":"potato","droplet":{"guid":"d"},"revision":{"guid":"r"},"options":{"max_in_flight":0,"canary":{}}`),
		then: refused("Unknown field(s): 'x', Max in flight must be an integer greater than 0, Strategy 'potato' is not a supported deployment strategy, " +
			"Droplet Cannot set both fields 'droplet' and 'revision', Options canary are only valid for Canary deployments"),
	},
	"an app that is not there is told before a revision that is not": {
		given: func(w *world) { w.app = "nobody" }, when: requests(`"revision":{"guid":"r"}`),
		then: refused("Unable to use app. Ensure that the app exists and you have access to it."),
	},
	"a revision that is not there": {
		given: started(1), when: requests(`"revision":{"guid":"r"}`), then: refused("The revision does not exist"),
	},
	"revisions that are off are told before a revision that is not there": {
		given: do(started(1), withoutRevisions), when: requests(`"revision":{"guid":"r"}`),
		then: refused("Cannot create deployment from a revision for an app without revisions enabled"),
	},
	"canary options without the strategy canary": {
		given: started(1), when: requests(`"options":{"canary":{}}`), then: refused("Options canary are only valid for Canary deployments"),
	},
	"the options as the cf CLI sends them": {
		given: started(1), when: requests(`"strategy":"rolling","options":{"max_in_flight":2,"canary":null,"web_instances":null,` +
			`"memory_in_mb":null,"disk_in_mb":null,"log_rate_limit_in_bytes_per_second":null}`),
		then: func(w *world) { w.is.Equal(at(w.accepted(), "options"), map[string]any{"max_in_flight": 2.0}) },
	},
	"no instances at all": {
		given: started(3), when: deploys(`{"web_instances":0}`), then: do(inState("DEPLOYED"), webSizes(0)),
	},
	"a canary of no instances": {
		given: started(3), when: canaries(`{"web_instances":0}`), then: do(inState("PAUSED"), continues, inState("DEPLOYED"), webSizes(0)),
	},
	"more instances than before": {
		given: started(3), when: deploys(`{"web_instances":6,"max_in_flight":2}`), then: do(inState("DEPLOYED"), onlyRuns(1, 6)),
	},
	"a stopped app keeps its deployment, which says why it does not move; canceling goes back": {
		given: do(started(2), deploys(`{}`, never)), when: acts("stop"),
		then: do(status("ACTIVE/DEPLOYING"), errorIs("app is stopped: start it, cancel the deployment, or deploy again"),
			cancels, inState("CANCELED"), acts("start"), onlyRuns(0, 2)),
	},
	"a stopped app goes on when it is started": {
		given: do(started(2), deploys(`{}`, after(5*time.Second))), when: do(acts("stop"), passes(10*time.Second), acts("start"), passes(20*time.Second)),
		then: do(inState("DEPLOYED"), errorIs(nil), onlyRuns(1, 2)),
	},
	"deploying a stopped app supersedes what the stop interrupted": {
		given: do(started(2), deploys(`{}`, never), acts("stop")), when: superseding,
		then: do(status("FINALIZED/SUPERSEDED"), onlyRuns(2, 2)),
	},
	"two revisions are deployed meanwhile": {
		given: started(1), when: deploys(`{}`, never), then: func(w *world) {
			w.is.Equal(len(all(w.get("/v3/apps/"+w.app+"/revisions/deployed"), "resources")), 2)
			cancels(w)
			l := w.get("/v3/apps/" + w.app + "/revisions/deployed")
			w.is.Equal(len(all(l, "resources")), 1)
			w.is.Equal(number(l, "resources", 0, "version"), 1)
		},
	},
	"a deleted app takes its deployments along": {
		given: do(started(1), deploys(`{}`, never)), when: func(w *world) { w.must(202, "DELETE", "/v3/apps/"+w.app, "") },
		then: func(w *world) {
			w.is.Equal(w.call("GET", "/v3/deployments/"+w.deployment, "").Code, 404)
			w.is.Equal(len(w.driver.Alive()), 0)
			steers("cancel")(w)
			w.is.Equal(w.answer.Code, 404)
			w.is.Equal(text(w.object(w.answer), "errors", 0, "detail"), "Deployment not found")
		},
	},
	"cancel may be asked for again": {
		given: canceling, when: cancels, then: do(status("ACTIVE/CANCELING"), moves, inState("CANCELED")),
	},
	"a rollback brings back environment and droplet, and may be canceled and asked for again": {
		given: do(started(2), sets(`{"COLOR":"blue"}`), deploys(`{}`)),
		when: do(func(w *world) { w.script(w.droplets[0], never) }, rollsBackTo(1), cancels, inState("CANCELED"),
			func(w *world) { w.script(w.droplets[0], ready) }, rollsBackTo(1)),
		then: func(w *world) {
			w.accepted()
			w.is.Equal(currentDroplet(w), w.droplets[0])
			inState("DEPLOYED")(w)
		},
	},
	"an expected step fences a retry": {
		given: do(started(10), canaries(tenThenForty)), when: func(w *world) {
			for range 2 {
				w.answer = w.call("POST", "/v3/deployments/"+w.deployment+"/actions/continue", `{"expected_step":1}`)
			}
		},
		then: func(w *world) { w.is.Equal(w.answer.Code, 409); current(2)(w); inState("PAUSED")(w) },
	},
	"labels are merged in every state": {
		given: do(started(1), requests(`"metadata":{"labels":{"a":"1","b":"2"},"annotations":{"note":"x"}}`), inState("DEPLOYED")),
		when: func(w *world) {
			w.answer = w.call("PATCH", "/v3/deployments/"+w.deployment, `{"metadata":{"labels":{"a":null,"c":"3"},"annotations":null}}`)
		},
		then: func(w *world) {
			w.is.Equal(at(w.object(w.answer), "metadata"), map[string]any{
				"labels": map[string]any{"b": "2", "c": "3"}, "annotations": map[string]any{"note": "x"},
			})
			w.answer = w.call("PATCH", "/v3/deployments/"+w.deployment, `{"options":{}}`)
			refused("Unknown field(s): 'options'")(w)
		},
	},
	"a paused canary is shown whole": {
		given: do(started(10), func(w *world) {
			w.script(w.makes(), ready)
			requests(`"droplet":{"guid":"` + w.last() + `"},"strategy":"canary","options":{"max_in_flight":2,"web_instances":10,` +
				`"memory_in_mb":512,"disk_in_mb":1024,"log_rate_limit_in_bytes_per_second":-1,` + steps(20, 40)[1:] +
				`,"metadata":{"labels":{"release":"stable"}}`)(w)
		}),
		then: func(w *world) {
			link := func(path string) map[string]any { return map[string]any{"href": server + "/v3/" + path} }
			action := func(name string) map[string]any {
				return map[string]any{"href": w.own("actions/" + name), "method": "POST"}
			}
			guid := func(id string) map[string]any { return map[string]any{"guid": id} }
			const now = "2000-01-01T00:00:00Z" // a bubble's clock begins there
			w.is.Equal(w.shown(), map[string]any{
				"guid": w.deployment, "created_at": now, "updated_at": now,
				"status": map[string]any{
					"value": "ACTIVE", "reason": "PAUSED",
					"details": map[string]any{"last_successful_healthcheck": now, "last_status_change": now},
					"canary":  map[string]any{"steps": map[string]any{"current": 1.0, "total": 2.0}},
				},
				"strategy": "canary",
				"options": map[string]any{
					"max_in_flight": 2.0, "web_instances": 10.0, "memory_in_mb": 512.0, "disk_in_mb": 1024.0,
					"log_rate_limit_in_bytes_per_second": -1.0,
					"canary": map[string]any{"steps": []any{
						map[string]any{"instance_weight": 20.0}, map[string]any{"instance_weight": 40.0},
					}},
				},
				"droplet": guid(w.droplets[1]), "previous_droplet": guid(w.droplets[0]),
				"new_processes": []any{map[string]any{"guid": text(w.webs()[1], "guid"), "type": "web"}},
				"revision":      map[string]any{"guid": text(newest(w), "guid"), "version": 2.0},
				"relationships": map[string]any{"app": map[string]any{"data": guid(w.app)}},
				"metadata":      map[string]any{"labels": map[string]any{"release": "stable"}, "annotations": map[string]any{}},
				"links": map[string]any{
					"self": link("deployments/" + w.deployment), "app": link("apps/" + w.app),
					"cancel": action("cancel"), "continue": action("continue"), "rollback": action("rollback"),
					"events": link("deployments/" + w.deployment + "/events"), "stream": link("deployments/" + w.deployment + "/stream"),
				},
			})
		},
	},
	"old instances come back when new ones fail after the cut": {
		given: do(started(4), deploys(`{"max_in_flight":2}`, ready, ready, never), sizes(2, 4)),
		when: func(w *world) {
			for i := range 2 {
				w.tells(w.fresh(), i, crash)
			}
		},
		then: do(sizes(4, 4), status("ACTIVE/DEPLOYING")),
	},
}

func TestRules(t *testing.T) {
	for name, r := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { r.run(newWorld(t)) })
		})
	}
}
