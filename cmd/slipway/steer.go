package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/alecthomas/kong"

	"slipway/internal/cli"
	"slipway/internal/client"
)

// Which names a deployment.
type Which struct {
	Remote
	Deployment string `arg:"" help:"Guid of the deployment, or name of an app: then its newest one."`
}

// find gives the guid of the deployment.
func (w Which) find(ctx context.Context, c *client.Client) (guid string, err error) {
	type named struct{ GUID string }
	found, err := client.All[named](ctx, c, "/v3/deployments", url.Values{"guids": {w.Deployment}})
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return found[0].GUID, nil
	}
	app, err := find(ctx, c, w.Deployment)
	if err != nil {
		return "", err
	}
	var newest struct{ Resources []named }
	query := url.Values{"app_guids": {app}, "order_by": {"-created_at"}, "per_page": {"1"}}
	if err := c.Call(ctx, http.MethodGet, "/v3/deployments?"+query.Encode(), nil, &newest); err != nil {
		return "", err
	}
	if len(newest.Resources) == 0 {
		return "", fmt.Errorf("%s is no deployment, and no app that has one: %s/v3/deployments lists them", w.Deployment, c.Base)
	}
	return newest.Resources[0].GUID, nil
}

// act asks something of the deployment: what, as the API's path has it.
func (w Which) act(ctx context.Context, streams cli.Streams, what string, body map[string]any) error {
	c, err := w.client()
	if err != nil {
		return err
	}
	guid, err := w.find(ctx, c)
	if err != nil {
		return err
	}
	if err := c.Call(ctx, http.MethodPost, "/v3/deployments/"+guid+"/actions/"+what, body, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(streams.Out, "%s %s: done. To see what follows:\n\n  %s\n", what, guid, w.typed("watch "+guid))
	return err
}

// Steer asks something of a rollout: the command's name says what.
type Steer struct {
	Which
	Step int `help:"Only if it is at this step: so that two people who see the same pause pass one." placeholder:"N"`
}

// Run asks for it.
func (s Steer) Run(ctx context.Context, chosen *kong.Context, streams cli.Streams) error {
	body := map[string]any{}
	if s.Step != 0 {
		body["expected_step"] = s.Step
	}
	return s.act(ctx, streams, chosen.Selected().Name, body)
}

// Start begins a rollout that is approved.
type Start struct{ Which }

// Run begins it.
func (s Start) Run(ctx context.Context, streams cli.Streams) error {
	return s.act(ctx, streams, "start", map[string]any{})
}

// Answer is a person's word on a rollout that waits for it: the command's name says which.
type Answer struct {
	Which
	Comment string `help:"Why; it stays in the history."`
}

// Run gives it.
func (a Answer) Run(ctx context.Context, chosen *kong.Context, streams cli.Streams) error {
	return a.act(ctx, streams, chosen.Selected().Name, map[string]any{"comment": a.Comment})
}
