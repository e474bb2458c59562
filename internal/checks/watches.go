package checks

import (
	"context"
	"log/slog"
	"sync"

	"slipway/aggregates/app"
	"slipway/events"
)

// watches are the rollouts that are asked about, one of an app.
type watches struct {
	runner *Runner
	asking sync.WaitGroup

	mu   sync.Mutex
	apps map[events.AppID]watch // of every app that was looked at
}

// watch is what is asked about an app: one rollout, or none.
type watch struct {
	seq        events.Sequence // of the state that it follows from
	deployment events.DeploymentID
	stop       context.CancelFunc
}

func newWatches(r *Runner) *watches { return &watches{runner: r, apps: map[events.AppID]watch{}} }

// adjust makes what is asked about an app, until ctx ends, what its state at a sequence wants. A state older than the last
// is left aside.
func (w *watches) adjust(ctx context.Context, s app.State, seq events.Sequence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	present := w.apps[s.ID]
	if present.seq > seq {
		return
	}
	next := watch{seq: seq}
	wanted := s.Asked() && !s.Deployment.StartedAt.IsZero()
	if wanted && present.deployment == s.Deployment.ID() {
		next.deployment, next.stop = present.deployment, present.stop
	} else {
		if present.stop != nil {
			present.stop()
		}
		if wanted {
			next.deployment, next.stop = s.Deployment.ID(), w.begin(ctx, s)
		}
	}
	w.apps[s.ID] = next
}

func (w *watches) begin(ctx context.Context, s app.State) (stop context.CancelFunc) {
	ctx, stop = context.WithCancel(ctx)
	d := s.Deployment
	for _, c := range d.Options.Checks {
		q := Question{Check: c, App: s.ID, Deployment: d.ID(), Process: d.Process, Started: d.StartedAt}
		w.asking.Go(func() { w.runner.keepAsking(ctx, q) })
	}
	w.runner.logger.LogAttrs(ctx, slog.LevelInfo, "rollout is watched", slog.String("app", string(s.ID)),
		slog.String("deployment", string(d.ID())), slog.Int("checks", len(d.Options.Checks)))
	return stop
}

// wait waits until nothing is asked any more, once their context has ended.
func (w *watches) wait() { w.asking.Wait() }
