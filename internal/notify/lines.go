package notify

import (
	"context"
	"log/slog"
	"sync"

	"slipway/aggregates/subscription"
	"slipway/events"
)

// lines are the deliveries under way, one for each active subscription.
type lines struct {
	runner *Runner

	mu   sync.Mutex // one look at a time changes something
	open map[events.SubscriptionID]line
	all  sync.WaitGroup
}

// line is the reading for one subscription.
type line struct {
	settings events.Sequence // as of which it works
	stop     context.CancelFunc
	ended    chan struct{}
}

func newLines(r *Runner) *lines { return &lines{runner: r, open: map[events.SubscriptionID]line{}} }

// adjust makes the line of a subscription what it shall be. A line that works by older settings ends first: nothing is sent by
// both. A message that the older one holds comes again to the newer.
func (l *lines) adjust(ctx context.Context, id events.SubscriptionID, s subscription.State, seq events.Sequence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.open[id]; ok {
		if old.settings >= seq && s.Exists() && s.Active {
			return
		}
		old.stop()
		<-old.ended
		delete(l.open, id)
	}
	switch {
	case !s.Exists():
		if err := l.runner.Feed.Forget(ctx, string(id)); err != nil && ctx.Err() == nil {
			l.runner.Logger.LogAttrs(ctx, slog.LevelWarn, "reader of a deleted subscription stays until the next start",
				slog.String("subscription", string(id)), slog.Any("err", err))
		}
	case s.Active:
		l.begin(ctx, id, s, seq)
	}
}

func (l *lines) begin(ctx context.Context, id events.SubscriptionID, s subscription.State, seq events.Sequence) {
	ctx, stop := context.WithCancel(ctx)
	one := line{settings: seq, stop: stop, ended: make(chan struct{})}
	l.open[id] = one
	l.all.Go(func() {
		defer close(one.ended)
		l.runner.keepReading(ctx, id, s)
	})
}

// end ends all lines and waits for them.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.open {
		one.stop()
	}
	l.all.Wait()
}
