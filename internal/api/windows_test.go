package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/auth"
)

// froze is when the window of [frozen] opened, thawed when it closes: after these tests.
var (
	froze  = time.Now().UTC().Add(-time.Hour)
	thawed = froze.Add(24 * time.Hour).Format("2006-01-02T15:04:05Z")
)

func frozen(outcome string) string {
	return `{"outcome":"` + outcome + `","reason":"holidays","window":{"rule":"FREQ=YEARLY","start":"` + froze.Format("2006-01-02T15:04:05") +
		`","duration_in_seconds":86400,"time_zone":"UTC","applies":"inside"}}`
}

// TestAFreezeBeforeTheApproval: what is approved in it says until when it waits and why, cannot be started by hand, and begins by
// itself when the freeze is lifted. That it begins when it is over is shown in internal/updater, by the clock of a test.
func TestAFreezeBeforeTheApproval(t *testing.T) {
	for _, outcome := range []string{"hold", "deny"} {
		t.Run(outcome, func(t *testing.T) {
			is := is.New(t)
			w := newWorld(t)
			w.agent()
			app, droplet := w.started()
			w.policy("two pairs of eyes", `{"outcome":"require_approval","approval":{"needed":1,"approvers":["admin"],"self_approval":true}}`)
			id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "guid")
			freeze := w.policy("freeze", frozen(outcome))
			is.Equal(at(w.must(200, "GET", "/v3/deployments/"+id, ""), "status", "hold"), nil) // nobody has approved it yet
			w.must(200, "POST", "/v3/deployments/"+id+"/actions/approve", "")
			var shown map[string]any
			w.until("it is held", func() bool {
				shown = w.must(200, "GET", "/v3/deployments/"+id, "")
				return at(shown, "status", "hold") != nil
			})
			is.Equal(text(shown, "status", "reason"), "CREATING_APPROVAL")
			is.Equal(text(shown, "status", "held_until"), thawed)
			is.Equal(at(shown, "status", "hold"), map[string]any{"policy": map[string]any{"guid": freeze}, "name": "freeze", "reason": "holidays"})
			refused := w.must(422, "POST", "/v3/deployments/"+id+"/actions/start", "")
			is.Equal(text(refused, "errors", 0, "detail"), "Cannot start the deployment: policy freeze holds it until "+thawed+": holidays")
			w.must(204, "DELETE", "/v3/policies/"+freeze, "")
			w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/DEPLOYED" })
			is.Equal(at(w.must(200, "GET", "/v3/deployments/"+id, ""), "status", "hold"), nil)
			history := w.must(200, "GET", "/v3/deployments/"+id+"/events?types=deployment.held", "")
			is.Equal(at(history, "resources", 0, "data", "policy"), freeze) // it stays known
		})
	}
}

// TestAHoldEndsWithItsPolicy, also where it held the deployment from the beginning: at once, and by what the policy says now.
func TestAHoldEndsWithItsPolicy(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app, droplet := w.started()
	freeze := w.policy("freeze", frozen("hold"))
	id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "guid")
	is.Equal(text(w.must(200, "GET", "/v3/deployments/"+id, ""), "status", "held_until"), thawed)
	longer := froze.Add(48 * time.Hour).Format("2006-01-02T15:04:05Z")
	w.must(200, "PATCH", "/v3/policies/"+freeze, `{"rule":`+strings.Replace(frozen("hold"), "86400", "172800", 1)+`}`)
	w.until("it is held longer", func() bool {
		return text(w.must(200, "GET", "/v3/deployments/"+id, ""), "status", "held_until") == longer
	})
	w.must(200, "PATCH", "/v3/policies/"+freeze, `{"rule":`+frozen("hold")+`}`)
	w.until("it is held as before", func() bool {
		return text(w.must(200, "GET", "/v3/deployments/"+id, ""), "status", "held_until") == thawed
	})
	w.must(204, "DELETE", "/v3/policies/"+freeze, "")
	w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/DEPLOYED" })
}

// TestStartInAFreeze: an approved deployment that somebody has to start cannot be started in one either.
func TestStartInAFreeze(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app, droplet := w.started()
	w.policy("by hand", `{"outcome":"require_approval","approval":{"needed":1,"approvers":["admin"],"self_approval":true,"manual_start":true}}`)
	id := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet)), "guid")
	w.must(200, "POST", "/v3/deployments/"+id+"/actions/approve", "")
	freeze := w.policy("freeze", frozen("deny"))
	refused := w.must(422, "POST", "/v3/deployments/"+id+"/actions/start", "")
	is.Equal(text(refused, "errors", 0, "detail"), "Cannot start the deployment: policy freeze holds it until "+thawed+": holidays")
	is.Equal(w.status(id), "ACTIVE/CREATING_APPROVAL")
	w.must(204, "DELETE", "/v3/policies/"+freeze, "")
	is.Equal(w.status(id), "ACTIVE/CREATING_APPROVAL") // it waits for somebody, as ever
	w.must(200, "POST", "/v3/deployments/"+id+"/actions/start", "")
	w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/DEPLOYED" })
}

// TestAssigningADropletIsJudged: it brings a new version as a deployment does, by the strategy "recreate".
func TestAssigningADropletIsJudged(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	paul := w.somebody("paul", false, auth.SpaceDeveloper)
	app, droplet := w.started()
	current := text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid")
	assign := func(status int, app, droplet string) map[string]any {
		return w.must(status, "PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+droplet+`"}}`, paul...)
	}
	for name, c := range map[string]struct{ rule, want string }{
		"deny": {
			`{"condition":"strategy.name == 'recreate' && app.current_droplet != droplet.guid && 'space_developer' in actor.roles","outcome":"deny","reason":"no dips"}`,
			"denies it: no dips. Deploy it instead (POST /v3/deployments, cf push --strategy rolling) if the policy lets you.",
		},
		"approval": {
			`{"outcome":"require_approval","approval":{"needed":2,"approvers":["space_manager","user/bob"]}}`,
			"wants it approved by 2 of space_manager, user/bob. " +
				"Deploy it instead (POST /v3/deployments, cf push --strategy rolling): a deployment can be approved.",
		},
		"hold": {
			frozen("hold"),
			"holds it until " + thawed + ": holidays. Deploy it instead (POST /v3/deployments, cf push --strategy rolling): " +
				"a deployment begins by itself then.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			policy := w.policy(name, c.rule)
			refused := assign(422, app, droplet)
			is.Equal(text(refused, "errors", 0, "detail"), "Cannot assign the droplet: policy "+name+" "+c.want)
			is.Equal(text(refused, "errors", 0, "title"), "CF-UnprocessableEntity") // what cf push shows
			is.Equal(text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid"), current)
			assign(200, app, current) // as it is
			first := w.app("first of " + name)
			assign(200, first, w.droplet(first)) // it replaces nothing
			w.must(204, "DELETE", "/v3/policies/"+policy, "")
		})
	}
	halt := text(w.must(201, "POST", "/v3/halts", `{"reason":"incident 42"}`), "guid")
	is.Equal(text(assign(422, app, droplet), "errors", 0, "detail"), "Cannot assign the droplet: rollouts are halted by user/admin: incident 42")
	assign(200, app, current) // as it is
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "")
	w.policy("elsewhere", `{"condition":"strategy.name != 'recreate'","outcome":"deny"}`)
	assign(200, app, droplet)
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid"), droplet)
}
