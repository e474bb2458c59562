package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"slipway/aggregates"
	"slipway/aggregates/droplet"
	"slipway/events"
	"slipway/internal/agent/tree"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
)

// maxProcfile bounds the Procfile that is read, in bytes.
const maxProcfile = 64 << 10

// bits is the droplet store as the commands see it: it also looks into what it stores.
type bits struct{ droplets.Store }

// Put implements [commands.Bits].
func (b bits) Put(ctx context.Context, name string, r io.Reader) (sha256 string, size int64, err error) {
	sha256, size, err = b.Store.Put(ctx, name, r)
	if errors.Is(err, droplets.ErrTooLarge) {
		err = aggregates.Reject("Droplet bits are too large: %v", err)
	}
	return sha256, size, err
}

// Inspect implements [commands.Bits] by unpacking the bits as an agent will, into a directory that goes afterwards.
func (b bits) Inspect(ctx context.Context, name string) (processTypes map[string]string, err error) {
	r, err := b.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	dir, err := os.MkdirTemp("", "slipway-droplet-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := tree.Unpack(ctx, r, root, tree.DefaultLimits); err != nil {
		if errors.Is(err, tree.ErrRefused) {
			return nil, aggregates.Reject("Droplet bits cannot be unpacked: %v", err)
		}
		return nil, err
	}
	return procfile(root)
}

// procfileLine is "type: command".
var procfileLine = regexp.MustCompile(`^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$`)

// procfile reads the process types that a Procfile at the top of the tree names; none where there is no such file.
func procfile(root *os.Root) (map[string]string, error) {
	file, err := root.Open("Procfile")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, aggregates.Reject("Procfile cannot be read: %v", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxProcfile+1))
	if err != nil || len(text) > maxProcfile {
		return nil, aggregates.Reject("Procfile must be a file of at most %d bytes", maxProcfile)
	}
	types := map[string]string{}
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		match := procfileLine.FindStringSubmatch(line)
		if match == nil {
			return nil, aggregates.Reject("Procfile line %d is not 'type: command'", n+1)
		}
		types[match[1]] = match[2]
	}
	return types, nil
}

// dropletBits opens the bits of a droplet for an agent: the droplet's own history says which object they are.
type dropletBits struct {
	store    droplets.Store
	droplets *eventlog.Repository[droplet.State]
}

// Open implements the agent's Bits.
func (b dropletBits) Open(ctx context.Context, id events.DropletID) (io.ReadCloser, error) {
	agg, err := b.droplets.Load(ctx, string(id))
	if err != nil {
		return nil, err
	}
	if agg.State.Image != "" {
		return nil, fmt.Errorf("it is the docker image %s; driver exec runs bits only", agg.State.Image)
	}
	if !agg.State.Staged {
		return nil, fmt.Errorf("droplet %s has no bits: %w", id, fs.ErrNotExist)
	}
	r, err := b.store.Get(ctx, agg.State.Bits)
	if errors.Is(err, droplets.ErrNotFound) {
		err = fmt.Errorf("bits of droplet %s: %w", id, fs.ErrNotExist)
	}
	return r, err
}
