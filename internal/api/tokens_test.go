package api_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// TestARoleTakenAway counts from the next call on.
func TestARoleTakenAway(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	is.Equal(w.as("developer", "GET", "/v3/apps/"+e["app"], "").Code, 200)
	w.people.known.Store("developer", person("developer"))
	is.Equal(w.as("developer", "GET", "/v3/apps/"+e["app"], "").Code, 404)
	is.Equal(w.as("developer", "DELETE", "/v3/apps/"+e["app"], "").Code, 404)
	w.people.known.Store("developer", everybody["developer"])
	renamed, err := w.commands.Handle(t.Context(), commands.UpdateSpace{Space: events.SpaceID(e["space"]), Called: new("old")},
		commands.Caller{CommandID: "rename", Actor: "t"})
	is.NoErr(err)
	is.NoErr(w.store.Wait(t.Context(), renamed.Sequence))
	is.Equal(w.as("developer", "GET", "/v3/apps/"+e["app"], "").Code, 404) // the role is in a space of that name
}

// TestARoleTakenAwayEndsItsStreams before anything more is sent on them.
func TestARoleTakenAwayEndsItsStreams(t *testing.T) {
	for name, after := range map[string]func(*people){
		"the role is gone":  func(p *people) { p.known.Store("developer", person("developer")) },
		"the token is over": func(p *people) { p.known.Delete("developer") },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w, e := settled(t)
			canary := `{"strategy":"canary","relationships":{"app":{"data":{"guid":"{app}"}}}}` // which pauses
			id := text(w.must(201, "POST", "/v3/deployments", e.fill(canary)), "guid")
			w.until("it pauses", func() bool { return w.status(id) == "ACTIVE/PAUSED" })
			srv := serve(t, w.api)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/v3/deployments/"+id+"/stream", nil)
			is.NoErr(err)
			r.Header.Set("Authorization", "bearer developer")
			answer, err := http.DefaultClient.Do(r)
			is.NoErr(err)
			defer answer.Body.Close()
			body := bufio.NewReader(answer.Body)
			_, ok := next(body)
			is.True(ok) // it begins
			after(w.people)
			w.must(200, "PATCH", "/v3/deployments/"+id, `{"metadata":{"labels":{"late":"yes"}}}`)
			for ok {
				var got sent
				got, ok = next(body)
				is.True(!strings.Contains(got.data, "late")) // what came afterwards is not told
			}
			is.NoErr(ctx.Err()) // it ended by itself
		})
	}
}

// TestRealTokens: a user of the file, with the token of their password, has the roles that the file gives.
func TestRealTokens(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "an admin's password" })
	is.NoErr(err)
	is.NoErr(auth.AddUser(dir, auth.User{Name: "ann", Rights: auth.Rights{Roles: []auth.Grant{inProd(auth.SpaceSupporter)}}}, "ann's password"))
	logins, err := auth.Open(dir, time.Now, quiet)
	is.NoErr(err)
	a := api.New(api.Config{
		Auth: logins, Login: logins.Handler(), Commands: w.commands, Packages: w.commands, Store: w.store, Log: w.log,
		Apps: commands.Apps(w.log, nil), Logger: quiet, Patience: patience,
	})
	form := url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {"ann's password"}}
	got := call(a, "POST", "/uaa/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("cf:")))
	is.Equal(got.Code, 200)
	token := "bearer " + text(object(t, got.Body.Bytes()), "access_token")
	ask := func(request string) int {
		method, path, _ := strings.Cut(request, " ")
		return call(a, method, e.fill(path), e.fill(bodies[request]), "Authorization", token).Code
	}
	is.Equal(ask("GET /v3/apps/{app}"), 200)
	is.Equal(ask("GET /v3/apps/{app}/env"), 200)
	is.Equal(ask("GET /v3/revisions/{revision}/environment_variables"), 403)
	is.Equal(ask("DELETE /v3/apps/{app}"), 403)
	is.Equal(ask("POST /v3/deployments"), 201)
	is.Equal(call(a, "GET", e.fill("/v3/apps/{app}"), "").Code, 401)
	l := object(t, call(a, "GET", "/v3/apps", "", "Authorization", token).Body.Bytes())
	is.Equal(at(l, "pagination", "total_results"), 1.0)
}
