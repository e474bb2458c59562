package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Limits of a runner.
const (
	// skew is how much earlier than a subscription's own time its reading begins: clocks of machines differ. What happened before
	// is passed over by the time that the event itself names.
	skew = time.Minute
	// lookPatience is the wait before a subscription is read again that could not be, or is not seen as it is yet.
	lookPatience = 200 * time.Millisecond
	// recordPatience bounds how long it may take to record what became of an attempt.
	recordPatience = 10 * time.Second
)

// Feed is where events come from: *eventlog.FeedReader.
type Feed interface {
	Read(ctx context.Context, id string, since time.Time, fn func(context.Context, eventlog.Raw) error) error
	Readers(ctx context.Context) ([]string, error)
	Forget(ctx context.Context, id string) error
	Bury(ctx context.Context, id string, m eventlog.Raw, reason string) error
}

// Config is what a runner needs.
type Config struct {
	Log           eventlog.Log
	Subscriptions *eventlog.Repository[subscription.State] // over Log
	Feed          Feed
	Web           *Web
	Logger        *slog.Logger
}

// Runner delivers to all subscriptions. Any number of them may run.
type Runner struct {
	Config
	now    func() time.Time
	chance func() float64
}

// New makes a runner.
func New(c Config) *Runner { return &Runner{Config: c, now: time.Now, chance: rand.Float64} }

// Run delivers until ctx ends, then returns nil. An error means that it cannot go on at all.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (r *Runner) run(ctx context.Context) error {
	newest, err := r.Log.Newest(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	lines := newLines(r)
	defer lines.end()
	group.Go(func() error { return r.sweep(ctx, lines) })
	group.Go(func() error {
		q := eventlog.Query{Filters: []string{events.AllSubscriptionSubjects}, After: newest}
		return r.Log.Follow(ctx, q, func(batch []events.Recorded) error {
			for _, c := range batch {
				r.follow(ctx, lines, c)
			}
			return nil
		})
	})
	return group.Wait()
}

// sweep looks at every subscription once, and forgets the readers of those that were deleted while nobody saw it.
func (r *Runner) sweep(ctx context.Context, l *lines) error {
	heads, err := r.Log.Heads(ctx, events.AllSubscriptionSubjects)
	if err != nil {
		return err
	}
	for _, head := range heads {
		if _, id, ok := head.Subject.Split(); ok {
			r.look(ctx, l, events.SubscriptionID(id), head.Sequence)
		}
	}
	readers, err := r.Feed.Readers(ctx)
	if err != nil {
		return err
	}
	for _, id := range readers {
		r.look(ctx, l, events.SubscriptionID(id), 0)
	}
	return nil
}

// follow looks at the subscription of a commit, if it changes what is to be done.
func (r *Runner) follow(ctx context.Context, l *lines, c events.Recorded) {
	for _, e := range c.Events {
		switch e := e.(type) {
		case events.SubscriptionCreated, events.SubscriptionUpdated, events.SubscriptionSecretRotated, events.SubscriptionDisabled,
			events.SubscriptionDeleted:
			r.look(ctx, l, e.(events.SubscriptionEvent).Ref().Subscription, c.Sequence)
			return
		}
	}
}

// look begins, renews or ends the line to a subscription, as it stands at a sequence or later.
func (r *Runner) look(ctx context.Context, l *lines, id events.SubscriptionID, seq events.Sequence) {
	for ctx.Err() == nil {
		agg, err := r.Subscriptions.Load(ctx, string(id))
		if err == nil && agg.Position.Sequence >= seq {
			l.adjust(ctx, id, agg.State, agg.Position.Sequence)
			return
		}
		var corrupt *eventlog.CorruptError
		switch {
		case errors.As(err, &corrupt): // no attempt will mend it, and all others would wait
			r.Logger.LogAttrs(ctx, slog.LevelError, "history of a subscription is corrupt; what is sent to it stays as it is",
				slog.String("subscription", string(id)), slog.Any("err", err))
			return
		case err != nil && ctx.Err() == nil:
			r.Logger.LogAttrs(ctx, slog.LevelWarn, "subscription not read, will try again", slog.String("subscription", string(id)), slog.Any("err", err))
		}
		wait(ctx, lookPatience)
	}
}

// wait waits so long; false where ctx ended before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
