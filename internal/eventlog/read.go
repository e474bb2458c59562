package eventlog

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// Last implements [Log]. It asks any server that has the stream, and the leader where that one knows of nothing: it may
// lag behind, and "there is none" must not be said of what was just created.
func (j *JetStream) Last(ctx context.Context, s events.Subject) (last events.Sequence, err error) {
	err = j.persist(ctx, "last of "+string(s), func(ctx context.Context) error {
		raw, err := j.directLast(ctx, s)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			err = nil
			if j.replicated {
				raw, _, err = j.leaderGet(ctx, getRequest{LastBySubject: string(s)})
			}
		}
		last = raw.Sequence
		return err
	})
	return last, err
}

// Newest implements [Log].
func (j *JetStream) Newest(ctx context.Context) (events.Sequence, error) {
	return j.newestOf(ctx, []string{events.AllSubjects})
}

// NewestOf implements [Log].
func (j *JetStream) NewestOf(ctx context.Context, s events.Subject) (events.Sequence, error) {
	return j.newestOf(ctx, []string{string(s)})
}

// newestOf gives the sequence of the newest message that any of the filters selects, as the leader knows it.
func (j *JetStream) newestOf(ctx context.Context, filters []string) (newest events.Sequence, err error) {
	for _, filter := range filters {
		err := j.persist(ctx, "newest of "+filter, func(ctx context.Context) error {
			raw, _, err := j.leaderGet(ctx, getRequest{LastBySubject: filter})
			newest = max(newest, raw.Sequence)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return newest, nil
}

// Read implements [Log].
func (j *JetStream) Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error {
	return j.readRaw(ctx, s, after, until, decoding(j.reg, fn))
}

// readRaw reads one literal subject without a consumer.
func (j *JetStream) readRaw(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(Raw) error) error {
	if until == 0 {
		until = math.MaxUint64
	}
	var found []Raw
	var walked bool
	err := j.persist(ctx, "read "+string(s), func(ctx context.Context) (err error) {
		found, walked, err = j.walkBack(ctx, s, after, until)
		return err
	})
	if err != nil {
		return err
	}
	if !walked {
		return j.readForward(ctx, s, after, until, fn)
	}
	for _, raw := range found {
		if err := fn(raw); err != nil {
			return err
		}
	}
	return nil
}

// readForward reads batch after batch.
func (j *JetStream) readForward(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(Raw) error) error {
	for more := true; more && after < until; {
		batch, err := j.nextBatch(ctx, s, after, &more)
		if err != nil {
			return err
		}
		for _, raw := range batch {
			if raw.Sequence > until {
				return nil
			}
			if err := fn(raw); err != nil {
				return err
			}
			after = raw.Sequence
		}
	}
	return nil
}

// nextBatch reads what follows after. Where a lagging server may not know the subject yet, the leader is asked for its
// first commit.
func (j *JetStream) nextBatch(ctx context.Context, s events.Subject, after events.Sequence, more *bool) (batch []Raw, err error) {
	from := after + 1
	if after == 0 {
		from = 0 // without a sequence the server goes straight to the subject's first message
	}
	err = j.persist(ctx, "read "+string(s), func(ctx context.Context) error {
		batch, *more, err = j.directBatch(ctx, s, from)
		if err != nil || len(batch) > 0 || after > 0 || !j.replicated {
			return err
		}
		raw, found, err := j.leaderGet(ctx, getRequest{NextBySubject: string(s)})
		if found {
			batch, *more = []Raw{raw}, true
		}
		return err
	})
	return batch, err
}

// Scan implements [Log].
func (j *JetStream) Scan(ctx context.Context, q Query, fn func(Raw) error) error {
	filters, err := q.filters()
	if err != nil {
		return err
	}
	if len(filters) == 1 && literal(filters[0]) {
		return j.readRaw(ctx, events.Subject(filters[0]), q.After, q.Until, fn)
	}
	end, err := j.newestOf(ctx, filters)
	if err != nil {
		return err
	}
	until := end
	if q.Until > 0 {
		until = min(q.Until, end)
	}
	if q.After >= until {
		return nil
	}
	c := j.cursor(filters, q.After)
	defer c.close(ctx)
	// The message at end is there and selected, so one at or beyond until is sure to come: the scan ends, whatever else
	// stands at the tail of the stream.
	for {
		raw, err := c.next(ctx)
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		if raw.Sequence > until {
			return nil
		}
		if err := fn(raw); err != nil {
			return err
		}
		if raw.Sequence == until || raw.Sequence == end {
			return nil
		}
	}
}

// Replay implements [Log].
func (j *JetStream) Replay(ctx context.Context, q Query, fn func(events.Recorded) error) error {
	return j.Scan(ctx, q, decoding(j.reg, fn))
}

// maxHeadsRestarts bounds how often a listing that was interrupted starts over.
const maxHeadsRestarts = 5

// Heads implements [Log]. It cannot go on where it broke off, since meanwhile a subject's newest commit may be another:
// it starts over.
func (j *JetStream) Heads(ctx context.Context, filter string) ([]Head, error) {
	filters, err := checkFilters([]string{filter})
	if err != nil {
		return nil, err
	}
	for range maxHeadsRestarts {
		heads, whole, err := j.heads(ctx, filters)
		if err != nil || whole {
			return heads, err
		}
	}
	return nil, unavailable("heads of "+filter, fmt.Errorf("interrupted %d times", maxHeadsRestarts))
}

// heads lists once. whole is false where it was interrupted.
func (j *JetStream) heads(ctx context.Context, filters []string) (heads []Head, whole bool, err error) {
	end, err := j.newestOf(ctx, filters)
	if err != nil || end == 0 {
		return nil, err == nil, err
	}
	c := j.cursor(filters, 0)
	c.headsOnly = true
	defer c.close(ctx)
	// A server that lags behind may send a subject's commit and then a newer one that it has just learned of.
	newest := map[events.Subject]events.Sequence{}
	for last := events.Sequence(0); last < end; {
		raw, err := c.next(ctx)
		if err != nil {
			return nil, false, fmt.Errorf("heads: %w", err)
		}
		if c.sessions > 1 {
			return nil, false, nil
		}
		if last = raw.Sequence; last <= end {
			newest[raw.Subject] = last
		}
	}
	for s, seq := range newest {
		heads = append(heads, Head{Subject: s, Sequence: seq})
	}
	sortHeads(heads)
	return heads, true, nil
}
