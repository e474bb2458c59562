package eventlog

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// cursor reads a selection of the stream in order, without loss and without doubles. It works through a consumer of its
// own and makes a new one, right after the last message it gave out, wherever it cannot be sure of the old one: after
// a reconnection, a gap in the consumer's count, silence.
//
// nats.go's ordered consumer does much the same. This one ends when its context does, also while no server answers, and
// leaves no consumer behind.
type cursor struct {
	log       *JetStream
	filters   []string
	after     events.Sequence // the last message given out
	headsOnly bool            // the newest message per subject, without its data
	givesUp   bool            // after the log's patience; else it waits for a server for as long as it takes
	sessions  int             // consumers made so far
	delivered uint64          // the present consumer's own count

	s *session
}

// cursor makes one that gives up, like any other operation, when no server answers for the log's patience.
func (j *JetStream) cursor(filters []string, after events.Sequence) *cursor {
	return &cursor{log: j, filters: filters, after: after, givesUp: true}
}

// next waits for the next message.
func (c *cursor) next(ctx context.Context) (Raw, error) {
	for {
		if err := c.open(ctx); err != nil {
			return Raw{}, err
		}
		raw, err := c.receive(ctx)
		if err == nil {
			return raw, nil
		}
		if ctx.Err() != nil {
			return Raw{}, unavailable("next", ctx.Err())
		}
		c.log.cfg.Logger.Debug("a cursor starts anew", "seq", c.after, "err", err)
		c.close(ctx)
	}
}

// arrived gives a message that is there already.
func (c *cursor) arrived() (Raw, bool) {
	if c.s == nil {
		return Raw{}, false
	}
	select {
	case m := <-c.s.messages:
		raw, err := c.accept(m)
		if err != nil {
			c.s.fail(err) // next sees to it
		}
		return raw, err == nil
	default:
		return Raw{}, false
	}
}

func (c *cursor) receive(ctx context.Context) (Raw, error) {
	m, err := c.s.receive(ctx)
	if err != nil {
		return Raw{}, err
	}
	return c.accept(m)
}

// accept asserts that a message is the consumer's next.
func (c *cursor) accept(m jetstream.Msg) (Raw, error) {
	meta, err := m.Metadata()
	if err != nil {
		return Raw{}, err
	}
	if meta.Sequence.Consumer != c.delivered+1 {
		return Raw{}, fmt.Errorf("message %d of the consumer follows %d: %w", meta.Sequence.Consumer, c.delivered, errBroken)
	}
	c.delivered++
	c.after = events.Sequence(meta.Sequence.Stream)
	return consumed(m, meta), nil
}

// consumed is a message that a consumer gave out.
func consumed(m jetstream.Msg, meta *jetstream.MsgMetadata) Raw {
	raw := Raw{Sequence: events.Sequence(meta.Sequence.Stream), Stored: meta.Timestamp.UTC()}
	raw.Subject, raw.Header, raw.Data = events.Subject(m.Subject()), m.Headers(), m.Data()
	return raw
}

// open makes a consumer where there is none.
func (c *cursor) open(ctx context.Context) (err error) {
	if c.s == nil {
		c.s, err = c.log.openSession(ctx, c.givesUp, c.config(), prefetch)
		c.sessions++
		c.delivered = 0
	}
	return err
}

func (c *cursor) config() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		FilterSubjects: c.filters, AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1,
		InactiveThreshold: abandoned, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(c.after) + 1,
	}
	if c.headsOnly {
		cfg.DeliverPolicy, cfg.OptStartSeq, cfg.HeadersOnly = jetstream.DeliverLastPerSubjectPolicy, 0, true
	}
	return cfg
}

// close removes the consumer. The cursor may be used again: it then makes a new one.
func (c *cursor) close(ctx context.Context) {
	if c.s == nil {
		return
	}
	c.s.stop()
	c.s.remove(ctx)
	c.s = nil
}
