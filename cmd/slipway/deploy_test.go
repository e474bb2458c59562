package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestDeploy makes one deployment of a key, which plan says how to ask for, and follows one to its end.
func TestDeploy(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	planned, err := w.slipway("plan", "--app", "hello", "--strategy", "canary", "--steps", "50")
	is.NoErr(err)
	is.True(strings.Contains(planned, `slipway deploy --app hello --strategy canary --options '{"canary":{"steps":[{"instance_weight":50}]}}' --api `))
	ask := []string{"deploy", "--app", "hello", "--strategy", "canary", "--options", `{"canary":{"steps":[{"instance_weight":50}]}}`, "--key", "release-42"}
	first, err := w.slipway(ask...)
	is.NoErr(err)
	again, err := w.slipway(ask...)
	is.NoErr(err)
	is.Equal(first, again) // one deployment
	is.True(strings.Contains(first, "slipway watch "))
	var list struct {
		Resources []struct{ GUID, Strategy string }
	}
	is.NoErr(w.api.Call(t.Context(), http.MethodGet, "/v3/deployments?order_by=-created_at&app_guids="+app, nil, &list))
	is.Equal(len(list.Resources), 2) // with the one that started the app
	is.Equal(list.Resources[0].Strategy, "canary")
	_, err = w.slipway("rollback", "hello")
	is.NoErr(err)
	w.until("it is back", func() bool { return w.reason(list.Resources[0].GUID) == "ROLLED_BACK" })

	watched, err := w.slipway("deploy", "--app", "hello", "--droplet", w.droplet(app), "--watch")
	is.NoErr(err) // deployed
	is.True(strings.HasSuffix(strings.TrimSpace(watched), "DEPLOYED"))
	_, err = w.slipway("deploy", "--app", "nobody")
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "Ensure that the app exists"))
}
