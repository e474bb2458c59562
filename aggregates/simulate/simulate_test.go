package simulate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
)

const appID events.AppID = "app-1"

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// running is an app with so many web instances of its first droplet.
func running(t testing.TB, instances int) app.State {
	t.Helper()
	s := fold(t, app.State{}, func(s app.State) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: appID, Name: "hello", Space: "default"})
	})
	return fold(t, s, func(s app.State) ([]events.Event, error) {
		return app.DeployApp(s, app.CreateDeployment{
			ID: "first", Droplet: droplet(1), Now: now, Options: events.DeploymentOptions{WebInstances: &instances},
		})
	})
}

func fold(t testing.TB, s app.State, decide func(app.State) ([]events.Event, error)) app.State {
	t.Helper()
	decided, err := decide(s)
	if err != nil {
		t.Fatalf("given: %v", err)
	}
	for _, e := range decided {
		s = app.Evolve(s, e)
	}
	return s
}

func droplet(n int) *app.Droplet {
	return &app.Droplet{
		ID: events.DropletID(fmt.Sprintf("droplet-%d", n)), App: appID, Staged: true,
		ProcessTypes: map[string]string{"web": fmt.Sprintf("./web-%d", n)},
	}
}

// input is a rollout to an app of so many instances that take ten seconds each.
func input(t testing.TB, instances int, change func(*app.CreateDeployment)) simulate.Input {
	c := app.CreateDeployment{ID: "second", Droplet: droplet(2), Now: now}
	if change != nil {
		change(&c)
	}
	return simulate.Input{App: running(t, instances), Deploy: c, Lives: simulate.Startup{Time: 10 * time.Second}.Lives()}
}

func run(t testing.TB, in simulate.Input) simulate.Forecast {
	t.Helper()
	f, err := simulate.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// told is the timeline in short.
func told(f simulate.Forecast) (lines []string) {
	for _, m := range f.Timeline {
		line := fmt.Sprintf("%v %s", m.After, m.Type)
		if m.Scales() {
			version := "old"
			if m.New {
				version = "new"
			}
			line = fmt.Sprintf("%v %s %d->%d", m.After, version, m.From, m.To)
		}
		lines = append(lines, line)
	}
	return lines
}

func at(d *time.Duration) string {
	if d == nil {
		return "never"
	}
	return d.String()
}

func TestRolling(t *testing.T) {
	is := is.New(t)
	f := run(t, input(t, 3, nil))
	is.Equal(told(f), []string{
		"0s deployment.created", "0s new 0->1",
		"10s old 3->2", "10s new 1->2",
		"20s old 2->1", "20s new 2->3",
		"30s old 1->0", "30s deployment.deployed",
	})
	is.Equal(f.Outcome, app.ReasonDeployed)
	is.Equal(at(f.Finished), "30s")
	is.Equal(at(f.Alone), "30s")
	is.Equal(f.Lowest, simulate.Level{Old: 3, Desired: 4}) // never fewer than before
	is.Equal(f.Peak, simulate.Peak{Instances: 4, MemoryMB: 4096})
	is.Equal(at(f.Steps[0].Reached), "30s")
}

func TestMaxInFlightMakesItFasterAndLarger(t *testing.T) {
	is := is.New(t)
	f := run(t, input(t, 6, func(c *app.CreateDeployment) { c.Options.MaxInFlight = 3 }))
	is.Equal(at(f.Finished), "20s")
	is.Equal(f.Peak.Instances, 9)
}

func TestPauses(t *testing.T) {
	canary := func(c *app.CreateDeployment) {
		c.Strategy, c.Options.CanaryWeights, c.Options.MaxInFlight = events.StrategyCanary, []int{25, 50}, 4
	}
	t.Run("wait for somebody", func(t *testing.T) {
		is := is.New(t)
		f := run(t, input(t, 4, canary))
		is.Equal(f.Outcome, simulate.Waiting)
		is.Equal(f.Waits, "somebody to continue or to cancel it, at step 1")
		is.Equal(at(f.Finished), "never")
		is.Equal(at(f.Steps[0].Reached), "10s")
		is.Equal(at(f.Steps[1].Began), "never")
	})
	t.Run("continued after a minute", func(t *testing.T) {
		is := is.New(t)
		in := input(t, 4, canary)
		in.Pauses = simulate.EachLasts(time.Minute)
		f := run(t, in)
		is.Equal(f.Outcome, app.ReasonDeployed)
		is.Equal(at(f.Steps[1].Began), "1m10s")
		is.Equal(at(f.Steps[1].Reached), "1m20s")
		is.Equal(at(f.Steps[2].Began), "2m20s")
		is.Equal(at(f.Finished), "2m30s")
	})
	t.Run("time out", func(t *testing.T) {
		is := is.New(t)
		f := run(t, input(t, 4, func(c *app.CreateDeployment) {
			canary(c)
			c.Options.CanaryPauses = []events.Pause{{Seconds: 30, Then: events.ThenContinue}, {Seconds: 5, Then: events.ThenCancel}}
		}))
		is.Equal(f.Outcome, app.ReasonCanceled)
		is.Equal(at(f.Finished), "55s") // 10 s, a pause of 30 s, 10 s, a pause of 5 s
		is.Equal(at(f.Alone), "1m5s")   // the instance that had left comes back
		is.Equal(f.Lowest.Serving(), 3)
	})
}

// TestFailuresAtEachStep: what the guard says becomes of a bad version, and how long the old one is not alone.
func TestFailuresAtEachStep(t *testing.T) {
	is := is.New(t)
	in := input(t, 4, func(c *app.CreateDeployment) {
		c.Strategy, c.Options.CanaryWeights, c.Options.MaxInFlight = events.StrategyCanary, []int{50}, 4
		c.Options.Guard = events.Guard{OnFailure: events.ThenRollback, CrashLimit: 2, ProgressDeadline: 60}
		c.Options.Checks = []events.Check{{Name: "errors", Kind: events.CheckHTTP, URL: "http://example.org/", Interval: 15, Timeout: 5}}
	})
	in.Explore, in.Pauses = true, simulate.EachLasts(time.Minute)
	f := run(t, in)
	is.Equal(f.Outcome, app.ReasonDeployed)
	got := map[string]string{}
	for n, s := range f.Steps {
		for _, x := range s.Failures {
			got[fmt.Sprintf("%d %s", n+1, x.Kind)] = fmt.Sprintf("%s noticed %s alone %s lowest %d", x.Outcome, at(x.Noticed), at(x.Alone), x.Lowest.Serving())
		}
	}
	is.Equal(got, map[string]string{
		"1 crash":        "ROLLED_BACK noticed 10s alone 10s lowest 4",
		"1 never_starts": "ROLLED_BACK noticed 1m0s alone 1m0s lowest 4",
		"1 check":        "ROLLED_BACK noticed 15s alone 25s lowest 4",
		"2 crash":        "ROLLED_BACK noticed 1m20s alone 1m30s lowest 4",
		"2 never_starts": "ROLLED_BACK noticed 2m10s alone 2m20s lowest 4",
		"2 check":        "ROLLED_BACK noticed 1m15s alone 1m25s lowest 4",
	})
}

// TestFailureOfAPlainRollout: Cloud Foundry's rollouts never fail by themselves, and the forecast says so.
func TestFailureOfAPlainRollout(t *testing.T) {
	is := is.New(t)
	in := input(t, 2, nil)
	in.Fault = simulate.Fault{Kind: simulate.FaultCrash, Step: 1}
	f := run(t, in)
	is.Equal(f.Outcome, simulate.Waiting)
	is.Equal(f.Waits, "1 of 1 new instances unhealthy: instance 0 CRASHED 10 times in a row (exit status 1)")
	is.Equal(f.Lowest.Serving(), 2) // the old ones stay
}

func TestAlarm(t *testing.T) {
	is := is.New(t)
	in := input(t, 4, func(c *app.CreateDeployment) { c.Options.Bake = 300 })
	in.Fault = simulate.Fault{Kind: simulate.FaultAlarm, Step: 1}
	f := run(t, in)
	is.Equal(f.Outcome, app.ReasonRolledBack)
	is.Equal(at(f.Finished), "1s") // no old instance had left
}

func TestPeopleAct(t *testing.T) {
	for _, test := range []struct {
		verb simulate.Verb
		want string
	}{{simulate.Cancel, app.ReasonCanceled}, {simulate.RollBack, app.ReasonRolledBack}, {simulate.Supersede, app.ReasonSuperseded}} {
		t.Run(string(test.verb), func(t *testing.T) {
			is := is.New(t)
			in := input(t, 4, nil)
			in.Acts = []simulate.Act{{After: 15 * time.Second, Verb: test.verb}}
			is.Equal(run(t, in).Outcome, test.want)
		})
	}
}

// TestQuotaHoldsAForecast: a quota that has room for the first batch and the final state may still have none on the way.
func TestQuotaHoldsAForecast(t *testing.T) {
	is := is.New(t)
	quota := func(limit, used int) app.Quota {
		return app.Quota{Organization: app.QuotaScope{Name: "acme", Limits: events.QuotaLimits{MemoryMB: &limit}, Used: app.Usage{MemoryMB: used}}}
	}
	f := run(t, input(t, 3, func(c *app.CreateDeployment) { c.Quota = quota(4096, 3072) }))
	is.Equal(f.Outcome, app.ReasonDeployed) // each old one that leaves makes room
	_, err := simulate.Run(input(t, 3, func(c *app.CreateDeployment) { c.Quota = quota(3072, 3072) }))
	is.True(err != nil) // refused, as it would be
	five := 5
	f = run(t, input(t, 3, func(c *app.CreateDeployment) {
		c.Quota, c.Options.WebInstances, c.Options.MaxInFlight = quota(5*1024, 3072), &five, 2
	}))
	is.Equal(f.Outcome, simulate.Waiting)
	is.Equal(f.Waits, "memory quota_exceeded") // nobody leaves before there are five, and the sixth does not fit
	is.Equal(f.Peak.Instances, 5)
}

func TestAStoppedAppIsSimplyStarted(t *testing.T) {
	is := is.New(t)
	in := input(t, 3, nil)
	in.App = fold(t, in.App, app.StopApp)
	f := run(t, in)
	is.Equal(f.Outcome, app.ReasonDeployed)
	is.Equal(at(f.Finished), "0s")
	is.Equal(at(f.Alone), "10s") // when it serves
}

// TestPoliciesStandBesideIt: what has to wait for people is simulated from when it is let go.
func TestPoliciesStandBesideIt(t *testing.T) {
	is := is.New(t)
	verdicts := []events.PolicyVerdict{{Policy: "p", Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 1, Approvers: []string{"space_manager"}}}
	f := run(t, input(t, 3, func(c *app.CreateDeployment) { c.Judgement = &app.Judgement{Verdicts: verdicts} }))
	is.Equal(f.Verdicts, verdicts)
	is.Equal(f.Outcome, app.ReasonDeployed)
	is.Equal(at(f.Finished), "30s")
}

func TestStoredStrategy(t *testing.T) {
	is := is.New(t)
	f := run(t, input(t, 10, func(c *app.CreateDeployment) {
		c.Stored = &app.StoredStrategy{ID: "s", Growth: events.Growth{
			GrowthType: events.GrowthLinear, GrowthFactor: 20, DeploymentDurationMinutes: 10, FinalBakeMinutes: 5,
		}}
	}))
	is.Equal(len(f.Steps), 6)
	is.Equal(at(f.Steps[1].Began), "2m0s")
	is.Equal(at(f.Steps[4].Began), "8m0s")
	is.Equal(at(f.Finished), "15m0s") // the bake begins when the duration is over
}

func TestBlueGreen(t *testing.T) {
	is := is.New(t)
	f := run(t, input(t, 3, func(c *app.CreateDeployment) { c.Strategy, c.Options.Bake = events.StrategyBlueGreen, 60 }))
	is.Equal(f.Levels[0], simulate.Level{Old: 3, Desired: 6})
	is.Equal(f.Lowest.Serving(), 3)
	is.Equal(at(f.Finished), "1m10s")
	is.Equal(f.Peak.Instances, 6)
}

// TestTooLarge: what would take minutes to compute is refused instead.
func TestTooLarge(t *testing.T) {
	is := is.New(t)
	in := input(t, app.MaxInstances, nil)
	_, err := simulate.Run(in)
	var limit *simulate.LimitError
	is.True(errors.As(err, &limit))
}

// BenchmarkRun simulates a rollout of 500 instances, one at a time, with all that could go wrong.
func BenchmarkRun(b *testing.B) {
	in := input(b, 500, nil)
	in.Explore = true
	for b.Loop() {
		run(b, in)
	}
}
