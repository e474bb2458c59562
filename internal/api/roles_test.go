package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// TestWalkByStrangers sends each request there is about the things of a space, with the tokens of people who have no role
// there: it is answered exactly as about things that do not exist, and changes nothing. That the same requests mean something
// is shown by an admin's.
func TestWalkByStrangers(t *testing.T) {
	w, there := settled(t)
	absent := there.twin()
	before, _ := w.log.Newest(t.Context())
	for _, request := range w.walk() {
		t.Run(request, func(t *testing.T) {
			is := is.New(t)
			is.True(!strings.ContainsAny(there.fill(request), "{}")) // each parameter has an id
			for _, who := range []string{"nobody", "foreigner"} {
				got, want := w.send(who, request, there), w.send(who, request, absent)
				is.Equal(got.Code, want.Code)
				is.Equal(there.hide(got.Body.String()), absent.hide(want.Body.String())) // as if it did not exist
				is.True(got.Code < 500)
				for _, id := range there {
					if events.ValidID(id) && len(id) > 20 && !strings.Contains(there.fill(request+bodies[request]), id) {
						is.True(!strings.Contains(got.Body.String(), id)) // nothing of the space is told
					}
				}
			}
			if method, _, _ := strings.Cut(request, " "); method == "GET" {
				path := strings.TrimPrefix(there.fill(request), "GET ")
				is.Equal(w.call("HEAD", path, "").Code, 200) // to the admin it is there; a stream of what goes on would have no end
			}
		})
	}
	after, _ := w.log.Newest(t.Context())
	if before != after {
		t.Errorf("strangers changed something: the log went from %d to %d", before, after)
	}
}

// hide takes the ids of an estate out of a text.
func (e estate) hide(text string) string {
	for name, id := range e {
		if len(id) > 20 {
			text = strings.ReplaceAll(text, id, "{"+name+"}")
		}
	}
	return text
}

// TestCareless: an endpoint that forgot to ask answers nobody.
func TestCareless(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.api.Careless("/v3/careless")
	got := w.call("GET", "/v3/careless", "")
	is.Equal(got.Code, 500)
	is.True(!strings.Contains(got.Body.String(), "secret"))
}

// roles is what the main requests are answered, by who asks; all are about the space prod of acme. Requests that change
// something are such that they are refused behind the gate, with 422, or change nothing, so that the order does not count.
const roles = `
                                                      developer supporter auditor manager org_manager org_auditor org_user foreigner read_only watcher
GET /v3/apps/{app}                                    200       200       200     200     200         404         404      404       200       200
GET /v3/apps/{app}/env                                200       200       403     403     403         404         404      404       200       403
GET /v3/apps/{app}/environment_variables              200       200       403     403     403         404         404      404       200       403
GET /v3/apps/{app}/manifest                           200       403       403     403     403         404         404      404       200       403
GET /v3/apps/{app}/processes/{type}/stats             200       200       200     200     200         404         404      404       200       200
GET /v3/apps/{app}/features/{feature}                 200       200       200     200     200         404         404      404       200       200
GET /v3/apps/{app}/revisions                          200       200       200     200     200         404         404      404       200       200
GET /v3/apps/{app}/routes                             200       200       200     200     200         404         404      404       200       200
GET /v3/processes/{process}                           200       200       200     200     200         404         404      404       200       200
GET /v3/droplets/{droplet}                            200       200       200     200     200         404         404      404       200       200
GET /v3/packages/{package}                            200       200       200     200     200         404         404      404       200       200
GET /v3/builds/{build}                                200       200       200     200     200         404         404      404       200       200
GET /v3/revisions/{revision}                          200       200       200     200     200         404         404      404       200       200
GET /v3/revisions/{revision}/environment_variables    200       403       403     403     403         404         404      404       200       403
GET /v3/deployments/{deployment}                      200       200       200     200     200         404         404      404       200       200
GET /v3/deployments/{deployment}/events               200       200       200     200     200         404         404      404       200       200
GET /v3/deployments/{deployment}/stream               200       200       200     200     200         404         404      404       200       200
GET /v3/deployment_groups/{group}                     200       200       200     200     200         404         404      404       200       200
GET /v3/deployment_groups/{group}/events              200       200       200     200     200         404         404      404       200       200
HEAD /v3/deployment_groups/{group}/stream             200       200       200     200     200         404         404      404       200       200
GET /v3/jobs/{job}                                    200       200       200     200     200         404         404      404       200       200
GET /v3/audit_events/{audit_event}                    200       200       200     404     404         200         404      404       200       200
GET /v3/routes/{route}                                200       200       200     200     200         200         404      404       200       200
GET /v3/domains/{domain}                              200       200       200     200     200         200         404      404       200       200
GET /v3/spaces/{space}                                200       200       200     200     200         404         404      404       200       200
GET /v3/organizations/{organization}                  200       200       200     200     200         200         200      404       200       200
GET /v3/organization_quotas/{organization_quota}      200       200       200     200     200         200         200      404       200       200
GET /v3/space_quotas/{space_quota}                    200       200       200     200     200         404         404      404       200       200
POST /v3/apps/{app}/actions/start                     200       200       403     403     403         404         404      404       403       403
PATCH /v3/apps/{app}                                  200       403       403     403     403         404         404      404       403       403
PATCH /v3/apps/{app}/features/{feature}               200       403       403     403     403         404         404      404       403       403
PATCH /v3/apps/{app}/relationships/current_droplet    200       200       403     403     403         404         404      404       403       403
POST /v3/processes/{process}/actions/scale            202       202       403     403     403         404         404      404       403       403
PATCH /v3/processes/{process}                         200       200       403     403     403         404         404      404       403       403
POST /v3/deployments/{deployment}/actions/cancel      422       422       404     404     404         404         404      404       403       403
POST /v3/deployments/{deployment}/actions/continue    422       422       404     404     404         404         404      404       403       403
PATCH /v3/deployments/{deployment}                    200       403       403     403     403         404         404      404       403       403
POST /v3/droplets/{droplet}/upload                    422       403       403     403     403         404         404      404       403       403
PATCH /v3/routes/{route}                              200       200       403     403     403         404         404      404       403       403
PATCH /v3/spaces/{space}                              403       403       403     200     200         404         404      404       403       403
PATCH /v3/deployment_groups/{group}                   200       403       403     403     403         404         404      404       403       403
POST /v3/deployment_groups/{group}/actions/cancel     422       422       403     403     403         404         404      404       403       403
POST /v3/deployment_groups/{group}/actions/finalize   422       422       403     403     403         404         404      404       403       403
POST /v3/deployment_groups/{group}/actions/continue   422       422       403     403     403         404         404      404       403       403
PATCH /v3/organizations/{organization}                403       403       403     403     200         403         403      404       403       403
PATCH /v3/space_quotas/{space_quota}                  403       403       403     403     200         404         404      404       403       403
PATCH /v3/organization_quotas/{organization_quota}    403       403       403     403     403         403         403      404       403       403
POST /v3/organizations                                403       403       403     403     403         403         403      403       403       403
POST /v3/roles                                        422       422       422     422     422         422         422      422       403       403
POST /v3/spaces/{space}/manifest_diff                 201       403       403     403     403         404         404      404       403       403
DELETE /v3/organizations/{organization}               403       403       403     403     403         403         403      404       403       403
DELETE /v3/spaces/{space}                             403       403       403     403     .           404         404      404       403       403
DELETE /v3/apps/{app}                                 .         403       403     403     403         404         404      404       403       403
POST /v3/deployments                                  .         .         422     422     422         422         422      422       403       403
POST /v3/apps                                         .         403       403     403     403         422         422      422       403       403
POST /v3/packages                                     .         403       403     403     403         422         422      422       403       403
POST /v3/builds                                       .         .         403     403     403         422         422      422       403       403
`

func TestRoles(t *testing.T) {
	w, e := settled(t)
	lines := strings.Split(strings.TrimSpace(roles), "\n")
	heads := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		request, row := fields[0]+" "+fields[1], fields[2:]
		for n, who := range heads {
			if row[n] == "." { // it would change what the others ask for; see the tests of what each does
				continue
			}
			t.Run(request+" by "+who, func(t *testing.T) {
				got := w.send(who, request, e)
				if fmt.Sprint(got.Code) != row[n] {
					t.Errorf("%d %s, want %s", got.Code, got.Body, row[n])
				}
				if got.Code == 403 {
					refused(t, got, 403, 10003, "CF-NotAuthorized", "You are not authorized to perform the requested action")
				}
			})
		}
	}
}

// TestRefusalsInCloudFoundrysWords: what is hidden is not there, in the words for it.
func TestRefusalsInCloudFoundrysWords(t *testing.T) {
	w, e := settled(t)
	refused(t, w.send("foreigner", "POST /v3/deployments", e), 422, 10008, "CF-UnprocessableEntity",
		"Unable to use app. Ensure that the app exists and you have access to it.")
	refused(t, w.send("auditor", "POST /v3/deployments", e), 422, 10008, "CF-UnprocessableEntity",
		"Unable to use app. Ensure that the app exists and you have access to it.")
	refused(t, w.send("auditor", "POST /v3/deployments/{deployment}/actions/cancel", e), 404, 10010, "CF-ResourceNotFound", "Deployment not found")
	refused(t, w.send("foreigner", "POST /v3/apps", e), 422, 10008, "CF-UnprocessableEntity",
		"Invalid space. Ensure that the space exists and you have access to it.")
	refused(t, w.send("foreigner", "POST /v3/builds", e), 422, 10008, "CF-UnprocessableEntity",
		"Unable to use package. Ensure that the package exists and you have access to it.")
}

// TestListsShowWhatMayBeSeen: rows and totals, in the whole and in pages.
func TestListsShowWhatMayBeSeen(t *testing.T) {
	w, e := settled(t)
	lists := map[string]map[string]float64{ // how many a developer in prod sees, and an admin; the default organization has none
		"apps": {"developer": 1, "": 2}, "processes": {"developer": 1, "": 2}, "droplets": {"developer": 1, "": 2},
		"packages": {"developer": 2, "": 4}, "builds": {"developer": 1, "": 2}, "deployments": {"developer": 1, "": 2},
		"routes": {"developer": 2, "org_auditor": 2, "": 4}, "domains": {"developer": 2, "org_user": 1, "nobody": 1, "": 3},
		"spaces": {"developer": 1, "org_manager": 1, "": 3}, "organizations": {"developer": 1, "org_user": 1, "": 3},
		"organization_quotas": {"developer": 1, "org_user": 1, "": 2},
		"space_quotas":        {"developer": 1, "org_manager": 1, "org_user": 0, "": 2},
	}
	for collection, totals := range lists {
		totals["nobody"] += 0 // but for domains that are everybody's
		totals["read_only"] = totals[""]
		for who, total := range totals {
			t.Run(collection+" by "+who, func(t *testing.T) {
				is := is.New(t)
				get := func(query string) map[string]any {
					if who == "" {
						return w.must(200, "GET", "/v3/"+collection+query, "")
					}
					return object(t, w.as(who, "GET", "/v3/"+collection+query, "").Body.Bytes())
				}
				l := get("")
				is.Equal(at(l, "pagination", "total_results"), total)
				is.Equal(len(at(l, "resources").([]any)), int(total))
				paged := get("?per_page=1&page=2&order_by=-created_at")
				is.Equal(at(paged, "pagination", "total_results"), total)
				is.Equal(len(at(paged, "resources").([]any)), min(1, max(0, int(total)-1)))
			})
		}
	}
	t.Run("audit events", func(t *testing.T) {
		is := is.New(t)
		all := at(w.must(200, "GET", "/v3/audit_events", ""), "pagination", "total_results").(float64)
		for who, total := range map[string]float64{"developer": all / 2, "org_auditor": all / 2, "manager": 0, "nobody": 0, "watcher": all} {
			is.Equal(at(object(t, w.as(who, "GET", "/v3/audit_events", "").Body.Bytes()), "pagination", "total_results"), total)
		}
	})
	t.Run("no filter shows more", func(t *testing.T) {
		is := is.New(t)
		for _, query := range []string{"apps?guids=" + e["app"], "apps?space_guids=" + e["space"], "deployments?app_guids=" + e["app"],
			"packages?organization_guids=" + e["organization"], "builds?organization_guids=" + e["organization"]} {
			is.Equal(at(object(t, w.as("foreigner", "GET", "/v3/"+query, "").Body.Bytes()), "pagination", "total_results"), 0.0)
			is.True(at(object(t, w.as("developer", "GET", "/v3/"+query, "").Body.Bytes()), "pagination", "total_results").(float64) > 0)
		}
	})
}

// TestDeletionsAndTheirJobs: whoever may delete a thing can also see that it is done; nobody else can.
func TestDeletionsAndTheirJobs(t *testing.T) {
	w, e := settled(t)
	for _, tt := range []struct{ who, path string }{
		{"supporter", "/v3/routes/{route}"}, {"developer", "/v3/apps/{app}"}, {"org_manager", "/v3/space_quotas/{space_quota}"},
		{"org_manager", "/v3/spaces/{space}"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			is := is.New(t)
			got := w.as(tt.who, "DELETE", e.fill(tt.path), "")
			is.Equal(got.Code, 202)
			job := strings.TrimPrefix(got.Header().Get("Location"), server)
			is.Equal(text(object(t, w.as(tt.who, "GET", job, "").Body.Bytes()), "state"), "COMPLETE")
			refused(t, w.as("foreigner", "GET", job, ""), 404, 10010, "CF-ResourceNotFound", "Job not found")
		})
	}
	t.Run("what happened to the app is kept, for who could read it", func(t *testing.T) {
		is := is.New(t)
		is.Equal(w.as("org_manager", "GET", "/v3/deployments/"+e["deployment"]+"/events", "").Code, 200)
		is.Equal(w.as("foreigner", "GET", "/v3/deployments/"+e["deployment"]+"/events", "").Code, 404)
		is.Equal(w.as("nobody", "GET", "/v3/deployments/"+e["deployment"]+"/stream", "").Code, 404)
	})
}

// TestManifests: a developer applies one, and sees how it ended.
func TestManifestByRole(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	const request = "POST /v3/spaces/{space}/actions/apply_manifest"
	is.Equal(w.send("supporter", request, e).Code, 403)
	is.Equal(w.send("foreigner", request, e).Code, 404)
	got := w.send("developer", request, e)
	is.Equal(got.Code, 202)
	job := strings.TrimPrefix(got.Header().Get("Location"), server)
	is.Equal(text(object(t, w.as("developer", "GET", job, "").Body.Bytes()), "state"), "COMPLETE")
	is.Equal(w.as("foreigner", "GET", job, "").Code, 404)
	is.Equal(at(object(t, w.as("developer", "GET", "/v3/apps?names=new", "").Body.Bytes()), "pagination", "total_results"), 1.0)
}
