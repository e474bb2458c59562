package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"slipway/events"
	"slipway/internal/natsboot/streams"
)

// StreamTimers is the name of the stream that holds the alarms.
const StreamTimers = streams.Timers

// Subjects of an alarm, each followed by its key: where it stands until it is due, and where it rings.
const (
	subjectSet = streams.TimersSetPrefix
	subjectDue = streams.TimersDuePrefix
)

// headerAlarmAt says when an alarm is due (RFC 3339, to the nanosecond), beside the server's own header, which it takes away
// when it lets the alarm ring.
const headerAlarmAt = "Slipway-At"

// Limits of timers.
const (
	// horizon is how far ahead an alarm may stand. The server counts in nanoseconds since 1970 and lets ring at once what
	// is too far for that.
	horizon = 365 * 24 * time.Hour
	// ringLanes is how many alarms are attended to at once.
	ringLanes = 16
)

// Alarm is a wake-up call, and no more: whoever is rung looks at the state and at its own clock.
type Alarm struct {
	Key string // what is to be looked at: a valid id ([events.ValidID])
	At  time.Time
}

// Timers is the alarm clock for deadlines, which themselves stand in events. There is at most one alarm of a key.
// Implementations: JetStream for real, memory for unit tests; logtest.RunTimers holds both to the contract.
type Timers interface {
	// Set sees to it that a's key is rung no later than a.At, or at once where that is past. An earlier alarm that stands
	// already does: it is left, for only its ring can tell whoever set it; who is rung sets the next one. So the order in
	// which several processes set theirs does not matter, and setting the same again changes nothing. Beyond a year ahead
	// it rings after a year. What is overdue when another alarm is set may ring or not: who sets has just looked.
	// Errors: [ErrUnavailable], [events.ErrMalformed].
	Set(ctx context.Context, a Alarm) error

	// Ring calls fn for each alarm that is due, never before its time by this machine's clock, until ctx ends; nil is
	// returned then. An alarm is done when fn has returned nil; else it rings again, with a growing delay. It may ring
	// twice. Several processes share the alarms; each attends to one of a key at a time.
	Ring(ctx context.Context, fn func(context.Context, Alarm) error) error
}

// checked refuses an alarm that could not be set, and brings one that is too far ahead to the horizon.
func (a Alarm) checked(now time.Time) (Alarm, error) {
	if !events.ValidID(a.Key) {
		return a, fmt.Errorf("alarm of %q: the key is no valid id: %w", a.Key, events.ErrMalformed)
	}
	if a.At.IsZero() {
		return a, fmt.Errorf("alarm of %s: it has no time: %w", a.Key, events.ErrMalformed)
	}
	if far := now.Add(horizon); a.At.After(far) {
		a.At = far
	}
	a.At = a.At.UTC().Round(0)
	return a, nil
}

// suffices says whether the alarm that stands makes a needless. One that is overdue does not: it may have rung already
// and just not be gone.
func (standing Alarm) suffices(a Alarm, now time.Time) bool {
	return standing.At.After(now) && !standing.At.After(a.At)
}

// message is the alarm as a message on a subject with this prefix.
func (a Alarm) message(prefix string) events.Message {
	return events.Message{
		Subject: events.Subject(prefix + a.Key),
		Header:  map[string][]string{headerAlarmAt: {a.At.Format(time.RFC3339Nano)}},
	}
}

// alarmOf reads an alarm back from a message on a subject with this prefix.
func alarmOf(m events.Message, prefix string) (Alarm, error) {
	a := Alarm{Key: string(m.Subject[min(len(prefix), len(m.Subject)):])}
	if at := m.Header[headerAlarmAt]; len(at) > 0 {
		a.At, _ = time.Parse(time.RFC3339Nano, at[0]) // without a time it is no alarm
	}
	return a.checked(time.Now())
}

// ring attends to the alarms that next gives until it fails, and waits until all that were begun are done.
func ring(ctx context.Context, next fetch, logger *slog.Logger, fn func(context.Context, Alarm) error) error {
	l := startLanes(ringLanes)
	defer l.stop()
	for {
		d, err := next(ctx)
		if err != nil {
			return err
		}
		a, err := alarmOf(d.Message, subjectDue)
		if err != nil {
			// Whoever may write into the stream can put anything there. No deadline is lost with it: those stand in events.
			logger.LogAttrs(ctx, slog.LevelWarn, "no alarm, dropped", slog.String("subject", string(d.Subject)), slog.Any("err", err))
			d.done()
			continue
		}
		if early := time.Until(a.At); early > 0 {
			d.again(early) // the server's clock is ahead of ours
			continue
		}
		l.do(a.Key, func() {
			d.attend(ctx, func() error { return fn(ctx, a) }, func(error) { d.again(delayAfter(d.attempt)) })
		})
	}
}
