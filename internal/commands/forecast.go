package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
)

// DefaultStartTime is how long an instance is taken to start where nobody says, in seconds: so long an app of moderate size
// takes.
const DefaultStartTime = 10

// maxAssumed bounds assumed times, in seconds: what the times of a rollout are bounded by.
const maxAssumed = 24 * 60 * 60

// Assumptions are what a simulation takes for given, since nobody can know it before. Times are in seconds.
type Assumptions struct {
	StartTime     *float64 `json:"start_time_in_seconds,omitempty"`     // of each instance, until it is routable; [DefaultStartTime]
	Spread        float64  `json:"spread_in_seconds,omitempty"`         // each takes up to so much longer
	Seed          uint64   `json:"seed,omitempty"`                      // chooses how much: the same seed, the same spread
	ContinueAfter *float64 `json:"continue_after_in_seconds,omitempty"` // how long a pause lasts; absent: nobody continues it
	Failure       *Failure `json:"failure,omitempty"`                   // absent: all goes well, and of each step it is told what a failure would do
}

// Failure is something that goes wrong from a step on.
type Failure struct {
	Kind simulate.FaultKind `json:"kind"` // crash, never_starts or check
	Step int                `json:"step"` // from 1
}

// Forecast is a simulated deployment.
type Forecast struct {
	simulate.Forecast
	App      events.AppID
	Name     string // of the app
	Started  bool   // it runs; one that is stopped is simply started
	Assumed  Assumptions
	Sequence events.Sequence // of the app's commit that it was made from
}

// Complete fills in what was left out.
func (a Assumptions) Complete() Assumptions {
	if a.StartTime == nil {
		start := float64(DefaultStartTime)
		a.StartTime = &start
	}
	return a
}

// Check tells what is wrong with the assumptions, all of it together.
func (a Assumptions) Check() error {
	a = a.Complete()
	var faults []error
	check := func(name string, seconds float64) {
		if !(seconds >= 0 && seconds <= maxAssumed) {
			faults = append(faults, aggregates.Reject("Simulate %s must be between 0 and %d", name, maxAssumed))
		}
	}
	check("start time in seconds", *a.StartTime)
	check("spread in seconds", a.Spread)
	if a.ContinueAfter != nil {
		check("continue after in seconds", *a.ContinueAfter)
	}
	if f := a.Failure; f != nil && (!slices.Contains(simulate.FaultKinds, f.Kind) || f.Step < 1) {
		var kinds []string
		for _, k := range simulate.FaultKinds {
			kinds = append(kinds, "'"+string(k)+"'")
		}
		faults = append(faults, aggregates.Reject("Simulate failure must have a kind, one of %s, and a step, from 1", strings.Join(kinds, ", ")))
	}
	return Together(faults...)
}

// Forecast simulates the deployment that a command would create, from the same facts and by the same rules, and writes
// nothing. It is refused as the command would be.
func (h *Handler) Forecast(ctx context.Context, c CreateDeployment, a Assumptions, by Caller) (Forecast, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	f, err := h.forecast(ctx, c, a.Complete(), by)
	if err != nil {
		return Forecast{}, fmt.Errorf("deployment.plan: %w", err)
	}
	return f, nil
}

func (h *Handler) forecast(ctx context.Context, c CreateDeployment, a Assumptions, by Caller) (Forecast, error) {
	if err := a.Check(); err != nil {
		return Forecast{}, err
	}
	create, err := h.asked(ctx, c, by, h.meta(by))
	if err != nil {
		return Forecast{}, err
	}
	agg, err := h.apps.Load(ctx, string(c.App))
	if err != nil {
		return Forecast{}, err
	}
	quota, err := h.quota(ctx, agg.State.Organization, agg.State.Space)
	if err != nil {
		return Forecast{}, err
	}
	if err := h.facts(ctx, c, agg.State, quota, &create); err != nil {
		return Forecast{}, err
	}
	f, err := simulate.Run(a.input(agg.State, create))
	var limit *simulate.LimitError
	if errors.As(err, &limit) {
		err = aggregates.Reject("Unable to simulate: %v", limit)
	}
	return Forecast{
		Forecast: f, App: c.App, Name: agg.State.Name, Started: agg.State.Desired == app.Started, Assumed: a, Sequence: agg.Position.Sequence,
	}, err
}

func (a Assumptions) input(s app.State, create app.CreateDeployment) simulate.Input {
	in := simulate.Input{
		App: s, Deploy: create, Explore: a.Failure == nil,
		Lives: simulate.Startup{Time: seconds(*a.StartTime), Spread: seconds(a.Spread), Seed: a.Seed}.Lives(),
	}
	if a.ContinueAfter != nil {
		in.Pauses = simulate.EachLasts(seconds(*a.ContinueAfter))
	}
	if a.Failure != nil {
		in.Fault = simulate.Fault{Kind: a.Failure.Kind, Step: a.Failure.Step}
	}
	return in
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}
