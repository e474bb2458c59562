package api_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
)

// TestHistoryByWhoAndWhen: the histories of an app and of a deployment, and the audit's, can be asked who did something, and when.
func TestHistoryByWhoAndWhen(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	deployment := text(object(t, w.as("developer", "POST", "/v3/deployments", planned(e["app"], e["droplet"], `{}`, `,"strategy":"canary"`)).Body.Bytes()), "guid")
	w.until("it pauses", func() bool { return w.status(deployment) == "ACTIVE/PAUSED" })
	is.Equal(w.as("supporter", "POST", "/v3/deployments/"+deployment+"/actions/cancel", "").Code, 200)
	w.until("it is canceled", func() bool { return w.status(deployment) == "FINALIZED/CANCELED" })

	asked := func(path, query string) (types []string) {
		t.Helper()
		list, _ := at(w.must(200, "GET", e.fill(path)+"?per_page=500&"+query, ""), "resources").([]any)
		for _, one := range list {
			types = append(types, text(one, "type"))
		}
		return types
	}
	of := "/v3/deployments/" + deployment + "/events"
	is.Equal(asked(of, "actors=user/supporter"), []string{"deployment.canceling"})
	is.Equal(asked(of, "actors=user/supporter,user%2Fdeveloper&types=deployment.created,deployment.canceling"),
		[]string{"deployment.created", "deployment.canceling"})
	is.Equal(asked("/v3/apps/{app}/events", "actors=user/supporter"), []string{"deployment.canceling"})
	is.True(len(asked("/v3/apps/{app}/events", "actors=agent/a1")) > 0) // what agents report too
	is.Equal(asked("/v3/audit_events", "actors=user/supporter"), []string{"audit.app.deployment.cancel"})
	is.Equal(len(asked("/v3/audit_events", "actors=user/nobody")), 0)

	soon := url.QueryEscape(time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"))
	for _, path := range []string{of, "/v3/apps/{app}/events", "/v3/audit_events"} {
		is.Equal(len(asked(path, "created_ats[gt]="+soon)), 0)
		is.Equal(asked(path, "created_ats[lt]="+soon), asked(path, ""))
		is.True(len(asked(path, "")) > 3)
	}
	is.Equal(w.must(202, "DELETE", e.fill("/v3/apps/{app}"), ""), nil)
	is.True(slices.Contains(asked("/v3/apps/{app}/events", "actors=user/admin"), "app.deleted")) // it outlives the app
	is.Equal(w.as("foreigner", "GET", e.fill("/v3/apps/{app}/events"), "").Code, 404)
	is.Equal(w.as("developer", "GET", e.fill("/v3/apps/{app}/events"), "").Code, 200)
	refused(t, w.call("GET", "/v3/apps/nobody/events", ""), 404, 10010, "CF-ResourceNotFound", "App not found")
}
