package eventlog

import (
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"slipway/events"
)

// maxBatch bounds a batch of [Log.Follow], so that one transaction of a projection stays short.
const maxBatch = 500

// Memory is a Log in this process's memory, for unit tests. It stores encoded messages and reads them back through the
// registry, so that what a test reads is what a stream would hold.
type Memory struct {
	reg *events.Registry

	mu       sync.Mutex
	raws     []Raw // the one with sequence n stands at n-1
	subjects map[events.Subject][]events.Sequence
	workers  map[string]*memoryWorker
	grown    chan struct{} // closed, and replaced, when there is something new to see
}

// NewMemory makes an empty log.
func NewMemory(reg *events.Registry) *Memory {
	return &Memory{
		reg: reg, subjects: map[events.Subject][]events.Sequence{}, workers: map[string]*memoryWorker{},
		grown: make(chan struct{}),
	}
}

// Append implements [Log].
func (m *Memory) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	msg, err := encodeCommit(m.reg, c, last)
	if err != nil {
		return events.Recorded{}, err
	}
	if err := unavailable("append", ctx.Err()); err != nil {
		return events.Recorded{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stands := m.subjects[c.Subject]
	if i, found := slices.BinarySearch(stands, last+1); found || i < len(stands) {
		return m.settle(m.raws[stands[i]-1], msg)
	}
	if last != m.newestOf(c.Subject) {
		return events.Recorded{}, ErrConflict
	}
	return m.write(msg)
}

// settle compares what stands where msg should stand with msg.
func (m *Memory) settle(stands Raw, msg events.Message) (events.Recorded, error) {
	if events.HashMessage(stands.Message) != events.HashMessage(msg) {
		return events.Recorded{}, ErrConflict
	}
	return decodeRaw(m.reg, stands)
}

// Report implements [Log].
func (m *Memory) Report(ctx context.Context, c events.Commit) (events.Recorded, error) {
	msg, err := encodeReport(m.reg, c)
	if err != nil {
		return events.Recorded{}, err
	}
	if err := unavailable("report", ctx.Err()); err != nil {
		return events.Recorded{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(msg)
}

// Inject writes a message as it is, as somebody with access to the stream could: for tests of what must be noticed.
func (m *Memory) Inject(msg events.Message) events.Sequence {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.store(msg).Sequence
}

func (m *Memory) write(msg events.Message) (events.Recorded, error) {
	return decodeRaw(m.reg, m.store(msg))
}

func (m *Memory) store(msg events.Message) Raw {
	raw := Raw{Message: msg, Sequence: events.Sequence(len(m.raws) + 1), Stored: time.Now().UTC()}
	m.raws = append(m.raws, raw)
	m.subjects[msg.Subject] = append(m.subjects[msg.Subject], raw.Sequence)
	m.wake()
	return raw
}

// wake tells everybody who waits that there is something new to see.
func (m *Memory) wake() {
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *Memory) newestOf(s events.Subject) events.Sequence {
	if stands := m.subjects[s]; len(stands) > 0 {
		return stands[len(stands)-1]
	}
	return 0
}

// Last implements [Log].
func (m *Memory) Last(_ context.Context, s events.Subject) (events.Sequence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newestOf(s), nil
}

// Read implements [Log].
func (m *Memory) Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error {
	return m.Replay(ctx, Query{Filters: []string{string(s)}, After: after, Until: until}, fn)
}

// Scan implements [Log].
func (m *Memory) Scan(ctx context.Context, q Query, fn func(Raw) error) error {
	filters, err := q.filters()
	if err != nil {
		return err
	}
	selected, _ := m.selection(filters, q.After, q.Until, 0)
	for _, raw := range selected {
		if ctx.Err() != nil {
			return unavailable("scan", ctx.Err())
		}
		if err := fn(raw); err != nil {
			return err
		}
	}
	return nil
}

// selection copies what is selected now, at most limit (0: all), and gives the channel that closes on anything newer.
func (m *Memory) selection(filters []string, after, until events.Sequence, limit int) ([]Raw, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Raw
	for seq := range m.candidates(filters, after) {
		raw := m.raws[seq-1]
		if until > 0 && seq > until || limit > 0 && len(found) == limit {
			break
		}
		if matchesAny(filters, raw.Subject) {
			found = append(found, raw)
		}
	}
	return found, m.grown
}

// candidates gives the sequences after one at which something selected may stand: of one literal subject only its own.
func (m *Memory) candidates(filters []string, after events.Sequence) iter.Seq[events.Sequence] {
	if len(filters) == 1 && literal(filters[0]) {
		stands := m.subjects[events.Subject(filters[0])]
		i, _ := slices.BinarySearch(stands, min(after, math.MaxUint64-1)+1)
		return slices.Values(stands[i:])
	}
	return func(yield func(events.Sequence) bool) {
		for i := min(after, events.Sequence(len(m.raws))); i < events.Sequence(len(m.raws)) && yield(i+1); i++ {
		}
	}
}

// Replay implements [Log].
func (m *Memory) Replay(ctx context.Context, q Query, fn func(events.Recorded) error) error {
	return m.Scan(ctx, q, decoding(m.reg, fn))
}

// Follow implements [Log].
func (m *Memory) Follow(ctx context.Context, q Query, fn func([]events.Recorded) error) error {
	filters, err := q.filters()
	if err != nil {
		return err
	}
	for after := q.After; ctx.Err() == nil; {
		raws, grown := m.selection(filters, after, 0, maxBatch)
		if len(raws) == 0 {
			select {
			case <-grown:
			case <-ctx.Done():
			}
			continue
		}
		batch, err := decodeAll(m.reg, raws)
		if err != nil {
			return err
		}
		if err := fn(batch); err != nil {
			return err
		}
		after = raws[len(raws)-1].Sequence
	}
	return nil
}

// Heads implements [Log].
func (m *Memory) Heads(_ context.Context, filter string) ([]Head, error) {
	filters, err := checkFilters([]string{filter})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var heads []Head
	for s := range maps.Keys(m.subjects) {
		if matchesAny(filters, s) {
			heads = append(heads, Head{Subject: s, Sequence: m.newestOf(s)})
		}
	}
	sortHeads(heads)
	return heads, nil
}

// Newest implements [Log].
func (m *Memory) Newest(context.Context) (events.Sequence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return events.Sequence(len(m.raws)), nil
}

// NewestOf implements [Log].
func (m *Memory) NewestOf(ctx context.Context, s events.Subject) (events.Sequence, error) {
	return m.Last(ctx, s)
}

// MemorySnapshots is Snapshots in this process's memory, for unit tests.
type MemorySnapshots struct {
	mu     sync.Mutex
	values map[string][]byte
}

// NewMemorySnapshots makes an empty store.
func NewMemorySnapshots() *MemorySnapshots { return &MemorySnapshots{values: map[string][]byte{}} }

// Get implements [Snapshots].
func (s *MemorySnapshots) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values[key]), nil
}

// Put implements [Snapshots].
func (s *MemorySnapshots) Put(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = slices.Clone(value)
	return nil
}
