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
}

// Run fails if a request failed.
func (d Demo) Run(ctx context.Context, streams cli.Streams) error {
	secret, err := auth.ServiceSecret(filepath.Join(d.Data, "auth"))
	if err != nil {
		return err
	}
	return demo.Run(ctx, demo.Config{API: d.API, Apps: d.Apps, Secret: secret, App: d.App, Instances: d.Instances}, streams.Out)
}
