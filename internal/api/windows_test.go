package api_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
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
