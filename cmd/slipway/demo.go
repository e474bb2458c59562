package main

import (
	"context"
	"path/filepath"

	"slipway/internal/auth"
	"slipway/internal/cli"
	"slipway/internal/demo"
)

// Where `slipway serve` listens unless it is told otherwise.
const (
	defaultAPI  = "http://127.0.0.1:8080"
	defaultApps = "http://127.0.0.1:8081"
)

// Demo shows the main job.
type Demo struct {
	API       string `default:"http://127.0.0.1:8080" help:"URL of the API."`
	Apps      string `default:"http://127.0.0.1:8081" help:"URL of the router to the apps."`
	App       string `default:"hello" help:"Name of the app."`
	Data      string `default:"data" env:"SLIPWAY_DATA" help:"Data directory of the Slipway that runs: its own secret is there." type:"path"`
	Instances int    `default:"4" help:"Instances of the app."`
	Rollback  bool   `help:"Roll out a bad version instead, which a check of a real Prometheus catches."`
	Programs  string `default:"bin" help:"Directory with the program prometheus, for --rollback; scripts/prometheus puts it there." type:"path"`
}

// Run fails if a request failed, but for those that a bad version answered itself.
func (d Demo) Run(ctx context.Context, streams cli.Streams) error {
	secret, err := auth.ServiceSecret(filepath.Join(d.Data, "auth"))
	if err != nil {
		return err
	}
	c := demo.Config{API: d.API, Apps: d.Apps, Secret: secret, App: d.App, Instances: d.Instances}
	if d.Rollback {
		return demo.RunRollback(ctx, c, d.Programs, streams.Out)
	}
	return demo.Run(ctx, c, streams.Out)
}
