package projector

import (
	"context"
	"fmt"
	"log/slog"
	"math"

	"golang.org/x/sync/errgroup"

	"slipway/events"
	"slipway/internal/eventlog"
)

// FeedStream is the stream of the feed: eventlog.FeedStream for real, a list in tests.
type FeedStream interface {
	// End says where the feed ends, as the server that decides about writes knows it.
	End(ctx context.Context) (eventlog.FeedEnd, error)
	// Publish adds messages in order directly after the stream sequence after. Where it fails, some of them, from the
	// first on, may have been added; none after one that was not. eventlog.ErrConflict: the stream ends elsewhere.
	Publish(ctx context.Context, after uint64, messages []eventlog.FeedMessage) error
	// Mark notes that all commits up to seq are in the feed, for the time when the feed's last message has aged out.
	Mark(ctx context.Context, seq events.Sequence) error
}

// Feed publishes the events of the log one by one under names that people know.
type Feed struct {
	Log      eventlog.Log
	Stream   FeedStream
	Registry *events.Registry
	Logger   *slog.Logger
	Observe  func(Progress) // for metrics; may be nil
}

// Run follows the log from where the feed ends until ctx ends; then it returns nil.
func (f *Feed) Run(ctx context.Context) error {
	return heal(ctx, f.Logger, "feed", f.follow)
}

// position is how far the feed is: its last event, and the sequence of the message that carries it in the stream.
type position struct {
	commit events.Sequence
	index  int
	stream uint64
}

func (p position) has(commit events.Sequence, index int) bool {
	return commit < p.commit || commit == p.commit && index <= p.index
}

func (f *Feed) follow(ctx context.Context, progress func()) error {
	at, err := f.resume(ctx)
	if err != nil {
		return err
	}
	marks := newMarker()
	all, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	all.Go(func() error { return marks.run(ctx, f.Stream.Mark) })
	all.Go(func() error {
		defer stop() // the marker goes when its feed does
		return f.publish(ctx, at, marks, progress)
	})
	return all.Wait()
}

// publish follows the log from a position on.
func (f *Feed) publish(ctx context.Context, at position, marks marker, progress func()) error {
	names := newNames(f.Log)
	// The commit that the feed ends in is read again: not all of its events need be in the feed.
	after := at.commit - min(at.commit, 1)
	return f.Log.Follow(ctx, eventlog.Query{After: after}, func(batch []events.Recorded) error {
		messages, err := f.messages(ctx, names, at, batch)
		if err != nil {
			return err
		}
		if len(messages) > 0 {
			if err := f.Stream.Publish(ctx, at.stream, messages); err != nil {
				return err
			}
		}
		newest := batch[len(batch)-1]
		at = position{commit: newest.Sequence, index: math.MaxInt, stream: at.stream + uint64(len(messages))}
		marks.set(newest.Sequence)
		progress()
		if f.Observe != nil {
			f.Observe(progressOf(batch))
		}
		return nil
	})
}

// resume finds the position. The feed's last message tells it. Where that has aged out, the mark does; where the stream
// never held a message, it was made anew and all of history belongs into it.
func (f *Feed) resume(ctx context.Context) (position, error) {
	end, err := f.Stream.End(ctx)
	if err != nil {
		return position{}, err
	}
	at := position{commit: end.Commit, index: end.Index, stream: end.Stream}
	if end.Stream > 0 && end.Marked >= at.commit {
		at.commit, at.index = end.Marked, math.MaxInt
	}
	_, err = startAt(ctx, f.Log, func(context.Context) (events.Sequence, error) { return at.commit, nil })
	return at, err
}

// messages renders what of the batch the feed does not have yet.
func (f *Feed) messages(ctx context.Context, names *names, at position, batch []events.Recorded) ([]eventlog.FeedMessage, error) {
	var messages []eventlog.FeedMessage
	for _, c := range batch {
		if at.has(c.Sequence, math.MaxInt) {
			continue
		}
		rendered, err := f.Registry.CloudEvents(c.Commit)
		if err != nil {
			return nil, fmt.Errorf("render commit %d: %w", c.Sequence, err)
		}
		for i, e := range c.Events {
			if at.has(c.Sequence, i) || internal(e) {
				continue
			}
			name, err := names.of(ctx, e, c.Sequence)
			if err != nil {
				return nil, err
			}
			messages = append(messages, message(c, i, rendered[i], name))
		}
	}
	return messages, nil
}

// internal says whether an event is none of a subscriber's business: claims on names are how Slipway keeps them unique.
func internal(e events.Event) bool {
	switch e.(type) {
	case events.NameClaimed, events.NameReleased, events.NameTaken, events.NameFreed:
		return true
	default:
		return false
	}
}
