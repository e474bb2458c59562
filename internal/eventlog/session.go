package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits of a consumer.
const (
	// prefetch is how many messages the server may send ahead. Larger is faster and costs memory.
	prefetch = 500
	// heartbeat makes a silent consumer tell that it is alive. Twice that long without a word and a new session begins: so
	// a consumer that a cluster lost, or started late, costs two seconds and not half a minute.
	heartbeat = time.Second
	pullFor   = 10 * time.Second
	// abandoned is when the server removes a cursor's consumer whose reader vanished without saying so.
	abandoned = time.Minute
	// goodbye bounds what is done when a session ends.
	goodbye = 2 * time.Second
)

// errBroken: the session cannot go on; a new one goes on where it was.
var errBroken = errors.New("the consumer broke off")

// session is one consumer and what it sends, until something casts doubt on whether it sends everything.
type session struct {
	link     *link
	name     string
	acks     bool // the consumer wants each message acknowledged
	consume  jetstream.ConsumeContext
	messages chan jetstream.Msg
	broken   chan error
	status   chan nats.Status
	over     chan struct{}
}

// openSession makes a consumer and begins to take from it. It tries again while no server answers: for the log's
// patience, or until ctx ends. Past that patience it says that it waits, once, and when that is over.
func (l *link) openSession(ctx context.Context, givesUp bool, cfg jetstream.ConsumerConfig, ahead int) (*session, error) {
	const op = "open a consumer"
	deadline, told := time.Now().Add(l.cfg.Patience), false
	for n := 1; ; n++ {
		s, err := l.startSession(ctx, cfg, ahead)
		switch {
		case err == nil:
			if told {
				l.cfg.Logger.Info("the stream answers again", "stream", l.stream, "consumer", cfg.Durable)
			}
			return s, nil
		case ctx.Err() != nil:
			return nil, unavailable(op, ctx.Err())
		case l.nc.IsClosed(), unanswered(err) && givesUp && time.Now().After(deadline):
			return nil, unavailable(op, err)
		case !unanswered(err) && !errors.Is(err, errBroken):
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		l.cfg.Logger.Debug("no consumer yet", "attempt", n, "err", err)
		if !told && time.Now().After(deadline) {
			told = true
			l.cfg.Logger.Warn("the stream does not answer; what it would bring waits", "stream", l.stream, "consumer", cfg.Durable, "err", err)
		}
		if err := pause(ctx, n); err != nil {
			return nil, unavailable(op, err)
		}
	}
}

func (l *link) startSession(ctx context.Context, cfg jetstream.ConsumerConfig, ahead int) (*session, error) {
	s := &session{
		link: l, status: l.nc.StatusChanged(nats.CONNECTED, nats.CLOSED), messages: make(chan jetstream.Msg, ahead),
		broken: make(chan error, 1), over: make(chan struct{}), acks: cfg.AckPolicy == jetstream.AckExplicitPolicy,
	}
	consumer, err := s.create(ctx, cfg)
	if err == nil {
		s.name = consumer.CachedInfo().Name
		s.consume, err = consumer.Consume(s.take, jetstream.PullMaxMessages(ahead), jetstream.PullExpiry(pullFor),
			jetstream.PullHeartbeat(heartbeat),
			jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { s.fail(err) }))
	}
	if err != nil {
		l.nc.RemoveStatusListener(s.status)
		return nil, err
	}
	return s, nil
}

// create makes the consumer. It stops waiting when the connection comes back: what was asked before was asked of a server
// that is gone, and a restart should cost a follower milliseconds, not a time-out.
func (s *session) create(ctx context.Context, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.link.cfg.AckWait)
	var changed bool
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.status:
			changed = true
			cancel()
		case <-ctx.Done():
		}
	})
	consumer, err := s.link.js.CreateOrUpdateConsumer(ctx, s.link.stream, cfg)
	cancel()
	watch.Wait()
	if err == nil && changed {
		return nil, fmt.Errorf("reconnected: %w", errBroken)
	}
	return consumer, err
}

// take keeps a message until the session's owner comes for it. It waits while there is no room, and so the server waits.
func (s *session) take(m jetstream.Msg) {
	select {
	case s.messages <- m:
	case <-s.over:
		s.giveBack(m)
	}
}

// giveBack lets the server hand a message to somebody else at once, where it keeps count.
func (s *session) giveBack(m jetstream.Msg) {
	if s.acks {
		_ = m.Nak() // without it the message comes back a little later
	}
}

// fail ends the session; only the first reason counts.
func (s *session) fail(err error) {
	select {
	case s.broken <- err:
	default:
	}
}

// receive waits for the next message. Any error means that the session is over.
func (s *session) receive(ctx context.Context) (jetstream.Msg, error) {
	select {
	case m := <-s.messages:
		return m, nil
	case err := <-s.broken:
		return nil, err
	case status := <-s.status:
		if status == nats.CLOSED {
			return nil, nats.ErrConnectionClosed
		}
		// What the consumer sent while the connection was away is gone, and nothing will tell.
		return nil, fmt.Errorf("reconnected: %w", errBroken)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop takes nothing more. Where the server keeps count, it waits for what is still on its way and gives back what was not received:
// nats.go looks each 100 ms whether that has come, so nobody else waits for it.
func (s *session) stop() {
	close(s.over)
	s.link.nc.RemoveStatusListener(s.status)
	if !s.acks {
		s.consume.Stop()
		return
	}
	s.consume.Drain()
	if s.link.nc.IsConnected() {
		t := time.NewTimer(goodbye)
		defer t.Stop()
		select {
		case <-s.consume.Closed():
		case <-t.C:
		}
	}
	for {
		select {
		case m := <-s.messages:
			s.giveBack(m)
		default:
			return
		}
	}
}

// remove deletes the consumer. Where that fails the server does so after a minute.
func (s *session) remove(ctx context.Context) {
	if !s.link.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := s.link.js.DeleteConsumer(ctx, s.link.stream, s.name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		s.link.cfg.Logger.Debug("a consumer is left for the server to remove", "consumer", s.name, "err", err)
	}
}
