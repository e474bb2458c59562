package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// Patience is how long an answer waits for the read models to show a command that has been carried out. They are usually
// milliseconds behind; whoever waits longer should be told rather than held.
const Patience = 5 * time.Second

// ErrBehind: the command was carried out, but the read models do not show it yet. Asking again with the same command id is
// safe.
var ErrBehind = errors.New("the read models are behind the event log")

// Reader reads resources that show what commands did.
type Reader struct {
	Store    *projections.Store
	Patience time.Duration // 0: [Patience]
	UserIDs  UserIDs       // nil: none is known
	// Secrets gives what deliveries to a subscription are signed with, by the generation of the secret; nil: they are not shown here.
	Secrets func(events.SubscriptionID, int) string
}

// Await waits until the read models hold the commit with this sequence. Errors: [ErrBehind]; ctx's, where it ended first.
func (r Reader) Await(ctx context.Context, seq events.Sequence) error {
	patience := r.Patience
	if patience == 0 {
		patience = Patience
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := r.Store.Wait(bounded, seq)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrBehind, err)
	}
	return err
}

// Load gives the resource that a command was about, as it is once the command shows in it. What it deleted has no
// resource: nil is given. Errors: [ErrBehind]; an *aggregates.RejectedError where the resource has gone meanwhile.
func (r Reader) Load(ctx context.Context, b Base, result commands.Result) (any, error) {
	if err := r.Await(ctx, result.Sequence); err != nil {
		return nil, err
	}
	shown, err := r.read(ctx, b, result)
	if errors.Is(err, projections.ErrNotFound) {
		if deletable(result.Kind) {
			return nil, nil
		}
		return nil, aggregates.NotFound(string(result.Kind))
	}
	return shown, err
}

func (r Reader) read(ctx context.Context, b Base, result commands.Result) (any, error) {
	switch result.Kind {
	case commands.KindApp:
		return present(b.App)(r.Store.App(ctx, events.AppID(result.ID)))
	case commands.KindProcess:
		return present(b.Process)(r.Store.Process(ctx, events.ProcessID(result.ID)))
	case commands.KindDroplet:
		return present(b.Droplet)(r.Store.Droplet(ctx, events.DropletID(result.ID)))
	case commands.KindPackage:
		return present(b.Package)(r.Store.Package(ctx, events.PackageID(result.ID)))
	case commands.KindBuild:
		return present(func(of projections.Build) Build { return b.Build(of, r.UserIDs) })(r.Store.Build(ctx, events.BuildID(result.ID)))
	case commands.KindRevision:
		return present(b.Revision)(r.Store.Revision(ctx, events.RevisionID(result.ID)))
	case commands.KindHalt:
		return present(func(h projections.Halt) Halt { return b.Halt(h, time.Now()) })(r.Store.Halt(ctx, events.HaltID(result.ID)))
	case commands.KindPolicy:
		return present(b.Policy)(r.Store.Policy(ctx, events.PolicyID(result.ID)))
	case commands.KindDeployment:
		return present(b.Deployment)(r.Store.Deployment(ctx, events.DeploymentID(result.ID)))
	}
	return r.readPlace(ctx, b, result)
}

func present[Row, Resource any](show func(Row) Resource) func(Row, error) (any, error) {
	return func(row Row, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return show(row), nil
	}
}

// Finder answers commands.Finder from the read models. An id they do not have is looked for again once they hold all that
// the log held when it was asked, so whatever was acknowledged before is found.
type Finder struct {
	Reader
	Log eventlog.Log
}

// AppOfDeployment implements commands.Finder. It fails with eventlog.ErrUnavailable where the read models stay behind.
func (f Finder) AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error) {
	return find(ctx, f, func() (events.AppID, error) { return f.Store.AppOfDeployment(ctx, id) })
}

// AppOfProcess implements commands.Finder.
func (f Finder) AppOfProcess(ctx context.Context, id events.ProcessID) (events.AppID, error) {
	return find(ctx, f, func() (events.AppID, error) {
		p, err := f.Store.Process(ctx, id)
		return p.App, err
	})
}

// AppOfRevision implements commands.Finder.
func (f Finder) AppOfRevision(ctx context.Context, id events.RevisionID) (events.AppID, error) {
	return find(ctx, f, func() (events.AppID, error) {
		r, err := f.Store.Revision(ctx, id)
		return r.App, err
	})
}

// CaughtUp implements manifest.Finder.
func (f Finder) CaughtUp(ctx context.Context) error {
	newest, err := f.Log.Newest(ctx)
	if err == nil {
		err = f.Await(ctx, newest)
	}
	if errors.Is(err, ErrBehind) { // which would say that something was carried out
		return fmt.Errorf("catch up: %w: %v", eventlog.ErrUnavailable, err)
	}
	return err
}

// AppByName implements manifest.Finder.
func (f Finder) AppByName(ctx context.Context, space events.SpaceID, name string) (events.AppID, error) {
	return find(ctx, f, func() (events.AppID, error) {
		a, err := f.Store.AppByName(ctx, space, name)
		return a.GUID, err
	})
}

// MetadataOfDeployment implements commands.Finder.
func (f Finder) MetadataOfDeployment(ctx context.Context, id events.DeploymentID) (events.Metadata, error) {
	if err := f.caughtUp(ctx); err != nil { // what is merged into must be the newest
		return events.Metadata{}, err
	}
	d, err := f.Store.Deployment(ctx, id)
	if errors.Is(err, projections.ErrNotFound) {
		err = commands.ErrUnknown
	}
	return d.Metadata, err
}

func find[V any](ctx context.Context, f Finder, look func() (V, error)) (found V, err error) {
	if found, err = look(); !errors.Is(err, projections.ErrNotFound) {
		return found, err
	}
	if err := f.caughtUp(ctx); err != nil {
		return found, err
	}
	if found, err = look(); errors.Is(err, projections.ErrNotFound) {
		err = commands.ErrUnknown
	}
	return found, err
}
