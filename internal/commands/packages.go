package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/pack"
	"slipway/events"
	"slipway/internal/agent/tree"
	"slipway/internal/eventlog"
	"slipway/internal/zips"
)

// The commands about packages.
type (
	// CreatePackage makes a package: of bits, which it waits for, or of an image, which makes it ready at once.
	CreatePackage struct {
		App      events.AppID    `json:"app"`
		Type     string          `json:"type"` // bits or docker
		Image    string          `json:"image,omitempty"`
		Metadata events.Metadata `json:"metadata,omitzero"`
	}
	// CreateBuild makes a droplet of a package.
	CreateBuild struct {
		Package  events.PackageID `json:"package"`
		Metadata events.Metadata  `json:"metadata,omitzero"`
	}
)

func (CreatePackage) Name() string { return "package.create" }
func (CreateBuild) Name() string   { return "build.create" }

// createPackage makes a package of an app that exists. One whose app is deleted meanwhile is harmless, as with a droplet.
func (h *Handler) createPackage(ctx context.Context, c CreatePackage, m eventlog.Meta) (Result, error) {
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return Result{}, err
	}
	owner, err := h.apps.Load(ctx, string(c.App))
	if err != nil {
		return Result{}, err
	}
	if !owner.State.Exists() {
		return Result{}, aggregates.Reject("App is invalid. Ensure it exists and you have access to it.")
	}
	create := pack.Create{
		ID: events.PackageID(events.DeriveID(m.CommandID, "package", 0)), App: c.App, Type: c.Type, Image: c.Image,
		Metadata: c.Metadata,
	}
	out, err := h.packages.Decide(ctx, string(create.ID), m, func(s pack.State) ([]events.Event, error) {
		return pack.CreatePackage(s, create)
	})
	return packageResult(out, err)
}

func packageResult(out eventlog.Outcome[pack.State], err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindPackage, ID: string(out.State.ID), App: out.State.App, Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
	}, nil
}

// createBuild begins a build; who stages it is told by its event (package staging).
func (h *Handler) createBuild(ctx context.Context, c CreateBuild, m eventlog.Meta) (Result, error) {
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return Result{}, err
	}
	of, err := h.packages.Load(ctx, string(c.Package))
	if err != nil {
		return Result{}, err
	}
	create := pack.CreateBuild{
		ID:      events.BuildID(events.DeriveID(m.CommandID, "build", 0)),
		Droplet: events.DropletID(events.DeriveID(m.CommandID, "droplet", 0)), Package: of.State, Metadata: c.Metadata,
	}
	out, err := h.builds.Decide(ctx, string(create.ID), m, func(b pack.Build) ([]events.Event, error) {
		return pack.BuildPackage(b, create)
	})
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindBuild, ID: string(create.ID), App: out.State.App, Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
	}, nil
}

// UploadPackage stores the zip of a package and makes it READY. As with a droplet, each upload has an object of its own. The
// zip goes through a file of this host first: its directory stands at its end, and what is refused shall not be stored.
func (h *Handler) UploadPackage(ctx context.Context, id events.PackageID, r io.Reader, by Caller) (Result, error) {
	m := h.meta(by)
	agg, err := h.packages.Load(ctx, string(id))
	if err != nil {
		return Result{}, err
	}
	if agg.Position.Handled(by.CommandID) {
		return packageResult(eventlog.Outcome[pack.State]{Aggregate: agg, Duplicate: true}, nil)
	}
	if err := pack.CheckUpload(agg.State); err != nil {
		return Result{}, err
	}
	file, err := spool(r)
	if err != nil {
		return Result{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	object := events.NewID()
	out, err := h.storePackage(ctx, id, object, file, m)
	if err != nil || out.State.Bits != object {
		h.discard(ctx, object)
	}
	return packageResult(out, err)
}

// spool writes an upload, which its sender bounds, into a file of this host that holds a zip that can be staged.
func spool(r io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "slipway-package-")
	if err != nil {
		return nil, fmt.Errorf("spool package: %w", err)
	}
	if err := fill(file, r); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

func fill(file *os.File, r io.Reader) error {
	size, err := io.Copy(file, r)
	if err != nil {
		return fmt.Errorf("spool package: %w", err)
	}
	if err := zips.Check(file, size, tree.DefaultLimits); errors.Is(err, zips.ErrRefused) {
		return aggregates.Reject("The zip cannot be used: %v", err)
	} else if err != nil {
		return fmt.Errorf("check package: %w", err)
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

func (h *Handler) storePackage(ctx context.Context, id events.PackageID, object string, zip io.Reader, m eventlog.Meta) (out eventlog.Outcome[pack.State], err error) {
	sum, size, err := h.bits.Put(ctx, object, zip)
	if err != nil {
		return out, fmt.Errorf("store package: %w", err)
	}
	return h.packages.Decide(ctx, string(id), m, func(s pack.State) ([]events.Event, error) {
		return pack.Store(s, pack.Upload{Bits: object, SHA256: sum, SizeBytes: size})
	})
}

// Packages is the repository of packages.
func Packages(log eventlog.Log) *eventlog.Repository[pack.State] {
	return eventlog.NewRepository(log, events.AggregatePackage, pack.Evolve, nil, 0)
}

// Builds is the repository of builds, for whoever stages them.
func Builds(log eventlog.Log) *eventlog.Repository[pack.Build] {
	return eventlog.NewRepository(log, events.AggregateBuild, pack.EvolveBuild, nil, 0)
}
