package api_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/auth"
)

// somebody lets a person, or a program, log in with roles in the default space, and gives the header that they send.
func (w *world) somebody(name string, automation bool, roles ...auth.Role) []string {
	i := auth.Identity{UserID: "guid-" + name, UserName: name, Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Automation: automation}
	for _, r := range roles {
		i.Grants = append(i.Grants, auth.Grant{Role: r, Organization: "default", Space: "default"})
	}
	w.people.known.Store(name, i)
	return []string{"Authorization", "bearer " + name}
}

// started makes an app that runs, and a further droplet of it.
func (w *world) started() (app, droplet string) {
	w.t.Helper()
	app = w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":2}`)
	return app, w.droplet(app)
}

// TestAHaltHoldsRollouts: what goes on stands still and says why, nothing begins, and lifted it goes on where it was.
func TestAHaltHoldsRollouts(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app, droplet := w.started()
	deployment := w.deploy(app, droplet, `{}`)
	halt := text(w.must(201, "POST", "/v3/halts", `{"reason":"incident 42","relationships":{"space":{"data":{"guid":"default"}}}}`), "guid")

	var shown map[string]any
	w.until("it is halted", func() bool {
		shown = w.must(200, "GET", "/v3/deployments/"+deployment, "")
		return at(shown, "status", "halt") != nil
	})
	is.Equal(text(shown, "status", "halt", "reason"), "incident 42")
	is.Equal(text(shown, "status", "halt", "guid"), halt)
	is.Equal(text(shown, "status", "details", "error"), "rollouts are halted by user/admin: incident 42")
	refused := w.must(422, "POST", "/v3/deployments/"+deployment+"/actions/continue", "")
	is.Equal(text(refused, "errors", 0, "detail"), "Cannot continue the deployment: rollouts are halted by user/admin: incident 42")
	refused = w.must(422, "POST", "/v3/deployments", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}},"droplet":{"guid":"`+droplet+`"}}`)
	is.Equal(text(refused, "errors", 0, "detail"), "Cannot deploy: rollouts are halted by user/admin: incident 42")

	w.agent()
	lifted := w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "")
	is.Equal([]string{text(lifted, "state"), text(lifted, "lifted_by")}, []string{"LIFTED", "user/admin"})
	w.until("it is deployed", func() bool { return w.status(deployment) == "FINALIZED/DEPLOYED" })
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "") // again: nothing more
}

func TestHaltResources(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	everywhere := w.must(201, "POST", "/v3/halts", `{"reason":"freeze","until":"`+time.Now().UTC().Add(time.Hour).Format(time.RFC3339)+`"}`)
	is.Equal(text(everywhere, "state"), "IN_FORCE")
	is.Equal(at(everywhere, "relationships", "space", "data"), nil)
	here := w.must(201, "POST", "/v3/halts", `{"reason":"incident","duration_in_seconds":60,"relationships":{"space":{"data":{"guid":"default"}}}}`)
	is.Equal(text(here, "relationships", "organization", "data", "guid"), "default")
	is.Equal(text(here, "links", "lift", "method"), "POST")

	list := w.must(200, "GET", "/v3/halts?states=IN_FORCE&space_guids=default&order_by=-created_at&per_page=1", "")
	is.Equal(at(list, "pagination", "total_results"), 1.0)
	is.Equal(at(list, "resources", 0, "guid"), at(here, "guid"))
	is.Equal(text(w.must(200, "GET", "/v3/halts/"+text(here, "guid"), ""), "reason"), "incident")
	w.must(404, "GET", "/v3/halts/none", "")
	w.must(404, "POST", "/v3/halts/none/actions/lift", "")

	for body, want := range map[string]string{
		`{}`:                            "Reason must have 1 to 1024 characters",
		`{"reason":"x","until":"soon"}`: "Until must be a time such as 2026-01-02T15:04:05Z, within a year",
		`{"reason":"x","until":"2020-01-01T00:00:00Z"}`:                     "Until must be in the future",
		`{"reason":"x","duration_in_seconds":0}`:                            "Duration in seconds must be between 1 and 31536000",
		`{"reason":"a\u001b[2J"}`:                                           "Reason must not contain control characters or invalid UTF-8",
		`{"reason":"x","duration_in_seconds":-1}`:                           "Duration in seconds must be between 1 and 31536000",
		`{"reason":"x","relationships":{"space":{"data":{"guid":"none"}}}}`: "Invalid space. Ensure that the space exists and you have access to it.",
	} {
		t.Run(body, func(t *testing.T) {
			is := is.New(t)
			is.Equal(text(w.must(422, "POST", "/v3/halts", body), "errors", 0, "detail"), want)
		})
	}
}

// TestLabelsOfHalts: whoever declares one labels it, it is found by that, and changed even after its end.
func TestLabelsOfHalts(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	is.NoErr(w.commands.Bootstrap(t.Context())) // the default space
	w.caughtUp()
	developer, manager := w.somebody("dora", false, auth.SpaceDeveloper), w.somebody("mary", false, auth.SpaceManager)
	w.must(201, "POST", "/v3/halts", `{"reason":"freeze"}`)
	made := w.must(201, "POST", "/v3/halts", `{"reason":"incident","relationships":{"space":{"data":{"guid":"default"}}},
		"metadata":{"labels":{"incident":"42","team":"pay"},"annotations":{"chat":"#inc-42"}}}`, manager...)
	is.Equal(at(made, "metadata"), map[string]any{
		"labels": map[string]any{"incident": "42", "team": "pay"}, "annotations": map[string]any{"chat": "#inc-42"},
	})
	halt := "/v3/halts/" + text(made, "guid")
	found := func(selector string) any {
		return at(w.must(200, "GET", "/v3/halts?label_selector="+selector, "", developer...), "pagination", "total_results")
	}
	is.Equal([]any{found("incident=42"), found("incident=43"), found("!incident")}, []any{1.0, 0.0, 1.0})

	const change = `{"metadata":{"labels":{"incident":"43","team":null}}}`
	w.must(403, "PATCH", halt, change, developer...)
	w.must(404, "PATCH", "/v3/halts/none", change)
	w.must(200, "POST", halt+"/actions/lift", "", manager...)
	changed := w.must(200, "PATCH", halt, change, manager...)
	is.Equal(at(changed, "metadata"), map[string]any{
		"labels": map[string]any{"incident": "43"}, "annotations": map[string]any{"chat": "#inc-42"},
	})
	is.Equal(text(changed, "state"), "LIFTED")
	is.Equal([]any{found("incident=42"), found("incident=43")}, []any{0.0, 1.0})
	w.must(200, "PATCH", halt, change, manager...) // again: nothing more
	told := w.must(200, "GET", "/v3/audit_events?types=audit.halt.update", "")
	is.Equal([]any{at(told, "pagination", "total_results"), at(told, "resources", 0, "actor", "name")}, []any{1.0, "mary"})

	for body, want := range map[string]string{
		`{"reason":"x","metadata":{"labels":{"a b":"c"}}}`: "Metadata label key error: 'a b' contains invalid characters",
		`{"reason":"x","metadata":[]}`:                     "Metadata must be an object",
	} {
		is.Equal(text(w.must(422, "POST", "/v3/halts", body), "errors", 0, "detail"), want)
	}
	w.must(422, "PATCH", halt, `{"metadata":{"labels":{"a b":"c"}}}`)
	w.must(422, "PATCH", halt, `{"reason":"another"}`)
}

// TestWhoHalts: who governs a place halts in it; whoever works there sees why nothing moves.
func TestWhoHalts(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	is.NoErr(w.commands.Bootstrap(t.Context())) // the default space
	w.caughtUp()
	developer, manager := w.somebody("dora", false, auth.SpaceDeveloper), w.somebody("mary", false, auth.SpaceManager)
	stranger := w.somebody("sam", false)
	here := `{"reason":"incident","relationships":{"space":{"data":{"guid":"default"}}}}`
	w.must(403, "POST", "/v3/halts", here, developer...)
	w.must(403, "POST", "/v3/halts", `{"reason":"incident"}`, manager...)
	w.must(422, "POST", "/v3/halts", here, stranger...)
	halt := text(w.must(201, "POST", "/v3/halts", here, manager...), "guid")
	is.Equal(text(w.must(200, "GET", "/v3/halts/"+halt, "", developer...), "declared_by"), "user/mary")
	w.must(404, "GET", "/v3/halts/"+halt, "", stranger...)
	w.must(404, "POST", "/v3/halts/"+halt+"/actions/lift", "", stranger...)
	w.must(403, "POST", "/v3/halts/"+halt+"/actions/lift", "", developer...)
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "", manager...)
}

// TestARejectedVersion is refused everywhere with the reason, and accepted again it is none.
func TestARejectedVersion(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.agent()
	app, droplet := w.started()
	rejected := w.must(200, "POST", "/v3/droplets/"+droplet+"/actions/reject", `{"reason":"leaks memory"}`)
	is.Equal(text(rejected, "rejected", "reason"), "leaks memory")
	deploy := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"}}`
	why := "Droplet " + droplet + " is rejected: leaks memory. Deploy another one, or accept it first (POST /v3/droplets/" + droplet + "/actions/accept)."
	is.Equal(text(w.must(422, "POST", "/v3/deployments", deploy), "errors", 0, "detail"), why)
	is.Equal(text(w.must(422, "POST", "/v3/deployments/plan", deploy), "errors", 0, "detail"), why)
	is.Equal(text(w.must(422, "PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+droplet+`"}}`), "errors", 0, "detail"), why)
	w.must(422, "POST", "/v3/droplets/"+droplet+"/actions/reject", `{}`)
	w.must(404, "POST", "/v3/droplets/none/actions/reject", `{"reason":"x"}`)
	is.Equal(at(w.must(200, "POST", "/v3/droplets/"+droplet+"/actions/accept", ""), "rejected"), nil)
	w.must(201, "POST", "/v3/deployments", deploy)

	revisions := w.must(200, "GET", "/v3/apps/"+app+"/revisions", "")
	revision := text(revisions, "resources", 0, "guid")
	shown := w.must(200, "POST", "/v3/revisions/"+revision+"/actions/reject", `{"reason":"wrong variables"}`)
	is.Equal([]any{at(shown, "deployable"), at(shown, "rejected", "reason")}, []any{false, "wrong variables"})
	back := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"revision":{"guid":"` + revision + `"}}`
	is.Equal(text(w.must(422, "POST", "/v3/deployments", back), "errors", 0, "detail"), "Revision "+revision+" is rejected: wrong variables. Deploy another one, or accept it first (POST /v3/revisions/"+revision+"/actions/accept).")
	is.Equal(at(w.must(200, "POST", "/v3/revisions/"+revision+"/actions/accept", ""), "deployable"), true)
}

// TestAutomationIsHeldAfterARollbackByHand until a person lets it deploy again.
func TestAutomationIsHeldAfterARollbackByHand(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	robot, person := w.somebody("robot", true, auth.SpaceDeveloper), w.somebody("dora", false, auth.SpaceDeveloper)
	app, droplet := w.started()
	deploy := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"}}`
	deployment := text(w.must(201, "POST", "/v3/deployments", deploy, robot...), "guid")
	w.must(200, "POST", "/v3/deployments/"+deployment+"/actions/rollback", "", person...)
	held := w.must(200, "GET", "/v3/apps/"+app, "")
	is.Equal(text(held, "automation_held", "reason"), "user/dora went back to an earlier version by hand")
	refused := w.must(422, "POST", "/v3/deployments", deploy, robot...)
	is.Equal(text(refused, "errors", 0, "detail"),
		"Automation may not deploy this app: user/dora went back to an earlier version by hand. A person has to let it first (POST /v3/apps/"+app+"/actions/release_automation).")
	assign := func(status int, droplet string, by []string) map[string]any {
		return w.must(status, "PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+droplet+`"}}`, by...)
	}
	w.agent()
	w.until("it is back", func() bool { return w.status(deployment) == "FINALIZED/ROLLED_BACK" })
	is.Equal(text(assign(422, droplet, robot), "errors", 0, "detail"), text(refused, "errors", 0, "detail"))
	assign(200, text(w.must(200, "GET", "/v3/apps/"+app+"/droplets/current", ""), "guid"), robot) // as it is
	w.must(201, "POST", "/v3/deployments", deploy, person...)                                     // a person may
	w.must(403, "POST", "/v3/apps/"+app+"/actions/release_automation", "", robot...)
	is.Equal(at(w.must(200, "POST", "/v3/apps/"+app+"/actions/release_automation", "", person...), "automation_held"), nil)
	w.must(201, "POST", "/v3/deployments", deploy, robot...)
}

// TestAutomationThatGoesBackItself is no person: nothing holds it afterwards.
func TestAutomationThatGoesBackItself(t *testing.T) {
	w := newWorld(t)
	robot := w.somebody("robot", true, auth.SpaceDeveloper)
	app, droplet := w.started()
	deployment := text(w.must(201, "POST", "/v3/deployments", asks(app, droplet), robot...), "guid")
	w.must(200, "POST", "/v3/deployments/"+deployment+"/actions/rollback", "", robot...)
	is.New(t).Equal(at(w.must(200, "GET", "/v3/apps/"+app, ""), "automation_held"), nil)
	w.must(201, "POST", "/v3/deployments", asks(app, droplet), robot...)
}

// TestStopEndsWhatServes: what Slipway alone knows ends as DELETED; what any client of Cloud Foundry asks for stays DEPLOYED.
func TestStopEndsWhatServes(t *testing.T) {
	for name, c := range map[string]struct{ strategy, want string }{
		"a strategy of our own": {"blue-green", "FINALIZED/DELETED"},
		"Cloud Foundry's":       {"rolling", "FINALIZED/DEPLOYED"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := newWorld(t)
			w.agent()
			app, droplet := w.started()
			body := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"},"strategy":"` + c.strategy + `"}`
			deployment := text(w.must(201, "POST", "/v3/deployments", body), "guid")
			w.until("it is deployed", func() bool { return w.status(deployment) == "FINALIZED/DEPLOYED" })
			stopped := w.must(200, "POST", "/v3/apps/"+app+"/actions/stop", "")
			is.Equal(text(stopped, "state"), "STOPPED")
			is.Equal(w.status(deployment), c.want)
			filtered := w.must(200, "GET", "/v3/deployments?status_reasons=DELETED", "")
			is.Equal(at(filtered, "pagination", "total_results") == 1.0, c.want == "FINALIZED/DELETED")
			w.must(200, "POST", "/v3/apps/"+app+"/actions/start", "")
			is.Equal(w.status(deployment), c.want) // it does not come back
		})
	}
}

// TestStopWhileARolloutGoesOn: that stays ACTIVE and says why it does not move, as Cloud Foundry's do.
func TestStopWhileARolloutGoesOn(t *testing.T) {
	w := newWorld(t)
	app, droplet := w.started()
	body := `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"},"strategy":"blue-green"}`
	deployment := text(w.must(201, "POST", "/v3/deployments", body), "guid")
	w.must(200, "POST", "/v3/apps/"+app+"/actions/stop", "")
	w.until("it says so", func() bool {
		shown := w.must(200, "GET", "/v3/deployments/"+deployment, "")
		return text(shown, "status", "value") == "ACTIVE" &&
			text(shown, "status", "details", "error") == "app is stopped: start it, cancel the deployment, or deploy again"
	})
}
