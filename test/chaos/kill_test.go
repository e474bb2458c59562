package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/client"
	"slipway/internal/example"
)

const (
	kills     = 10
	instances = 5
	// killWithin is about how long a rollout of so many instances takes: the moment of each kill is drawn from it.
	killWithin = 1500 * time.Millisecond
)

// TestKilledInMidRollout kills the all-in-one with SIGKILL at ten random moments in mid-rollout and starts it again each time.
// Every rollout must end DEPLOYED, the history must be whole with no capacity lost, the read models must equal a rebuild,
// and all instances of the last version must run.
func TestKilledInMidRollout(t *testing.T) {
	is := is.New(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()

	data := t.TempDir()
	s := serve(t, data)
	app, droplets := upload(ctx, t, s)
	deployAndWait(ctx, t, s, app, droplets[0])
	for n := range kills {
		deployment, err := client.New(s.api).Deploy(ctx, app, droplets[(n+1)%len(droplets)], map[string]any{"max_in_flight": 1 + n%2})
		is.NoErr(err)
		moment := time.NewTimer(time.Duration(random.Int64N(int64(killWithin))))
		<-moment.C // the moment is the random input of this test, not a wait for something
		s.kill()
		s = serve(t, data)
		is.Equal(outcome(ctx, t, s, deployment), "deployment.deployed") // the rollout ends all the same
	}
	waitRoutable(ctx, t, s, app)
	t.Logf("%s", tool(t, "slipway", "audit", "verify", "--nats", s.nats))
	t.Logf("%s", tool(t, "projector", "verify", "--nats", s.nats, "--db", filepath.Join(data, "views.db")))
	s.stop(t)
}

// upload makes the app and two droplets of it.
func upload(ctx context.Context, t *testing.T, s *slipway) (app string, droplets []string) {
	t.Helper()
	is := is.New(t)
	c := client.New(s.api)
	binary, err := example.Build(ctx)
	is.NoErr(err)
	app, err = c.App(ctx, "hello")
	is.NoErr(err)
	for n := range 2 {
		bits, err := example.Pack(binary, fmt.Sprintf("v%d", n+1))
		is.NoErr(err)
		droplet, err := c.Droplet(ctx, app, bits)
		is.NoErr(err)
		droplets = append(droplets, droplet)
	}
	return app, droplets
}

func deployAndWait(ctx context.Context, t *testing.T, s *slipway, app, droplet string) {
	t.Helper()
	is := is.New(t)
	deployment, err := client.New(s.api).Deploy(ctx, app, droplet, map[string]any{"web_instances": instances})
	is.NoErr(err)
	is.Equal(outcome(ctx, t, s, deployment), "deployment.deployed")
	waitRoutable(ctx, t, s, app)
}

// outcome waits for the end of a deployment and names the event that ended it.
func outcome(ctx context.Context, t *testing.T, s *slipway, deployment string) (ended string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := client.New(s.api).Watch(ctx, deployment, func(e client.Event) bool {
		ended = e.Type
		return client.Over(e)
	})
	if err != nil {
		t.Fatalf("deployment %s does not end; last event %s: %v\n%s", deployment, ended, err, s.log)
	}
	return ended
}

// waitRoutable waits until all instances run and get traffic.
func waitRoutable(ctx context.Context, t *testing.T, s *slipway, app string) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		up, err := client.New(s.api).Routable(ctx, app)
		if err != nil {
			t.Fatal(err)
		}
		if up == instances {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%d of %d instances are routable\n%s", up, instances, s.log)
		}
	}
}
