package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"golang.org/x/term"

	"slipway/internal/cli"
	"slipway/internal/client"
	"slipway/internal/watch"
	"slipway/projections"
)

// Watch follows a rollout, or a group of them.
type Watch struct {
	Remote
	Rollout string `arg:"" help:"Guid of the deployment or of the group, or name of an app: then its newest deployment."`
}

// Run ends with the rollout: well if it is deployed, or each of the group is.
func (w Watch) Run(ctx context.Context, streams cli.Streams) error {
	c, err := w.client()
	if err != nil {
		return err
	}
	groups, err := client.All[struct{ GUID string }](ctx, c, "/v3/deployment_groups", url.Values{"guids": {w.Rollout}})
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		return w.group(ctx, streams, c)
	}
	return w.single(ctx, streams, c)
}

func (w Watch) single(ctx context.Context, streams cli.Streams, c *client.Client) error {
	guid, err := Which{w.Remote, w.Rollout}.find(ctx, c)
	if err != nil {
		return err
	}
	end, err := watch.Follow(ctx, c, guid, w.view(streams))
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("nobody watches any more, and the rollout goes on: %s shows it again, %s takes it back", w.typed("watch "+guid), w.typed("cancel "+guid))
	case err != nil:
		return fmt.Errorf("%w (the rollout goes on without being watched)", err)
	case end.Status.Reason != projections.ReasonDeployed:
		return fmt.Errorf("deployment %s of %s ended as %s", guid, end.App, end.Words())
	}
	return nil
}

func (w Watch) group(ctx context.Context, streams cli.Streams, c *client.Client) error {
	end, err := watch.FollowGroup(ctx, c, w.Rollout, w.view(streams))
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("nobody watches any more, and the group goes on: %s shows it again", w.typed("watch "+w.Rollout))
	case err != nil:
		return fmt.Errorf("%w (the group goes on without being watched)", err)
	case !end.Deployed():
		return fmt.Errorf("group %s ended as %s", w.Rollout, end.Words())
	}
	return nil
}

// view is a block that is drawn in place on a terminal, and lines elsewhere.
func (w Watch) view(streams cli.Streams) interface {
	watch.View
	watch.GroupView
} {
	out, file := streams.Out.(*os.File)
	if !file || !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return &watch.Lines{Out: streams.Out, Command: w.typed, Now: time.Now}
	}
	return &watch.Screen{Out: out, Command: w.typed, Now: time.Now, Columns: func() int {
		columns, _, _ := term.GetSize(int(out.Fd())) // 0 where nobody knows
		return columns
	}}
}
