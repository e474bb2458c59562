package api_test

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"slipway/internal/commands"
	"slipway/internal/groups"
)

// TestOpenAPITellsTheTruth goes through what a deployment can come to, and compares each request and each answer with the
// document: a field too many, too few or of another type fails, and so does an operation that was never asked for, an example that
// was never sent, and a refusal that is named and never met, or met and not named.
func TestOpenAPITellsTheTruth(t *testing.T) {
	w, e := settled(t)
	x, doc := w.witnessed(), documented(t, w)
	w.handler = x
	w.rollouts(e)
	w.alarms(e)
	w.versions(e)
	w.grouped(e)
	w.judged(e)
	w.asShown(e, doc)
	w.halted(e) // which lets nothing begin any more
	w.subscribed(e)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		w.must(200, "GET", path, "")
	}
	w.provoked(e, x, doc)
	each(doc, func(method, path string, o *openapi3.Operation) {
		if !x.seen[o.OperationID] {
			t.Errorf("%s %s (%s) was never asked for: let TestOpenAPITellsTheTruth ask, with an answer below 400", method, path, o.OperationID)
		}
		example := e.example(o)
		if example == "" && o.RequestBody != nil && len(o.RequestBody.Value.Content["application/json"].Schema.Value.Properties) > 0 {
			t.Errorf("%s %s (%s) has a body and no example: give it one in internal/api/openapi_examples.go", method, path, o.OperationID)
		}
		if example != "" && !x.sent[o.OperationID][compact([]byte(example))] {
			t.Errorf("%s %s (%s): its example was never sent: let asShown send it, with an answer below 400", method, path, o.OperationID)
		}
	})
}

// asShown sends what the document shows as examples.
func (w *world) asShown(e estate, doc *openapi3.T) {
	w.t.Helper()
	byID := map[string]*openapi3.Operation{}
	each(doc, func(_, _ string, o *openapi3.Operation) { byID[o.OperationID] = o })
	send := func(status int, id, method, path string) string {
		w.t.Helper()
		return text(w.must(status, method, path, e.example(byID[id])), "guid")
	}
	const deployments = "/v3/deployments"
	canary := send(201, "createDeployment", "POST", deployments)
	w.until("the canary pauses", func() bool { return w.status(canary) == "ACTIVE/PAUSED" })
	send(200, "updateDeployment", "PATCH", deployments+"/"+canary)
	send(200, "continueDeployment", "POST", deployments+"/"+canary+"/actions/continue")
	send(200, "rollBackDeployment", "POST", deployments+"/"+canary+"/actions/rollback")
	w.until("it is back", func() bool { return w.status(canary) == "FINALIZED/ROLLED_BACK" })
	second := send(201, "createDeployment", "POST", deployments)
	send(200, "cancelDeployment", "POST", deployments+"/"+second+"/actions/cancel")
	send(200, "planDeployment", "POST", deployments+"/plan")
	group := send(201, "createDeploymentGroup", "POST", "/v3/deployment_groups")
	send(200, "updateDeploymentGroup", "PATCH", "/v3/deployment_groups/"+group)
	send(200, "signalApp", "POST", "/v3/apps/"+e["app"]+"/signals")
	send(200, "receiveAlerts", "POST", "/v3/integrations/alertmanager")
	policy := send(201, "createPolicy", "POST", "/v3/policies")
	send(200, "evaluateDeploymentGroup", "POST", "/v3/deployment_groups/evaluate")
	send(200, "evaluatePolicies", "POST", "/v3/policies/evaluate")
	for _, id := range []string{"denyDeployment", "approveDeployment"} {
		asked := send(201, "evaluatePolicies", "POST", deployments) // the same body, to be carried out
		send(200, id, "POST", deployments+"/"+asked+"/actions/"+strings.TrimSuffix(id, "Deployment"))
	}
	send(200, "updatePolicy", "PATCH", "/v3/policies/"+policy)
	w.must(204, "DELETE", "/v3/policies/"+policy, "")
	subscription := send(201, "createSubscription", "POST", "/v3/subscriptions")
	send(200, "updateSubscription", "PATCH", "/v3/subscriptions/"+subscription)
	for id, path := range map[string]string{"rejectDroplet": "/v3/droplets/{droplet}", "rejectRevision": "/v3/revisions/{revision}"} {
		send(200, id, "POST", e.fill(path)+"/actions/reject")
		w.must(200, "POST", e.fill(path)+"/actions/accept", "")
	}
	halt := send(201, "declareHalt", "POST", "/v3/halts")
	send(200, "updateHalt", "PATCH", "/v3/halts/"+halt)
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "")
}

// rollouts has deployments of every kind, and looks at them at every turn.
func (w *world) rollouts(e estate) {
	w.t.Helper()
	app, path := e["app"], "/v3/deployments/"
	deploy := func(more string) string {
		w.t.Helper()
		return text(w.must(201, "POST", "/v3/deployments", planned(app, e["droplet"], `{"max_in_flight":1}`, more)), "guid")
	}
	canary := text(w.must(201, "POST", "/v3/deployments", planned(app, w.droplet(app), `{"web_instances":4,"on_failure":"hold","fast":true,
		"breaker":{"crashes":3},"bake_in_seconds":3600,"startup_timeout_in_seconds":60,
		"canary":{"steps":[{"instance_weight":25,"pause":{"seconds":3600,"then":"continue"}},{"instance_weight":50}]}}`,
		`,"strategy":"canary","metadata":{"labels":{"env":"prod"}}`)), "guid")
	w.until("the canary pauses", func() bool { return w.status(canary) == "ACTIVE/PAUSED" })
	w.must(200, "PATCH", path+canary, `{"metadata":{"labels":{"env":null,"team":"a"},"annotations":{"why":"b"}}}`)
	w.must(200, "POST", path+canary+"/actions/continue", `{"expected_step":1}`)
	w.must(409, "POST", path+canary+"/actions/continue", `{"expected_step":9}`)
	w.must(409, "POST", path+canary+"/actions/rollback", `{"expected_step":9}`)
	w.must(409, "POST", path+canary+"/actions/cancel", `{"expected_step":9}`)
	w.must(200, "POST", path+canary+"/actions/rollback", "")
	w.until("it is back", func() bool { return w.status(canary) == "FINALIZED/ROLLED_BACK" })
	growing := text(w.must(201, "POST", "/v3/deployments", `{"relationships":{"app":{"data":{"guid":"`+app+`"}},
		"deployment_strategy":{"data":{"guid":"AppConfig.Linear20PercentEvery6Minutes"}}},"droplet":{"guid":"`+e["droplet"]+`"}}`), "guid")
	w.must(200, "GET", path+growing, "")
	w.must(200, "POST", path+growing+"/actions/cancel", "{}")
	w.until("it is canceled", func() bool { return w.status(growing) == "FINALIZED/CANCELED" })
	plain := deploy(``)
	w.until("it is over", func() bool { return w.status(plain) == "FINALIZED/DEPLOYED" })
	at := text(w.must(200, "GET", path+canary+"/events", ""), "resources", 0, "sequence")
	w.must(200, "GET", path+canary+"?at="+at, "")
	w.must(200, "GET", "/v3/apps/"+app+"/events?types=deployment.paused&order_by=-created_at", "")
	audited := text(w.must(200, "GET", "/v3/audit_events?order_by=-created_at&per_page=1", ""), "resources", 0, "guid")
	w.must(200, "GET", "/v3/audit_events/"+audited, "")
	w.call("GET", path+canary+"/stream", "")
	w.must(200, "GET", path+"?order_by=-created_at&per_page=2&states=DEPLOYED,CANCELED", "")
	w.must(200, "GET", path+"?per_page=1&page=2", "")
	w.must(200, "POST", path+"plan", planned(app, e["droplet"], `{}`, `,"strategy":"canary","simulate":{"start_time_in_seconds":2.5}`))
	w.must(200, "POST", path+"plan", planned(app, e["droplet"], `{}`, `,"simulate":{"failure":{"kind":"crash","step":1}}`))
	w.must(404, "GET", path+"nobody", "")
	w.must(400, "GET", path+"?nonsense=1", "")
	w.must(422, "POST", path[:len(path)-1], `{}`)
}

// judged has deployments that policies hold, and people answer.
func (w *world) judged(e estate) {
	w.t.Helper()
	body, path := asks(e["app"], e["droplet"]), "/v3/policies/"
	make := func(rule string) string {
		return text(w.must(201, "POST", "/v3/policies", `{"name":"n","rule":`+rule+`,"metadata":{"labels":{"a":"b"}},
			"relationships":{"space":{"data":{"guid":"`+e["space"]+`"}}}}`), "guid")
	}
	by := make(`{"outcome":"require_approval","reason":"r","condition":"app.name != ''","approval":{"needed":1,"approvers":["admin"],
		"expires_in_seconds":3600,"self_approval":true,"manual_start":true}}`)
	w.must(200, "GET", "/v3/policies?names=n&order_by=-created_at", "")
	w.must(200, "POST", path+"evaluate", body)
	first := text(w.must(201, "POST", "/v3/deployments", body), "guid")
	w.must(200, "POST", "/v3/deployments/"+first+"/actions/deny", `{"comment":"no"}`)
	second := text(w.must(201, "POST", "/v3/deployments", body), "guid")
	w.must(200, "POST", "/v3/deployments/"+second+"/actions/approve", `{"comment":"yes"}`)
	w.must(200, "POST", "/v3/deployments/"+second+"/actions/start", "")
	w.must(200, "PATCH", path+by, `{"name":"m","rule":{"outcome":"hold","app_labels":{"x":"y"},
		"window":{"rule":"FREQ=DAILY","duration_in_seconds":60,"time_zone":"UTC","applies":"inside"}},"metadata":{"labels":{"a":null}}}`)
	w.must(200, "GET", path+by, "")
	w.must(204, "DELETE", path+by, "")
	by = make(frozen("hold"))
	w.must(200, "POST", path+"evaluate", body)
	w.must(200, "POST", "/v3/deployments/"+text(w.must(201, "POST", "/v3/deployments", body), "guid")+"/actions/cancel", "")
	w.must(204, "DELETE", path+by, "")
	w.must(422, "POST", "/v3/policies", `{}`)
}

// alarms says that things are wrong, in our words and in Alertmanager's.
func (w *world) alarms(e estate) {
	w.t.Helper()
	path := "/v3/apps/" + e["app"] + "/signals"
	w.must(200, "POST", path, `{"name":"errors","firing":true,"value":0.07,"message":"7 % fail","since":"2026-01-02T15:04:05Z"}`)
	w.must(200, "GET", path, "")
	w.must(200, "POST", path, `{"name":"errors","firing":false,"value":"none"}`)
	w.must(422, "POST", path, `{}`)
	w.must(200, "POST", "/v3/integrations/alertmanager", e.fill(`{"version":"4","receiver":"slipway","alerts":[{"status":"firing",
		"labels":{"alertname":"slow","app_guid":"{app}"},"annotations":{},"startsAt":"2026-01-02T15:04:05Z","generatorURL":"http://p"},
		{"status":"firing","labels":{"alertname":"lost"}}]}`))
	w.call("GET", "/v3/integrations/prometheus/targets", "")
}

// versions rejects what may not be deployed any more, and takes it back.
func (w *world) versions(e estate) {
	w.t.Helper()
	for _, version := range []string{"/v3/droplets/{droplet}", "/v3/revisions/{revision}"} {
		w.must(200, "POST", e.fill(version)+"/actions/reject", `{"reason":"it loses orders"}`)
		w.must(200, "POST", e.fill(version)+"/actions/accept", "")
	}
	w.must(200, "POST", e.fill("/v3/apps/{app}/actions/release_automation"), "{}")
}

// halted has a deployment that a halt holds.
func (w *world) halted(e estate) {
	w.t.Helper()
	deployment := text(w.must(201, "POST", "/v3/deployments", planned(e["app"], e["droplet"], `{}`, `,"strategy":"canary"`)), "guid")
	halt := text(w.must(201, "POST", "/v3/halts", e.fill(`{"reason":"incident","duration_in_seconds":600,
		"relationships":{"space":{"data":{"guid":"{space}"}}}}`)), "guid")
	w.until("it is halted", func() bool {
		return at(w.must(200, "GET", "/v3/deployments/"+deployment, ""), "status", "halt") != nil
	})
	w.must(201, "POST", "/v3/halts", `{"reason":"freeze"}`)
	w.must(200, "GET", "/v3/halts?states=IN_FORCE", "")
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "")
	w.must(200, "GET", "/v3/halts/"+halt, "")
	w.must(422, "POST", "/v3/halts", `{}`)
}

// subscribed has events sent somewhere.
func (w *world) subscribed(e estate) {
	w.t.Helper()
	path := "/v3/subscriptions/" + text(w.must(201, "POST", "/v3/subscriptions", inSpace(e["space"])), "guid")
	w.must(200, "GET", path, "")
	w.must(200, "GET", "/v3/subscriptions?names=chat", "")
	w.must(200, "PATCH", path, `{"content_mode":"binary","metadata":{"labels":{"team":null}}}`)
	w.must(200, "POST", path+"/actions/rotate_secret", "")
	w.must(202, "POST", path+"/actions/test", "")
	w.must(204, "DELETE", path, "")
}

// grouped has several deployments steered as one.
func (w *world) grouped(e estate) {
	w.t.Helper()
	w.runs(groups.New(w.log, commands.Apps(w.log, nil), w.commands, quiet).Run)
	const path = "/v3/deployment_groups"
	over := func(id string) func() bool {
		return func() bool {
			value := text(w.must(200, "GET", path+"/"+id, ""), "status", "value")
			return value == "FINALIZED" || value == "CANCELED"
		}
	}
	w.until("the estate's ends", over(e["group"]))
	begin := func(more string) (id string) {
		w.t.Helper()
		id = text(w.must(201, "POST", path, `{"name":"release","members":[`+planned(e["app"], e["droplet"], `{"max_in_flight":1}`, more)+`]}`), "guid")
		w.until("it pauses", func() bool { return text(w.must(200, "GET", path+"/"+id, ""), "members", 0, "status") == "PAUSED" })
		return id
	}
	const canary = `,"strategy":"canary"`
	for _, action := range []string{"continue", "finalize", "cancel", "rollback"} {
		id := begin(canary + `,"wave":2`)
		w.must(200, "POST", path+"/"+id+"/actions/"+action, "")
		w.until("it ends", over(id))
		w.must(422, "POST", path+"/"+id+"/actions/cancel", "{}")
		w.must(200, "GET", path+"/"+id+"/events?per_page=2&types=group.created,group.directed", "")
		w.call("GET", path+"/"+id+"/stream", "")
	}
	w.must(200, "PATCH", path+"/"+begin(canary), `{"metadata":{"labels":{"team":"a"}}}`)
	w.must(200, "GET", path+"?status_values=FINALIZED&order_by=-created_at", "")
	w.must(200, "POST", path+"/evaluate", `{"members":[`+planned(e["app"], e["droplet"], `{}`, `,"wave":2`)+`]}`)
	w.must(422, "POST", path, `{}`)
}
