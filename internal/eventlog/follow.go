package eventlog

import (
	"context"

	"slipway/events"
)

// Follow implements [Log].
func (j *JetStream) Follow(ctx context.Context, q Query, fn func([]events.Recorded) error) error {
	filters, err := q.filters()
	if err != nil {
		return err
	}
	c := j.cursor(filters, q.After)
	c.givesUp = false // a follower outlasts any restart of the server
	defer c.close(ctx)
	for {
		raws, err := c.batch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		batch, err := decodeAll(j.reg, raws)
		if err != nil {
			return err
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
}

// batch waits for a message and gives it with what else has arrived.
func (c *cursor) batch(ctx context.Context) ([]Raw, error) {
	first, err := c.next(ctx)
	if err != nil {
		return nil, err
	}
	batch := []Raw{first}
	for len(batch) < maxBatch {
		raw, ok := c.arrived()
		if !ok {
			break
		}
		batch = append(batch, raw)
	}
	return batch, nil
}
