package api_test

import (
	"testing"

	"github.com/matryer/is"
)

func TestAuditEvents(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	deployment := w.ongoing()
	app := w.lookup("ongoing")
	w.app("other")
	w.must(200, "POST", "/v3/deployments/"+deployment+"/actions/cancel", "")
	w.until("it is canceled", func() bool { return w.status(deployment) == "FINALIZED/CANCELED" })

	v := w.must(200, "GET", "/v3/audit_events?order_by=-created_at&page=1&target_guids="+app, "") // as cf events asks
	list, _ := at(v, "resources").([]any)
	kinds := map[string]map[string]any{}
	for _, e := range list {
		is.Equal(text(e, "target", "guid"), app)
		kinds[text(e, "type")], _ = e.(map[string]any)
	}
	begun := kinds["audit.app.deployment.create"]
	is.Equal(keys(begun), []string{"actor", "created_at", "data", "guid", "links", "organization", "space", "target", "type", "updated_at"})
	is.Equal(at(begun, "actor"), map[string]any{"guid": "guid-admin", "type": "user", "name": "admin"})
	is.Equal(at(begun, "target"), map[string]any{"guid": app, "type": "app", "name": "ongoing"})
	is.Equal(at(begun, "space"), map[string]any{"guid": "default"})
	is.Equal(at(begun, "organization"), map[string]any{"guid": "default"})
	is.Equal(keys(at(begun, "data")), []string{"deployment_guid", "droplet_guid", "request", "revision_guid", "strategy", "type"})
	is.Equal(keys(at(kinds["audit.app.deployment.cancel"], "data")), []string{"deployment_guid", "droplet_guid"})
	is.Equal(text(kinds["audit.app.deployment.canceled"], "actor", "type"), "system") // the updater's
	is.Equal(w.must(200, "GET", "/v3/audit_events/"+text(begun, "guid"), ""), begun)

	total := func(query string) any {
		return at(w.must(200, "GET", "/v3/audit_events?"+query, ""), "pagination", "total_results")
	}
	is.Equal(total("types=audit.app.deployment.create,audit.app.deployment.cancel"), 3.0) // two were begun
	is.Equal(total("types=audit.app.create&target_guids%5Bnot%5D="+app), 1.0)             // the other app's
	is.Equal(total("space_guids=default"), total("organization_guids=default"))
	is.Equal(total("space_guids=moon"), 0.0)
	is.Equal(total("created_ats[lt]=2020-01-01T00:00:00Z"), 0.0)
	refused(t, w.call("GET", "/v3/audit_events/nobody.0", ""), 404, 10010, "CF-ResourceNotFound", "Event not found")
	is.Equal(w.call("GET", "/v3/audit_events?types[not]=x", "").Code, 400)
	is.Equal(w.call("GET", "/v3/apps?names[not]=x", "").Code, 400)

	w.must(202, "DELETE", "/v3/apps/"+app, "")
	is.Equal(total("types=audit.app.delete-request&target_guids="+app), 1.0) // it outlives the app
}
