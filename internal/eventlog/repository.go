package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"slipway/events"
)

// Limits of a repository.
const (
	// MaxAttempts bounds how often a decision is made anew after a lost race. Each loss means that somebody else won,
	// so progress is being made; past this the caller should come back later.
	MaxAttempts = 16
	// rememberedCommands is how many ids of commands from doors an aggregate remembers: a command sent again within
	// that many others is recognised.
	rememberedCommands = 256
	// snapshotEvery is how many commits may stand between a snapshot and the newest commit.
	snapshotEvery = 50
	// cachedAggregates bounds the folded states in memory; past it an arbitrary one makes room.
	cachedAggregates = 10_000
)

// Position is where an aggregate stands in the log.
type Position struct {
	Sequence events.Sequence    `json:"sequence"`
	Version  events.Version     `json:"version"`
	Hash     events.Hash        `json:"hash"`
	Commands []events.CommandID `json:"commands,omitempty"` // newest last
}

// Handled says whether the command has already been decided here.
func (p Position) Handled(id events.CommandID) bool { return slices.Contains(p.Commands, id) }

// Aggregate is a folded state and its position. The state is shared: it is never changed, only replaced.
type Aggregate[S any] struct {
	State    S        `json:"state"`
	Position Position `json:"position"`
}

// Exists says whether the aggregate has any history.
func (a Aggregate[S]) Exists() bool { return a.Position.Version > 0 }

// Meta says who asks for a decision, under which id, because of what and when.
type Meta struct {
	CommandID events.CommandID
	Actor     events.Actor
	Cause     string
	Trace     string
	Time      time.Time
}

// Outcome is what became of a decision.
type Outcome[S any] struct {
	Aggregate[S]
	Commit    events.Recorded // what was written; zero where nothing was
	Duplicate bool            // the command had been decided before
}

// Repository loads and decides one kind of aggregate: load, decide, append, again if somebody else was faster.
type Repository[S any] struct {
	log       Log
	kind      string // as in the subject: "app"
	evolve    func(S, events.Event) S
	snapshots Snapshots // nil: none are kept
	schema    int       // of S; a snapshot of another schema is ignored

	mu    sync.Mutex
	cache map[string]Aggregate[S]
}

// NewRepository makes a repository for the aggregates "events.<kind>.*" folded by evolve, which must return a new state and
// leave the old one as it was. snapshots may be nil. schema must change whenever the JSON form of S does.
func NewRepository[S any](log Log, kind string, evolve func(S, events.Event) S, snapshots Snapshots, schema int) *Repository[S] {
	return &Repository[S]{
		log: log, kind: kind, evolve: evolve, snapshots: snapshots, schema: schema, cache: map[string]Aggregate[S]{},
	}
}

func (r *Repository[S]) subject(id string) events.Subject {
	return events.Subject("events." + r.kind + "." + id)
}

// Load folds the aggregate as it stands now. An id without history gives the zero state at position 0.
func (r *Repository[S]) Load(ctx context.Context, id string) (Aggregate[S], error) {
	if !events.ValidID(id) {
		return Aggregate[S]{}, nil // such an id cannot have history
	}
	agg, ok := r.cached(id)
	if !ok {
		agg = r.snapshot(ctx, id)
	}
	if agg.Position.Sequence > 0 {
		last, err := r.log.Last(ctx, r.subject(id))
		if err != nil {
			return agg, fmt.Errorf("load %s %s: %w", r.kind, id, err)
		}
		if last <= agg.Position.Sequence {
			// A follower may lag behind what we have seen: the fresher one counts.
			r.remember(id, agg)
			return agg, nil
		}
	}
	agg, err := r.extend(ctx, id, agg, 0)
	if err == nil {
		r.remember(id, agg)
	}
	return agg, err
}

// LoadNewest is Load with every commit that was acknowledged before it was asked, whoever wrote it: Load may hear of one from a
// server that lags behind. [ErrUnavailable] where that one does not come after.
func (r *Repository[S]) LoadNewest(ctx context.Context, id string) (agg Aggregate[S], err error) {
	if !events.ValidID(id) {
		return agg, nil
	}
	newest, err := r.log.NewestOf(ctx, r.subject(id))
	if err != nil {
		return agg, fmt.Errorf("newest of %s %s: %w", r.kind, id, err)
	}
	for attempt := range MaxAttempts {
		if err := backOff(ctx, attempt); err != nil {
			return agg, err
		}
		if agg, err = r.Load(ctx, id); err != nil || agg.Position.Sequence >= newest {
			return agg, err
		}
	}
	return agg, fmt.Errorf("load %s %s: commit %d is not to be read yet: %w", r.kind, id, newest, ErrUnavailable)
}

// LoadAt folds the aggregate as it stood at a sequence of the stream, from its beginning.
func (r *Repository[S]) LoadAt(ctx context.Context, id string, until events.Sequence) (Aggregate[S], error) {
	if !events.ValidID(id) {
		return Aggregate[S]{}, nil
	}
	return r.extend(ctx, id, Aggregate[S]{}, until)
}

// Evolve applies one commit to an aggregate, asserting that it is the very next.
func (r *Repository[S]) Evolve(agg Aggregate[S], c events.Recorded) (Aggregate[S], error) {
	if c.Version != agg.Position.Version+1 {
		return agg, &CorruptError{c.Subject, c.Sequence, fmt.Sprintf("version %d follows %d", c.Version, agg.Position.Version)}
	}
	if c.Previous != agg.Position.Hash {
		return agg, &CorruptError{c.Subject, c.Sequence, "its Slipway-Previous is not the hash of the commit before it"}
	}
	for _, e := range c.Events {
		agg.State = r.evolve(agg.State, e)
	}
	agg.Position = Position{Sequence: c.Sequence, Version: c.Version, Hash: c.Hash, Commands: agg.Position.Commands}
	if !c.Actor.System() {
		from := max(0, len(agg.Position.Commands)+1-rememberedCommands)
		agg.Position.Commands = append(slices.Clone(agg.Position.Commands[from:]), c.CommandID)
	}
	return agg, nil
}

func (r *Repository[S]) extend(ctx context.Context, id string, agg Aggregate[S], until events.Sequence) (Aggregate[S], error) {
	err := r.log.Read(ctx, r.subject(id), agg.Position.Sequence, until, func(c events.Recorded) (err error) {
		agg, err = r.Evolve(agg, c)
		return err
	})
	if err != nil {
		return agg, fmt.Errorf("load %s %s: %w", r.kind, id, err)
	}
	return agg, nil
}

// Decide loads the aggregate, lets decide choose events, and appends them as one commit. Where another writer was
// faster it loads and decides again, at most [MaxAttempts] times, then returns [ErrConflict]. No event: nothing is
// written. A command id that was decided here before decides nothing: Outcome.Duplicate. An error of decide is
// returned as it is.
func (r *Repository[S]) Decide(ctx context.Context, id string, m Meta, decide func(S) ([]events.Event, error)) (Outcome[S], error) {
	for attempt := range MaxAttempts {
		if err := backOff(ctx, attempt); err != nil {
			return Outcome[S]{}, err
		}
		agg, err := r.Load(ctx, id)
		if err != nil {
			return Outcome[S]{}, err
		}
		if agg.Position.Handled(m.CommandID) {
			return Outcome[S]{Aggregate: agg, Duplicate: true}, nil
		}
		decided, err := decide(agg.State)
		if err != nil || len(decided) == 0 {
			return Outcome[S]{Aggregate: agg}, err
		}
		out, err := r.append(ctx, id, agg, m, decided)
		if err == nil || !errors.Is(err, ErrConflict) {
			return out, err
		}
	}
	return Outcome[S]{}, fmt.Errorf("decide %s %s: lost %d races in a row: %w", r.kind, id, MaxAttempts, ErrConflict)
}

func (r *Repository[S]) append(ctx context.Context, id string, agg Aggregate[S], m Meta, decided []events.Event) (Outcome[S], error) {
	rec, err := r.log.Append(ctx, events.Commit{
		Subject: r.subject(id), CommandID: m.CommandID, Version: agg.Position.Version + 1, Previous: agg.Position.Hash,
		Actor: m.Actor, Cause: m.Cause, Trace: m.Trace, Time: m.Time, Events: decided,
	}, agg.Position.Sequence)
	if err != nil {
		return Outcome[S]{}, fmt.Errorf("append to %s %s: %w", r.kind, id, err)
	}
	next, err := r.Evolve(agg, rec)
	if err != nil {
		return Outcome[S]{}, err
	}
	r.remember(id, next)
	if next.Position.Version%snapshotEvery == 0 {
		r.store(ctx, id, next)
	}
	return Outcome[S]{Aggregate: next, Commit: rec}, nil
}

func (r *Repository[S]) cached(id string) (Aggregate[S], bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	agg, ok := r.cache[id]
	return agg, ok
}

func (r *Repository[S]) remember(id string, agg Aggregate[S]) {
	if !agg.Exists() {
		return // an absent id must not fill the cache
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.cache[id]; ok && known.Position.Sequence >= agg.Position.Sequence {
		return
	}
	if len(r.cache) >= cachedAggregates {
		for other := range r.cache {
			delete(r.cache, other)
			break
		}
	}
	r.cache[id] = agg
}

// backOff waits before an attempt that follows lost ones: not at all at first, then longer. A replicated stream refuses even
// the right expectation while another write of the subject is in flight, so asking again at once would only burn attempts.
func backOff(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	t := time.NewTimer(time.Duration(attempt*attempt) * time.Millisecond / 2)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stored is a snapshot as it is kept.
type stored[S any] struct {
	Schema int `json:"schema"`
	Aggregate[S]
}

// snapshot returns what the cache of snapshots has of use, which may be nothing: it is never trusted to be there.
func (r *Repository[S]) snapshot(ctx context.Context, id string) Aggregate[S] {
	if r.snapshots == nil {
		return Aggregate[S]{}
	}
	data, err := r.snapshots.Get(ctx, r.kind+"."+id)
	if err != nil || data == nil {
		return Aggregate[S]{}
	}
	var s stored[S]
	if err := json.Unmarshal(data, &s); err != nil || s.Schema != r.schema {
		return Aggregate[S]{}
	}
	return s.Aggregate
}

// store writes a snapshot. Its failure costs a longer load later and nothing else, so nobody is told.
func (r *Repository[S]) store(ctx context.Context, id string, agg Aggregate[S]) {
	if r.snapshots == nil {
		return
	}
	if data, err := json.Marshal(stored[S]{r.schema, agg}); err == nil {
		_ = r.snapshots.Put(ctx, r.kind+"."+id, data)
	}
}
