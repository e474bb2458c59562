package commands

import (
	"context"
	"errors"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

func (h *Handler) createDeployment(ctx context.Context, c CreateDeployment, m eventlog.Meta) (Result, error) {
	create := app.CreateDeployment{ID: m.CommandID, Strategy: c.Strategy, Options: c.Options.events(), Metadata: c.Metadata}
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return Result{}, err
	}
	if c.Droplet != "" {
		d, err := h.droplet(ctx, c.Droplet)
		if err != nil {
			return Result{}, err
		}
		create.Droplet = &d
	}
	result, err := h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) { return app.DeployApp(s, create) })
	result.Kind, result.ID = KindDeployment, string(create.DeploymentID())
	return result, err
}

func (h *Handler) cancelDeployment(ctx context.Context, c CancelDeployment, m eventlog.Meta) (Result, error) {
	owner, err := h.finder.AppOfDeployment(ctx, c.Deployment)
	if err != nil {
		return Result{}, notFound(err, KindDeployment)
	}
	result, err := h.onApp(ctx, owner, m, func(s app.State) ([]events.Event, error) { return app.CancelDeployment(s, c.Deployment) })
	result.Kind, result.ID = KindDeployment, string(c.Deployment)
	return result, err
}

func (h *Handler) scaleProcess(ctx context.Context, c ScaleProcess, m eventlog.Meta) (Result, error) {
	scale := app.Scale{Instances: c.Instances, MemoryMB: c.MemoryMB, DiskMB: c.DiskMB, LogRate: c.LogRate}
	return h.onProcess(ctx, c.Process, c.App, c.Type, m, func(s app.State, p events.ProcessID) ([]events.Event, error) {
		scale.Process = p
		return app.ScaleProcess(s, scale)
	})
}

func (h *Handler) updateProcess(ctx context.Context, c UpdateProcess, m eventlog.Meta) (Result, error) {
	return h.onProcess(ctx, c.Process, "", "", m, func(s app.State, p events.ProcessID) ([]events.Event, error) {
		return app.UpdateProcess(s, app.Update{Process: p, Command: c.Command, HealthCheck: c.HealthCheck})
	})
}

// onProcess decides about a process that is named by its id, or by its app and type: the newest of the type then.
func (h *Handler) onProcess(ctx context.Context, id events.ProcessID, owner events.AppID, processType string, m eventlog.Meta,
	decide func(app.State, events.ProcessID) ([]events.Event, error),
) (Result, error) {
	if id != "" {
		found, err := h.finder.AppOfProcess(ctx, id)
		if err != nil {
			return Result{}, notFound(err, KindProcess)
		}
		owner = found
	}
	out, err := h.apps.Decide(ctx, string(owner), m, func(s app.State) ([]events.Event, error) {
		return decide(s, target(s, id, processType))
	})
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindProcess, ID: string(target(out.State, id, processType)), App: owner,
		Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
	}, nil
}

// target is the process meant: the one named, or the newest of the type; empty where there is none.
func target(s app.State, id events.ProcessID, processType string) events.ProcessID {
	if id != "" {
		return id
	}
	newest, _ := s.ProcessOfType(processType)
	return newest.ID
}

// notFound turns a Finder's answer into a refusal.
func notFound(err error, kind Kind) error {
	if errors.Is(err, ErrUnknown) {
		return aggregates.NotFound(string(kind))
	}
	return err
}
