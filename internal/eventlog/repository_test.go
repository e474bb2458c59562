package eventlog_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/internal/eventlog"
)

// labels is a state whose every part depends on all of its history.
type labels struct {
	Names []string `json:"names"`
}

func addLabel(s labels, e events.Event) labels {
	if updated, ok := e.(events.AppUpdated); ok {
		return labels{append(slices.Clone(s.Names), updated.Metadata.Labels["name"])}
	}
	return s
}

// add decides to add one more.
func add(name string) func(labels) ([]events.Event, error) {
	return func(labels) ([]events.Event, error) {
		metadata := events.Metadata{Labels: map[string]string{"name": name}}
		return []events.Event{events.AppUpdated{App: "a", Metadata: metadata}}, nil
	}
}

func meta(actor events.Actor) eventlog.Meta {
	return eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: actor, Time: time.Unix(1_700_000_000, 0).UTC()}
}

func repository(log eventlog.Log, snapshots eventlog.Snapshots, schema int) *eventlog.Repository[labels] {
	return eventlog.NewRepository(log, events.AggregateApp, addLabel, snapshots, schema)
}

// TestSnapshotsChangeNothing is the law that a fold from a snapshot equals the fold from the beginning, whatever was
// decided, by whom, and wherever snapshots were written or lost.
func TestSnapshotsChangeNothing(t *testing.T) {
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		log, snapshots := eventlog.NewMemory(events.NewRegistry()), eventlog.NewMemorySnapshots()
		writer := repository(log, snapshots, 1)
		for range rapid.IntRange(1, 130).Draw(t, "decisions") {
			actor := rapid.SampledFrom([]events.Actor{"ann", events.ActorUpdater}).Draw(t, "actor")
			_, err := writer.Decide(ctx, "a", meta(actor), add(rapid.StringMatching("[a-z]{0,3}").Draw(t, "name")))
			noErr(t, err)
			if rapid.IntRange(0, 20).Draw(t, "restart") == 0 {
				writer = repository(log, snapshots, 1) // its cache is gone
			}
		}
		want, err := repository(log, nil, 1).Load(ctx, "a")
		noErr(t, err)
		for _, repo := range []*eventlog.Repository[labels]{repository(log, snapshots, 1), writer} {
			got, err := repo.Load(ctx, "a")
			noErr(t, err)
			if !equal(got, want) {
				t.Fatalf("with snapshots %+v\nwithout %+v", got, want)
			}
		}
	})
}

func noErr(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal compares as the read side does: by what can be written down.
func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func TestSnapshotsThatAreOfNoUse(t *testing.T) {
	log, good := eventlog.NewMemory(events.NewRegistry()), eventlog.NewMemorySnapshots()
	writer := repository(log, good, 1)
	for range 60 {
		_, err := writer.Decide(t.Context(), "a", meta("ann"), add("x"))
		is.New(t).NoErr(err)
	}
	kept, err := good.Get(t.Context(), "app.a")
	is.New(t).NoErr(err)
	is.New(t).True(kept != nil) // there is one to spoil
	for name, c := range map[string]struct {
		snapshots eventlog.Snapshots
		schema    int
	}{
		"none":           {eventlog.NewMemorySnapshots(), 1},
		"another schema": {good, 2},
		"garbage":        {holding(t, []byte("\x00garbage")), 1},
		"cut short":      {holding(t, kept[:len(kept)/2]), 1},
		"unreachable":    {unreachable{}, 1},
		"good":           {good, 1},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			agg, err := repository(log, c.snapshots, c.schema).Load(t.Context(), "a")
			is.NoErr(err)
			is.Equal(len(agg.State.Names), 60)
			is.Equal(agg.Position.Version, events.Version(60))
		})
	}
}

func holding(t *testing.T, value []byte) eventlog.Snapshots {
	s := eventlog.NewMemorySnapshots()
	is.New(t).NoErr(s.Put(t.Context(), "app.a", value))
	return s
}

type unreachable struct{}

var errUnreachable = errors.New("unreachable")

func (unreachable) Get(context.Context, string) ([]byte, error) { return nil, errUnreachable }
func (unreachable) Put(context.Context, string, []byte) error   { return errUnreachable }

func TestSnapshotsThatFailDoNotFailDecisions(t *testing.T) {
	repo := repository(eventlog.NewMemory(events.NewRegistry()), unreachable{}, 1)
	for range 60 {
		_, err := repo.Decide(t.Context(), "a", meta("ann"), add("x"))
		is.New(t).NoErr(err)
	}
}

func TestCommandsAreRememberedAcrossSnapshots(t *testing.T) {
	is := is.New(t)
	log, snapshots := eventlog.NewMemory(events.NewRegistry()), eventlog.NewMemorySnapshots()
	first := meta("ann")
	_, err := repository(log, snapshots, 1).Decide(t.Context(), "a", first, add("first"))
	is.NoErr(err)
	writer := repository(log, snapshots, 1)
	for range 120 {
		_, err := writer.Decide(t.Context(), "a", meta("ann"), add("x"))
		is.NoErr(err)
	}
	out, err := repository(log, snapshots, 1).Decide(t.Context(), "a", first, add("again"))
	is.NoErr(err)
	is.True(out.Duplicate)
	is.Equal(len(out.State.Names), 121)
}

// contested is a log in which somebody else is faster for the first n appends.
type contested struct {
	eventlog.Log
	n int
}

func (c *contested) Append(ctx context.Context, commit events.Commit, last events.Sequence) (events.Recorded, error) {
	if c.n--; c.n >= 0 {
		other := commit
		other.CommandID = events.CommandID(events.NewID())
		if _, err := c.Log.Append(ctx, other, last); err != nil {
			return events.Recorded{}, err
		}
	}
	return c.Log.Append(ctx, commit, last)
}

func TestLostRaces(t *testing.T) {
	t.Run("each is decided anew", func(t *testing.T) {
		is := is.New(t)
		repo := repository(&contested{eventlog.NewMemory(events.NewRegistry()), 3}, nil, 1)
		var saw []int
		out, err := repo.Decide(t.Context(), "a", meta("ann"), func(s labels) ([]events.Event, error) {
			saw = append(saw, len(s.Names))
			return add("x")(s)
		})
		is.NoErr(err)
		is.Equal(saw, []int{0, 1, 2, 3}) // on what the winner left
		is.Equal(out.Commit.Version, events.Version(4))
	})
	t.Run("too many are a conflict", func(t *testing.T) {
		is := is.New(t)
		repo := repository(&contested{eventlog.NewMemory(events.NewRegistry()), 1 << 30}, nil, 1)
		tries := 0
		_, err := repo.Decide(t.Context(), "a", meta("ann"), func(s labels) ([]events.Event, error) {
			tries++
			return add("x")(s)
		})
		is.True(errors.Is(err, eventlog.ErrConflict))
		is.Equal(tries, eventlog.MaxAttempts)
	})
}

func TestLoadAt(t *testing.T) {
	is := is.New(t)
	repo := repository(eventlog.NewMemory(events.NewRegistry()), nil, 1)
	for n := range 5 {
		out, err := repo.Decide(t.Context(), "a", meta("ann"), add("x"))
		is.NoErr(err)
		then, err := repo.LoadAt(t.Context(), "a", out.Position.Sequence)
		is.NoErr(err)
		is.Equal(len(then.State.Names), n+1)
	}
	then, err := repo.LoadAt(t.Context(), "a", 2)
	is.NoErr(err)
	is.Equal(then.Position.Version, events.Version(2))
}

func TestIDsThatCannotBe(t *testing.T) {
	repo := repository(eventlog.NewMemory(events.NewRegistry()), nil, 1)
	for _, id := range []string{"", "*", ">", "a.b", "a b", "ä"} {
		agg, err := repo.Load(t.Context(), id)
		is.New(t).NoErr(err)
		is.New(t).True(!agg.Exists()) // no wildcard reads another's history
	}
}

// lagging is a log whose readers are told by a server that lags behind: a few looks long it knows of no commit after one.
type lagging struct {
	*eventlog.Memory
	behind int // looks
	knows  events.Sequence
}

func (l *lagging) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	last, err := l.Memory.Last(ctx, s)
	if l.behind > 0 {
		l.behind--
		last = min(last, l.knows)
	}
	return last, err
}

// TestTheNewestStateIsWaitedFor: Load may be behind what others wrote, LoadNewest never is; where it cannot be told, it says so.
func TestTheNewestStateIsWaitedFor(t *testing.T) {
	is := is.New(t)
	log := &lagging{Memory: eventlog.NewMemory(events.NewRegistry())}
	reader, writer := repository(log, nil, 1), repository(log.Memory, nil, 1)
	write := func() {
		out, err := writer.Decide(t.Context(), "a", meta("ann"), add("x"))
		is.NoErr(err)
		log.knows = out.Position.Sequence - 1
	}
	write()
	_, err := reader.Load(t.Context(), "a")
	is.NoErr(err)
	write()
	log.behind = 4
	agg, err := reader.Load(t.Context(), "a")
	is.NoErr(err)
	is.Equal(len(agg.State.Names), 1) // as the server that lags behind has it
	agg, err = reader.LoadNewest(t.Context(), "a")
	is.NoErr(err)
	is.Equal(len(agg.State.Names), 2)
	write()
	log.behind = 1000
	_, err = reader.LoadNewest(t.Context(), "a")
	is.True(errors.Is(err, eventlog.ErrUnavailable)) // come back later
	_, err = reader.LoadNewest(t.Context(), "no id")
	is.NoErr(err) // which has no history
}
