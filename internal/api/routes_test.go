package api_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

func routeBody(host, space string) string {
	return `{"host":"` + host + `","relationships":{"space":{"data":{"guid":"` + space + `"}},"domain":{"data":{"guid":"localhost"}}}}`
}

func TestAnAppHasADefaultRoute(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	app := w.app("Hello World")
	v := w.must(200, "GET", "/v3/apps/"+app+"/routes", "")
	is.Equal(at(v, "pagination", "total_results"), 1.0)
	r := at(v, "resources", 0)
	is.Equal(keys(r), []string{
		"created_at", "destinations", "guid", "host", "links", "metadata", "options", "path", "port", "protocol", "relationships",
		"updated_at", "url",
	})
	is.Equal(text(r, "url"), "hello-world.localhost")
	is.Equal(keys(at(r, "destinations", 0)), []string{"app", "created_at", "guid", "port", "protocol", "updated_at", "weight"})
	is.Equal(at(r, "destinations", 0, "app"), map[string]any{"guid": app, "process": map[string]any{"type": "web"}})
	path := "/v3/routes/" + text(r, "guid")
	is.Equal(text(w.must(200, "GET", path, ""), "host"), "hello-world")

	w.app("hello_world") // another name that makes the same host: it has no route, and that is no failure
	is.Equal(at(w.must(200, "GET", "/v3/routes", ""), "pagination", "total_results"), 1.0)
	is.Equal(w.call("DELETE", "/v3/apps/"+app, "").Code, 202)
	is.Equal(w.call("GET", path, "").Code, 404) // it goes with its app
	again := w.app("hello world")
	is.Equal(text(w.must(200, "GET", "/v3/routes?app_guids="+again, ""), "resources", 0, "url"), "hello-world.localhost")
}

func TestRouteLife(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	app, other := w.app("one"), w.app("two")
	v := w.must(201, "POST", "/v3/routes", routeBody("www", "default"))
	id := text(v, "guid")
	path := "/v3/routes/" + id
	is.Equal([]any{text(v, "url"), at(v, "destinations"), at(v, "port"), text(v, "protocol")}, []any{"www.localhost", []any{}, nil, "http"})
	is.Equal(w.refused(422, "POST", "/v3/routes", routeBody("WWW", "default")), "Route already exists with host 'WWW' for domain 'localhost'.")
	is.Equal(w.refused(422, "POST", "/v3/routes", routeBody("a.b", "default")), `Host must contain only alphanumeric characters, "_", or "-"`)
	is.Equal(w.refused(422, "POST", "/v3/routes", routeBody("", "default")), "Missing host. Routes in shared domains must have a host defined.")
	is.Equal(w.refused(422, "POST", "/v3/routes", routeBody("x", "nobody")), "Invalid space. Ensure that the space exists and you have access to it.")
	is.Equal(w.refused(422, "POST", "/v3/routes", `{"host":"x","path":"/p"}`), "Paths are not supported: routes are told apart by their host name")
	is.Equal(w.refused(404, "GET", "/v3/routes/nobody", ""), "Route not found")

	v = w.must(200, "POST", path+"/destinations", `{"destinations":[{"app":{"guid":"`+app+`"}},{"app":{"guid":"`+other+`","process":{"type":"api"}}}]}`)
	is.Equal(text(v, "destinations", 1, "app", "process", "type"), "api")
	first := text(v, "destinations", 0, "guid")
	v = w.must(200, "PATCH", path+"/destinations", `{"destinations":[{"app":{"guid":"`+app+`"},"protocol":"http1"}]}`)
	is.Equal(text(v, "destinations", 0, "guid"), first) // one that stays keeps its guid
	is.Equal(at(v, "destinations", 1), nil)
	is.Equal(at(w.must(200, "GET", "/v3/routes?hosts=www&app_guids="+app, ""), "pagination", "total_results"), 1.0)
	is.Equal(at(w.must(200, "GET", "/v3/routes?paths=/x", ""), "pagination", "total_results"), 0.0)
	is.Equal(at(w.must(200, "GET", "/v3/routes?domain_guids=localhost&space_guids=default&hosts=www,one", ""), "pagination", "total_results"), 2.0)
	is.Equal(w.refused(422, "POST", path+"/destinations", `{"destinations":[{"app":{"guid":"nobody"}}]}`),
		`App(s) with guid(s) "nobody" do not exist or you do not have access.`)
	elsewhere := w.appIn(w.space("default", "elsewhere"), "three")
	is.Equal(w.refused(422, "POST", path+"/destinations", `{"destinations":[{"app":{"guid":"`+elsewhere+`"}}]}`),
		"Routes cannot be mapped to destinations in different spaces.")
	is.Equal(w.refused(422, "DELETE", path+"/destinations/nobody", ""),
		"Unable to unmap route from destination. Ensure the route has a destination with this guid.")
	w.must(204, "DELETE", path+"/destinations/"+first, "")
	is.Equal(at(w.must(200, "GET", path+"/destinations", ""), "destinations"), []any{})
	v = w.must(200, "PATCH", path, `{"metadata":{"labels":{"env":"prod"}}}`)
	is.Equal(at(v, "metadata", "labels"), map[string]any{"env": "prod"})
	w.completed("DELETE", path)
	is.Equal(w.call("DELETE", path, "").Code, 404)
	is.Equal(text(w.must(201, "POST", "/v3/routes", routeBody("www", "default")), "guid"), id) // the same name is the same route
}

func TestDomains(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	acme := w.organization("acme")
	v := w.must(201, "POST", "/v3/domains", `{"name":"example.org","relationships":{"organization":{"data":{"guid":"`+acme+`"}}}}`)
	domain := text(v, "guid")
	is.Equal(w.refused(422, "POST", "/v3/domains", `{"name":"example.org"}`), `The domain name "example.org" is already in use`)
	is.Equal(at(w.must(200, "GET", "/v3/organizations/"+acme+"/domains", ""), "pagination", "total_results"), 2.0)
	is.Equal(at(w.must(200, "GET", "/v3/organizations/default/domains", ""), "pagination", "total_results"), 1.0)
	is.Equal(text(w.must(200, "GET", "/v3/domains?names=example.org", ""), "resources", 0, "guid"), domain)
	body := `{"relationships":{"space":{"data":{"guid":"SPACE"}},"domain":{"data":{"guid":"` + domain + `"}}}}`
	is.Equal(w.refused(422, "POST", "/v3/routes", strings.Replace(body, "SPACE", "default", 1)), "Invalid domain. Domain 'example.org' is not available in organization 'default'.")
	v = w.must(201, "POST", "/v3/routes", strings.Replace(body, "SPACE", w.space(acme, "prod"), 1))
	is.Equal(text(v, "url"), "example.org") // without a host
}

// TestPlaceLinksLead follows every link that these resources give.
func TestPlaceLinksLead(t *testing.T) {
	is := is.New(t)
	w := bootstrapped(t)
	acme := w.organization("acme")
	prod := w.space(acme, "prod")
	app := w.appIn(prod, "hello")
	quota := text(w.must(201, "POST", "/v3/organization_quotas", `{"name":"q","relationships":{"organizations":{"data":[{"guid":"`+acme+`"}]}}}`), "guid")
	half := text(w.must(201, "POST", "/v3/space_quotas", `{"name":"q","relationships":{"organization":{"data":{"guid":"`+acme+`"}},
		"spaces":{"data":[{"guid":"`+prod+`"}]}}}`), "guid")
	route := text(w.must(200, "GET", "/v3/apps/"+app+"/routes", ""), "resources", 0, "guid")
	for _, path := range []string{
		"/v3", "/v3/organizations/" + acme, "/v3/spaces/" + prod, "/v3/organization_quotas/" + quota, "/v3/space_quotas/" + half,
		"/v3/routes/" + route, "/v3/routes/" + route + "/destinations", "/v3/domains/localhost", "/v3/organizations/" + acme + "/relationships/quota",
	} {
		links, _ := at(w.must(200, "GET", path, ""), "links").(map[string]any)
		is.True(len(links) > 0)
		for _, l := range links {
			href := text(l, "href")[len(server):]
			if got := w.call("HEAD", href, ""); got.Code != 200 {
				t.Errorf("%s leads to %s: %d", path, href, got.Code)
			}
		}
	}
}
