package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/events"
	"slipway/internal/natsboot/streams"
)

// StreamEvents is the name of the stream that holds the truth.
const StreamEvents = streams.Events

var (
	// ErrConflict: the aggregate has moved on since it was read. Read it again, decide again.
	ErrConflict = errors.New("the aggregate has moved on")
	// ErrUnavailable: the log did not answer in time; whether the commit was written is settled by appending it again.
	ErrUnavailable = errors.New("the event log does not answer")
)

// CorruptError: history has a hole or was changed. Nothing is decided on top of it; a person should look
// (`slipway audit verify`).
type CorruptError struct {
	Subject  events.Subject
	Sequence events.Sequence
	Problem  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt history of %s at sequence %d: %s", e.Subject, e.Sequence, e.Problem)
}

// Raw is a message of the stream as it stands there, decoded or not.
type Raw struct {
	events.Message
	Sequence events.Sequence
	Stored   time.Time // when the server stored it
}

// Head is the newest commit of one aggregate.
type Head struct {
	Subject  events.Subject
	Sequence events.Sequence
}

// Query selects commits: those of any of the subject filters (NATS wildcards; none means all), after a sequence. Filters
// must not overlap.
type Query struct {
	Filters []string
	After   events.Sequence
	Until   events.Sequence // last sequence of interest, 0 for the newest at the time of the call (Scan, Replay)
}

// Worker is a durable consumer shared by every process that names it: each commit is handled by one of them. Within a
// process, commits of one lane are never handled at the same time and come in order; only a commit that failed comes
// again after later ones, so that one that cannot be handled blocks nobody.
type Worker struct {
	Name    string
	Filters []string
	Lanes   int                               // commits handled at once; at least 1
	Lane    func(events.Recorded) string      // nil: a lane per subject
	Failed  func(events.Recorded, int, error) // told of each failure with the attempt's number; may be nil
	// Newest is for work that goes by how things stand, whatever the commit says: of the commits of one subject that failed, the newest
	// comes again. Else those of one that can never be handled would some day be all that a consumer may have in hand.
	Newest bool
}

// Log is the event log. Implementations: JetStream for real, memory for unit tests; logtest.Run holds both to the contract
// above.
type Log interface {
	// Append writes c if the newest commit of its subject has the sequence last (0: none yet). Errors: ErrConflict,
	// ErrUnavailable, events.ErrMalformed.
	Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error)

	// Report writes an unversioned fact (Version 0), without expectation. Sent again it may stand twice; its effect is
	// once. Errors: ErrUnavailable, events.ErrMalformed.
	Report(ctx context.Context, c events.Commit) (events.Recorded, error)

	// Last is the sequence of the newest commit of a subject, 0 where there is none.
	Last(ctx context.Context, s events.Subject) (events.Sequence, error)

	// Read gives the commits of one subject with after < sequence <= until, in order; until 0 means to its end. It stops at
	// the first error of fn and returns it.
	Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error

	// Scan gives the messages that q selects, in order, undecoded, up to the newest at the time of the call.
	Scan(ctx context.Context, q Query, fn func(Raw) error) error

	// Replay is Scan with each message decoded.
	Replay(ctx context.Context, q Query, fn func(events.Recorded) error) error

	// Follow gives what q selects in batches, as they come, until ctx ends (nil is returned then) or fn fails. A batch
	// holds what has arrived, at most 500 commits; it is never empty.
	Follow(ctx context.Context, q Query, fn func(batch []events.Recorded) error) error

	// Work hands each new commit to fn until ctx ends, and acknowledges it once fn has returned nil. On an error the
	// commit is handed out again later, with a growing delay.
	Work(ctx context.Context, w Worker, fn func(context.Context, events.Recorded) error) error

	// Heads lists the newest commit of every subject that matches the filter.
	Heads(ctx context.Context, filter string) ([]Head, error)

	// Newest is the sequence of the newest commit of all, 0 for an empty log.
	Newest(ctx context.Context) (events.Sequence, error)

	// NewestOf is Last that takes in every commit acknowledged before, whoever wrote it: Last may be told by a server that
	// lags behind.
	NewestOf(ctx context.Context, s events.Subject) (events.Sequence, error)
}

// Snapshots keeps folded aggregates: a cache that may lose anything at any time.
type Snapshots interface {
	// Get returns nil, nil where there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}
