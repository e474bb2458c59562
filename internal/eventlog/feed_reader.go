package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/natsboot/streams"
)

// readerPrefix begins the names of the consumers of a [FeedReader]: what else reads the feed is not its business.
const readerPrefix = "notify-"

// deadLetterWebhook is where what a subscriber did not take is kept, and the id of the subscription.
const deadLetterWebhook = "deadletter.webhook."

// headerReason says in a dead letter why it is one.
const headerReason = "Slipway-Reason"

// FeedReader reads the feed on behalf of subscribers. Each has a place of its own, which the server keeps: whichever process reads
// for it, and however that ends, the next one goes on there. One message of a subscriber is out at a time over all processes, so
// they come in order.
type FeedReader struct{ link }

// OpenFeedReader opens the feed for reading.
func OpenFeedReader(ctx context.Context, nc *nats.Conn, cfg Config) (*FeedReader, error) {
	l, _, err := dial(ctx, nc, StreamFeed, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the feed: stream %s: %w", StreamFeed, err)
	}
	return &FeedReader{l}, nil
}

// Read hands the subscriber's messages to fn, from since on, until ctx ends; then it returns nil. A message for which fn returns nil
// is done; another comes again, before any later one.
func (r *FeedReader) Read(ctx context.Context, id string, since time.Time, fn func(context.Context, Raw) error) error {
	if !events.ValidID(id) {
		return fmt.Errorf("read the feed: %q is no id", id)
	}
	shift := newShift(&r.link, jetstream.ConsumerConfig{
		Durable: readerPrefix + id, Description: "What is sent to a subscription, in order.", DeliverPolicy: jetstream.DeliverByStartTimePolicy,
		OptStartTime: &since, AckPolicy: jetstream.AckExplicitPolicy, AckWait: r.cfg.RedeliverAfter, MaxDeliver: -1, MaxAckPending: 1,
	})
	err := shift.during(func() error {
		for {
			d, err := shift.next(ctx)
			if err != nil {
				return err
			}
			d.attend(ctx, func() error { return fn(ctx, d.Raw) }, func(error) { d.again(delayAfter(d.attempt)) })
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("read the feed for %s: %w", id, err)
}

// Readers lists the subscribers that have a place in the feed.
func (r *FeedReader) Readers(ctx context.Context) (ids []string, err error) {
	err = r.persist(ctx, "list the readers of the feed", func(ctx context.Context) error {
		ids = nil
		stream, err := r.js.Stream(ctx, r.stream)
		if err != nil {
			return err
		}
		names := stream.ConsumerNames(ctx)
		for name := range names.Name() {
			if id, ok := strings.CutPrefix(name, readerPrefix); ok {
				ids = append(ids, id)
			}
		}
		return names.Err()
	})
	return ids, err
}

// Forget gives up a subscriber's place. One that has none is forgotten already.
func (r *FeedReader) Forget(ctx context.Context, id string) error {
	return r.persist(ctx, "forget a reader of the feed", func(ctx context.Context) error {
		err := r.js.DeleteConsumer(ctx, r.stream, readerPrefix+id)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil
		}
		return err
	})
}

// Bury keeps a message that a subscriber did not take where dead letters are. Done again, it may stand there twice.
func (r *FeedReader) Bury(ctx context.Context, id string, m Raw, reason string) error {
	letter := nats.NewMsg(deadLetterWebhook + id)
	for key, values := range m.Header {
		if !strings.HasPrefix(key, "Nats-") { // those that begin so are orders to the server
			letter.Header[key] = values
		}
	}
	letter.Header.Set(headerReason, strings.Map(printable, reason))
	letter.Data = m.Data
	_, err := r.js.PublishMsg(ctx, letter, jetstream.WithExpectStream(streams.DeadLetters),
		jetstream.WithMsgID(fmt.Sprintf("webhook.%s.%d", id, m.Sequence)))
	if err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	return nil
}

// printable keeps what a receiver said from being read as a header.
func printable(c rune) rune {
	if c < ' ' {
		return ' '
	}
	return c
}
