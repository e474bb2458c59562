package commands

import (
	"context"
	"log/slog"

	"slipway/aggregates/app"
	"slipway/aggregates/name"
	"slipway/events"
	"slipway/internal/eventlog"
)

// createApp claims the name, then creates the app. All that can be refused is refused before the claim; a crash after it
// leaves a claim that the same command finds its own, and any other takes over (docs/adr/0002).
func (h *Handler) createApp(ctx context.Context, c CreateApp, m eventlog.Meta) (Result, error) {
	if c.Space == "" {
		c.Space = events.DefaultSpace
	}
	organization, err := h.organizationOf(ctx, c.Space)
	if err != nil {
		return Result{}, err
	}
	create := app.Create{
		ID: events.AppID(events.DeriveID(m.CommandID, "app", 0)), Name: c.AppName, Space: c.Space,
		Organization: organization, Environment: c.Environment, Metadata: c.Metadata, Lifecycle: c.Lifecycle,
	}
	if err := refuseApp(create); err != nil {
		return Result{}, err
	}
	if err := h.claim(ctx, create, m); err != nil {
		return Result{}, err
	}
	result, err := h.onApp(ctx, create.ID, m, func(s app.State) ([]events.Event, error) { return app.CreateApp(s, create) })
	if err == nil && !c.NoRoute {
		result, err = h.routeByDefault(ctx, create, result, m)
	}
	if err != nil {
		return result, err
	}
	return h.settle(ctx, Home{organization, c.Space}, result, m)
}

func refuseApp(c app.Create) error {
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return err
	}
	_, err := app.CreateApp(app.State{}, c)
	return err
}

// claim takes the name for the app, asking what became of whoever holds it.
func (h *Handler) claim(ctx context.Context, c app.Create, m eventlog.Meta) error {
	m.CommandID = events.CommandID(events.DeriveID(m.CommandID, "claim", 0))
	_, err := h.names.Decide(ctx, nameID(c.Space, c.Name), m, func(s name.State) ([]events.Event, error) {
		holder, err := h.holder(ctx, s.App)
		if err != nil {
			return nil, err
		}
		return name.Take(s, name.Claim{Space: c.Space, Name: c.Name, App: c.ID, Now: m.Time, Holder: holder})
	})
	return err
}

func (h *Handler) holder(ctx context.Context, id events.AppID) (name.Holder, error) {
	agg, err := h.apps.Load(ctx, string(id))
	switch {
	case err != nil:
		return name.Absent, err
	case agg.State.Deleted:
		return name.Deleted, nil
	case agg.State.Exists():
		return name.Alive, nil
	}
	return name.Absent, nil
}

// deleteApp deletes the app, then frees its name. If the second append fails the name still counts as free, because its
// holder is gone; so its failure is only told.
func (h *Handler) deleteApp(ctx context.Context, c DeleteApp, m eventlog.Meta) (Result, error) {
	out, err := h.apps.Decide(ctx, string(c.App), m, app.DeleteApp)
	if err != nil {
		return Result{}, err
	}
	result := Result{Kind: KindApp, ID: string(c.App), App: c.App, Sequence: out.Position.Sequence, Duplicate: out.Duplicate}
	m.CommandID = events.CommandID(events.DeriveID(m.CommandID, "release", 0))
	s := out.State
	_, err = h.names.Decide(ctx, nameID(s.Space, s.Name), m, func(held name.State) ([]events.Event, error) {
		return name.Release(held, s.Space, s.Name, s.ID), nil
	})
	if err != nil {
		h.logger.LogAttrs(ctx, slog.LevelWarn, "name not released yet; the next claim on it heals this",
			slog.String("app", string(c.App)), slog.Any("err", err))
	}
	return h.abandonRoute(ctx, s, result, m), nil
}

// nameID is the id of a name's aggregate.
func nameID(space events.SpaceID, appName string) string {
	_, id, _ := events.NameSubject(space, appName).Split()
	return id
}

func (h *Handler) startApp(ctx context.Context, c StartApp, m eventlog.Meta) (Result, error) {
	return h.within(ctx, c.App, m, func(s app.State, q app.Quota) ([]events.Event, error) { return app.StartApp(s, m.CommandID, q, m.Time) })
}

func (h *Handler) stopApp(ctx context.Context, c StopApp, m eventlog.Meta) (Result, error) {
	return h.onApp(ctx, c.App, m, app.StopApp)
}

func (h *Handler) restartApp(ctx context.Context, c RestartApp, m eventlog.Meta) (Result, error) {
	return h.within(ctx, c.App, m, func(s app.State, q app.Quota) ([]events.Event, error) {
		return app.RestartApp(s, m.CommandID, q, m.Time)
	})
}

func (h *Handler) setEnvironment(ctx context.Context, c SetEnvironment, m eventlog.Meta) (Result, error) {
	return h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) { return app.SetEnvironment(s, c.Var) })
}
