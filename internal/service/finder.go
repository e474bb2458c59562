package service

import (
	"context"
	"errors"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// finder looks ids up in the read models. Before it says that there is no such thing it lets them catch up with the log, so
// what was just created, through whatever door, is found.
type finder struct {
	log   eventlog.Log
	store *projections.Store
}

// AppOfDeployment implements [commands.Finder].
func (f finder) AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error) {
	return f.find(ctx, func() (events.AppID, error) { return f.store.AppOfDeployment(ctx, id) })
}

// AppOfProcess implements [commands.Finder].
func (f finder) AppOfProcess(ctx context.Context, id events.ProcessID) (events.AppID, error) {
	return f.find(ctx, func() (events.AppID, error) {
		p, err := f.store.Process(ctx, id)
		return p.App, err
	})
}

func (f finder) find(ctx context.Context, look func() (events.AppID, error)) (events.AppID, error) {
	found, err := look()
	if !errors.Is(err, projections.ErrNotFound) {
		return found, err
	}
	newest, err := f.log.Newest(ctx)
	if err != nil {
		return "", err
	}
	if err := f.store.Wait(ctx, newest); err != nil {
		return "", err
	}
	if found, err = look(); errors.Is(err, projections.ErrNotFound) {
		err = commands.ErrUnknown
	}
	return found, err
}
