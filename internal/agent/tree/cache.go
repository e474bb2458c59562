package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/events"
)

// Bits gives a droplet's .tgz. The error wraps fs.ErrNotExist where there is none. When ctx ends, opening fails and so does reading
// what was opened.
type Bits interface {
	Open(ctx context.Context, id events.DropletID) (io.ReadCloser, error)
}

// keptTrees is how many droplets that nobody is starting from stay unpacked: the versions one goes back and forth between.
const keptTrees = 16

// unfinished marks the directory of a tree that is being unpacked. No droplet id begins so.
const unfinished = ".new-"

// Cache keeps unpacked droplets, each in a directory of its id.
type Cache struct {
	dir       string
	bits      Bits
	limits    Limits
	log       *slog.Logger
	unpacking sync.WaitGroup

	mu      sync.Mutex
	users   map[events.DropletID]int // who hold a tree now
	used    map[events.DropletID]time.Time
	flights map[events.DropletID]*flight // trees that somebody waits for
}

// Open makes a cache in dir and removes what an earlier life left unfinished.
func Open(dir string, bits Bits, l Limits, log *slog.Logger) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("droplet cache: %w", err)
	}
	c := &Cache{
		dir: dir, bits: bits, limits: l, log: log,
		users: map[events.DropletID]int{}, used: map[events.DropletID]time.Time{}, flights: map[events.DropletID]*flight{},
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("droplet cache: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
			continue
		}
		c.used[events.DropletID(e.Name())] = time.Time{} // known to be there, last to be kept
	}
	return c, err
}

// Use gives the directory of a droplet, unpacked, and a function to call when it is no longer read. Nobody may write
// into it.
func (c *Cache) Use(ctx context.Context, id events.DropletID) (dir string, done func(), err error) {
	if !events.ValidID(string(id)) {
		return "", nil, fmt.Errorf("droplet %q: %w", id, fs.ErrNotExist)
	}
	c.hold(id, 1)
	dir = filepath.Join(c.dir, string(id))
	if err := c.ensure(ctx, id, dir); err != nil {
		c.hold(id, -1)
		return "", nil, fmt.Errorf("droplet %s: %w", id, err)
	}
	return dir, sync.OnceFunc(func() { c.hold(id, -1) }), nil
}

// ensure unpacks the droplet where it is not yet.
func (c *Cache) ensure(ctx context.Context, id events.DropletID, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	f := c.board(ctx, id, dir)
	defer c.leave(id, f)
	select {
	case <-f.landed:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Cache) unpack(ctx context.Context, id events.DropletID, dir string) (err error) {
	if _, err := os.Stat(dir); err == nil {
		return nil // by the flight before this one
	}
	began := time.Now()
	bits, err := c.bits.Open(ctx, id)
	if err != nil {
		return err
	}
	defer bits.Close()
	fresh, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(fresh))
		}
	}()
	if err := unpackInto(ctx, bits, fresh, c.limits); err != nil {
		return err
	}
	if err := c.land(ctx, fresh, dir); err != nil {
		return err
	}
	c.log.Info("droplet unpacked", "droplet", id, "took", time.Since(began))
	return nil
}

func unpackInto(ctx context.Context, bits io.Reader, dir string, l Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Chmod(".", modeDir); err != nil {
		return err
	}
	return Unpack(ctx, bits, root, l)
}

// hold counts users of a tree, and makes room when one is let go.
func (c *Cache) hold(id events.DropletID, change int) {
	c.mu.Lock()
	c.users[id] += change
	c.used[id] = time.Now()
	var doomed []string
	if c.users[id] == 0 {
		delete(c.users, id)
		doomed = c.evict()
	}
	c.mu.Unlock()
	for _, dir := range doomed {
		if err := os.RemoveAll(dir); err != nil {
			c.log.Warn("droplet not removed", "dir", dir, "err", err)
		}
	}
}

// evict puts aside the trees that were used longest ago, but for the newest few. They are renamed, so that one that is
// half removed is never taken for whole.
func (c *Cache) evict() (doomed []string) {
	var idle []events.DropletID
	for id := range c.used {
		if c.users[id] == 0 {
			idle = append(idle, id)
		}
	}
	slices.SortFunc(idle, func(a, b events.DropletID) int {
		return cmp.Or(c.used[b].Compare(c.used[a]), cmp.Compare(a, b))
	})
	for _, id := range idle[min(len(idle), keptTrees):] {
		delete(c.used, id)
		aside := filepath.Join(c.dir, unfinished+string(id))
		if err := os.Rename(filepath.Join(c.dir, string(id)), aside); err == nil {
			doomed = append(doomed, aside)
		} else if !errors.Is(err, fs.ErrNotExist) { // it was never unpacked
			c.log.Warn("droplet not removed", "droplet", id, "err", err)
		}
	}
	return doomed
}
