package api_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

var ordinary = auth.Scopes{auth.ScopeRead, auth.ScopeWrite}

// person is somebody with roles and the usual scopes.
func person(name string, roles ...auth.Grant) auth.Identity {
	return auth.Identity{UserID: "guid-" + name, UserName: name, Scopes: ordinary, Grants: roles}
}

func inProd(role auth.Role) auth.Grant {
	return auth.Grant{Role: role, Organization: "acme", Space: "prod"}
}

// everybody is one of each kind; all roles are in acme or its space prod, but those of the foreigner.
var everybody = map[string]auth.Identity{
	"developer":   person("developer", inProd(auth.SpaceDeveloper)),
	"supporter":   person("supporter", inProd(auth.SpaceSupporter)),
	"auditor":     person("auditor", inProd(auth.SpaceAuditor)),
	"manager":     person("manager", inProd(auth.SpaceManager)),
	"org_manager": person("org_manager", auth.Grant{Role: auth.OrgManager, Organization: "acme"}),
	"org_auditor": person("org_auditor", auth.Grant{Role: auth.OrgAuditor, Organization: "acme"}),
	"org_user":    person("org_user", auth.Grant{Role: auth.OrgUser, Organization: "acme"}),
	"foreigner":   person("foreigner", auth.Grant{Role: auth.SpaceDeveloper, Organization: "umbrella", Space: "*"}),
	"nobody":      person("nobody"),
	"read_only":   {UserID: "r", UserName: "r", Scopes: auth.Scopes{auth.ScopeAdminReadOnly}},
	"watcher":     {UserID: "w", UserName: "w", Scopes: auth.Scopes{auth.ScopeGlobalAuditor}},
}

// as sends a request with somebody's token.
func (w *world) as(who, method, path, body string, header ...string) *httptest.ResponseRecorder {
	return w.call(method, path, body, append(header, "Authorization", "bearer "+who)...)
}

// estate is what stands in a space: an id of each kind, by the name that paths and bodies use for it.
type estate map[string]string

// settled is a world with everybody, two spaces that have something of everything each, acme/prod and umbrella/lab, and
// what stands in the first.
func settled(t *testing.T) (*world, estate) {
	t.Helper()
	w := newWorld(t)
	for name, i := range everybody {
		w.people.known.Store(name, i)
	}
	if err := w.commands.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.agent()
	w.settle("umbrella", "lab")
	return w, w.settle("acme", "prod")
}

func (w *world) settle(organization, space string) estate {
	w.t.Helper()
	e := estate{"type": "web", "feature": "revisions", "destination": "d"}
	make := func(name, path, body string, header ...string) map[string]any {
		v := w.must(201, "POST", path, e.fill(body), header...)
		e[name] = text(v, "guid")
		return v
	}
	make("organization", "/v3/organizations", `{"name":"`+organization+`"}`)
	make("space", "/v3/spaces", `{"name":"`+space+`","relationships":{"organization":{"data":{"guid":"{organization}"}}}}`)
	make("app", "/v3/apps", `{"name":"hello-`+space+`","environment_variables":{"SECRET":"x"},"relationships":{"space":{"data":{"guid":"{space}"}}}}`)
	e["droplet"] = w.droplet(e["app"])
	make("package", "/v3/packages", `{"type":"bits","relationships":{"app":{"data":{"guid":"{app}"}}}}`)
	make("image", "/v3/packages", `{"type":"docker","data":{"image":"i"},"relationships":{"app":{"data":{"guid":"{app}"}}}}`)
	built, err := w.commands.Handle(w.t.Context(), commands.CreateBuild{Package: events.PackageID(e["image"])}, // over HTTP it would wait
		commands.Caller{CommandID: events.CommandID(events.NewID()), Actor: "admin"})
	if err != nil {
		w.t.Fatal(err)
	}
	e["build"] = built.ID
	w.must(200, "PATCH", "/v3/apps/"+e["app"]+"/relationships/current_droplet", e.fill(`{"data":{"guid":"{droplet}"}}`))
	w.must(200, "POST", "/v3/apps/"+e["app"]+"/actions/start", "")
	make("deployment", "/v3/deployments", deployment("{app}", "{droplet}", `{}`))
	make("group", "/v3/deployment_groups", bodies["POST /v3/deployment_groups"]) // which nobody begins here
	e["process"] = text(w.must(200, "GET", "/v3/apps/"+e["app"]+"/processes/web", ""), "guid")
	e["revision"] = text(w.must(200, "GET", "/v3/apps/"+e["app"]+"/revisions", ""), "resources", 0, "guid")
	make("domain", "/v3/domains", `{"name":"`+organization+`.test","relationships":{"organization":{"data":{"guid":"{organization}"}}}}`)
	make("route", "/v3/routes", `{"host":"x","relationships":{"space":{"data":{"guid":"{space}"}},"domain":{"data":{"guid":"{domain}"}}}}`)
	make("organization_quota", "/v3/organization_quotas", `{"name":"`+space+`","relationships":{"organizations":{"data":[{"guid":"{organization}"}]}}}`)
	make("space_quota", "/v3/space_quotas", `{"name":"`+space+`","relationships":{"organization":{"data":{"guid":"{organization}"}},"spaces":{"data":[{"guid":"{space}"}]}}}`)
	w.until("the deployment is over", func() bool { return w.status(e["deployment"]) == "FINALIZED/DEPLOYED" })
	e["audit_event"] = text(w.must(200, "GET", "/v3/audit_events?target_guids="+e["app"], ""), "resources", 0, "guid")
	make("policy", "/v3/policies", `{"name":"none","rule":{"outcome":"allow"},"relationships":{"space":{"data":{"guid":"{space}"}}}}`)
	make("halt", "/v3/halts", `{"reason":"drill","relationships":{"space":{"data":{"guid":"{space}"}}}}`)
	w.must(200, "POST", "/v3/halts/"+e["halt"]+"/actions/lift", "")
	make("subscription", "/v3/subscriptions", `{"name":"`+space+`","url":"http://hooks.test/token","types":["deployment.*"],"relationships":{"space":{"data":{"guid":"{space}"}}}}`)
	e["job"] = "droplet.upload." + e["droplet"]
	return e
}

// fill puts ids where {name} stands.
func (e estate) fill(text string) string {
	for name, id := range e {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// twin is an estate that is nowhere: ids of the same length, which nothing has.
func (e estate) twin() estate {
	absent := estate{}
	for name, id := range e {
		absent[name] = id
		if events.ValidID(id) && len(id) > 20 {
			absent[name] = "0" + strings.Repeat("0", len(id)-3) + fmt.Sprintf("%02d", len(absent))
		}
	}
	absent["audit_event"] = strings.Repeat("0", 26) + ".0"
	absent["job"] = "droplet.upload." + absent["droplet"]
	return absent
}

// collections says what the :guid below a collection is; other parameters have the names of an estate.
var collections = map[string]string{
	"apps": "app", "audit_events": "audit_event", "builds": "build", "deployments": "deployment", "deployment_groups": "group", "domains": "domain", "droplets": "droplet", "halts": "halt", "policies": "policy",
	"jobs": "job", "organization_quotas": "organization_quota", "organizations": "organization", "packages": "package",
	"revisions": "revision", "routes": "route", "space_quotas": "space_quota", "spaces": "space", "subscriptions": "subscription",
}

// template is a route with the names of an estate for its parameters: "/v3/apps/{app}/processes/{type}".
func template(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		switch {
		case s == ":guid":
			segments[i] = "{" + collections[segments[i-1]] + "}"
		case strings.HasPrefix(s, ":"):
			segments[i] = "{" + s[1:] + "}"
		}
	}
	return strings.Join(segments, "/")
}

// bodies are what is sent to routes that want more than {}.
var bodies = map[string]string{
	"POST /v3/apps":               `{"name":"new","relationships":{"space":{"data":{"guid":"{space}"}}}}`,
	"POST /v3/apps/{app}/signals": `{"name":"errors","firing":false}`,
	"POST /v3/integrations/alertmanager": `{"version":"4","alerts":[{"status":"resolved","labels":{"alertname":"errors","app_guid":"{app}"}},` +
		`{"status":"resolved","labels":{"alertname":"errors","app":"hello-prod"}}]}`,
	"POST /v3/builds":              `{"package":{"guid":"{image}"}}`,
	"POST /v3/deployments":         deployment("{app}", "{droplet}", `{}`),
	"POST /v3/deployment_groups":   `{"members":[` + deployment("{app}", "{droplet}", `{}`) + `]}`,
	"POST /v3/deployments/plan":    deployment("{app}", "{droplet}", `{}`),
	"POST /v3/domains":             `{"name":"new.test","relationships":{"organization":{"data":{"guid":"{organization}"}}}}`,
	"POST /v3/droplets":            `{"relationships":{"app":{"data":{"guid":"{app}"}}}}`,
	"POST /v3/packages":            `{"type":"bits","relationships":{"app":{"data":{"guid":"{app}"}}}}`,
	"POST /v3/organization_quotas": `{"name":"new"}`,
	"POST /v3/organization_quotas/{organization_quota}/relationships/organizations": `{"data":[{"guid":"{organization}"}]}`,
	"POST /v3/organizations": `{"name":"new"}`,
	"POST /v3/routes":        `{"host":"new","relationships":{"space":{"data":{"guid":"{space}"}},"domain":{"data":{"guid":"localhost"}}}}`,
	"POST /v3/spaces":        `{"name":"new","relationships":{"organization":{"data":{"guid":"{organization}"}}}}`,
	"POST /v3/space_quotas":  `{"name":"new","relationships":{"organization":{"data":{"guid":"{organization}"}}}}`,
	"POST /v3/space_quotas/{space_quota}/relationships/spaces":   `{"data":[{"guid":"{space}"}]}`,
	"POST /v3/spaces/{space}/actions/apply_manifest":             "applications:\n- name: new\n",
	"POST /v3/spaces/{space}/manifest_diff":                      "applications:\n- name: hello-prod\n",
	"POST /v3/routes/{route}/destinations":                       `{"destinations":[{"app":{"guid":"{app}"}}]}`,
	"PATCH /v3/routes/{route}/destinations":                      `{"destinations":[{"app":{"guid":"{app}"}}]}`,
	"PATCH /v3/apps/{app}/environment_variables":                 `{"var":{"A":"b"}}`,
	"POST /v3/subscriptions":                                     `{"name":"new","url":"http://hooks.test","types":["*"],"relationships":{"space":{"data":{"guid":"{space}"}}}}`,
	"PATCH /v3/apps/{app}/features/{feature}":                    `{"enabled":true}`,
	"PATCH /v3/apps/{app}/relationships/current_droplet":         `{"data":{"guid":"{droplet}"}}`,
	"PATCH /v3/organizations/{organization}/relationships/quota": `{"data":{"guid":"{organization_quota}"}}`,
	"POST /v3/apps/{app}/processes/{type}/actions/scale":         `{"instances":1}`,
	"POST /v3/processes/{process}/actions/scale":                 `{"instances":1}`,
	"POST /v3/droplets/{droplet}/upload":                         "bits",
	"POST /v3/packages/{package}/upload":                         "bits",
}

// send sends a request of the walk about an estate.
func (w *world) send(who, request string, e estate) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(request, " ")
	body, header := bodies[request], []string{}
	switch {
	case strings.HasSuffix(path, "manifest") && method == "POST", strings.HasSuffix(path, "manifest_diff"):
		header = []string{"Content-Type", "application/x-yaml"}
	case strings.HasSuffix(path, "/upload"):
		header = []string{"Content-Type", "application/octet-stream"}
	case body == "" && method != "GET" && method != "HEAD":
		body = "{}"
	}
	return w.as(who, method, e.fill(path), e.fill(body), header...)
}

// walk gives each route that asks who calls, as a request about an estate.
func (w *world) walk() []string {
	var all []string
	for _, route := range w.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if slices.Contains([]string{"/", "/v3", "/v3/info", "/healthz", "/readyz", "/openapi.json"}, path) || method == "echo_route_not_found" {
			continue
		}
		if strings.HasSuffix(strings.TrimSuffix(path, "/:id"), "strategies") {
			continue // everybody may know of them: see appconfig_access_test.go
		}
		all = append(all, method+" "+template(path))
	}
	slices.Sort(all)
	return all
}
