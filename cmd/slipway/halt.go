package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"slipway/internal/cli"
	"slipway/internal/client"
	"slipway/internal/resource"
	"slipway/internal/watch"
	"slipway/projections"
)

const (
	// settled bounds how long a command waits until all rollouts show that they stand still, or go on: they do in a moment.
	settled = 10 * time.Second
	// look is how often it looks.
	look = 50 * time.Millisecond
)

// Halt lets all rollouts in a place stand still.
type Halt struct {
	Remote
	Reason       string        `arg:"" help:"Why; everybody whose rollout stands still reads it."`
	For          time.Duration `help:"How long; without it until somebody lifts it." placeholder:"1h"`
	Space        string        `xor:"place" help:"Name or guid of a space; only there."`
	Organization string        `xor:"place" help:"Name or guid of an organization; only there."`
}

// Run prints what stands still, and how it goes on.
func (h Halt) Run(ctx context.Context, streams cli.Streams) error {
	c, err := h.client()
	if err != nil {
		return err
	}
	body, apps, where, err := h.body(ctx, c)
	if err != nil {
		return err
	}
	var halt resource.Halt
	if err := c.Call(ctx, http.MethodPost, "/v3/halts", body, &halt); err != nil {
		return err
	}
	until := "until somebody lifts it"
	if halt.Until != nil {
		until = "until " + time.Time(*halt.Until).UTC().Format(resource.TimeLayout)
	}
	fmt.Fprintf(streams.Out, "Halted %s %s: %s\n", where, until, halt.Reason)
	lift := h.typed("lift " + halt.GUID)
	reader := watch.Reader{API: c}
	all, err := settle(ctx, func() ([]watch.Rollout, error) { return reader.Read(ctx, active, apps) },
		func(r watch.Rollout) bool { return halted(r) || !r.Moves() })
	if err != nil {
		return fmt.Errorf("it is halted (%s lifts it), but what stands still cannot be told: %w", lift, err)
	}
	list(streams.Out, "Standing still (%d)", all, watch.Rollout.Far, halted)
	list(streams.Out, "Going on, back to the version before, which is the safe way (%d)", all, watch.Rollout.Far, watch.Rollout.Returns)
	list(streams.Out, "Not standing still yet; slipway watch shows when (%d)", all, watch.Rollout.Far, func(r watch.Rollout) bool {
		return r.Moves() && !halted(r)
	})
	_, err = fmt.Fprintf(streams.Out, "\nNo rollout begins there. To let all go on:\n\n  %s\n", lift)
	return err
}

func halted(r watch.Rollout) bool { return r.Status.Halt != nil }

// active selects the deployments that are not over.
var active = url.Values{"status_values": {projections.StatusActive}}

// body is the halt in the form of the API; apps selects the apps where it holds.
func (h Halt) body(ctx context.Context, c *client.Client) (body map[string]any, apps url.Values, where string, err error) {
	body = map[string]any{"reason": h.Reason}
	if h.For != 0 {
		if h.For < time.Second {
			return nil, nil, "", fmt.Errorf("--for %v: want at least a second", h.For)
		}
		body["duration_in_seconds"] = int(h.For.Seconds())
	}
	kind, name := "space", h.Space
	if h.Organization != "" {
		kind, name = "organization", h.Organization
	}
	if name == "" {
		return body, nil, "everywhere", nil
	}
	guid, err := place(ctx, c, kind, name)
	if err != nil {
		return nil, nil, "", err
	}
	body["relationships"] = map[string]any{kind: to(guid)}
	return body, url.Values{kind + "_guids": {guid}}, "in " + kind + " " + name, nil
}

// settle looks until all rollouts are as they are to be, for a while, and gives how they are.
func settle(ctx context.Context, read func() ([]watch.Rollout, error), so func(watch.Rollout) bool) ([]watch.Rollout, error) {
	late := time.NewTimer(settled)
	defer late.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		all, err := read()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(r watch.Rollout) bool { return !so(r) }) {
			return all, nil
		}
		select {
		case <-tick.C:
		case <-late.C:
			return all, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// mostListed bounds how many rollouts are listed.
const mostListed = 50

// list prints the rollouts that are so, under a title with their number; nothing where there are none.
func list(w io.Writer, title string, all []watch.Rollout, line func(r watch.Rollout, widest int) string, so func(watch.Rollout) bool) {
	chosen := slices.DeleteFunc(slices.Clone(all), func(r watch.Rollout) bool { return !so(r) })
	if len(chosen) == 0 {
		return
	}
	name, widest := 0, 0
	for _, r := range chosen {
		name, widest = max(name, len(r.App)), max(widest, r.Level.Desired)
	}
	fmt.Fprintf(w, "\n"+title+":\n\n", len(chosen))
	for _, r := range chosen[:min(len(chosen), mostListed)] {
		fmt.Fprintf(w, "  %-*s  %s  %s\n", name, r.App, r.GUID, line(r, widest))
	}
	if more := len(chosen) - mostListed; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

// Lift lifts a halt.
type Lift struct {
	Remote
	Halt string `arg:"" optional:"" help:"Guid of the halt; without it the only one in force."`
}

// Run prints what goes on again.
func (l Lift) Run(ctx context.Context, streams cli.Streams) error {
	c, err := l.client()
	if err != nil {
		return err
	}
	if l.Halt == "" {
		if l.Halt, err = l.only(ctx, c); err != nil {
			return err
		}
	}
	reader := watch.Reader{API: c}
	before, err := reader.Read(ctx, active, nil)
	if err != nil {
		return err
	}
	var halt resource.Halt
	if err := c.Call(ctx, http.MethodPost, "/v3/halts/"+url.PathEscape(l.Halt)+"/actions/lift", nil, &halt); err != nil {
		return err
	}
	held := map[string]bool{}
	for _, r := range before {
		held[r.GUID] = r.Status.Halt != nil && r.Status.Halt.GUID == halt.GUID
	}
	fmt.Fprintf(streams.Out, "Lifted: %s (of %s)\n", halt.Reason, halt.DeclaredBy)
	all, err := settle(ctx, func() ([]watch.Rollout, error) { return reader.Read(ctx, active, nil) },
		func(r watch.Rollout) bool { return r.Status.Halt == nil || r.Status.Halt.GUID != halt.GUID })
	if err != nil {
		return fmt.Errorf("it is lifted, but what goes on cannot be told: %w", err)
	}
	list(streams.Out, "Going on (%d)", all, watch.Rollout.Far, func(r watch.Rollout) bool { return held[r.GUID] && !halted(r) })
	list(streams.Out, "Still standing still (%d)", all, watch.Rollout.Line, func(r watch.Rollout) bool { return held[r.GUID] && halted(r) })
	return nil
}

// only is the one halt in force.
func (l Lift) only(ctx context.Context, c *client.Client) (guid string, err error) {
	all, err := client.All[resource.Halt](ctx, c, "/v3/halts", url.Values{"states": {string(projections.HaltInForce)}})
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return "", errors.New("no halt is in force, so there is none to lift")
	case len(all) == 1:
		return all[0].GUID, nil
	}
	var text strings.Builder
	for _, h := range all {
		fmt.Fprintf(&text, "\n  %s   %s, by %s", l.typed("lift "+h.GUID), h.Reason, h.DeclaredBy)
	}
	return "", fmt.Errorf("%d halts are in force: name one:%s", len(all), text.String())
}
