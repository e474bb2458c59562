package doors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/streams"
)

// DeadLetters is the stream of what could not be read as a command, as it came.
const (
	DeadLetters         = streams.DeadLetters
	DeadLettersSubjects = streams.DeadLettersSubjects
	deadLetterPrefix    = "deadletter."
)

// Headers of a dead letter, beside its own and [HeaderCommand]; the reason of a refusal stands in the log too.
const (
	HeaderReason = "Slipway-Reason" // code and text
	HeaderSource = "Slipway-Source" // stream and sequence it stood at: "COMMANDS:17"
)

// Limits of dead letters. The letters themselves are for mending what sent them; that they were refused, and why, stays in
// EVENTS for ever. A flood of them drops the oldest instead of stopping the door.
const (
	deadLettersMaxAge   = 30 * 24 * time.Hour
	deadLettersMaxBytes = 256 << 20
)

// EnsureDeadLetters sets the stream up, replicated like COMMANDS.
func EnsureDeadLetters(ctx context.Context, js jetstream.JetStream) error {
	source, err := js.Stream(ctx, streams.Commands)
	if err != nil {
		return fmt.Errorf("stream %s: %w", streams.Commands, err)
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: DeadLetters, Description: "Messages that were no command, with the reason.", Subjects: []string{DeadLettersSubjects},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Replicas: source.CachedInfo().Config.Replicas,
		Discard: jetstream.DiscardOld, MaxAge: deadLettersMaxAge, MaxBytes: deadLettersMaxBytes,
		AllowDirect: true, Compression: jetstream.S2Compression,
	})
	if err != nil {
		return fmt.Errorf("stream %s: %w", DeadLetters, err)
	}
	return nil
}

// poison says whether a refused message is kept as it came: it was no command, or nobody knows what is wrong with it.
func poison(o order, err error) bool {
	var rejected *aggregates.RejectedError
	return o.fault != nil || !forbidden(err) && (!errors.As(err, &rejected) || rejected.Code == commands.CodeMalformed)
}

// bury puts the message where dead letters are. Done again it is dropped as a duplicate, or stands there twice.
func (d *durable) bury(ctx context.Context, o order, m jetstream.Msg, reason error) error {
	letter := nats.NewMsg(deadLetterPrefix + m.Subject())
	for key, values := range m.Headers() {
		// Those that begin so are orders to the server, and a token is nobody's business.
		if !strings.HasPrefix(key, "Nats-") && !strings.EqualFold(key, headerAuthorization) {
			letter.Header[key] = values
		}
	}
	letter.Header.Set(HeaderCommand, string(o.by.CommandID))
	letter.Header.Set(HeaderReason, line(reason.Error()))
	letter.Header.Set(HeaderSource, streams.Commands+":"+strconv.FormatUint(o.at.seq, 10))
	letter.Data = m.Data()
	_, err := d.js.PublishMsg(ctx, letter, jetstream.WithMsgID(string(o.by.CommandID)), jetstream.WithExpectStream(DeadLetters))
	if err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	d.Logger.LogAttrs(ctx, slog.LevelWarn, "message is no command, kept as dead letter", slog.String("subject", line(letter.Subject)),
		slog.String("id", string(o.by.CommandID)), slog.Any("err", reason))
	return nil
}

// refusedBefore says whether this command's refusal is on record.
func (d *durable) refusedBefore(ctx context.Context, o order) (bool, error) {
	last, err := d.Log.Last(ctx, events.CommandSubject(o.by.CommandID))
	return last > 0, err
}

// record puts the refusal into the log. If another delivery of the same command was faster, that is as good.
func (d *durable) record(ctx context.Context, o order, reason error) error {
	rec, err := d.Log.Append(ctx, o.refusal(reason, time.Now()), 0)
	if errors.Is(err, eventlog.ErrConflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record the refusal: %w", err)
	}
	d.Logger.LogAttrs(ctx, slog.LevelInfo, "command refused", slog.String("command", line(o.name)), slog.String("app", string(o.app)),
		slog.String("id", string(o.by.CommandID)), slog.Uint64("seq", uint64(rec.Sequence)))
	return nil
}

// refusal is the fact that the command was not carried out. Everything in it that a sender chose is made fit for history.
func (o order) refusal(reason error, now time.Time) events.Commit {
	shown := cferror.From(reason)
	return events.Commit{
		Subject: events.CommandSubject(o.by.CommandID), CommandID: o.by.CommandID, Version: 1,
		Actor: o.by.Actor, Cause: o.by.Door, Trace: o.by.Trace, Time: now.UTC(),
		Events: []events.Event{events.CommandRejected{
			Command: o.by.CommandID, Name: line(o.name), App: o.app, Code: shown.Title, Message: line(shown.Detail),
		}},
	}
}
