package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/client"
	"slipway/test/installation"
)

// TestRequests sends the commands of the main job in the order in which a user would, and asks whatever else `nats micro
// info` lists.
func TestRequests(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	sent := map[string]bool{}
	do := func(command, body string) string {
		t.Helper()
		sent["rpc."+command] = true
		return nats.guid(t, command, body)
	}

	app := do("app.create", `{"name":"hello","environment":{"A":"1"}}`)
	is.Equal(do("app.set-environment", fmt.Sprintf(`{"app":%q,"var":{"START_DELAY":"100ms","A":null}}`, app)), app)
	droplet := do("droplet.create", fmt.Sprintf(`{"app":%q}`, app))
	image := do("package.create", fmt.Sprintf(`{"app":%q,"type":"docker","image":"example/hello"}`, app))
	is.True(do("build.create", fmt.Sprintf(`{"package":%q}`, image)) != image)
	is.NoErr(s.Client().Upload(ctx, droplet, installation.Bits(t, "v1"))) // bits travel over HTTP only
	is.Equal(do("app.assign-droplet", fmt.Sprintf(`{"app":%q,"droplet":%q}`, app, droplet)), app)
	is.Equal(do("app.start", fmt.Sprintf(`{"app":%q}`, app)), app)
	web := do("process.scale", fmt.Sprintf(`{"app":%q,"type":"web","instances":2}`, app))
	is.Equal(do("process.update", fmt.Sprintf(`{"process":%q,"health_check":{"type":"http","endpoint":"/healthz"}}`, web)), web)
	s.WaitRoutable(ctx, t, app, 2)
	s.Deployed(ctx, t, do("deployment.create", fmt.Sprintf(`{"app":%q,"droplet":%q,"options":{"max_in_flight":2}}`, app, droplet)))
	canary := do("deployment.create", fmt.Sprintf(`{"app":%q,"strategy":"canary"}`, app))
	s.Watch(ctx, t, canary, func(e client.Event) bool { return e.Type == "deployment.paused" })
	is.Equal(do("deployment.update", fmt.Sprintf(`{"deployment":%q,"metadata":{"labels":{"who":"me"}}}`, canary)), canary)
	is.Equal(do("deployment.continue", fmt.Sprintf(`{"deployment":%q}`, canary)), canary)
	s.Deployed(ctx, t, canary)
	second := do("deployment.create", fmt.Sprintf(`{"app":%q,"droplet":%q,"strategy":"canary"}`, app, droplet)) // it does not end by itself
	is.Equal(do("deployment.cancel", fmt.Sprintf(`{"deployment":%q}`, second)), second)
	is.Equal(s.Watch(ctx, t, second, client.Over), "deployment.canceled")
	is.Equal(do("app.restart", fmt.Sprintf(`{"app":%q}`, app)), app)
	is.Equal(do("app.stop", fmt.Sprintf(`{"app":%q}`, app)), app)
	nats.request(t, "app.delete", fmt.Sprintf(`{"app":%q}`, app))
	sent["rpc.app.delete"] = true
	is.Equal(apps(t, s), nil) // it has gone

	endpoints := nats.endpoints(t)
	for subject := range sent {
		is.True(slices.Contains(endpoints, subject)) // it is listed
	}
	for _, subject := range endpoints {
		if !sent[subject] { // a command that this test does not know is at least served
			answer, headers := nats.request(t, strings.TrimPrefix(subject, "rpc."), `{"no-such-field":1}`)
			is.True(strings.Contains(headers, "Nats-Service-Error-Code: 4")) // and refuses what it does not know
			is.True(answer["errors"] != nil)
		}
	}
	s.NoOrphans(ctx, t, 0)
	s.Sound(ctx, t)
}

// endpoints lists what the micro service can be asked.
func (c natsCLI) endpoints(t *testing.T) []string {
	t.Helper()
	var answer struct {
		Info struct {
			Endpoints []struct{ Metadata struct{ Request string } }
		}
	}
	if err := json.Unmarshal([]byte(c.must(t, "micro", "info", "slipway", "--json")), &answer); err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, endpoint := range answer.Info.Endpoints {
		subjects = append(subjects, endpoint.Metadata.Request)
	}
	return subjects
}

// TestRefusals asks for what cannot be done. The answer is an error of Cloud Foundry's, its status in a header.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	app := nats.guid(t, "app.create", `{"name":"hello"}`)
	const nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for name, c := range map[string]struct {
		command, body string
		code          int
		title         string
	}{
		"no JSON":         {"app.create", `{"name":`, 400, "CF-MessageParseError"},
		"no object":       {"app.create", `["hello"]`, 400, "CF-MessageParseError"},
		"unknown field":   {"app.create", `{"name":"x","colour":"red"}`, 422, "CF-UnprocessableEntity"},
		"wrong type":      {"app.create", `{"name":7}`, 422, "CF-UnprocessableEntity"},
		"name taken":      {"app.create", `{"name":"hello"}`, 422, "CF-UniquenessError"},
		"empty name":      {"app.create", `{"name":""}`, 422, "CF-UnprocessableEntity"},
		"no such app":     {"app.start", `{"app":"` + nobody + `"}`, 404, "CF-ResourceNotFound"},
		"a wildcard":      {"app.start", `{"app":"*"}`, 404, "CF-ResourceNotFound"},
		"nothing to run":  {"app.start", `{"app":"` + app + `"}`, 422, "CF-UnprocessableEntity"},
		"negative":        {"process.scale", `{"app":"` + app + `","type":"web","instances":-1}`, 422, "CF-UnprocessableEntity"},
		"no deployment":   {"deployment.cancel", `{"deployment":"` + nobody + `"}`, 404, "CF-ResourceNotFound"},
		"absurd option":   {"deployment.create", `{"app":"` + app + `","options":{"max_in_flight":0}}`, 422, "CF-UnprocessableEntity"},
		"unknown droplet": {"deployment.create", `{"app":"` + app + `","droplet":"` + nobody + `"}`, 422, "CF-UnprocessableEntity"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			answer, headers := nats.request(t, c.command, c.body)
			data, err := json.Marshal(answer)
			is.NoErr(err)
			var body struct {
				Errors []struct {
					Code          int
					Title, Detail string
				}
			}
			is.NoErr(json.Unmarshal(data, &body))
			is.Equal(len(body.Errors), 1) // one error
			t.Log(body.Errors[0].Detail)
			is.Equal(body.Errors[0].Title, c.title)
			is.True(body.Errors[0].Code > 0 && body.Errors[0].Detail != "")                        // with number and words
			is.True(strings.Contains(headers, fmt.Sprintf("Nats-Service-Error-Code: %d", c.code))) // status
			is.True(strings.Contains(headers, "Nats-Service-Error: "+c.title))                     // and text for programs
		})
	}
	t.Run("unknown command", func(t *testing.T) {
		is := is.New(t)
		_, stderr, err := nats.try(t, "req", "rpc.app.destroy", "{}")
		is.NoErr(err)
		is.True(strings.Contains(stderr, "No responders")) // nobody listens there
	})
	is := is.New(t)
	is.Equal(apps(t, s), []string{"hello"}) // nothing is left behind
}

// apps lists the names of all apps.
func apps(t *testing.T, s *installation.Installation) (names []string) {
	t.Helper()
	var list struct {
		Resources []struct{ Name string }
	}
	if err := s.Client().Call(t.Context(), http.MethodGet, "/v3/apps?per_page=100", nil, &list); err != nil {
		t.Fatal(err)
	}
	for _, app := range list.Resources {
		names = append(names, app.Name)
	}
	slices.Sort(names)
	return names
}

// TestTheSameIDDoesItOnce sends a command again, by the same door and by the other one.
func TestTheSameIDDoesItOnce(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	const id = "Nats-Msg-Id:order-4711"
	first := nats.guid(t, "app.create", `{"name":"once"}`, "-H", id)
	is.Equal(nats.guid(t, "app.create", `{"name":"once"}`, "-H", id), first) // the same answer again
	nats.must(t, "pub", "commands.app.create", `{"name":"once"}`, "-H", id)
	nats.must(t, "pub", "commands.app.create", `{"name":"once"}`, "-H", id)
	nats.must(t, "pub", "commands.app.create", `{"name":"after"}`) // the door keeps the order: this one is carried out last
	waitForApps(t, s, "after", "once")
	is.Equal(count(nats.subjects(t, "FEED", "rollouts.>"), ".command.rejected"), 0) // sent again is no fault
}

func waitForApps(t *testing.T, s *installation.Installation, want ...string) {
	t.Helper()
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		have := apps(t, s)
		return fmt.Sprintf("apps are %v, want %v", have, want), slices.Equal(have, want)
	})
}

// TestDurableDoor leaves commands while no service is up, only a NATS server. They are carried out when one starts; who is
// refused finds the reason in the feed.
func TestDurableDoor(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	data := t.TempDir()
	before := installation.Serve(t, data) // it has been up once, so the streams are there
	newNATS(t, before)
	before.Stop(t)

	idle := installation.New(t, data)
	idle.StartNATS(t)
	nats := setUp(t, idle)
	_, beside, err := nats.try(t, "req", "rpc.app.create", `{"name":"asked"}`)
	is.NoErr(err)
	is.True(strings.Contains(beside, "No responders")) // nobody is there
	for n := range 3 {
		nats.must(t, "pub", "commands.app.create", fmt.Sprintf(`{"name":"left-%d"}`, n))
	}
	nats.must(t, "pub", "commands.app.create", `{"name":"left-0"}`, "-H", "Nats-Msg-Id:refused-one")
	idle.Parts[installation.NATSServer].Stop(t)

	s := installation.Serve(t, data)
	waitForApps(t, s, "left-0", "left-1", "left-2")
	nats = newNATS(t, s)
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		feed := nats.must(t, "sub", "--all", "--stream", "FEED", "-T", "rollouts.>")
		return feed, strings.Contains(feed, "refused-one") && strings.Contains(feed, "App with the name 'left-0' already exists")
	})
	s.Stop(t)
}

// TestMicro asks what the service can do, and what it has done.
func TestMicro(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	for n := range 8 {
		nats.guid(t, "app.create", fmt.Sprintf(`{"name":"app-%d"}`, n))
	}
	nats.request(t, "app.start", `{"app":"nobody"}`)
	is.True(strings.Contains(nats.must(t, "micro", "ls"), "slipway"))
	is.True(slices.Contains(nats.endpoints(t), "rpc.deployment.create"))
	stats := nats.must(t, "micro", "stats", "slipway")
	t.Log(stats)
	requests, failed := 0, 0
	for line := range strings.Lines(stats) {
		cells := strings.Split(line, "│")
		if len(cells) < 7 {
			continue
		}
		var n, e int
		_, errN := fmt.Sscan(cells[3], &n)
		_, errE := fmt.Sscan(cells[5], &e)
		if errN == nil && errE == nil && strings.Contains(cells[2], "app-") {
			requests, failed = requests+n, failed+e
		}
	}
	is.Equal(requests, 9) // over all instances of the service
	is.Equal(failed, 1)
}
