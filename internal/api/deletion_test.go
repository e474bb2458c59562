package api_test

import (
	"fmt"
	"slices"
	"strings"
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

// TestARemovalSentAgain: each request that takes something away, sent again with its key by who lost the answer, is answered the same,
// right after and when what is around it has gone too. With another key there is nothing to take away any more.
func TestARemovalSentAgain(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	e["destination"] = text(w.must(200, "POST", e.fill("/v3/routes/{route}/destinations"), e.fill(`{"destinations":[{"app":{"guid":"{app}"}}]}`)),
		"destinations", 0, "guid")
	e["id"] = text(w.must(201, "POST", "/deploymentstrategies", `{"Name":"careful","GrowthFactor":20,"DeploymentDurationInMinutes":30,"ReplicateTo":"NONE"}`), "Id")
	var requests []string
	for _, route := range w.api.Routes() {
		if method, path, _ := strings.Cut(route, " "); method == "DELETE" && !strings.HasPrefix(path, "/deployementstrategies") { // AWS's second name
			requests = append(requests, e.fill(template(path)))
		}
	}
	slices.Sort(requests)
	slices.SortStableFunc(requests, func(a, b string) int { return around(a) - around(b) })
	w.must(201, "POST", "/v3/organization_quotas", e.fill(`{"name":"other","relationships":{"organizations":{"data":[{"guid":"{organization}"}]}}}`))
	again := func(n int) int {
		return w.call("DELETE", requests[n], "", "Idempotency-Key", fmt.Sprint("remove-", n)).Code
	}
	first := make([]int, len(requests))
	for n := range requests {
		first[n] = again(n)
		is.True(first[n]/100 == 2)   // it goes
		is.Equal(again(n), first[n]) // its answer was lost
	}
	for n, path := range requests {
		if got := again(n); got != first[n] {
			t.Errorf("DELETE %s once more: %d, first %d", path, got, first[n])
		}
		if got := w.call("DELETE", path, "").Code; got != 404 && got != first[n] {
			t.Errorf("DELETE %s by another request: %d", path, got)
		}
	}
	for path, kind := range map[string]string{
		"/v3/space_quotas/{space_quota}": "Space quota", "/v3/space_quotas/{space_quota}/relationships/spaces/{space}": "Space quota",
		"/v3/organization_quotas/{space_quota}": "Organization quota", "/v3/routes/{route}": "Route", "/v3/spaces/{space}": "Space",
	} {
		refused(t, w.call("DELETE", e.fill(path), ""), 404, 10010, "CF-ResourceNotFound", kind+" not found")
	}
}

// around orders what goes: parts before the whole.
func around(path string) int {
	switch {
	case strings.Contains(path, "/relationships/"), strings.Contains(path, "/destinations/"):
		return 0
	case strings.HasPrefix(path, "/v3/spaces/"):
		return 2
	case strings.HasPrefix(path, "/v3/organizations/"):
		return 3
	}
	return 1
}
