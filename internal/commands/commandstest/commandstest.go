// Package commandstest has what tests of the handler and of the doors need in place of read models and an object store.
package commandstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/policy"
)

// Finder finds by reading the whole log: slow and always right.
type Finder struct{ Log eventlog.Log }

func (f Finder) find(ctx context.Context, match func(events.Event) (events.AppID, bool)) (found events.AppID, err error) {
	err = f.Log.Replay(ctx, eventlog.Query{}, func(c events.Recorded) error {
		for _, e := range c.Events {
			if id, ok := match(e); ok {
				found = id
			}
		}
		return nil
	})
	if err == nil && found == "" {
		err = commands.ErrUnknown
	}
	return found, err
}

// AppOfDeployment implements [commands.Finder].
func (f Finder) AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error) {
	return f.find(ctx, func(e events.Event) (events.AppID, bool) {
		switch e := e.(type) {
		case events.DeploymentCreated:
			return e.App, e.Deployment == id
		case events.DeploymentApprovalRequested:
			return e.App, e.Deployment == id
		}
		return "", false
	})
}

// AppOfRevision implements [commands.Finder].
func (f Finder) AppOfRevision(ctx context.Context, id events.RevisionID) (events.AppID, error) {
	return f.find(ctx, func(e events.Event) (events.AppID, bool) {
		r, ok := e.(events.RevisionCreated)
		return r.App, ok && r.Revision == id
	})
}

// AppOfProcess implements [commands.Finder].
func (f Finder) AppOfProcess(ctx context.Context, id events.ProcessID) (events.AppID, error) {
	return f.find(ctx, func(e events.Event) (events.AppID, bool) {
		p, ok := e.(events.ProcessCreated)
		return p.App, ok && p.Process == id
	})
}

// LastDeployments implements [commands.Finder]: it knows of none.
func (f Finder) LastDeployments(context.Context, events.AppID, int) ([]policy.Past, error) {
	return nil, nil
}

// MetadataOfDeployment implements [commands.Finder].
func (f Finder) MetadataOfDeployment(ctx context.Context, id events.DeploymentID) (m events.Metadata, err error) {
	_, err = f.find(ctx, func(e events.Event) (events.AppID, bool) {
		switch e := e.(type) {
		case events.DeploymentCreated:
			if e.Deployment == id {
				m = e.Metadata
			}
			return e.App, e.Deployment == id
		case events.DeploymentMetadataSet:
			if e.Deployment == id {
				m = e.Metadata
			}
		}
		return "", false
	})
	return m, err
}

// Bits stores bits in memory.
type Bits struct {
	mu      sync.Mutex
	Objects map[string][]byte
	Refuse  error
}

// NewBits makes an empty store.
func NewBits() *Bits { return &Bits{Objects: map[string][]byte{}} }

// Put implements [commands.Bits].
func (b *Bits) Put(_ context.Context, name string, r io.Reader) (string, int64, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Objects[name] = data
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), int64(len(data)), nil
}

// Inspect implements [commands.Bits]: it refuses with Refuse, if that is set.
func (b *Bits) Inspect(context.Context, string) (map[string]string, error) {
	return nil, b.Refuse
}

// Delete implements [commands.Bits].
func (b *Bits) Delete(_ context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.Objects, name)
	return nil
}
