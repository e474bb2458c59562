package chaos

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

	"slipway/internal/client"
	"slipway/internal/example"
)

// appName is what the app of these tests is called.
const appName = "hello"

// installation is a Slipway that runs: all in one process, or every part as a process of its own.
type installation struct {
	data            string
	api, apps, nats string // URLs
	parts           map[string]*process
}

var (
	greeting = regexp.MustCompile(`(?m)^Ctrl-C stops`)
	apiLine  = regexp.MustCompile(`(?m)^  API\s+(\S+)`)
	appsLine = regexp.MustCompile(`(?m)^  apps\s+(\S+)`)
	natsLine = regexp.MustCompile(`(?m)^  NATS\s+(\S+)`)
)

// allInOne is the name of the one process of `slipway serve`.
const allInOne = "slipway"

// serve starts all in one on free ports over a data directory and waits until it says that it is ready.
func serve(t *testing.T, data string) *installation {
	t.Helper()
	leavesNoInstances(t, filepath.Join(data, "agent"))
	p := spawn(t, greeting, allInOne, "serve", "--http", freePort, "--apps", freePort, "--nats", freePort, "--data", data)
	return &installation{
		data: data, parts: map[string]*process{allInOne: p},
		api: p.says(t, apiLine), apps: p.says(t, appsLine), nats: p.says(t, natsLine),
	}
}

// freePort makes a program listen on whatever port is free, and print it.
const freePort = "127.0.0.1:0"

// views is the file of the read models.
func (i *installation) views() string { return filepath.Join(i.data, "views.db") }

// agent is the directory of the agent.
func (i *installation) agent() string { return filepath.Join(i.data, "agent") }

func (i *installation) client() *client.Client { return client.New(i.api) }

// logs is what the parts have printed.
func (i *installation) logs() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(i.parts)) {
		fmt.Fprintf(&text, "--- %s\n%s", name, i.parts[name].output)
	}
	return text.String()
}

// upload makes the app, with instances that take startDelay to start, and as many droplets of it as asked for: v1, v2...
func (i *installation) upload(ctx context.Context, t *testing.T, startDelay time.Duration, versions int) (app string, droplets []string) {
	t.Helper()
	is := is.New(t)
	binary, err := example.Build(ctx)
	is.NoErr(err)
	app, err = i.client().App(ctx, appName)
	is.NoErr(err)
	is.NoErr(i.client().SetEnvironment(ctx, app, map[string]string{"START_DELAY": startDelay.String()}))
	for n := range versions {
		bits, err := example.Pack(binary, fmt.Sprintf("v%d", n+1))
		is.NoErr(err)
		droplet, err := i.client().Droplet(ctx, app, bits)
		is.NoErr(err)
		droplets = append(droplets, droplet)
	}
	return app, droplets
}

// deploy begins a rollout.
func (i *installation) deploy(ctx context.Context, t *testing.T, app, droplet string, options map[string]any) (deployment string) {
	t.Helper()
	deployment, err := i.client().Deploy(ctx, app, droplet, options)
	if err != nil {
		t.Fatalf("%v\n%s", err, i.logs())
	}
	return deployment
}

// deployFirst rolls the first version out and waits until all of its instances are routable.
func (i *installation) deployFirst(ctx context.Context, t *testing.T, app, droplet string, instances int) {
	t.Helper()
	deployment := i.deploy(ctx, t, app, droplet, map[string]any{"web_instances": instances, "max_in_flight": instances})
	i.deployed(ctx, t, deployment)
	i.waitRoutable(ctx, t, app, instances)
}

// deployed waits for the end of a deployment, which must be DEPLOYED.
func (i *installation) deployed(ctx context.Context, t *testing.T, deployment string) {
	t.Helper()
	ended := i.watch(ctx, t, deployment, client.Over)
	if ended != "deployment.deployed" {
		t.Fatalf("deployment %s ends as %s\n%s", deployment, ended, i.logs())
	}
}

// watch follows the deployment until an event satisfies done, and gives its type. It asks again, from the first event on,
// while the API is away.
func (i *installation) watch(ctx context.Context, t *testing.T, deployment string, done func(client.Event) bool) (last string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := i.client().Watch(ctx, deployment, func(e client.Event) bool {
			last = e.Type
			return done(e)
		})
		if err == nil {
			return last
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("deployment %s stands still; last event %s: %v\n%s", deployment, last, err, i.logs())
		}
	}
}

// waitRoutable waits until exactly so many instances run and get traffic.
func (i *installation) waitRoutable(ctx context.Context, t *testing.T, app string, instances int) {
	t.Helper()
	eventually(ctx, t, i, func() (string, bool) {
		up, err := i.client().Routable(ctx, app)
		return fmt.Sprintf("%d of %d instances are routable, err %v", up, instances, err), err == nil && up == instances
	})
}

// eventually looks until it sees what it waits for; look also says what it saw.
func eventually(ctx context.Context, t *testing.T, i *installation, look func() (saw string, ok bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
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
			t.Fatalf("after %v: %s\n%s", patience, saw, i.logs())
		}
	}
}

// upTo is how far the read models and the log are.
var upTo = regexp.MustCompile(`up to sequence (\d+) of (\d+)`)

// sound holds that history is whole, that no rollout lost capacity, and that the read models show all of it and equal a
// rebuild.
func (i *installation) sound(ctx context.Context, t *testing.T) {
	t.Helper()
	t.Logf("%s", must(t, "slipway", "audit", "verify", "--nats", i.nats))
	eventually(ctx, t, i, func() (string, bool) {
		text := must(t, "projector", "verify", "--nats", i.nats, "--db", i.views())
		extent := upTo.FindStringSubmatch(text)
		return text, extent != nil && extent[1] == extent[2] // behind for a moment is no fault; to stay so is one
	})
}
