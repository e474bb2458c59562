package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"slipway/aggregates/simulate"
	"slipway/events"
	"slipway/internal/cli"
	"slipway/internal/replay"
	"slipway/internal/service"
)

// Replay lets a past rollout happen once more.
type Replay struct {
	service.Connection
	Deployment string   `arg:"" help:"Guid of the deployment."`
	With       []string `help:"Other options, such as max_in_flight=10,strategy=canary,steps=20/50,breaker.crashes=2: keys are those of the API's options." placeholder:"KEY=VALUE,..."`
	Rows       int      `default:"40" help:"Most rows of the picture; 0 shows all."`
}

// Run prints what was, whether the rules would decide it again, and what the other options would have done.
func (r Replay) Run(ctx context.Context, streams cli.Streams) error {
	backbone, err := r.Dial(ctx, "replay", slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer backbone.Close()
	past, err := replay.Read(ctx, backbone.Log, backbone.Registry, events.DeploymentID(r.Deployment))
	if errors.Is(err, replay.ErrUnknown) {
		return fmt.Errorf("%w: its guid is in GET /v3/deployments and in slipway audit verify", err)
	}
	if err != nil {
		return err
	}
	proof, err := past.Prove()
	if err != nil {
		return fmt.Errorf("simulate it as it was: %w", err)
	}
	var other *simulate.Forecast
	if len(r.With) > 0 {
		ask, err := past.With(r.With)
		if err != nil {
			return err
		}
		f, err := past.Simulate(ask)
		if err != nil {
			return fmt.Errorf("simulate it with %s: %w", strings.Join(r.With, ","), err)
		}
		other = &f
	}
	return past.WriteText(streams.Out, proof, strings.Join(r.With, ","), other, r.Rows)
}
