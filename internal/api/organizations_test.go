package api_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

// bootstrapped is a world with what is there from the first start.
func bootstrapped(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	for range 2 { // once is enough, twice does no harm
		if err := w.commands.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.caughtUp()
	return w
}

func (w *world) organization(name string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/organizations", `{"name":"`+name+`"}`), "guid")
}

func (w *world) space(organization, name string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/spaces", `{"name":"`+name+`","relationships":{"organization":{"data":{"guid":"`+organization+`"}}}}`), "guid")
}

func (w *world) appIn(space, name string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/apps", `{"name":"`+name+`","relationships":{"space":{"data":{"guid":"`+space+`"}}}}`), "guid")
}

// refused sends a request that is to be refused, and gives the reason.
func (w *world) refused(status int, method, path, body string) string {
	w.t.Helper()
	return text(w.must(status, method, path, body), "errors", 0, "detail")
}

// completed follows a deletion's job.
func (w *world) completed(method, path string) {
	w.t.Helper()
	got := w.call(method, path, "")
	if got.Code != 202 {
		w.t.Fatalf("%s %s: %d %s", method, path, got.Code, got.Body)
	}
	job := w.must(200, "GET", strings.TrimPrefix(got.Header().Get("Location"), server), "")
	if text(job, "state") != "COMPLETE" {
		w.t.Fatalf("%s %s: its job is %v", method, path, job)
	}
}

func TestDefaultsAreThere(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	v := w.must(200, "GET", "/v3/organizations?order_by=name", "")
	is.Equal(at(v, "pagination", "total_results"), 1.0)
	is.Equal(text(v, "resources", 0, "guid"), "default")
	is.Equal(keys(at(v, "resources", 0)), []string{"created_at", "guid", "links", "metadata", "name", "relationships", "suspended", "updated_at"})
	v = w.must(200, "GET", "/v3/spaces?order_by=name&organization_guids=default&include=organization", "")
	is.Equal(text(v, "resources", 0, "name"), "default")
	is.Equal(text(v, "resources", 0, "relationships", "organization", "data", "guid"), "default")
	is.Equal(text(v, "included", "organizations", 0, "guid"), "default")
	v = w.must(200, "GET", "/v3/organizations/default/domains/default", "")
	is.Equal(text(v, "name"), "localhost")
	is.Equal(at(v, "supported_protocols"), []any{"http"})
	is.Equal(at(v, "relationships", "shared_organizations"), map[string]any{"data": []any{}})
	is.Equal(text(w.must(200, "GET", "/v3/spaces/default?include=organization", ""), "included", "organizations", 0, "name"), "default")
}

func TestOrganizationLife(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	acme := w.organization("acme")
	path := "/v3/organizations/" + acme
	is.Equal(w.refused(422, "POST", "/v3/organizations", `{"name":"acme"}`), "Organization 'acme' already exists.")
	is.Equal(w.refused(422, "POST", "/v3/organizations", `{"name":" "}`), "Name can't be blank")
	is.Equal(w.refused(422, "POST", "/v3/organizations", `{"name":"x","suspended":true}`), "Suspended must be false: organizations cannot be suspended here")
	is.Equal(w.refused(422, "POST", "/v3/organizations", `{"x":1}`), "Unknown field(s): 'x'")
	is.Equal(w.refused(404, "GET", "/v3/organizations/nobody", ""), "Organization not found")
	v := w.must(200, "PATCH", path, `{"name":"emca","metadata":{"labels":{"env":"prod"}}}`)
	is.Equal([]any{text(v, "name"), at(v, "metadata", "labels")}, []any{"emca", map[string]any{"env": "prod"}})
	is.Equal(text(w.must(200, "GET", "/v3/organizations?label_selector=env%3Dprod&names=emca", ""), "resources", 0, "guid"), acme)
	other := w.organization("acme") // the name is free again
	is.Equal(w.refused(422, "PATCH", path, `{"name":"acme"}`), "Organization 'acme' already exists.")

	prod := w.space(acme, "prod")
	app := w.appIn(prod, "hello")
	w.completed("DELETE", path)
	for _, gone := range []string{path, "/v3/spaces/" + prod, "/v3/apps/" + app} {
		is.Equal(w.call("GET", gone, "").Code, 404) // gone with its organization
	}
	is.Equal(at(w.must(200, "GET", "/v3/routes?organization_guids="+acme, ""), "pagination", "total_results"), 0.0)
	w.completed("DELETE", path) // a retry is no error
	is.Equal(w.call("DELETE", "/v3/organizations/nobody", "").Code, 404)
	w.completed("DELETE", "/v3/organizations/"+other)
	w.organization("emca") // the name is free again
}

func TestSpaceLife(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	acme := w.organization("acme")
	prod := w.space(acme, "prod")
	relation := `"relationships":{"organization":{"data":{"guid":"` + acme + `"}}}`
	is.Equal(w.refused(422, "POST", "/v3/spaces", `{"name":"prod",`+relation+`}`), "Name must be unique per organization")
	is.Equal(w.refused(422, "POST", "/v3/spaces", `{"name":"prod"}`), "Invalid organization. Ensure the organization exists and you have access to it.")
	is.Equal(w.refused(404, "GET", "/v3/spaces/nobody", ""), "Space not found")
	is.Equal(w.refused(404, "PATCH", "/v3/spaces/nobody", `{}`), "Space not found")
	is.Equal(w.refused(404, "DELETE", "/v3/spaces/nobody", ""), "Space not found")
	is.True(strings.Contains(w.refused(400, "GET", "/v3/spaces?include=apps", ""), "Invalid included resource: 'apps'"))
	w.space("default", "prod") // another organization's
	is.Equal(text(w.must(200, "PATCH", "/v3/spaces/"+prod, `{"name":"live"}`), "name"), "live")
	is.Equal(text(w.must(200, "GET", "/v3/spaces?names=live&organization_guids="+acme+"&page=1&per_page=1", ""), "resources", 0, "guid"), prod)

	app := w.appIn(prod, "hello")
	is.Equal(text(w.must(200, "GET", "/v3/apps?organization_guids="+acme, ""), "resources", 0, "guid"), app)
	is.Equal(text(w.must(200, "GET", "/v3/apps/"+app, ""), "relationships", "space", "data", "guid"), prod)
	w.appIn(w.space(acme, "test"), "hello") // another space's
	is.Equal(w.refused(422, "POST", "/v3/apps", `{"name":"hello","relationships":{"space":{"data":{"guid":"`+prod+`"}}}}`),
		"App with the name 'hello' already exists.")
	w.completed("DELETE", "/v3/spaces/"+prod)
	is.Equal(w.call("GET", "/v3/apps/"+app, "").Code, 404) // gone with its space
	is.Equal(w.refused(422, "POST", "/v3/apps", `{"name":"x","relationships":{"space":{"data":{"guid":"`+prod+`"}}}}`),
		"Invalid space. Ensure that the space exists and you have access to it.")
}

func TestQuotas(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	acme := w.organization("acme")
	prod := w.space(acme, "prod")
	v := w.must(201, "POST", "/v3/organization_quotas", `{"name":"small","apps":{"total_memory_in_mb":4096,"total_instances":null},
		"services":{"paid_services_allowed":false},"routes":{"total_routes":2},"domains":{"total_domains":null},
		"relationships":{"organizations":{"data":[{"guid":"`+acme+`"}]}}}`)
	small := text(v, "guid")
	is.Equal(keys(v), []string{"apps", "created_at", "domains", "guid", "links", "name", "relationships", "routes", "services", "updated_at"})
	is.Equal(at(v, "apps"), map[string]any{
		"total_memory_in_mb": 4096.0, "per_process_memory_in_mb": nil, "total_instances": nil, "per_app_tasks": nil,
		"log_rate_limit_in_bytes_per_second": nil,
	})
	is.Equal(text(v, "relationships", "organizations", "data", 0, "guid"), acme)
	is.Equal(text(w.must(200, "GET", "/v3/organizations/"+acme+"/relationships/quota", ""), "data", "guid"), small)
	is.Equal(w.refused(422, "POST", "/v3/organization_quotas", `{"name":"small"}`), "Organization Quota 'small' already exists.")
	is.Equal(w.refused(422, "POST", "/v3/organization_quotas", `{"name":"x","apps":{"total_instances":-1}}`),
		"Total instances must be greater than or equal to 0")
	is.Equal(w.refused(422, "POST", "/v3/organization_quotas", `{"name":"x","apps":{"total_instances":"x"}}`), "Total instances must be an integer")
	is.Equal(w.refused(422, "POST", "/v3/organization_quotas", `{"name":"x","apps":{"x":1}}`), "Unknown field(s): 'x'")
	is.Equal(w.refused(422, "DELETE", "/v3/organization_quotas/"+small, ""),
		"This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting.")
	v = w.must(200, "PATCH", "/v3/organization_quotas/"+small, `{"name":"tiny","apps":{"total_instances":3}}`)
	is.Equal([]any{text(v, "name"), at(v, "apps", "total_instances"), at(v, "apps", "total_memory_in_mb")}, []any{"tiny", 3.0, 4096.0})

	v = w.must(201, "POST", "/v3/space_quotas", `{"name":"half","routes":{"total_routes":1},
		"relationships":{"organization":{"data":{"guid":"`+acme+`"}}}}`)
	half := text(v, "guid")
	is.Equal(keys(at(v, "relationships")), []string{"organization", "spaces"})
	v = w.must(200, "POST", "/v3/space_quotas/"+half+"/relationships/spaces", `{"data":[{"guid":"`+prod+`"}]}`)
	is.Equal(text(v, "data", 0, "guid"), prod)
	is.Equal(text(w.must(200, "GET", "/v3/space_quotas?space_guids="+prod, ""), "resources", 0, "guid"), half)
	is.Equal(text(w.must(200, "GET", "/v3/organization_quotas?organization_guids="+acme, ""), "resources", 0, "guid"), small)
	is.Equal(w.refused(404, "GET", "/v3/space_quotas/"+small, ""), "Space quota not found")
	is.Equal(w.refused(404, "GET", "/v3/organization_quotas/"+half, ""), "Organization quota not found")

	w.appIn(prod, "first") // its default route is the only one that prod may have
	is.Equal(w.refused(422, "POST", "/v3/routes", `{"host":"more","relationships":{"space":{"data":{"guid":"`+prod+`"}},"domain":{"data":{"guid":"localhost"}}}}`),
		"Routes quota exceeded for space 'prod'.")
	w.must(204, "DELETE", "/v3/space_quotas/"+half+"/relationships/spaces/"+prod, "")
	is.Equal(at(w.must(200, "GET", "/v3/spaces/"+prod, ""), "relationships", "quota", "data"), nil)
	w.completed("DELETE", "/v3/space_quotas/"+half)

	other := text(w.must(201, "POST", "/v3/organization_quotas", `{"name":"small"}`), "guid") // the name is free again
	v = w.must(200, "PATCH", "/v3/organizations/"+acme+"/relationships/quota", `{"data":{"guid":"`+other+`"}}`)
	is.Equal(text(v, "data", "guid"), other)
	w.completed("DELETE", "/v3/organization_quotas/"+small)
	is.Equal(w.refused(404, "POST", "/v3/organization_quotas/"+small+"/relationships/organizations", `{"data":[]}`), "Organization quota not found")
	is.Equal(w.refused(422, "POST", "/v3/organization_quotas/"+other+"/relationships/organizations", `{"data":[{"guid":"nobody"}]}`),
		`Organizations with guids ["nobody"] do not exist, or you do not have access to them.`)
}

// TestNobodyIsGivenARole: roles are the operator's to give. An admin, who may do everything, has them all.
func TestNobodyIsGivenARole(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	role := func(who, where string) string {
		return `{"type":"space_manager","relationships":{"user":{"data":{` + who + `}},` + where + `}}`
	}
	const space, organization = `"space":{"data":{"guid":"default"}}`, `"organization":{"data":{"guid":"default"}}`
	const admin, ann = `"username":"admin","origin":"uaa"`, `"username":"ann"`
	v := w.must(201, "POST", "/v3/roles", role(admin, space))
	is.Equal([]string{text(v, "type"), text(v, "relationships", "user", "data", "guid")}, []string{"space_manager", "admin"})
	is.Equal(text(w.must(201, "POST", "/v3/roles", role(admin, organization)), "relationships", "organization", "data", "guid"), "default")
	is.True(strings.Contains(w.refused(422, "POST", "/v3/roles", role(ann, space)), "slipway auth add-user"))
	is.Equal(w.refused(404, "POST", "/v3/roles", role(admin, `"space":{"data":{"guid":"moon"}}`)), "Space not found")
}
