package installation

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/auth"
	"slipway/internal/client"
)

// AppName is what the app of these tests is called.
const AppName = "hello"

// Installation is a Slipway that runs: all in one process, or every part as a process of its own.
type Installation struct {
	Data            string // directory
	API, Apps, NATS string // URLs
	Parts           map[string]*Process
}

var (
	greeting = regexp.MustCompile(`(?m)^Ctrl-C stops`)
	apiLine  = regexp.MustCompile(`(?m)^  API\s+(\S+)`)
	appsLine = regexp.MustCompile(`(?m)^  apps\s+(\S+)`)
	natsLine = regexp.MustCompile(`(?m)^  NATS\s+(\S+)`)
)

// New is an installation over a data directory of which nothing runs yet: the test starts its parts.
func New(t *testing.T, data string) *Installation {
	sources()
	leavesNoInstances(t, filepath.Join(data, "agent"))
	return &Installation{Data: data, Parts: map[string]*Process{}}
}

// AllInOne is the name of the one process of `slipway serve`.
const AllInOne = "slipway"

// Serve starts all in one on free ports over a data directory and waits until it says that it is ready.
func Serve(t *testing.T, data string) *Installation {
	t.Helper()
	i := New(t, data)
	p := Spawn(t, greeting, AllInOne, "serve", "--http", FreePort, "--apps", FreePort, "--nats", FreePort, "--data", data)
	i.Parts[AllInOne] = p
	i.API, i.Apps, i.NATS = p.Says(t, apiLine), p.Says(t, appsLine), p.Says(t, natsLine)
	return i
}

// FreePort makes a program listen on whatever port is free, and print it.
const FreePort = "127.0.0.1:0"

// Views is the file of the read models.
func (i *Installation) Views() string { return filepath.Join(i.Data, "views.db") }

// Agent is the directory of the agent.
func (i *Installation) Agent() string { return filepath.Join(i.Data, "agent") }

// Auth is the directory of the logins.
func (i *Installation) Auth() string { return filepath.Join(i.Data, "auth") }

// Client speaks to its API.
func (i *Installation) Client() *client.Client {
	secret, _ := auth.ServiceSecret(i.Auth()) // without it the first request says what is wrong
	return client.New(i.API, secret)
}

// Secret is that of Slipway's own parts.
func (i *Installation) Secret(t *testing.T) string {
	t.Helper()
	secret, err := auth.ServiceSecret(filepath.Join(i.Data, "auth"))
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// Kill ends all in one at once, at whatever line it is; its instances live on.
func (i *Installation) Kill() { i.Parts[AllInOne].Kill() }

// Stop asks all in one to end, as Ctrl-C does.
func (i *Installation) Stop(t *testing.T) {
	t.Helper()
	i.Parts[AllInOne].Stop(t)
}

// Logs is what the parts have printed.
func (i *Installation) Logs() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(i.Parts)) {
		fmt.Fprintf(&text, "--- %s\n%s", name, i.Parts[name].Output())
	}
	return text.String()
}

// Upload makes the app, with instances that take startDelay to start, and as many droplets of it as asked for: v1, v2...
func (i *Installation) Upload(ctx context.Context, t *testing.T, startDelay time.Duration, versions int) (app string, droplets []string) {
	t.Helper()
	is := is.New(t)
	app, err := i.Client().App(ctx, AppName)
	is.NoErr(err)
	is.NoErr(i.Client().SetEnvironment(ctx, app, map[string]string{"START_DELAY": startDelay.String()}))
	for n := range versions {
		droplet, err := i.Client().Droplet(ctx, app, Bits(t, fmt.Sprintf("v%d", n+1)))
		is.NoErr(err)
		droplets = append(droplets, droplet)
	}
	return app, droplets
}

// Deploy begins a rollout.
func (i *Installation) Deploy(ctx context.Context, t *testing.T, app, droplet string, options map[string]any) (deployment string) {
	t.Helper()
	deployment, err := i.Client().Deploy(ctx, app, droplet, options)
	if err != nil {
		t.Fatalf("%v\n%s", err, i.Logs())
	}
	return deployment
}

// DeployFirst rolls the first version out and waits until all of its instances are routable.
func (i *Installation) DeployFirst(ctx context.Context, t *testing.T, app, droplet string, instances int) {
	t.Helper()
	deployment := i.Deploy(ctx, t, app, droplet, map[string]any{"web_instances": instances, "max_in_flight": instances})
	i.Deployed(ctx, t, deployment)
	i.WaitRoutable(ctx, t, app, instances)
}

// Deployed waits for the end of a deployment, which must be DEPLOYED.
func (i *Installation) Deployed(ctx context.Context, t *testing.T, deployment string) {
	t.Helper()
	ended := i.Watch(ctx, t, deployment, client.Over)
	if ended != "deployment.deployed" {
		t.Fatalf("deployment %s ends as %s\n%s", deployment, ended, i.Logs())
	}
}

// Watch follows the deployment until an event satisfies done, and gives its type. It asks again, from the first event on,
// while the API is away.
func (i *Installation) Watch(ctx context.Context, t *testing.T, deployment string, done func(client.Event) bool) (last string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := i.Client().Watch(ctx, deployment, func(e client.Event) bool {
			last = e.Type
			return done(e)
		})
		if err == nil {
			return last
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("deployment %s stands still; last event %s: %v\n%s", deployment, last, err, i.Logs())
		}
	}
}

// WaitRoutable waits until exactly so many instances run and get traffic.
func (i *Installation) WaitRoutable(ctx context.Context, t *testing.T, app string, instances int) {
	t.Helper()
	Eventually(ctx, t, i, func() (string, bool) {
		up, err := i.Client().Routable(ctx, app)
		return fmt.Sprintf("%d of %d instances are routable, err %v", up, instances, err), err == nil && up == instances
	})
}

// Eventually looks until it sees what it waits for; look also says what it saw.
func Eventually(ctx context.Context, t *testing.T, i *Installation, look func() (saw string, ok bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		saw, ok := look()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("after %v: %s\n%s", Patience, saw, i.Logs())
		}
	}
}

// upTo is how far the read models and the log are.
var upTo = regexp.MustCompile(`up to sequence (\d+) of (\d+)`)

// Sound holds that history is whole, that no rollout lost capacity, and that the read models show all of it and equal a
// rebuild.
func (i *Installation) Sound(ctx context.Context, t *testing.T) {
	t.Helper()
	t.Logf("%s", Must(t, "slipway", "audit", "verify", "--nats", i.NATS, "--auth", i.Auth()))
	Eventually(ctx, t, i, func() (string, bool) {
		text := Must(t, "projector", "verify", "--nats", i.NATS, "--auth", i.Auth(), "--db", i.Views())
		extent := upTo.FindStringSubmatch(text)
		return text, extent != nil && extent[1] == extent[2] // behind for a moment is no fault; to stay so is one
	})
}
