package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// governed are the requests that change what governs deployments, below the path of the thing.
var governed = map[string][]string{
	"policies":          {"PATCH ", "DELETE "},
	"halts":             {"PATCH ", "POST /actions/lift"},
	"subscriptions":     {"PATCH ", "POST /actions/test", "POST /actions/rotate_secret", "DELETE "},
	"deployment_groups": {"PATCH ", "POST /actions/continue", "POST /actions/cancel", "POST /actions/rollback", "POST /actions/finalize"},
	"deployments":       {"POST /actions/approve", "POST /actions/deny", "POST /actions/start", "POST /actions/rollback"},
	"droplets":          {"POST /actions/reject", "POST /actions/accept"},
	"revisions":         {"POST /actions/reject", "POST /actions/accept"},
	"apps":              {"POST /actions/release_automation"},
}

// things are paths of what is there for one caller: of each kind, and of those that have a scope one in each.
func (w *world) things(e estate) (paths []string) {
	for _, scope := range []string{`"space":{"data":{"guid":"{space}"}}`, `"organization":{"data":{"guid":"{organization}"}}`, ``} {
		about := e.fill(`"relationships":{` + scope + `}`)
		for path, body := range map[string]string{
			"/v3/policies/": `{"name":"n","rule":{"outcome":"allow"},` + about + `}`, "/v3/halts/": `{"reason":"drill","duration_in_seconds":1,` + about + `}`,
			"/v3/subscriptions/": `{"name":"n","active":false,"url":"http://hooks.test","types":["*"],` + about + `}`,
		} {
			paths = append(paths, path+text(w.must(201, "POST", path[:len(path)-1], body), "guid"))
		}
	}
	for _, path := range []string{"/v3/deployment_groups/{group}", "/v3/deployments/{deployment}", "/v3/droplets/{droplet}", "/v3/revisions/{revision}", "/v3/apps/{app}"} {
		paths = append(paths, e.fill(path))
	}
	slices.Sort(paths)
	return paths
}

// TestWhoMayReadIsForbidden: whoever may read a thing that governs deployments, and not change it, is told that they may not, with 403.
// To whoever may not read it it is not there, whatever they ask of it, with 404.
func TestWhoMayReadIsForbidden(t *testing.T) {
	w, e := settled(t)
	for who := range everybody {
		t.Run(who, func(t *testing.T) {
			is := is.New(t)
			for _, path := range w.things(e) {
				reads := w.as(who, "GET", path, "").Code
				is.True(reads == 200 || reads == 404)
				kind := strings.Split(path, "/")[2]
				is.True(len(governed[kind]) > 0)
				for _, request := range governed[kind] {
					method, below, _ := strings.Cut(request, " ")
					got := w.as(who, method, path+below, "{}")
					if (reads == 404) != (got.Code == 404) {
						t.Errorf("%s %s%s: %d, and GET %d: %s", method, path, below, got.Code, reads, got.Body)
					}
					if got.Code == 403 {
						is.Equal(got.Body.String(), fmt.Sprintf(`{"errors":[{"code":10003,"title":"CF-NotAuthorized","detail":%s}]}`,
							jsonText("You are not authorized to perform the requested action")))
					}
				}
			}
		})
	}
}
