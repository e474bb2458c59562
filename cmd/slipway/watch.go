package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"slipway/internal/cli"
	"slipway/internal/watch"
	"slipway/projections"
)

// Watch follows a rollout.
type Watch struct{ Which }

// Run ends with the rollout: well if it is deployed.
func (w Watch) Run(ctx context.Context, streams cli.Streams) error {
	c, err := w.client()
	if err != nil {
		return err
	}
	guid, err := w.find(ctx, c)
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

// view is a block that is drawn in place on a terminal, and lines elsewhere.
func (w Watch) view(streams cli.Streams) watch.View {
	out, file := streams.Out.(*os.File)
	if !file || !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return &watch.Lines{Out: streams.Out, Command: w.typed, Now: time.Now}
	}
	return &watch.Screen{Out: out, Command: w.typed, Now: time.Now, Columns: func() int {
		columns, _, _ := term.GetSize(int(out.Fd())) // 0 where nobody knows
		return columns
	}}
}
