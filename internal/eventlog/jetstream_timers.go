package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// Headers of a scheduled message. The server takes times with a fraction; the client's own helper cuts them off.
const (
	headerSchedule       = "Nats-Schedule"
	headerScheduleTarget = "Nats-Schedule-Target"
)

// consumerDue is the durable consumer through which all processes share the alarms that ring. The stream allows one.
const consumerDue = "due"

// JetStreamTimers is Timers on a JetStream stream: an alarm is a scheduled message on `timers.set.<key>`, which the server
// moves to `timers.due.<key>` when it is due, where it stays until it has been attended to. So alarms outlive the server
// and every process.
//
// When the server lets an alarm ring it removes whatever stands on `timers.set.<key>` by then, in the same step. An alarm
// that was set in that moment can be lost so; but then a ring comes after it, and who is rung sets the next one.
type JetStreamTimers struct {
	link
}

// OpenTimers opens the stream [StreamTimers], which must have been set up.
func OpenTimers(ctx context.Context, nc *nats.Conn, cfg Config) (*JetStreamTimers, error) {
	l, settings, err := dial(ctx, nc, StreamTimers, cfg)
	if err == nil && !settings.AllowMsgSchedules {
		err = errors.New("it does not schedule messages (allow_msg_schedules)")
	}
	if err != nil {
		return nil, fmt.Errorf("open timers: stream %s: %w", StreamTimers, err)
	}
	return &JetStreamTimers{link: l}, nil
}

// Set implements [Timers]. It is written only if nobody has set the alarm since it was looked at, so of several at once
// the earliest stays.
func (t *JetStreamTimers) Set(ctx context.Context, a Alarm) error {
	a, err := a.checked(time.Now())
	if err != nil {
		return err
	}
	return t.persist(ctx, "set the alarm of "+a.Key, func(ctx context.Context) error {
		standing, at, err := t.standing(ctx, a.Key)
		if err != nil || standing.suffices(a, time.Now()) {
			return err
		}
		if _, err = t.publish(ctx, t.scheduled(a, at)); conflict(err) {
			return fmt.Errorf("%w: %w", errInDoubt, err)
		}
		return err
	})
}

// standing is the alarm of a key that is set, as the leader has it, and its sequence; 0 where there is none.
func (t *JetStreamTimers) standing(ctx context.Context, key string) (Alarm, events.Sequence, error) {
	raw, found, err := t.leaderGet(ctx, getRequest{LastBySubject: subjectSet + key})
	if err != nil || !found {
		return Alarm{}, 0, err
	}
	// What is no alarm stands in the way of none: it does not suffice, and is replaced.
	standing, _ := alarmOf(raw.Message, subjectSet)
	return standing, raw.Sequence, nil
}

// scheduled is the message that rings at its time, to be written directly after what stood at last. It has no
// Nats-Msg-Id: the same alarm set anew, after another, would be taken for a repetition and not be written.
func (t *JetStreamTimers) scheduled(a Alarm, last events.Sequence) *nats.Msg {
	return t.outgoing(a.message(subjectSet),
		headerSchedule, "@at "+a.At.Format(time.RFC3339Nano),
		headerScheduleTarget, subjectDue+a.Key,
		jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(uint64(last), 10))
}

// Ring implements [Timers].
func (t *JetStreamTimers) Ring(ctx context.Context, fn func(context.Context, Alarm) error) error {
	s := newShift(&t.link, jetstream.ConsumerConfig{
		Durable: consumerDue, FilterSubjects: []string{subjectDue + ">"}, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: t.cfg.RedeliverAfter, MaxDeliver: -1, MaxAckPending: maxHeld,
	})
	err := s.during(func() error { return ring(ctx, s.next, t.cfg.Logger, fn) })
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("ring: %w", err)
}
