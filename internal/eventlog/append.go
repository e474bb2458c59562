package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// errInDoubt: whether the commit was written cannot be told yet; publishing it again will show.
var errInDoubt = errors.New("the outcome of the write is not known")

// Append implements [Log]. An acknowledgement that does not come, a refusal, and an acknowledgement that names a
// duplicate all leave the outcome in doubt. It is settled by what stands in the stream right after position last:
//
//   - this commit: it was written, now or earlier;
//   - another commit: somebody else was faster;
//   - nothing: it was not written, or is still on its way. Writing it again is safe, since only one can stand there.
func (j *JetStream) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	msg, err := encodeCommit(j.reg, c, last)
	if err != nil {
		return events.Recorded{}, err
	}
	rec := events.Recorded{Commit: c, Hash: events.HashMessage(msg)}
	out := j.outgoing(msg, jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(uint64(last), 10))
	err = j.persist(ctx, "append", func(ctx context.Context) (err error) {
		rec.Sequence, err = j.publish(ctx, out)
		if err != nil && doubtful(err) {
			rec.Sequence, err = j.settle(ctx, rec, last, err)
		}
		return err
	})
	if err != nil {
		return events.Recorded{}, err
	}
	return rec, nil
}

// Report implements [Log].
func (j *JetStream) Report(ctx context.Context, c events.Commit) (events.Recorded, error) {
	msg, err := encodeReport(j.reg, c)
	if err != nil {
		return events.Recorded{}, err
	}
	rec := events.Recorded{Commit: c, Hash: events.HashMessage(msg)}
	out := j.outgoing(msg)
	err = j.persist(ctx, "report", func(ctx context.Context) (err error) {
		rec.Sequence, err = j.publish(ctx, out)
		var dup *duplicateError
		if errors.As(err, &dup) {
			rec.Sequence, err = j.same(ctx, dup.sequence, rec)
		}
		return err
	})
	if err != nil {
		return events.Recorded{}, err
	}
	return rec, nil
}

// duplicateError: the server has seen this Nats-Msg-Id within its window, here or on another subject, and wrote nothing.
type duplicateError struct{ sequence events.Sequence }

func (e *duplicateError) Error() string { return fmt.Sprintf("duplicate of sequence %d", e.sequence) }

// acknowledged reads the server's answer to a publish.
func acknowledged(answer []byte) (events.Sequence, error) {
	var ack struct {
		Sequence  events.Sequence     `json:"seq"`
		Duplicate bool                `json:"duplicate"`
		Error     *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer, &ack); err != nil {
		return 0, fmt.Errorf("acknowledgement: %w: %w", errInDoubt, err)
	}
	switch {
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Sequence == 0:
		return 0, fmt.Errorf("acknowledgement without a sequence: %w", errInDoubt)
	case ack.Duplicate:
		return 0, &duplicateError{ack.Sequence}
	}
	return ack.Sequence, nil
}

// errCodeDuplicateInProcess: a replicated stream is writing a message with this id just now.
const errCodeDuplicateInProcess jetstream.ErrorCode = 10158

// doubtful says whether what stands in the stream has to be looked at: on a lost race too, for we may have lost it
// against ourselves.
func doubtful(err error) bool {
	var dup *duplicateError
	return conflict(err) || passing(err) || errors.As(err, &dup)
}

// conflict says whether the server refused the expectation. A replicated stream also says 10164, and says it too while
// another write of the subject is on its way, even though the expectation is right.
func conflict(err error) bool {
	code := apiCode(err)
	return code == jetstream.JSErrCodeStreamWrongLastSequence || code == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// settle finds out what became of rec, which should stand right after position last. cause is why it is in doubt.
func (j *JetStream) settle(ctx context.Context, rec events.Recorded, last events.Sequence, cause error) (events.Sequence, error) {
	stands, found, err := j.firstAfter(ctx, rec.Subject, last)
	switch {
	case err != nil:
		return 0, err
	case found && events.HashMessage(stands.Message) == rec.Hash:
		return stands.Sequence, nil
	case found:
		return 0, ErrConflict
	case apiCode(cause) == jetstream.JSErrCodeStreamWrongLastSequence:
		return 0, ErrConflict // the subject's newest commit is older than last: no such position
	}
	return 0, fmt.Errorf("%w: %w", errInDoubt, cause)
}

// firstAfter gives the first message of a subject after a sequence, as the leader has it. Mostly that is the newest, which
// is found at once; only where others followed does the server have to look for it.
func (j *JetStream) firstAfter(ctx context.Context, s events.Subject, after events.Sequence) (raw Raw, found bool, err error) {
	newest, found, err := j.leaderGet(ctx, getRequest{LastBySubject: string(s)})
	if err != nil || !found || newest.Sequence <= after {
		return Raw{}, false, err
	}
	if previous, known := predecessor(newest); known && previous == after {
		return newest, true, nil
	}
	return j.leaderGet(ctx, getRequest{Sequence: after + 1, NextBySubject: string(s)})
}

// same says whether what stands at a sequence is rec. A report's id may also have been used on another subject; then it
// is in doubt until the server's window has passed.
func (j *JetStream) same(ctx context.Context, at events.Sequence, rec events.Recorded) (events.Sequence, error) {
	stands, found, err := j.leaderGet(ctx, getRequest{Sequence: at})
	switch {
	case err != nil:
		return 0, err
	case found && events.HashMessage(stands.Message) == rec.Hash:
		return at, nil
	}
	return 0, fmt.Errorf("%w: its id stands at sequence %d", errInDoubt, at)
}
