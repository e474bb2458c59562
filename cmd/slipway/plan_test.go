package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// answering is an API that has one app and one answer to plans, and keeps what it was asked.
type answering struct {
	asked []byte
	login string
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.login = r.Header.Get("Authorization")
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, `{"resources":[{"guid":"app-1"}]}`)
		return
	}
	a.asked, _ = io.ReadAll(r.Body)
	_, _ = io.WriteString(w, `{"app":{"guid":"app-1","name":"hello","started":true},"strategy":"canary","original_instances":2,"target":2,
		"outcome":"DEPLOYED","finished_after_in_seconds":20,"options":{"max_in_flight":1},"steps":[],"timeline":[],"capacity":[]}`)
}

// TestPlanAsks: flags become the body of the API, and the body without what is only assumed is what the hint sends.
func TestPlanAsks(t *testing.T) {
	is := is.New(t)
	var api answering
	server := httptest.NewServer(&api)
	defer server.Close()
	var out, log bytes.Buffer
	is.NoErr(run(t.Context(), []string{"plan", "--api", server.URL, "--token", "bearer abc", "--app", "hello", "--droplet", "d-1",
		"--strategy", "canary", "--steps", "20,50", "--max-in-flight", "3", "--instances", "0", "--bake", "2m", "--on-failure", "hold",
		"--options", `{"breaker":{"crashes":2}}`, "--start-time", "1500ms", "--continue-after", "1m", "--failure", "crash@2"}, &out, &log))
	is.Equal(api.login, "bearer abc")
	is.Equal(compact(t, api.asked), compact(t, []byte(`{"relationships":{"app":{"data":{"guid":"app-1"}}},"droplet":{"guid":"d-1"},"strategy":"canary",
		"options":{"breaker":{"crashes":2},"max_in_flight":3,"web_instances":0,"bake_in_seconds":120,"on_failure":"hold",
		"canary":{"steps":[{"instance_weight":20},{"instance_weight":50}]}},
		"simulate":{"start_time_in_seconds":1.5,"continue_after_in_seconds":60,"failure":{"kind":"crash","step":2}}}`)))
	is.True(strings.Contains(out.String(), "DEPLOYED after 20s"))
	is.True(strings.Contains(out.String(), "Nothing was changed."))
	is.True(strings.Contains(out.String(), `slipway deploy --app hello --droplet d-1 --strategy canary --options '{"bake_in_seconds":120,`)) // what to type
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	sorted, _ := json.Marshal(v)
	return string(sorted)
}

func TestPlanRefusesMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no app":      {nil, "missing flags: --app"},
		"failure":     {[]string{"--app", "a", "--failure", "crash"}, "want KIND@STEP"},
		"kind":        {[]string{"--app", "a", "--failure", "flood@1"}, "Simulate failure must have a kind"},
		"options":     {[]string{"--app", "a", "--token", "x", "--options", "7"}, "--options: want a JSON object"},
		"no login":    {[]string{"--app", "a", "--data", "/nowhere"}, "or log in with --token"},
		"no API":      {[]string{"--app", "a", "--token", "x", "--api", "http://127.0.0.1:1"}, "is Slipway running?"},
		"negative":    {[]string{"--app", "a", "--start-time=-1s"}, "Simulate start time in seconds must be between"},
		"not a start": {[]string{"--app", "a", "--start-time", "soon"}, "--start-time"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var out, log bytes.Buffer
			err := run(t.Context(), append([]string{"plan"}, c.args...), &out, &log)
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), c.want)) // says what to do
		})
	}
}
