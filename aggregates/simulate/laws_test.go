package simulate_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/aggregates/simulate"
	"slipway/events"
)

// drawn is a random rollout of instances that take random times.
func drawn(t *rapid.T, s app.State) simulate.Input {
	c := app.CreateDeployment{ID: "second", Droplet: droplet(2), Now: now, Options: events.DeploymentOptions{
		MaxInFlight: rapid.IntRange(0, 6).Draw(t, "max_in_flight"),
	}}
	if rapid.Bool().Draw(t, "resizes") {
		n := rapid.IntRange(0, 8).Draw(t, "web_instances")
		c.Options.WebInstances = &n
	}
	moves(t, &c)
	if rapid.Bool().Draw(t, "guarded") {
		guard(t, &c.Options)
	}
	if c.Stored != nil {
		c.Options.Bake = 0 // the stored strategy has its own
	}
	seconds := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Second
	}
	return simulate.Input{
		App: s, Deploy: c, Pauses: simulate.EachLasts(seconds("pause", 300)),
		Lives: simulate.Startup{Time: seconds("start", 90), Spread: seconds("spread", 60), Seed: rapid.Uint64().Draw(t, "seed")}.Lives(),
	}
}

func moves(t *rapid.T, c *app.CreateDeployment) {
	c.Strategy = rapid.SampledFrom([]string{
		events.StrategyRolling, events.StrategyCanary, events.StrategyAllAtOnce, events.StrategyBlueGreen, "",
	}).Draw(t, "strategy")
	switch c.Strategy {
	case events.StrategyCanary:
		c.Options.CanaryWeights = rapid.SliceOfN(rapid.IntRange(1, 100), 0, 4).Draw(t, "weights")
		slices.Sort(c.Options.CanaryWeights)
		if rapid.Bool().Draw(t, "timed") {
			c.Options.CanaryPauses = []events.Pause{{
				Seconds: rapid.IntRange(1, 300).Draw(t, "pause"),
				Then:    rapid.SampledFrom([]string{events.ThenContinue, events.ThenCancel, events.ThenHold}).Draw(t, "then"),
			}}
		}
	case "":
		c.Schedule = rapid.SampledFrom(plan.Schedules).Draw(t, "schedule")
		c.Stored = &app.StoredStrategy{ID: "s", Growth: events.Growth{
			GrowthType:                rapid.SampledFrom([]string{events.GrowthLinear, events.GrowthExponential}).Draw(t, "growth"),
			GrowthFactor:              rapid.Float64Range(1, 100).Draw(t, "factor"),
			DeploymentDurationMinutes: rapid.IntRange(0, 60).Draw(t, "duration"), FinalBakeMinutes: rapid.IntRange(0, 10).Draw(t, "bake"),
		}}
	}
}

func guard(t *rapid.T, o *events.DeploymentOptions) {
	o.Bake = rapid.IntRange(0, 300).Draw(t, "bake")
	o.Guard = events.Guard{
		OnFailure:        rapid.SampledFrom([]string{"", events.ThenRollback, events.ThenHold, events.ThenCancel}).Draw(t, "on failure"),
		Fast:             rapid.IntRange(0, 4).Draw(t, "fast") == 0,
		ProgressDeadline: rapid.IntRange(200, 900).Draw(t, "deadline"),
		CrashLimit:       rapid.IntRange(0, 5).Draw(t, "crashes"),
		CrashPercent:     rapid.IntRange(0, 100).Draw(t, "percent"),
	}
	if rapid.Bool().Draw(t, "checked") {
		o.Checks = []events.Check{{
			Name: "errors", Kind: events.CheckHTTP, URL: "http://example.org/", Interval: rapid.IntRange(1, 60).Draw(t, "interval"), Timeout: 1,
			FailureLimit: rapid.IntRange(0, 2).Draw(t, "limit"), DryRun: rapid.IntRange(0, 4).Draw(t, "dry run") == 0,
		}}
	}
}

// TestLaws: a rollout of a good version, whatever its strategy and however long its instances take, ends, serves with no
// fewer instances than its floor at any moment, and is the same the second time; a bad version ends or says what it waits
// for.
func TestLaws(t *testing.T) {
	s := running(t, 5)
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, s)
		f := forecast(t, in)
		follows(t, f)
		switch canceled := in.Deploy.Options.CanaryPauses; {
		case f.Outcome == app.ReasonDeployed:
			if f.Lowest.Serving() < f.Created.Floor {
				t.Fatalf("%+v serve, the floor is %d", f.Lowest, f.Created.Floor)
			}
			if last := f.Levels[len(f.Levels)-1]; last.Old != 0 || last.New != f.Created.Target || f.Alone == nil {
				t.Fatalf("it ends with %+v, the target is %d", last, f.Created.Target)
			}
		case len(canceled) == 0 || canceled[0].Then == events.ThenContinue:
			t.Fatalf("a good version: %s, %s", f.Outcome, f.Waits)
		}
		if again := forecast(t, in); !reflect.DeepEqual(again, f) {
			t.Fatalf("not the same twice:\n%+v\n%+v", f, again)
		}
		in.Fault = simulate.Fault{Kind: rapid.SampledFrom(simulate.FaultKinds).Draw(t, "fault"), Step: rapid.IntRange(1, 3).Draw(t, "step")}
		in.Explore = true
		bad(t, forecast(t, in))
	})
}

func forecast(t *rapid.T, in simulate.Input) simulate.Forecast {
	f, err := simulate.Run(in)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return f
}

// bad: whatever goes wrong, the rollout ends, or says what it waits for; one that names no action on failure never ends by it.
func bad(t *rapid.T, f simulate.Forecast) {
	follows(t, f)
	if f.Outcome == simulate.Waiting && f.Waits == "" || f.Outcome == app.ReasonRolledBack && f.Created.Options.OnFailure != events.ThenRollback {
		t.Fatalf("%s, waits for %q, on failure %q", f.Outcome, f.Waits, f.Created.Options.OnFailure)
	}
	for n, s := range f.Steps {
		for _, x := range s.Failures {
			if x.Outcome == "" || x.Outcome == simulate.Waiting && x.Waits == "" {
				t.Fatalf("%s in step %d: %+v", x.Kind, n+1, x)
			}
		}
	}
}

// follows: time never goes back, and each scaling starts from where the one before it ended.
func follows(t *rapid.T, f simulate.Forecast) {
	sizes, last := map[string]int{}, time.Duration(0)
	for _, m := range f.Timeline {
		if m.After < last {
			t.Fatalf("%v follows %v", m.After, last)
		}
		last = m.After
		if !m.Scales() {
			continue
		}
		if was, known := sizes[string(m.Process)]; known && was != m.From {
			t.Fatalf("%s is scaled from %d and has %d", m.Process, m.From, was)
		}
		sizes[string(m.Process)] = m.To
	}
}

func TestSpreadStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := simulate.Startup{Time: 10 * time.Second, Spread: 5 * time.Second, Seed: rapid.Uint64().Draw(t, "seed")}
		start := simulate.Start{New: rapid.Bool().Draw(t, "new"), Index: rapid.IntRange(0, 9).Draw(t, "index"), Number: rapid.IntRange(1, 9).Draw(t, "number")}
		if took := s.Lives()(start).Routable; took < s.Time || took > s.Time+s.Spread || took != s.Lives()(start).Routable {
			t.Fatal(fmt.Sprint(took))
		}
	})
}
