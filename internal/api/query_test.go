package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// TestWhatFiltersTake: a value that a filter of our own cannot have is refused with those that it can; any other selects what it says.
// Cloud Foundry's own filters of deployments take anything, as theirs do.
func TestWhatFiltersTake(t *testing.T) {
	w, e := settled(t)
	var types []string
	for _, t := range events.NewRegistry().Types() {
		types = append(types, string(t))
	}
	statuses := []string{"PENDING", "RUNNING", "FINALIZING", "FINALIZED", "CANCELED", "FAILED", "CREATING_APPROVAL_DENIED"}
	for path, c := range map[string]struct {
		key   string
		label string
		known []string
	}{
		"/v3/halts":                            {"states", "States", []string{"IN_FORCE", "LIFTED", "OVER"}},
		"/v3/policies":                         {"outcomes", "Outcomes", []string{"allow", "deny", "require_approval", "hold"}},
		"/v3/deployment_groups":                {"status_values", "Status values", statuses},
		"/v3/apps/{app}/events":                {"types", "Types", types},
		"/v3/deployments/{deployment}/events":  {"types", "Types", types},
		"/v3/deployment_groups/{group}/events": {"types", "Types", types},
	} {
		t.Run(path, func(t *testing.T) {
			is := is.New(t)
			path := e.fill(path) + "?" + c.key + "="
			for _, value := range append(c.known, strings.Join(c.known[:2], ",")) {
				is.Equal(w.call("GET", path+url.QueryEscape(value), "").Code, 200)
			}
			for _, value := range []string{"x", strings.ToUpper(c.known[0]) + "x", c.known[0] + ",x", ""} {
				refused(t, w.call("GET", path+url.QueryEscape(value), ""), 400, 10005, "CF-BadQueryParameter",
					"The query parameter is invalid: "+c.label+" can only be: '"+strings.Join(c.known, "', '")+"'")
			}
		})
	}
	for _, key := range []string{"states", "status_values", "status_reasons"} {
		t.Run("deployments by "+key, func(t *testing.T) {
			is := is.New(t)
			is.Equal(at(w.must(200, "GET", "/v3/deployments?"+key+"=x", ""), "pagination", "total_results"), 0.0)
		})
	}
}
