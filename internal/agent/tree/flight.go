package tree

import (
	"context"
	"os"

	"slipway/events"
)

// flight is one unpacking of a droplet, for all who ask for it meanwhile. It is nobody's of them: who began it may give up, and the
// others go on waiting for it. When nobody waits any more it is told to end, and who asks then begins another one at once: how
// long an end takes is not for them to wait.
type flight struct {
	riders int // who wait for it; guarded by the cache's mu
	cancel context.CancelFunc
	landed chan struct{} // closed at the end
	err    error         // of the unpacking; once landed
}

// board joins the flight of a droplet, or begins it. leave must be called.
func (c *Cache) board(ctx context.Context, id events.DropletID, dir string) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[id]
	if f == nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, landed: make(chan struct{})}
		c.flights[id] = f
		c.unpacking.Go(func() {
			defer close(f.landed)
			f.err = c.unpack(ctx, id, dir)
		})
	}
	f.riders++
	return f
}

// leave ends the flight where nobody is left on it.
func (c *Cache) leave(id events.DropletID, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.riders--; f.riders > 0 {
		return
	}
	f.cancel()
	delete(c.flights, id) // it is this one: another begins only when it has gone
}

// land puts a finished tree in its place. A flight that everybody has left puts none there: the one after it may be about to.
func (c *Cache) land(ctx context.Context, fresh, dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}

// Close waits until nothing is unpacked any more. Nobody may ask for a tree after it.
func (c *Cache) Close() { c.unpacking.Wait() }
