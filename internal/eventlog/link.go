package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// link is the way to one stream: requests that are bounded, and asked again while no server answers.
type link struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream string
	cfg    Config
}

// dial finds a stream, which must have been set up, and its settings.
func dial(ctx context.Context, nc *nats.Conn, stream string, cfg Config) (l link, settings jetstream.StreamConfig, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return link{}, settings, err
	}
	l = link{nc: nc, js: js, stream: stream, cfg: cfg.withDefaults()}
	err = l.persist(ctx, "look it up", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, l.cfg.AckWait)
		defer cancel()
		found, err := js.Stream(ctx, stream)
		if err == nil {
			settings = found.CachedInfo().Config
		}
		return err
	})
	return l, settings, err
}

// pause waits before attempt n (from 1), growing from 1 ms to a fifth of a second. It fails when ctx ends first.
func pause(ctx context.Context, n int) error {
	return waitFor(ctx, nil, min(time.Millisecond<<min(n-1, 10), 200*time.Millisecond))
}

// persist calls try until it succeeds, fails for good, or the log's patience ends.
func (l *link) persist(ctx context.Context, op string, try func(context.Context) error) error {
	patient, cancel := context.WithTimeout(ctx, l.cfg.Patience)
	defer cancel()
	for n := 1; ; n++ {
		err := try(patient)
		switch {
		case err == nil, errors.Is(err, ErrConflict):
			return err
		case !passing(err):
			return fmt.Errorf("%s: %w", op, err)
		}
		if pause(patient, n) != nil {
			return unavailable(op, errors.Join(ctx.Err(), err))
		}
	}
}

// request asks the server, for at most AckWait.
func (l *link) request(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AckWait)
	defer cancel()
	return l.nc.RequestMsgWithContext(ctx, m)
}

// passing says whether err may be gone in a moment: no server answered, or the answer settled nothing.
func passing(err error) bool {
	return unanswered(err) || errors.Is(err, errInDoubt) || apiCode(err) == errCodeDuplicateInProcess
}

// unanswered says whether err means that no server answered, so that it is worth asking again.
func unanswered(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 // no leader now, resources exhausted for the moment
	}
	return slices.ContainsFunc([]error{
		context.DeadlineExceeded, context.Canceled, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed,
		nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse,
	}, func(known error) bool { return errors.Is(err, known) })
}

func apiCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return 0
	}
	return api.ErrorCode
}

// outgoing makes a message of NATS, with further headers given as key, value.
func (l *link) outgoing(m events.Message, headers ...string) *nats.Msg {
	out := nats.NewMsg(string(m.Subject))
	for key, values := range m.Header {
		out.Header[key] = values
	}
	out.Header.Set(jetstream.ExpectedStreamHeader, l.stream)
	for i := 0; i < len(headers); i += 2 {
		out.Header.Set(headers[i], headers[i+1])
	}
	out.Data = m.Data
	return out
}

// publish sends one message and gives the sequence it was written at.
func (l *link) publish(ctx context.Context, m *nats.Msg) (events.Sequence, error) {
	answer, err := l.request(ctx, m)
	if err != nil {
		return 0, err
	}
	return acknowledged(answer.Data)
}

// leaderGet reads one message from the server that decides about writes: it has every write that was acknowledged. It
// costs more than a direct get and cannot be spread.
func (l *link) leaderGet(ctx context.Context, r getRequest) (raw Raw, found bool, err error) {
	m, err := r.message(subjectLeaderGet + l.stream)
	if err != nil {
		return Raw{}, false, err
	}
	answer, err := l.request(ctx, m)
	if err != nil {
		return Raw{}, false, err
	}
	return leaderRaw(answer.Data)
}
