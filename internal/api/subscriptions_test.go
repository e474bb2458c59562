package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/auth"
)

func inSpace(space string) string {
	return `{"name":"chat","url":"https://hooks.test/token","types":["deployment.*"],"metadata":{"labels":{"team":"a"}},` +
		`"relationships":{"space":{"data":{"guid":"` + space + `"}}}}`
}

func TestSubscriptions(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	made := w.must(201, "POST", "/v3/subscriptions", inSpace(e["space"]), "Idempotency-Key", "hook")
	path := "/v3/subscriptions/" + text(made, "guid")
	is.Equal(text(made, "secret"), "secret 1 of "+text(made, "guid")) // shown once
	is.Equal(text(made, "status", "value"), "OK")
	is.Equal(text(made, "relationships", "organization", "data", "guid"), e["organization"]) // where the space is
	again := w.must(201, "POST", "/v3/subscriptions", inSpace(e["space"]), "Idempotency-Key", "hook")
	is.Equal(text(again, "guid"), text(made, "guid"))
	for _, shown := range []map[string]any{again, w.must(200, "GET", path, ""), w.must(200, "PATCH", path, `{}`)} {
		_, has := shown["secret"]
		is.True(!has) // never again
	}
	is.Equal(text(w.must(200, "GET", path, ""), "url"), "https://hooks.test/token")
	rotated := w.must(200, "POST", path+"/actions/rotate_secret", "")
	is.Equal(text(rotated, "secret"), "secret 2 of "+text(made, "guid"))
	w.must(202, "POST", path+"/actions/test", "")
	off := w.must(200, "PATCH", path, `{"active":false,"content_mode":"binary","metadata":{"labels":{"team":null}}}`)
	is.Equal(text(off, "status", "value"), "INACTIVE")
	is.Equal(text(off, "content_mode"), "binary")
	refused := w.call("POST", path+"/actions/test", "")
	is.Equal(refused.Code, 422) // it would wait
	is.Equal(w.call("DELETE", path, "").Code, 204)
	is.Equal(w.call("GET", path, "").Code, 404)
	is.Equal(w.call("DELETE", path, "").Code, 204) // gone is gone
}

func TestSubscriptionLists(t *testing.T) {
	is := is.New(t)
	w, e := settled(t) // with one in each of two spaces
	w.must(201, "POST", "/v3/subscriptions", inSpace(e["space"]))
	w.must(201, "POST", "/v3/subscriptions",
		`{"name":"all","url":"http://x","types":["*"],"relationships":{"organization":{"data":{"guid":"`+e["organization"]+`"}}}}`)
	w.must(201, "POST", "/v3/subscriptions", `{"name":"every","url":"http://x","types":["*"]}`)
	total := func(who, query string) int {
		r := w.as(who, "GET", "/v3/subscriptions"+query, "")
		is.Equal(r.Code, 200)
		is.True(!strings.Contains(r.Body.String(), "token")) // lists hide what may be a secret in URLs
		var page struct {
			Pagination struct {
				Total int `json:"total_results"`
			} `json:"pagination"`
		}
		is.NoErr(json.Unmarshal(r.Body.Bytes(), &page))
		return page.Pagination.Total
	}
	is.Equal(total("developer", ""), 2)   // those of their space
	is.Equal(total("foreigner", ""), 1)   // theirs
	is.Equal(total("read_only", ""), 5)   // all
	is.Equal(total("org_manager", ""), 3) // acme's and its space's
	is.Equal(total("read_only", "?names=chat"), 1)
	is.Equal(total("read_only", "?label_selector=team%3Da"), 1)
	is.Equal(total("read_only", "?space_guids="+e["space"]), 2)
	is.Equal(total("read_only", "?organization_guids="+e["organization"]), 3)
	is.Equal(total("read_only", "?per_page=2&page=2"), 5)
}

func TestWhoMaySubscribe(t *testing.T) {
	w, e := settled(t)
	w.people.known.Store("broad", person("broad", auth.Grant{Role: auth.SpaceDeveloper, Organization: "acme"}))
	whole := `{"name":"all","url":"http://x","types":["*"],"relationships":{"organization":{"data":{"guid":"{organization}"}}}}`
	for _, c := range []struct {
		who, body string
		want      int
	}{
		{"developer", inSpace("{space}"), 201},
		{"supporter", inSpace("{space}"), 403}, // who may not read start commands
		{"foreigner", inSpace("{space}"), 422},
		{"developer", whole, 422}, // who has a role in one space only
		{"org_manager", whole, 403},
		{"broad", whole, 201},
		{"broad", `{"name":"every","url":"http://x","types":["*"]}`, 403}, // the administrator's
	} {
		t.Run(c.who, func(t *testing.T) {
			is := is.New(t)
			is.Equal(w.as(c.who, "POST", "/v3/subscriptions", e.fill(c.body)).Code, c.want)
		})
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	for range 19 { // one is there
		w.must(201, "POST", "/v3/subscriptions", inSpace(e["space"]))
	}
	r := w.call("POST", "/v3/subscriptions", inSpace(e["space"]))
	is.Equal(r.Code, 422)
	is.True(strings.Contains(r.Body.String(), "There are 20 subscriptions to this already"))
}
