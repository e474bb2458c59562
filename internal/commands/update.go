package commands

import (
	"context"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

type (
	// UpdateApp changes an app's labels and annotations.
	UpdateApp struct {
		App      events.AppID             `json:"app"`
		Metadata aggregates.MetadataPatch `json:"metadata,omitzero"`
	}
	// CreateProcess gives an app a process of a type that no droplet has named yet.
	CreateProcess struct {
		App  events.AppID `json:"app"`
		Type string       `json:"type"`
	}
)

// Name implements [Command].
func (UpdateApp) Name() string { return "app.update" }

// Name implements [Command].
func (CreateProcess) Name() string { return "process.create" }

func (h *Handler) updateApp(ctx context.Context, c UpdateApp, m eventlog.Meta) (Result, error) {
	return h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) { return app.UpdateApp(s, c.Metadata) })
}

func (h *Handler) createProcess(ctx context.Context, c CreateProcess, m eventlog.Meta) (Result, error) {
	return h.onProcess(ctx, "", c.App, c.Type, m, func(s app.State, _ events.ProcessID) ([]events.Event, error) {
		return app.CreateProcess(s, m.CommandID, c.Type)
	})
}
