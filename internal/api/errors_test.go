package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections/storetest"
)

// refused asks for an answer in Cloud Foundry's form and nothing else.
func refused(t testing.TB, got *httptest.ResponseRecorder, status, code int, title, detail string) {
	t.Helper()
	want := fmt.Sprintf(`{"errors":[{"code":%d,"title":%q,"detail":%s}]}`, code, title, jsonText(detail))
	if got.Code != status || got.Body.String() != want {
		t.Errorf("%d %s\nwant %d %s", got.Code, got.Body, status, want)
	}
	if ct := got.Header().Get("Content-Type"); ct != "application/json; charset=utf-8" {
		t.Errorf("content type %q", ct)
	}
}

func jsonText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

const (
	unprocessable = "CF-UnprocessableEntity"
	parseError    = "Request invalid due to parse error: invalid request body"
)

func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	app, other := w.app("hello"), w.app("other")
	d, foreign := w.droplet(app), w.droplet(other)
	waiting := text(w.must(201, "POST", "/v3/droplets", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}}}`), "guid")
	w.caughtUp()
	before, _ := w.log.Newest(t.Context())
	on := func(more string) string {
		return `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + d + `"}` + more + `}`
	}
	const deployments, apps = "POST /v3/deployments", "POST /v3/apps"
	noApp := "Unable to use app. Ensure that the app exists and you have access to it."
	for _, tt := range []struct {
		request, body string
		status        int
		detail        string
	}{
		{deployments, `{`, 400, parseError},
		{deployments, `[]`, 400, parseError},
		{deployments, `null`, 400, parseError},
		{deployments, `"x"`, 400, parseError},
		{deployments, `{} {}`, 400, parseError},
		{deployments, "{\"strategy\":\"\xff\"}", 400, parseError},
		{deployments, `{"relationships":` + strings.Repeat("[", 20_000) + `}`, 400, parseError},
		{deployments, ``, 422, noApp},
		{deployments, `{}`, 422, noApp},
		{deployments, deployment("nobody", d, "{}"), 422, noApp},
		{deployments, deployment("events.>", d, "{}"), 422, noApp},
		{deployments, deployment("*", d, "{}"), 422, noApp},
		{deployments, deployment("a b", d, "{}"), 422, noApp},
		{deployments, deployment("../x", d, "{}"), 422, noApp},
		{deployments, deployment(strings.Repeat("a", 65), d, "{}"), 422, noApp},
		{deployments, on(`,"zoo":1,"bar":2,"zoo":3`), 422, "Unknown field(s): 'zoo', 'bar'"},
		{deployments, on(`,"Strategy":"rolling"`), 422, "Unknown field(s): 'Strategy'"},
		{deployments, on(`,"revision":{"guid":"r"}`), 422, "Droplet Cannot set both fields 'droplet' and 'revision'"},
		{deployments, on(`,"x":1,"strategy":7,"options":[]`), 422, "Unknown field(s): 'x', Strategy must be a string, Options must be an object"},
		{deployments, on(`,"strategy":"potato"`), 422, "Strategy 'potato' is not a supported deployment strategy"},
		{deployments, on(`,"options":{"max_in_flight":0}`), 422, "Max in flight must be an integer greater than 0"},
		{deployments, on(`,"options":{"max_in_flight":"2"}`), 422, "Max in flight must be an integer greater than 0"},
		{deployments, on(`,"options":{"web_instances":-1}`), 422, "Web instances must be greater than or equal to 0"},
		{deployments, on(`,"options":{"web_instances":1e9}`), 422, "Web instances must be less than or equal to 10000"},
		{deployments, on(`,"options":{"web_instances":9e99}`), 422, "Web instances must be less than or equal to 2147483647"},
		{deployments, on(`,"options":{"web_instances":1.5,"foo":1}`), 422, "Web instances must be an integer, Options has unsupported key(s): foo"},
		{deployments, on(`,"metadata":[]`), 422, "Metadata must be an object"},
		{deployments, on(`,"metadata":{"labels":[]}`), 422, "Metadata 'labels' is not an object"},
		{deployments, on(`,"metadata":{"labels":{"a":1}}`), 422, "Metadata 'labels' has a value that is no string"},
		{deployments, on(`,"metadata":{"tags":{}}`), 422, "Metadata has unexpected field(s): 'tags'"},
		{deployments, on(`,"metadata":{"labels":{"a b":""}}`), 422, "Metadata label key error: 'a b' contains invalid characters"},
		{deployments, `{"relationships":{"app":{"data":{"guid":5}}}}`, 422, "Relationships app data guid must be a string"},
		{deployments, `{"relationships":{"app":{"data":{"guid":"x","y":1}}}}`, 422, "Unknown field(s): 'y'"},
		{deployments, deployment(app, foreign, "{}"), 422, "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		{deployments, deployment(app, "nobody", "{}"), 422, "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		{deployments, deployment(app, "events.*", "{}"), 422, "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		{deployments, deployment(app, waiting, "{}"), 422, "Unable to assign current droplet. The droplet must be in staged state: upload its bits first."},
		{deployments, `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{}}`, 422, "Droplet guid must be a string"},
		{apps, `{"name":""}`, 422, "Name can't be blank"},
		{apps, `{"name":"a\u0000b"}`, 422, "Name must not contain control characters or invalid UTF-8"},
		{apps, `{"name":"\ud800"}`, 422, "Name must not contain control characters or invalid UTF-8"},
		{apps, `{"name":"x","relationships":{"space":{"data":{"guid":"nowhere"}}}}`, 422, "Invalid space. Ensure that the space exists and you have access to it."},
		{apps, `{"name":"x","lifecycle":{"type":"cnb"}}`, 422, "Lifecycle type must be 'buildpack' or 'docker': staging takes the files as they are"},
		{apps, `{"name":"x","environment_variables":{"PORT":"1"}}`, 422, "Environment variable key 'PORT' is reserved: keys must not be PORT nor start with VCAP_ or VMC"},
		{apps, `{"name":"x","environment_variables":{"A":1}}`, 422, "Environment variables must be a string"},
		{"POST /v3/droplets", `{}`, 422, "Relationships App can't be blank"},
		{"POST /v3/droplets", `{"relationships":{"app":{"data":{"guid":"nobody"}}}}`, 422, `App with guid "nobody" does not exist, or you do not have access to it.`},
		{"POST /v3/deployments/plan", `{"relationships":5}`, 422, "Relationships must be an object"},
		{"POST /v3/deployment_groups", `{"members":[{"relationships":{"app":5}}]}`, 422, "Members 1: Relationships app must be an object"},
		{"POST /v3/processes/" + app + "/actions/scale", `{"instances":-1}`, 422, "Instances must be greater than or equal to 0"},
		{"POST /v3/processes/" + app + "/actions/scale", `{"instances":99999999999999999999}`, 422, "Instances must be an integer"},
		{"POST /v3/processes/" + app + "/actions/scale", `{"instances":1.5}`, 422, "Instances must be an integer"},
		{"PATCH /v3/processes/" + app, `{"command":7}`, 422, "Command must be a string"},
		{"PATCH /v3/processes/" + app, `{"health_check":{"type":"psychic"}}`, 422, `Health check type must be "port", "process", or "http"`},
		{"PATCH /v3/processes/" + app, `{"health_check":{"data":{"timeout":"x"}}}`, 422, "Health check times must be integers"},
		{"PATCH /v3/apps/" + app + "/relationships/current_droplet", `{"data":null}`, 422, "Current droplet cannot be removed. Replace it with a preferred droplet."},
		{"POST /v3/apps/" + app + "/actions/start", ``, 422, "Assign a droplet before starting this app."},
	} {
		t.Run(tt.request+" "+tt.body[:min(len(tt.body), 60)], func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			got := w.call(method, path, tt.body)
			if tt.status == 400 {
				refused(t, got, 400, 1001, "CF-MessageParseError", tt.detail)
			} else {
				refused(t, got, tt.status, 10008, unprocessable, tt.detail)
			}
		})
	}
	after, _ := w.log.Newest(t.Context())
	is.New(t).Equal(after, before) // nothing was left behind
}

func TestNamesAreUnique(t *testing.T) {
	w := newWorld(t)
	w.app("hello")
	got := w.call("POST", "/v3/apps", `{"name":"hello"}`)
	refused(t, got, 422, 10016, "CF-UniquenessError", "App with the name 'hello' already exists.")
}

func TestUnknownThings(t *testing.T) {
	w := newWorld(t)
	w.ongoing() // so that there is something to take for them
	for _, id := range []string{"nobody", "*", "%3E", "a.b", "..", "%2E%2E", "a%20b", "%FF", "%00", strings.Repeat("x", 300), "%2F"} {
		for request, kind := range map[string]string{
			"GET /v3/apps/%s": "App", "DELETE /v3/apps/%s": "App", "POST /v3/apps/%s/actions/start": "App",
			"POST /v3/apps/%s/actions/stop": "App", "POST /v3/apps/%s/actions/restart": "App", "GET /v3/apps/%s/env": "App",
			"GET /v3/apps/%s/environment_variables": "App", "PATCH /v3/apps/%s/environment_variables": "App",
			"GET /v3/apps/%s/processes": "App", "GET /v3/apps/%s/processes/web": "App", "GET /v3/apps/%s/processes/web/stats": "App",
			"POST /v3/apps/%s/processes/web/actions/scale": "App", "GET /v3/apps/%s/droplets": "App",
			"GET /v3/apps/%s/droplets/current": "App", "GET /v3/apps/%s/revisions": "App",
			"GET /v3/apps/%s/revisions/deployed": "App", "GET /v3/apps/%s/relationships/current_droplet": "App",
			"GET /v3/processes/%s": "Process", "PATCH /v3/processes/%s": "Process", "GET /v3/processes/%s/stats": "Process",
			"POST /v3/processes/%s/actions/scale": "Process", "GET /v3/droplets/%s": "Droplet", "GET /v3/revisions/%s": "Revision",
			"GET /v3/revisions/%s/environment_variables": "Revision", "GET /v3/deployments/%s": "Deployment",
			"GET /v3/deployments/%s?at=1": "Deployment", "GET /v3/deployments/%s/events": "Deployment",
			"GET /v3/deployments/%s/stream": "Deployment", "POST /v3/deployments/%s/actions/cancel": "Deployment",
			"GET /v3/jobs/%s": "Job", "GET /v3/jobs/app.delete.%s": "Job", "GET /v3/jobs/droplet.upload.%s": "Job",
		} {
			method, path, _ := strings.Cut(fmt.Sprintf(request, id), " ")
			refused(t, w.call(method, path, ""), 404, 10010, "CF-ResourceNotFound", kind+" not found")
		}
	}
}

func TestUnknownRequests(t *testing.T) {
	w := newWorld(t)
	for _, request := range []string{
		"GET /v3/nonsense", "GET /nonsense", "DELETE /v3/deployments/x", "PUT /v3/apps/x", "POST /", "GET /v2/apps",
		"GET /v3/deployments//events", "GET /v3/apps//processes", "GET //v3/apps", "GET /v3/apps/../apps/x/y/z",
		"PATCH /v3/droplets/x",
	} {
		method, path, _ := strings.Cut(request, " ")
		refused(t, w.call(method, path, ""), 404, 10000, "CF-NotFound", "Unknown request")
	}
}

func TestHugeAndForeignBodies(t *testing.T) {
	w := newWorld(t)
	t.Run("too large", func(t *testing.T) {
		got := w.call("POST", "/v3/apps", `{"name":"`+strings.Repeat("x", commands.MaxBody)+`"}`)
		refused(t, got, 413, 1004, "CF-BadRequest", fmt.Sprintf("The request body is larger than %d bytes", commands.MaxBody))
	})
	t.Run("a form", func(t *testing.T) {
		got := w.call("POST", "/v3/apps", "name=x", "Content-Type", "application/x-www-form-urlencoded")
		refused(t, got, 415, 1004, "CF-BadRequest", "The body must be JSON: send it with 'Content-Type: application/json'")
	})
	t.Run("breaks off", func(t *testing.T) {
		r := httptest.NewRequest("POST", server+"/v3/apps", io.MultiReader(strings.NewReader(`{"name":"x"`), broken{}))
		r.Header.Set("Content-Type", "application/json")
		got := httptest.NewRecorder()
		w.api.ServeHTTP(got, r)
		refused(t, got, 400, 1001, "CF-MessageParseError", parseError)
	})
	t.Run("bad command id", func(t *testing.T) {
		for _, key := range []string{"", "a b", "events.>", strings.Repeat("x", 65)} {
			got := w.call("POST", "/v3/apps", `{"name":"x"}`, "Idempotency-Key", key)
			refused(t, got, 422, 10008, unprocessable, "Idempotency-Key must be given once and be 1 to 64 letters, digits, '_' or '-'")
		}
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestWebPagesOfOtherOrigins(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		method string
		header []string
		allow  bool
	}{
		"no browser":           {"POST", nil, true},
		"localhost":            {"POST", []string{"Host", "localhost:8080"}, true},
		"IPv6":                 {"POST", []string{"Host", "[::1]:8080"}, true},
		"bare IPv6":            {"POST", []string{"Host", "[::1]"}, true},
		"all of 127":           {"POST", []string{"Host", "127.8.9.10"}, true},
		"same origin":          {"POST", []string{"Origin", server, "Sec-Fetch-Site", "same-origin"}, true},
		"same origin, old":     {"POST", []string{"Origin", server}, true},
		"another site":         {"POST", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, false},
		"another site, old":    {"POST", []string{"Origin", "https://evil.example"}, false},
		"another port":         {"POST", []string{"Origin", "http://127.0.0.1:9999"}, false},
		"a sandboxed frame":    {"POST", []string{"Origin", "null"}, false},
		"rebound name":         {"POST", []string{"Host", "evil.example:8080"}, false},
		"reads a rebound name": {"GET", []string{"Host", "evil.example"}, false},
		"looks like localhost": {"POST", []string{"Host", "localhost.evil.example"}, false},
		"looks like 127":       {"POST", []string{"Host", "127.0.0.1.evil.example"}, false},
		"a machine's address":  {"POST", []string{"Host", "192.168.1.2:8080"}, false},
		"no port":              {"POST", []string{"Host", "localhost:x"}, false},
		"no brackets":          {"POST", []string{"Host", "::1"}, false}, // would begin no valid link
		"a user":               {"POST", []string{"Host", "evil@127.0.0.1"}, false},
		"nothing":              {"POST", []string{"Host", ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := w.call(tt.method, "/v3/apps", `{"name":"`+events.NewID()+`"}`, tt.header...)
			is.Equal(got.Code != 403, tt.allow) // let through
			if !tt.allow {
				is.Equal(text(object(t, got.Body.Bytes()), "errors", 0, "title"), "CF-NotAuthorized")
			}
		})
	}
}

// failing is a handler that goes wrong.
type failing struct{ do func() error }

func (f failing) Handle(context.Context, commands.Command, commands.Caller) (commands.Result, error) {
	return commands.Result{}, f.do()
}

func (f failing) Judge(context.Context, commands.CreateDeployment, commands.Caller) (commands.Judged, error) {
	return commands.Judged{}, f.do()
}

func (f failing) JudgeGroup(context.Context, commands.CreateGroup, commands.Caller) (commands.JudgedGroup, error) {
	return commands.JudgedGroup{}, f.do()
}

func (f failing) Forecast(context.Context, commands.CreateDeployment, commands.Assumptions, commands.Caller) (commands.Forecast, error) {
	return commands.Forecast{}, f.do()
}

func (f failing) UploadDroplet(context.Context, events.DropletID, io.Reader, commands.Caller) (commands.Result, error) {
	return commands.Result{}, f.do()
}

func TestFaultsOfTheServer(t *testing.T) {
	for name, tt := range map[string]struct {
		do     func() error
		status int
		retry  string
		log    string
	}{
		"a panic":     {func() error { panic("secret") }, 500, "", "level=ERROR"},
		"a bug":       {func() error { return errors.New("secret") }, 500, "", "level=ERROR"},
		"corruption":  {func() error { return &eventlog.CorruptError{Problem: "secret"} }, 500, "", "level=ERROR"},
		"a busy app":  {func() error { return fmt.Errorf("secret: %w", eventlog.ErrConflict) }, 503, "1", "level=WARN"},
		"no log":      {func() error { return fmt.Errorf("secret: %w", eventlog.ErrUnavailable) }, 503, "1", "level=WARN"},
		"out of time": {func() error { return fmt.Errorf("secret: %w", context.DeadlineExceeded) }, 503, "1", "level=WARN"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var log bytes.Buffer
			a := api.New(api.Config{Auth: admin{}, Commands: failing{tt.do}, Store: storetest.Open(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
			got := call(a, "POST", "/v3/apps", `{"name":"x"}`, "Idempotency-Key", "c1")
			is.Equal(got.Code, tt.status)
			is.True(!strings.Contains(got.Body.String(), "secret")) // nothing of the inside
			is.Equal(got.Header().Get("Retry-After"), tt.retry)
			is.True(strings.Contains(log.String(), "secret")) // a person finds it in the log
			is.True(strings.Contains(log.String(), tt.log))
			is.True(strings.Contains(log.String(), "command=c1"))
		})
	}
}

// TestReadModelsBehind has a command carried out whose effect cannot be shown in time.
func TestReadModelsBehind(t *testing.T) {
	is := is.New(t)
	log := eventlog.NewMemory(events.NewRegistry())
	store := storetest.Open(t) // and no projector
	a := api.New(api.Config{
		Auth: admin{}, Commands: commands.NewHandler(log, nil, nil, nil, quiet), Store: store, Log: log, Logger: quiet, Patience: time.Millisecond,
	})
	got := call(a, "POST", "/v3/apps", `{"name":"x"}`, "Idempotency-Key", "c1")
	refused(t, got, 503, 10015, "CF-ServiceUnavailable", "The request was carried out, but it does not show yet. "+
		"Sending it again with the same Idempotency-Key is safe; the header X-Slipway-Command has it.")
	is.Equal(got.Header().Get("X-Slipway-Command"), "c1")
	is.Equal(got.Header().Get("X-Slipway-Sequence"), "3") // its route's commit, after its name's and its own
}
