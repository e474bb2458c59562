package api_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/auth"
)

// policy makes a policy with a rule, everywhere.
func (w *world) policy(name, rule string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/policies", `{"name":"`+name+`","rule":`+rule+`}`), "guid")
}

func asks(app, droplet string) string {
	return `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"}}`
}

// approval asks two managers, or bob, for their word.
const approval = `{"outcome":"require_approval","reason":"it is production","approval":{"needed":2,"approvers":["space_manager","user/bob"]}}`

func TestPolicyResources(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	made := w.must(201, "POST", "/v3/policies", `{"name":"freeze","metadata":{"labels":{"team":"pay"}},"relationships":{"space":{"data":{"guid":"default"}}},
		"rule":{"condition":"!actor.automation","outcome":"hold","window":{"rule":"FREQ=DAILY","duration_in_seconds":60,"time_zone":"UTC","applies":"inside"}}}`)
	id := text(made, "guid")
	is.Equal(text(made, "relationships", "organization", "data", "guid"), "default")
	is.Equal(text(made, "rule", "window", "start"), time.Now().UTC().Format(time.DateOnly)+"T00:00:00") // from today on
	list := w.must(200, "GET", "/v3/policies?names=freeze&outcomes=hold&space_guids=default&label_selector=team%3Dpay&order_by=-name", "")
	is.Equal(at(list, "resources", 0, "guid"), id)
	is.Equal(at(w.must(200, "GET", "/v3/policies?outcomes=deny", ""), "pagination", "total_results"), 0.0)
	changed := w.must(200, "PATCH", "/v3/policies/"+id, `{"name":"thaw","rule":{"outcome":"allow"},"metadata":{"labels":{"team":null}}}`)
	is.Equal([]any{at(changed, "name"), at(changed, "rule", "outcome"), at(changed, "rule", "window")}, []any{"thaw", "allow", nil})
	w.must(204, "DELETE", "/v3/policies/"+id, "")
	w.must(404, "GET", "/v3/policies/"+id, "")
	w.must(404, "PATCH", "/v3/policies/"+id, `{}`)
	w.must(404, "DELETE", "/v3/policies/"+id, "")

	for rule, want := range map[string]string{
		`{"outcome":"maybe"}`:            "Rule outcome must be one of 'allow', 'deny', 'require_approval', 'hold'",
		`{"outcome":"hold"}`:             "Rule window is needed where the outcome is hold: it says until when",
		`{"outcome":"require_approval"}`: "Rule approval is needed where the outcome is require_approval, and nowhere else",
		`{"outcome":"require_approval","approval":{"needed":2,"approvers":["user/bob","user/bob"]}}`: "Rule approval needed must be at most 1, for so many people are named as approvers: name more, or a role",
		`{"outcome":"deny","condition":"app.name ="}`:                                                "Rule condition is no CEL expression: line 1, column 10: Syntax error: token recognition error at: '='",
		`{"outcome":"require_approval","approval":{"needed":1,"approvers":["somebody"]}}`:            "Rule approval approvers must be roles such as 'space_manager' or 'admin', or people such as 'user/alice': 'somebody' is neither",
	} {
		t.Run(rule, func(t *testing.T) {
			is := is.New(t)
			is.Equal(text(w.must(422, "POST", "/v3/policies", `{"name":"x","rule":`+rule+`}`), "errors", 0, "detail"), want)
		})
	}
}

// TestADenyingPolicy: the request is recorded as denied, with the policy and what it saw; nothing of the app changes.
func TestADenyingPolicy(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app, droplet := w.started()
	policy := w.policy("no robots", `{"condition":"actor.automation || strategy.name == 'rolling'","outcome":"deny","reason":"we are at the table"}`)
	deployment := w.must(201, "POST", "/v3/deployments", asks(app, droplet))
	is.Equal(text(deployment, "status", "reason"), "CREATING_APPROVAL_DENIED")
	is.Equal(text(deployment, "status", "value"), "FINALIZED")
	is.Equal(text(deployment, "approval", "denied", "by"), "policy")
	is.Equal(at(deployment, "approval", "granted"), false) // though nobody was asked
	is.Equal(text(deployment, "approval", "denied", "comment"), "policy no robots denies it: we are at the table")
	is.Equal(text(deployment, "approval", "denied", "policies", 0, "guid"), policy)
	history := w.must(200, "GET", "/v3/deployments/"+text(deployment, "guid")+"/events", "")
	is.Equal(at(history, "resources", 0, "data", "context", "strategy", "name"), "rolling") // what the policies saw
	is.True(text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid") != droplet)
	is.Equal(at(w.must(200, "GET", "/v3/apps/"+app+"/processes", ""), "pagination", "total_results"), 1.0)
	w.must(204, "DELETE", "/v3/policies/"+policy, "")
	is.Equal(at(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "approval"), nil) // nobody has anything to say
}

// TestApproval: two of those who are asked must agree, each once, and nobody to what they asked for; then it begins by itself.
func TestApproval(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	dora := w.somebody("dora", false, auth.SpaceDeveloper, auth.SpaceManager)
	mary, bob := w.somebody("mary", false, auth.SpaceManager), w.somebody("bob", false, auth.SpaceAuditor)
	paul := w.somebody("paul", false, auth.SpaceDeveloper)
	app, droplet := w.started()
	w.policy("two pairs of eyes", approval)

	asked := w.must(201, "POST", "/v3/deployments", asks(app, droplet), dora...)
	id := text(asked, "guid")
	is.Equal([]string{text(asked, "status", "value"), text(asked, "status", "reason")}, []string{"ACTIVE", "CREATING_APPROVAL"})
	is.Equal(text(asked, "approval", "requested_by"), "user/dora")
	const waits = "waits for approval: policy two pairs of eyes wants 2 of space_manager, user/bob: it is production"
	is.Equal(text(asked, "status", "details", "error"), waits)
	listed := w.call("GET", "/v3/deployments?status_values=ACTIVE&app_guids="+app, "")
	is.Equal(listed.Header().Get("X-Cf-Warnings"), url.QueryEscape(waits)) // which cf app prints
	is.Equal(text(asked, "approval", "verdicts", 0, "reason"), "it is production")
	is.Equal(text(asked, "links", "approve", "method"), "POST")
	is.Equal(text(w.must(200, "GET", "/v3/deployments?states=CREATING_APPROVAL", ""), "resources", 0, "guid"), id)
	act := func(status int, verb string, who []string) map[string]any {
		return w.must(status, "POST", "/v3/deployments/"+id+"/actions/"+verb, `{"comment":"well done"}`, who...)
	}
	is.Equal(text(act(403, "approve", dora), "errors", 0, "detail"), "Cannot approve the deployment: nobody approves what they asked for themselves")
	is.Equal(text(act(403, "approve", paul), "errors", 0, "detail"), "Cannot approve the deployment: only space_manager, user/bob may")
	w.must(422, "POST", "/v3/deployments/"+id+"/actions/start", "", paul...) // it waits
	first := act(200, "approve", mary)
	is.Equal([]any{at(first, "approval", "granted"), at(first, "approval", "approvals", 0, "comment")}, []any{false, "well done"})
	act(200, "approve", mary) // again counts for nothing
	is.Equal(at(w.must(200, "GET", "/v3/deployments/"+id, ""), "approval", "granted"), false)
	is.Equal(at(act(200, "approve", bob), "approval", "granted"), true)
	w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/DEPLOYED" })
	done := w.must(200, "GET", "/v3/deployments/"+id, "")
	is.Equal(at(done, "approval", "approvals", 1, "by"), "user/bob") // who agreed stays known
	act(422, "deny", bob)
}

// TestDenial by a person is final, with who and why.
func TestDenial(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app, droplet := w.started()
	mary := w.somebody("mary", false, auth.SpaceManager)
	w.policy("two pairs of eyes", approval)
	id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "guid")
	denied := w.must(200, "POST", "/v3/deployments/"+id+"/actions/deny", `{"comment":"not on a Friday"}`, mary...)
	is.Equal(text(denied, "status", "reason"), "CREATING_APPROVAL_DENIED")
	is.Equal([]string{text(denied, "approval", "denied", "by"), text(denied, "approval", "denied", "comment")}, []string{"user/mary", "not on a Friday"})
	w.must(422, "POST", "/v3/deployments/"+id+"/actions/approve", "", mary...)
}

// TestWithdrawal: whoever asked takes it back with a cancel.
func TestWithdrawal(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app, droplet := w.started()
	w.policy("two pairs of eyes", approval)
	id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "guid")
	w.must(200, "POST", "/v3/deployments/"+id+"/actions/cancel", "")
	is.Equal(w.status(id), "FINALIZED/CANCELED")
}

// TestApprovedIsNotStarted: where the policy says so, somebody who may deploy starts what is approved.
func TestApprovedIsNotStarted(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	mary, paul := w.somebody("mary", false, auth.SpaceManager), w.somebody("paul", false, auth.SpaceDeveloper)
	app, droplet := w.started()
	w.policy("by hand", `{"outcome":"require_approval","approval":{"needed":1,"approvers":["space_manager"],"manual_start":true}}`)
	id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet), paul...), "guid")
	approved := w.must(200, "POST", "/v3/deployments/"+id+"/actions/approve", "", mary...)
	is.Equal([]any{at(approved, "status", "reason"), at(approved, "approval", "granted")}, []any{"CREATING_APPROVAL", true})
	is.Equal(text(approved, "links", "start", "method"), "POST")
	w.must(403, "POST", "/v3/deployments/"+id+"/actions/start", "", mary...) // a manager deploys nothing
	w.must(200, "POST", "/v3/deployments/"+id+"/actions/start", "", paul...)
	w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/DEPLOYED" })
}

// TestHeldByAWindow says until when. That it begins then is shown in internal/updater, by the clock of a test.
func TestHeldByAWindow(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app, droplet := w.started()
	policy := w.policy("freeze", frozen("hold"))
	held := w.must(201, "POST", "/v3/deployments", asks(app, droplet))
	is.Equal(text(held, "status", "reason"), "CREATING_APPROVAL")
	is.Equal(text(held, "status", "held_until"), thawed)
	is.Equal([]string{text(held, "status", "hold", "policy", "guid"), text(held, "status", "hold", "reason")}, []string{policy, "holidays"})
	refused := w.must(422, "POST", "/v3/deployments/"+text(held, "guid")+"/actions/start", "")
	is.Equal(text(refused, "errors", 0, "detail"), "Cannot start the deployment: policy freeze holds it until "+thawed+": holidays")
}

// TestEvaluate says what would come out, and writes nothing.
func TestEvaluate(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app, droplet := w.started()
	w.until("it runs", func() bool {
		return at(w.must(200, "GET", "/v3/deployments?status_reasons=DEPLOYED", ""), "pagination", "total_results") == 1.0
	})
	none := w.must(200, "POST", "/v3/policies/evaluate", asks(app, droplet))
	is.Equal([]any{at(none, "outcome"), len(at(none, "verdicts").([]any))}, []any{"allow", 0})
	is.Equal([]string{text(none, "context", "app", "name"), text(none, "context", "last_deployments", 0, "by")}, []string{"hello", "user/admin"})
	w.policy("not twice", `{"condition":"last_deployments.exists(d, d.status == 'FINALIZED' && d.by == 'user/admin')","outcome":"deny"}`)
	w.policy("two pairs of eyes", approval)
	w.policy("elsewhere", `{"condition":"space.name == 'elsewhere'","outcome":"deny"}`)
	before, _ := w.log.Newest(t.Context())
	got := w.must(200, "POST", "/v3/policies/evaluate", asks(app, droplet))
	is.Equal(text(got, "outcome"), "deny")
	is.Equal(len(at(got, "verdicts").([]any)), 2)
	is.Equal([]string{text(got, "verdicts", 0, "name"), text(got, "verdicts", 1, "name")}, []string{"not twice", "two pairs of eyes"})
	is.Equal(text(got, "context", "app", "name"), "hello")
	after, _ := w.log.Newest(t.Context())
	is.Equal(before, after)
	w.must(422, "POST", "/v3/policies/evaluate", asks("none", droplet))
}

// TestAConditionThatFailsDeniesTheRequest with the text of what went wrong.
func TestAConditionThatFailsDeniesTheRequest(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app, droplet := w.started()
	w.policy("teams", `{"condition":"app.labels.team == 'pay'","outcome":"allow"}`)
	denied := w.must(201, "POST", "/v3/deployments", asks(app, droplet))
	is.Equal(text(denied, "status", "reason"), "CREATING_APPROVAL_DENIED")
	is.Equal(text(denied, "approval", "denied", "comment"), "policy teams denies it: its condition cannot be evaluated: no such key: team")
}
