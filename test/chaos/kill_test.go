package chaos

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"slipway/test/installation"
)

const (
	kills     = 10
	instances = 5
	// killWithin is about how long a rollout of so many instances takes: the moment of each kill is drawn from it.
	killWithin = 1500 * time.Millisecond
)

// TestKilledInMidRollout kills the all-in-one with SIGKILL at ten random moments in mid-rollout and starts it again each time.
// Every rollout must end DEPLOYED, the history must be whole with no capacity lost, the read models must equal a rebuild,
// and all instances of the last version must run, and no others.
func TestKilledInMidRollout(t *testing.T) {
	t.Parallel()
	random := seeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()

	data := t.TempDir()
	s := installation.Serve(t, data)
	app, droplets := s.Upload(ctx, t, 0, 2)
	s.DeployFirst(ctx, t, app, droplets[0], instances)
	for n := range kills {
		deployment := s.Deploy(ctx, t, app, droplets[(n+1)%len(droplets)], map[string]any{"max_in_flight": 1 + n%2})
		moment := time.NewTimer(time.Duration(random.Int64N(int64(killWithin))))
		<-moment.C // the moment is the random input of this test, not a wait for something
		s.Kill()
		s = installation.Serve(t, data)
		s.Deployed(ctx, t, deployment) // the rollout ends all the same
	}
	s.WaitRoutable(ctx, t, app, instances)
	s.NoOrphans(ctx, t, instances)
	s.Sound(ctx, t)
	s.Stop(t)
	s.NoOrphans(ctx, t, 0)
}

// seeded gives random numbers, and tells the seed.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
