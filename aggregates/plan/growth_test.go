package plan_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/plan"
	"slipway/events"
)

// TestShares takes the reference's table of growth curves (2.4).
func TestShares(t *testing.T) {
	linear, exponential := events.GrowthLinear, events.GrowthExponential
	for _, test := range []struct {
		kind   string
		factor float64
		n      int
		want   []float64 // the first ones and the last
	}{
		{linear, 1, 100, []float64{1, 2, 3}},
		{linear, 1.5, 67, []float64{1.5, 3, 4.5}},
		{linear, 2, 50, []float64{2, 4}},
		{linear, 12.5, 8, []float64{12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100}},
		{linear, 20, 5, []float64{20, 40, 60, 80, 100}},
		{linear, 30, 4, []float64{30, 60, 90, 100}},
		{linear, 33.3, 4, []float64{33.3, 66.6, 99.9, 100}},
		{linear, float64(float32(100.0 / 3)), 3, nil}, // a third is three steps, not four
		{linear, 60, 2, []float64{60, 100}},
		{linear, 100, 1, []float64{100}},
		{exponential, 1, 8, []float64{1, 2, 4, 8, 16, 32, 64, 100}},
		{exponential, 1.5, 8, []float64{1.5, 3, 6, 12, 24, 48, 96, 100}},
		{exponential, 2, 7, []float64{2, 4, 8, 16, 32, 64, 100}},
		{exponential, 10, 5, []float64{10, 20, 40, 80, 100}},
		{exponential, 12.5, 4, []float64{12.5, 25, 50, 100}},
		{exponential, 33.3, 3, []float64{33.3, 66.6, 100}},
		{exponential, 50, 2, []float64{50, 100}},
		{exponential, 100, 1, []float64{100}},
	} {
		t.Run(fmt.Sprint(test.kind, test.factor), func(t *testing.T) {
			is := is.New(t)
			got := plan.Shares(events.Growth{GrowthType: test.kind, GrowthFactor: test.factor})
			is.Equal(len(got), test.n)
			is.Equal(got[len(got)-1], 100.0) // exactly
			for i, want := range test.want {
				is.True(math.Abs(got[i]-want) < 1e-9) // the share of the step
			}
		})
	}
}

// TestSchedules takes the reference's table of step times, in seconds from the start, the bake last.
func TestSchedules(t *testing.T) {
	for _, test := range []struct {
		kind     string
		factor   float64
		minutes  int
		schedule plan.Schedule
		want     []int64
	}{
		{events.GrowthLinear, 20, 30, plan.FirstStepNow, []int64{0, 360, 720, 1080, 1440, 1800}},
		{events.GrowthLinear, 20, 30, plan.FirstStepLater, []int64{0, 360, 720, 1080, 1440, 1800, 1800}},
		{events.GrowthLinear, 20, 30, plan.OneIntervalAround, []int64{0, 300, 600, 900, 1200, 1500, 1800}},
		{events.GrowthLinear, 25, 15, "", []int64{0, 225, 450, 675, 900}},
		{events.GrowthLinear, 25, 15, plan.OneIntervalAround, []int64{0, 180, 360, 540, 720, 900}},
		{events.GrowthLinear, 50, 1, "", []int64{0, 30, 60}},
		{events.GrowthExponential, 10, 20, "", []int64{0, 240, 480, 720, 960, 1200}},
		{events.GrowthExponential, 10, 20, plan.OneIntervalAround, []int64{0, 200, 400, 600, 800, 1000, 1200}},
		{events.GrowthLinear, 100, 10, "", []int64{0, 600}},
		{events.GrowthLinear, 100, 10, plan.FirstStepLater, []int64{0, 600, 600}},
	} {
		t.Run(fmt.Sprint(test.kind, test.factor, test.minutes, test.schedule), func(t *testing.T) {
			is := is.New(t)
			steps := grown(10, 10, test.schedule, events.Growth{
				GrowthType: test.kind, GrowthFactor: test.factor, DeploymentDurationMinutes: test.minutes, FinalBakeMinutes: 30,
			})
			var at []int64
			for _, s := range steps {
				at = append(at, s.After/1000)
			}
			is.Equal(at, test.want)
			last := steps[len(steps)-1]
			is.Equal(last, events.Step{
				New: 10, Gate: events.GateBake, Share: 100, After: (time.Duration(test.minutes) * time.Minute).Milliseconds(),
				Wait: (30 * time.Minute).Milliseconds(),
			})
		})
	}
}

func grown(original, target int, s plan.Schedule, g events.Growth) []events.Step {
	return plan.Compile(plan.Request{Strategy: events.StrategyLinear, Original: original, Target: target, Growth: &g, Schedule: s})
}

// TestWithoutADuration: all steps collapse into the last one.
func TestWithoutADuration(t *testing.T) {
	is := is.New(t)
	g := events.Growth{GrowthType: events.GrowthLinear, GrowthFactor: 10}
	is.Equal(grown(3, 3, "", g), []events.Step{{New: 3, Gate: events.GateHealthy, Share: 100}})
	g.FinalBakeMinutes = 1
	is.Equal(grown(3, 3, "", g), []events.Step{
		{New: 3, Gate: events.GateHealthy, Share: 100}, {New: 3, Gate: events.GateBake, Share: 100, Wait: 60_000},
	})
}

// TestGrowthLaws: whatever the numbers, shares and instances never fall, capacity is kept, times rise, and the last share is
// reached no later than the bake begins.
func TestGrowthLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		original, target := rapid.IntRange(0, 50).Draw(t, "original"), rapid.IntRange(0, 50).Draw(t, "target")
		g := events.Growth{
			GrowthType:   rapid.SampledFrom([]string{events.GrowthLinear, events.GrowthExponential}).Draw(t, "type"),
			GrowthFactor: rapid.Float64Range(1, 100).Draw(t, "factor"), DeploymentDurationMinutes: rapid.IntRange(0, 1440).Draw(t, "duration"),
			FinalBakeMinutes: rapid.IntRange(0, 1440).Draw(t, "bake"),
		}
		steps := grown(original, target, rapid.SampledFrom(plan.Schedules).Draw(t, "schedule"), g)
		var before events.Step
		for i, s := range steps {
			if s.New < before.New || s.Share < before.Share || s.After < before.After || s.New > target {
				t.Fatalf("step %d falls back: %+v after %+v", i+1, s, before)
			}
			if s.New+s.Old < min(original, target) {
				t.Fatalf("step %d has %d instances, %d are needed: %+v", i+1, s.New+s.Old, min(original, target), s)
			}
			before = s
		}
		end := int64(g.DeploymentDurationMinutes) * time.Minute.Milliseconds()
		if last := steps[len(steps)-1]; last.New != target || last.Share != 100 || last.After > end {
			t.Fatalf("the last step is %+v", last)
		}
	})
}

func TestBlueGreen(t *testing.T) {
	is := is.New(t)
	steps := plan.Compile(plan.Request{
		Strategy: events.StrategyBlueGreen, Original: 3, Target: 4, Options: events.DeploymentOptions{Bake: 60},
	})
	is.Equal(steps, []events.Step{
		{New: 4, Old: 3, Gate: events.GateHealthy, Dark: true}, // all new ones, without requests
		{New: 4, Old: 3, Gate: events.GateBake, Wait: 60_000},  // then with all requests, and the old ones at hand
	})
}

func TestPausesAndBake(t *testing.T) {
	is := is.New(t)
	steps := plan.Compile(plan.Request{
		Strategy: events.StrategyCanary, Original: 4, Target: 4,
		Options: events.DeploymentOptions{
			CanaryWeights: []int{25, 50}, CanaryPauses: []events.Pause{{Seconds: 90, Then: events.ThenContinue}}, Bake: 30,
		},
	})
	is.Equal(steps, []events.Step{
		{New: 1, Old: 4, Gate: events.GateManual, Wait: 90_000, Then: events.ThenContinue},
		{New: 2, Old: 3, Gate: events.GateManual}, // beyond the pauses given: for ever
		{New: 4, Gate: events.GateBake, Wait: 30_000},
	})
	is.Equal(plan.Shown(steps), 2)
}
