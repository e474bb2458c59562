package notify

import (
	"context"
	"errors"
	"log/slog"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

// errHeld: the message stays where it is. Whoever reads next has it.
var errHeld = errors.New("not to be delivered now")

// keepReading reads the feed for a subscription until ctx ends, whatever breaks in between.
func (r *Runner) keepReading(ctx context.Context, id events.SubscriptionID, s subscription.State) {
	for ctx.Err() == nil {
		err := r.Feed.Read(ctx, string(id), s.Began.Add(-skew), func(ctx context.Context, m eventlog.Raw) error {
			if !addressed(s, m) {
				return nil
			}
			return r.deliver(ctx, id, m)
		})
		if err != nil && ctx.Err() == nil {
			r.Logger.LogAttrs(ctx, slog.LevelWarn, "subscription not read for, will try again", slog.String("subscription", string(id)), slog.Any("err", err))
		}
		if !wait(ctx, lookPatience) {
			return
		}
	}
}

// deliver sends an event until it is taken or given up. [errHeld] means that neither is so, and nothing is to be sent any more.
func (r *Runner) deliver(ctx context.Context, id events.SubscriptionID, m eventlog.Raw) error {
	agg, err := r.Subscriptions.Load(ctx, string(id))
	if err != nil {
		return err
	}
	s, d := agg.State, deliveryOf(m)
	for {
		if !s.Exists() || !s.Active {
			return errHeld
		}
		if due := s.Due(d); !due.IsZero() && !wait(ctx, due.Sub(r.now())) {
			return errHeld
		}
		out := r.Web.send(ctx, s, m)
		if ctx.Err() != nil {
			return errHeld // it may have been taken; then it comes twice
		}
		decided, err := r.settle(ctx, &s, d, m, out)
		if err != nil {
			return err
		}
		if !out.failed || over(decided) {
			return nil
		}
	}
}

// over says whether a failed delivery was given up.
func over(decided []events.Event) bool {
	for _, e := range decided {
		if _, ok := e.(events.SubscriptionDeadLettered); ok {
			return true
		}
	}
	return false
}

// settle records what follows from an attempt, and takes it into s. A dead letter is kept before it is said to be: so none is lost.
func (r *Runner) settle(ctx context.Context, s *subscription.State, d events.Delivery, m eventlog.Raw, out outcome) ([]events.Event, error) {
	now := r.now().UTC()
	failure := subscription.Failure{
		Delivery: d, Happened: m.Stored, Reason: out.reason, Gone: out.gone, After: out.after, Chance: r.chance(), Now: now,
	}
	decide := func(s subscription.State) []events.Event {
		if !out.failed {
			return subscription.Deliver(s, d, now)
		}
		return subscription.Fail(s, failure)
	}
	decided := decide(*s)
	if len(decided) == 0 {
		return nil, nil
	}
	if over(decided) {
		if err := r.Feed.Bury(ctx, string(s.Subscription), m, out.reason); err != nil {
			return nil, err
		}
	}
	r.record(ctx, s, d, decided, decide)
	return decided, nil
}

// record puts on record what was decided. Where that cannot be, it counts here all the same: the receiver is not called at once again.
func (r *Runner) record(ctx context.Context, s *subscription.State, d events.Delivery, decided []events.Event, decide func(subscription.State) []events.Event) {
	ctx, cancel := context.WithTimeout(ctx, recordPatience)
	defer cancel()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: events.ActorNotify, Cause: d.ID, Time: r.now().UTC()}
	out, err := r.Subscriptions.Decide(ctx, string(s.Subscription), m, func(s subscription.State) ([]events.Event, error) { return decide(s), nil })
	level, state := slog.LevelInfo, out.State
	if err != nil {
		level, state = slog.LevelWarn, *s
		for _, e := range decided {
			state = subscription.Evolve(state, e)
		}
	}
	*s = state
	r.Logger.LogAttrs(ctx, level, "delivery", slog.String("subscription", string(s.Subscription)), slog.String("event", d.ID),
		slog.String("type", d.Type), slog.String("outcome", string(decided[0].Type())), slog.Time("next", s.Due(d)), slog.Any("err", err))
}
