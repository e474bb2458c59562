package api_test

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
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
		list, _ := at(w.must(200, "GET", e.fill(path)+"?"+cmp.Or(query, "per_page=500"), ""), "resources").([]any)
		for _, one := range list {
			types = append(types, text(one, "type"))
		}
		return types
	}
	of := "/v3/deployments/" + deployment + "/events"
	is.Equal(asked(of, "per_page=500&actors=user/supporter"), []string{"deployment.canceling"})
	is.Equal(asked(of, "per_page=500&actors=user/supporter,user%2Fdeveloper&types=deployment.created,deployment.canceling"),
		[]string{"deployment.created", "deployment.canceling"})
	is.Equal(asked("/v3/apps/{app}/events", "per_page=500&actors=user/supporter"), []string{"deployment.canceling"})
	is.True(len(asked("/v3/apps/{app}/events", "per_page=500&actors=agent/a1")) > 0) // what agents report too
	is.Equal(asked("/v3/audit_events", "per_page=500&actors=user/supporter"), []string{"audit.app.deployment.cancel"})
	is.Equal(len(asked("/v3/audit_events", "per_page=500&actors=user/nobody")), 0)

	mine := w.call("GET", e.fill("/v3/apps/{app}/events?per_page=500"), "").Body.String()
	theirs := text(w.must(200, "GET", "/v3/apps?names=hello-lab", ""), "resources", 0, "guid")
	is.True(strings.Contains(mine, e["app"]) && !strings.Contains(mine, theirs)) // nothing of another app

	soon := url.QueryEscape(time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"))
	for _, path := range []string{of, "/v3/apps/{app}/events", "/v3/audit_events"} {
		is.Equal(len(asked(path, "per_page=500&created_ats[gt]="+soon)), 0)
		is.Equal(asked(path, "per_page=500&created_ats[lt]="+soon), asked(path, ""))
		is.True(len(asked(path, "")) > 3)
		w.until("it can be read from either end", func() bool { // agents may still report
			forth, back := asked(path, "per_page=500&order_by=created_at"), asked(path, "per_page=500&order_by=-created_at")
			slices.Reverse(forth)
			return slices.Equal(back, forth) && slices.Equal(asked(path, "order_by=-created_at&per_page=2&page=2"), back[2:4])
		})
		refused(t, w.call("GET", e.fill(path)+"?order_by=type", ""), 400, 10005, "CF-BadQueryParameter",
			"The query parameter is invalid: Order by can only be: 'created_at', 'updated_at'")
	}
	is.Equal(w.must(202, "DELETE", e.fill("/v3/apps/{app}"), ""), nil)
	is.True(slices.Contains(asked("/v3/apps/{app}/events", "per_page=500&actors=user/admin"), "app.deleted")) // it outlives the app
	is.Equal(w.as("foreigner", "GET", e.fill("/v3/apps/{app}/events"), "").Code, 404)
	is.Equal(w.as("developer", "GET", e.fill("/v3/apps/{app}/events"), "").Code, 200)
	refused(t, w.call("GET", "/v3/apps/nobody/events", ""), 404, 10010, "CF-ResourceNotFound", "App not found")
}

// TestAuditOfWhatGoverns: who made, changed or took away a policy is told to whoever may read audits there, and to nobody else.
func TestAuditOfWhatGoverns(t *testing.T) {
	w, e := settled(t)
	policies := map[string]string{}
	for place, relationships := range map[string]string{
		"space": `"space":{"data":{"guid":"{space}"}}`, "organization": `"organization":{"data":{"guid":"{organization}"}}`, "everywhere": ``,
	} {
		policies[place] = text(w.must(201, "POST", "/v3/policies", e.fill(`{"name":"n","rule":{"outcome":"allow"},"relationships":{`+relationships+`}}`)), "guid")
	}
	w.must(204, "DELETE", "/v3/policies/"+policies["space"], "")
	for place, readers := range map[string][]string{
		"space": {"developer", "auditor", "org_auditor", "watcher"}, "organization": {"org_auditor", "watcher"}, "everywhere": {"watcher"},
	} {
		all := w.must(200, "GET", "/v3/audit_events?target_guids="+policies[place], "")
		one := text(all, "resources", 0, "guid")
		for who := range everybody {
			t.Run(place+" by "+who, func(t *testing.T) {
				is := is.New(t)
				may := slices.Contains(readers, who) || who == "read_only" || who == "supporter" && place == "space"
				seen := object(t, w.as(who, "GET", "/v3/audit_events?target_guids="+policies[place], "").Body.Bytes())
				is.Equal(at(seen, "pagination", "total_results") == at(all, "pagination", "total_results"), may)
				is.Equal(at(seen, "pagination", "total_results") == 0.0, !may)
				is.Equal(w.as(who, "GET", "/v3/audit_events/"+one, "").Code == 200, may)
			})
		}
	}
	is := is.New(t)
	gone := at(w.must(200, "GET", "/v3/audit_events?types=audit.policy.delete&actors=user/admin", ""), "resources", 0)
	is.Equal(at(gone, "target"), map[string]any{"guid": policies["space"], "type": "policy", "name": "n"})
}
