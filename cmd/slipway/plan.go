package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"slipway/aggregates/simulate"
	"slipway/internal/cli"
	"slipway/internal/commands"
	"slipway/internal/forecast"
	"slipway/internal/resource"
)

// Plan says how a deployment would go.
type Plan struct {
	Remote
	Request
	StartTime     time.Duration  `default:"10s" help:"How long an instance takes to start."`
	Spread        time.Duration  `help:"Each takes up to so much longer."`
	Seed          uint64         `help:"Chooses how much: the same seed, the same spread."`
	ContinueAfter *time.Duration `help:"How long a pause lasts until somebody continues it. Without it nobody does."`
	Failure       string         `help:"What goes wrong, and in which step: crash, never_starts, check or alarm, as in crash@2." placeholder:"KIND@STEP"`
	Rows          int            `default:"40" help:"Most rows of the picture; 0 shows all."`
	JSON          bool           `help:"Print the answer of the API as it is."`
}

// Run prints it.
func (p Plan) Run(ctx context.Context, streams cli.Streams) error {
	assumed, err := p.assumed()
	if err != nil {
		return err
	}
	c, err := p.client()
	if err != nil {
		return err
	}
	body, err := p.body(ctx, c)
	if err != nil {
		return err
	}
	with := map[string]any{"simulate": assumed}
	for key, value := range body {
		with[key] = value
	}
	var answer json.RawMessage
	if err := c.Call(ctx, http.MethodPost, "/v3/deployments/plan", with, &answer); err != nil {
		return err
	}
	return p.print(streams.Out, answer)
}

func (p Plan) print(w io.Writer, answer json.RawMessage) error {
	if p.JSON {
		_, err := fmt.Fprintln(w, string(answer))
		return err
	}
	var f resource.Forecast
	if err := json.Unmarshal(answer, &f); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	if err := forecast.Write(w, f, p.Rows); err != nil {
		return err
	}
	flags, err := p.flags()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nNothing was changed. To do it:\n\n  %s\n", p.typed("deploy "+flags))
	return err
}

func (p Plan) assumed() (commands.Assumptions, error) {
	start := p.StartTime.Seconds()
	a := commands.Assumptions{StartTime: &start, Spread: p.Spread.Seconds(), Seed: p.Seed}
	if p.ContinueAfter != nil {
		after := p.ContinueAfter.Seconds()
		a.ContinueAfter = &after
	}
	if p.Failure != "" {
		kind, step, _ := strings.Cut(p.Failure, "@")
		a.Failure = &commands.Failure{Kind: simulate.FaultKind(kind)}
		if _, err := fmt.Sscan(step, &a.Failure.Step); err != nil {
			return a, fmt.Errorf("--failure %q: want KIND@STEP, such as crash@1", p.Failure)
		}
	}
	return a, a.Check()
}
