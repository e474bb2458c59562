package commands

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/droplet"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/policy"
)

// createDroplet makes a droplet of an app that exists. A droplet whose app is deleted meanwhile is harmless: nothing can be
// deployed to it.
func (h *Handler) createDroplet(ctx context.Context, c CreateDroplet, m eventlog.Meta) (Result, error) {
	owner, err := h.apps.Load(ctx, string(c.App))
	if err != nil {
		return Result{}, err
	}
	if !owner.State.Exists() {
		return Result{}, aggregates.Reject("App with guid %q does not exist, or you do not have access to it.", string(c.App))
	}
	id := events.DropletID(events.DeriveID(m.CommandID, "droplet", 0))
	out, err := h.droplets.Decide(ctx, string(id), m, func(s droplet.State) ([]events.Event, error) {
		return droplet.Create(s, id, c.App, c.ProcessTypes)
	})
	return dropletResult(out, err)
}

func dropletResult(out eventlog.Outcome[droplet.State], err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindDroplet, ID: string(out.State.ID), App: out.State.App, Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
	}, nil
}

// UploadDroplet stores the bits of a droplet and makes it STAGED. Each upload has an object of its own, named by the
// event that makes it count: a crash or a second upload at the same time can leave an object nobody names, never
// change bits that are deployed.
func (h *Handler) UploadDroplet(ctx context.Context, id events.DropletID, r io.Reader, by Caller) (Result, error) {
	m := h.meta(by)
	agg, err := h.droplets.Load(ctx, string(id))
	if err != nil {
		return Result{}, err
	}
	if agg.Position.Handled(by.CommandID) {
		return dropletResult(eventlog.Outcome[droplet.State]{Aggregate: agg, Duplicate: true}, nil)
	}
	if err := droplet.CheckUpload(agg.State); err != nil {
		return Result{}, err
	}
	object := events.NewID()
	out, err := h.upload(ctx, agg.State, object, r, m)
	if err != nil || out.State.Bits != object {
		h.discard(ctx, object)
	}
	return dropletResult(out, err)
}

func (h *Handler) upload(ctx context.Context, d droplet.State, object string, r io.Reader, m eventlog.Meta) (out eventlog.Outcome[droplet.State], err error) {
	sum, size, err := h.bits.Put(ctx, object, r)
	if err != nil {
		return out, fmt.Errorf("store bits: %w", err)
	}
	types, err := h.bits.Inspect(ctx, object)
	if err != nil {
		return out, fmt.Errorf("inspect bits: %w", err)
	}
	return h.droplets.Decide(ctx, string(d.ID), m, func(s droplet.State) ([]events.Event, error) {
		return droplet.Store(s, droplet.Upload{Bits: object, SHA256: sum, SizeBytes: size, ProcessTypes: types})
	})
}

// discard removes an object that no event names. It outlives the request's own end.
func (h *Handler) discard(ctx context.Context, object string) {
	if err := h.bits.Delete(context.WithoutCancel(ctx), object); err != nil {
		h.logger.LogAttrs(ctx, slog.LevelWarn, "bits that nobody names are left in the object store",
			slog.String("object", object), slog.Any("err", err))
	}
}

// assignDroplet asks for halts and the policies as about a deployment, since it brings a new version too.
func (h *Handler) assignDroplet(ctx context.Context, c AssignDroplet, by Caller, m eventlog.Meta) (Result, error) {
	d, err := h.droplet(ctx, c.Droplet)
	if err != nil {
		return Result{}, err
	}
	like := app.CreateDeployment{Strategy: policy.StrategyRecreate, Droplet: &d, Now: m.Time, By: m.Actor, Automation: by.Automation}
	return h.onApp(ctx, c.App, m, func(s app.State) (_ []events.Event, err error) {
		assign := app.Assignment{ID: m.CommandID, Droplet: d, Automation: by.Automation, Now: m.Time}
		if s.Exists() && s.Replaces(d.ID) {
			if assign.Halt, err = h.halts.For(ctx, s.Organization, s.Space, m.Time); err != nil {
				return nil, err
			}
			if assign.Judgement, err = h.judge(ctx, CreateDeployment{}, s, like, by); err != nil {
				return nil, err
			}
		}
		return app.AssignDroplet(s, assign)
	})
}

// droplet loads the facts of a droplet that a decision about an app needs. They never change once it is STAGED, so they
// cannot be out of date in a way that matters.
func (h *Handler) droplet(ctx context.Context, id events.DropletID) (app.Droplet, error) {
	agg, err := h.droplets.Load(ctx, string(id))
	if err != nil {
		return app.Droplet{}, err
	}
	s := agg.State
	return app.Droplet{ID: s.ID, App: s.App, Staged: s.Staged, ProcessTypes: s.ProcessTypes}, nil
}
