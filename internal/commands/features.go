package commands

import (
	"context"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// SetFeature switches a feature of an app: revisions.
type SetFeature struct {
	App     events.AppID `json:"app"`
	Feature string       `json:"feature"`
	Enabled bool         `json:"enabled"`
}

// Name implements [Command].
func (SetFeature) Name() string { return "app.set-feature" }

func (h *Handler) setFeature(ctx context.Context, c SetFeature, m eventlog.Meta) (Result, error) {
	return h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) { return app.SetFeature(s, c.Feature, c.Enabled) })
}
