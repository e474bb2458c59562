package checks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/aggregates/app"
	"slipway/aggregates/check"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Limits of a runner.
const (
	// concurrency bounds the questions under way: they mostly wait, but each holds a connection.
	concurrency = 32
	// recordPatience is how long a finding may take to be recorded. Past it the next one is worth more.
	recordPatience = 10 * time.Second
	// firstDelay and longestDelay bound the wait before an app is read again that could not be, or that a replica has not seen
	// yet. It doubles in between.
	firstDelay   = 20 * time.Millisecond
	longestDelay = 5 * time.Second
)

// Question is one check of one rollout.
type Question struct {
	events.Check
	App        events.AppID
	Deployment events.DeploymentID
	Process    events.ProcessID // the new one
	Started    time.Time        // of the rollout: its moments count from there
}

// Asker asks. [Web] is the real one.
type Asker interface {
	// Ask returns by the end of ctx at the latest, whose deadline is the check's timeout.
	Ask(ctx context.Context, q Question) check.Finding
}

// Runner asks the checks of all rollouts going on.
type Runner struct {
	log    eventlog.Log
	apps   *eventlog.Repository[app.State]
	asker  Asker
	logger *slog.Logger
	now    func() time.Time
	places chan struct{} // as many as there may be questions under way
}

// New makes a runner over the log. apps must fold the same log.
func New(log eventlog.Log, apps *eventlog.Repository[app.State], asker Asker, logger *slog.Logger) *Runner {
	return &Runner{log: log, apps: apps, asker: asker, logger: logger, now: time.Now, places: make(chan struct{}, concurrency)}
}

// Run asks until ctx ends, then returns nil. An error means that it cannot go on at all.
func (r *Runner) Run(ctx context.Context) error {
	newest, err := r.log.Newest(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("checks: %w", err)
	}
	group, working := errgroup.WithContext(ctx)
	w := newWatches(r)
	defer w.wait()
	group.Go(func() error { return r.sweep(working, w) })
	group.Go(func() error {
		return r.log.Follow(working, eventlog.Query{Filters: []string{events.AllAppSubjects}, After: newest}, func(batch []events.Recorded) error {
			for _, c := range batch {
				r.follow(working, w, c)
			}
			return nil
		})
	})
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("checks: %w", err)
	}
	return nil
}

// sweep looks at every app once: rollouts that went on when this runner started.
func (r *Runner) sweep(ctx context.Context, w *watches) error {
	heads, err := r.log.Heads(ctx, events.AllAppSubjects)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, head := range heads {
		if _, id, ok := head.Subject.Split(); ok {
			r.look(ctx, w, events.AppID(id), head.Sequence)
		}
	}
	return nil
}

// follow looks at the app of a commit, if it may change what is asked.
func (r *Runner) follow(ctx context.Context, w *watches, c events.Recorded) {
	for _, e := range c.Events {
		switch e.(type) {
		case events.DeploymentCreated, events.DeploymentSuperseded, events.DeploymentCanceling, events.DeploymentRollingBack,
			events.DeploymentDeployed, events.DeploymentCanceled, events.DeploymentRolledBack,
			events.AppStarted, events.AppStopped, events.AppDeleted:
			if _, id, ok := c.Subject.Split(); ok {
				r.look(ctx, w, events.AppID(id), c.Sequence)
			}
			return
		}
	}
}

// look begins or ends asking about an app, as it stands at a sequence or later.
func (r *Runner) look(ctx context.Context, w *watches, id events.AppID, seq events.Sequence) {
	for delay := firstDelay; ; delay = min(2*delay, longestDelay) {
		agg, err := r.apps.Load(ctx, string(id))
		var corrupt *eventlog.CorruptError
		switch {
		case err == nil && agg.Position.Sequence >= seq:
			w.adjust(ctx, agg.State, agg.Position.Sequence)
			return
		case errors.As(err, &corrupt):
			r.logger.LogAttrs(ctx, slog.LevelError, "app not watched", slog.String("app", string(id)), slog.Any("err", err))
			return
		case err != nil && ctx.Err() == nil:
			r.logger.LogAttrs(ctx, slog.LevelWarn, "app not watched yet, will try again", slog.String("app", string(id)), slog.Any("err", err))
		}
		if !wait(ctx, delay) {
			return
		}
	}
}

// keepAsking asks a check at each of its moments until ctx ends.
func (r *Runner) keepAsking(ctx context.Context, q Question) {
	interval := time.Duration(q.Interval) * time.Second
	for last := int64(0); ; {
		n := max(int64(r.now().Sub(q.Started)/interval), last) + 1
		last = n
		at := q.Started.Add(time.Duration(n) * interval)
		if !wait(ctx, at.Sub(r.now())) {
			return
		}
		found, ok := r.ask(ctx, q)
		if !ok {
			return
		}
		r.record(ctx, q, n, at, found)
	}
}

// ask asks once there is a place. ok is false where ctx ended: then nothing is known.
func (r *Runner) ask(ctx context.Context, q Question) (found check.Finding, ok bool) {
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	case <-ctx.Done():
		return found, false
	}
	asking, cancel := context.WithTimeout(ctx, time.Duration(q.Timeout)*time.Second)
	defer cancel()
	found = r.asker.Ask(asking, q)
	return found, ctx.Err() == nil
}

// record puts a finding of the n-th moment on record. Where it cannot be, the next moment has another.
func (r *Runner) record(ctx context.Context, q Question, n int64, at time.Time, f check.Finding) {
	ctx, cancel := context.WithTimeout(ctx, recordPatience)
	defer cancel()
	m := eventlog.Meta{
		CommandID: events.CommandID(events.DeriveID(events.CommandID(q.Deployment), "check/"+q.Name, int(n))),
		Actor:     events.ActorChecks, Cause: "check " + q.Name, Time: r.now().UTC(),
	}
	out, err := r.apps.Decide(ctx, string(q.App), m, func(s app.State) ([]events.Event, error) {
		return app.Record(s, app.RecordCheck{
			Deployment: q.Deployment, Check: q.Name, Verdict: f.Verdict, Value: f.Value, Threshold: f.Threshold, Message: f.Message, At: at.UTC(),
		})
	})
	level := slog.LevelDebug
	switch {
	case errors.Is(err, context.Canceled):
		return // the rollout is over
	case err != nil:
		level = slog.LevelWarn
	case len(out.Commit.Events) == 0:
		return // another runner was faster, or it is over
	case len(out.Commit.Events) > 1:
		level = slog.LevelInfo // it failed the rollout
	}
	r.logger.LogAttrs(ctx, level, "check asked", slog.String("app", string(q.App)), slog.String("deployment", string(q.Deployment)),
		slog.String("check", q.Name), slog.String("verdict", f.Verdict), slog.String("message", f.Message), slog.Any("err", err))
}

// wait waits so long; false where ctx ended before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
