package clients

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/config"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// newGoCF is go-cfclient, logged in as the admin.
func newGoCF(t *testing.T, s *installation.Installation) *client.Client {
	t.Helper()
	is := is.New(t)
	c, err := config.New(s.API, config.UserPassword("admin", installation.AdminPassword))
	is.NoErr(err)
	api, err := client.New(c)
	is.NoErr(err)
	return api
}

// soon polls as often as a test likes to; go-cfclient asks each second otherwise.
func soon() *client.PollingOptions {
	return &client.PollingOptions{Timeout: installation.Patience, CheckInterval: 20 * time.Millisecond, FailedState: "FAILED"}
}

// done waits for the job that something was answered with.
func done(ctx context.Context, t *testing.T, api *client.Client, job string, err error) {
	t.Helper()
	is := is.New(t)
	is.NoErr(err)
	is.NoErr(api.Jobs.PollComplete(ctx, job, soon()))
}

func relatedTo(guid string) resource.ToOneRelationship {
	return resource.ToOneRelationship{Data: &resource.Relationship{GUID: guid}}
}

// guids of resources, in order.
func guids[R any](all []R, of func(R) string) []string {
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = of(r)
	}
	return ids
}

// leftOut are the methods of the clients below that these tests do not call, with what Slipway has instead or the reason why.
var leftOut = map[string]string{
	"Applications.Permissions": "later: what a token may do with one app",
	"Builds.Delete":            "Cloud Foundry deletes no builds either",
	"Builds.Update":            "builds carry no metadata",
	"Domains.Delete":           "domains stay",
	"Domains.Share":            "a domain is of one organization or of all",
	"Domains.ShareMany":        "a domain is of one organization or of all",
	"Domains.UnShare":          "a domain is of one organization or of all",
	"Domains.Update":           "domains carry no metadata",
	"Droplets.Copy":            "a droplet is uploaded to the app that runs it",
	"Droplets.Delete":          "droplets stay: history refers to them",
	"Droplets.Download":        "agents fetch bits from the store",
	"Droplets.Update":          "droplets carry no metadata",
	"Organizations.AssignDefaultIsolationSegment": "there are no isolation segments",
	"Organizations.FirstForIsolationSegment":      "there are no isolation segments",
	"Organizations.GetDefaultIsolationSegment":    "there are no isolation segments",
	"Organizations.GetUsageSummary":               "quotas tell what is left when they bite",
	"Organizations.ListForIsolationSegment":       "there are no isolation segments",
	"Organizations.ListForIsolationSegmentAll":    "there are no isolation segments",
	"Organizations.ListUsers":                     "users are in a file",
	"Organizations.ListUsersAll":                  "users are in a file",
	"Organizations.SingleForIsolationSegment":     "there are no isolation segments",
	"Packages.Copy":                               "a package is uploaded to the app that is built from it",
	"Packages.Delete":                             "packages stay: history refers to them",
	"Packages.Download":                           "who has uploaded a package has its bits",
	"Packages.Update":                             "packages carry no metadata",
	"Processes.Terminate":                         "an instance that shall go has its process scaled or restarted",
	"Revisions.Update":                            "revisions carry no metadata",
	"Routes.DeleteUnmappedRoutesForSpace":         "routes are deleted one by one",
	"Routes.GetSharedSpacesRelationships":         "a route is of one space",
	"Routes.IsRouteReserved":                      "to make a route tells whether there is one",
	"Routes.ShareWithSpace":                       "a route is of one space",
	"Routes.ShareWithSpaces":                      "a route is of one space",
	"Routes.TransferOwnership":                    "a route stays in its space",
	"Routes.UnShareWithSpace":                     "a route is of one space",
	"Routes.UnShareWithSpaces":                    "a route is of one space",
	"Routes.UpdateDestinationProtocol":            "the router speaks HTTP/1.1 to instances",
	"Spaces.AssignIsolationSegment":               "there are no isolation segments",
	"Spaces.GetAssignedIsolationSegment":          "there are no isolation segments",
	"Spaces.ListUsers":                            "users are in a file",
	"Spaces.ListUsersAll":                         "users are in a file",
}

// TestGoCFIsCovered holds that the tests of this package call every method of the clients that Slipway is there for, but
// those that are left out for a reason.
func TestGoCFIsCovered(t *testing.T) {
	is := is.New(t)
	called := calls(t)
	covered, left := 0, 0
	for _, name := range []string{
		"Applications", "AppFeatures", "AuditEvents", "Builds", "Deployments", "Domains", "Droplets", "Jobs", "Manifests", "Organizations", "Packages",
		"Processes", "ResourceMatches", "Revisions", "Root", "Routes", "Spaces",
	} {
		field, ok := reflect.TypeFor[client.Client]().FieldByName(name)
		is.True(ok) // there is such a client
		for i := range field.Type.NumMethod() {
			method := name + "." + field.Type.Method(i).Name
			switch _, out := leftOut[method]; {
			case out && called[method]:
				t.Errorf("%s is called, and stands among those left out", method)
			case out:
				left++
			case !called[method]:
				t.Errorf("%s is not called by any test", method)
			default:
				covered++
			}
		}
	}
	t.Logf("%d methods are called, %d are left out for a reason", covered, left)
	is.Equal(left, len(leftOut)) // each of them is a method
	for _, method := range slices.Sorted(maps.Keys(leftOut)) {
		t.Logf("  %s: %s", method, leftOut[method])
	}
}

// calls finds "api.Client.Method" in the tests with go-cfclient.
func calls(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob("gocf*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			method, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, ok := method.X.(*ast.SelectorExpr); ok {
				found[of.Sel.Name+"."+method.Sel.Name] = true
			}
			return true
		})
	}
	return found
}
