package api_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/internal/commands"
	"slipway/internal/groups"
)

// TestAPlaceTakesItsRulesWithIt: policies, halts and subscriptions that are about a space or an organization alone end with it, and
// no others; a group of its deployments ends too.
func TestAPlaceTakesItsRulesWithIt(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	w.runs(groups.New(w.log, commands.Apps(w.log, nil), w.commands, quiet).Run)
	status := func() string {
		return text(w.must(200, "GET", e.fill("/v3/deployment_groups/{group}"), ""), "status", "value")
	}
	w.until("its member has begun", func() bool { return status() != "PENDING" }) // or it fails to, in a space that is gone
	about := func(place string) string { return `"relationships":{` + e.fill(place) + `}` }
	places := map[string]string{
		"space": `"space":{"data":{"guid":"{space}"}}`, "organization": `"organization":{"data":{"guid":"{organization}"}}`, "everywhere": ``,
	}
	made := map[string]map[string]string{}
	for place, relationship := range places {
		made[place] = map[string]string{}
		for path, body := range map[string]string{
			"/v3/halts/":         `{"reason":"incident",` + about(relationship) + `}`,
			"/v3/policies/":      `{"name":"n","rule":{"outcome":"allow"},` + about(relationship) + `}`,
			"/v3/subscriptions/": `{"name":"n","url":"http://hooks.test","types":["*"],` + about(relationship) + `}`,
		} {
			made[place][path] = path + text(w.must(201, "POST", path, body), "guid")
		}
	}
	left := func(place string) {
		t.Helper()
		for path, one := range made[place] {
			v := w.must(200, "GET", one, "")
			is.True(path != "/v3/halts/" || text(v, "state") == "IN_FORCE")
		}
	}
	gone := func(place string) {
		t.Helper()
		for path, one := range made[place] {
			if path == "/v3/halts/" { // it is on record, by whom it ended
				halt := w.must(200, "GET", one, "")
				is.Equal(text(halt, "state"), "LIFTED")
				is.Equal(text(halt, "lifted_by"), "user/admin")
				continue
			}
			is.Equal(w.call("GET", one, "").Code, 404)
		}
	}
	is.Equal(w.call("DELETE", e.fill("/v3/spaces/{space}"), "", "Idempotency-Key", "once").Code, 202)
	is.Equal(w.call("DELETE", e.fill("/v3/spaces/{space}"), "", "Idempotency-Key", "once").Code, 202) // its answer was lost
	is.Equal(w.call("DELETE", e.fill("/v3/spaces/{space}"), "").Code, 404)                            // nothing is left for another
	gone("space")
	left("organization")
	left("everywhere")
	w.until("the group ends", func() bool { return status() == "FINALIZED" })
	is.Equal(w.call("DELETE", e.fill("/v3/organizations/{organization}"), "").Code, 202)
	gone("organization")
	left("everywhere")
	is.Equal(at(w.must(200, "GET", "/v3/policies?names=none", ""), "pagination", "total_results"), 1.0)     // umbrella's
	is.Equal(at(w.must(200, "GET", "/v3/subscriptions?names=lab", ""), "pagination", "total_results"), 1.0) // umbrella's
}
