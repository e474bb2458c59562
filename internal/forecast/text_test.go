package forecast_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/forecast"
	"slipway/internal/resource"
)

var update = flag.Bool("update", false, "write the goldens anew")

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// hello is an app with so many instances.
func hello(t *testing.T, instances int) app.State {
	t.Helper()
	var s app.State
	fold := func(decided []events.Event, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range decided {
			s = app.Evolve(s, e)
		}
	}
	fold(app.CreateApp(s, app.Create{ID: "app-1", Name: "hello", Space: "default"}))
	fold(app.DeployApp(s, app.CreateDeployment{ID: "first", Droplet: droplet(1), Options: events.DeploymentOptions{WebInstances: &instances}}))
	return s
}

func droplet(n int) *app.Droplet {
	return &app.Droplet{ID: events.DropletID(fmt.Sprint("d-", n)), App: "app-1", Staged: true, ProcessTypes: map[string]string{"web": "./web"}}
}

// foreseen simulates a rollout and takes its forecast over the wire.
func foreseen(t *testing.T, s app.State, strategy string, o events.DeploymentOptions, a commands.Assumptions) resource.Forecast {
	t.Helper()
	a = a.Complete()
	in := simulate.Input{
		App: s, Explore: true, Deploy: app.CreateDeployment{ID: "second", Droplet: droplet(2), Now: now, Strategy: strategy, Options: o},
		Lives: simulate.Startup{Time: time.Duration(*a.StartTime * float64(time.Second))}.Lives(),
	}
	if a.ContinueAfter != nil {
		in.Pauses = simulate.EachLasts(time.Duration(*a.ContinueAfter * float64(time.Second)))
	}
	f, err := simulate.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(resource.ForecastOf(commands.Forecast{
		Forecast: f, App: s.ID, Name: s.Name, Started: s.Desired == app.Started, Assumed: a,
	}))
	if err != nil {
		t.Fatal(err)
	}
	var back resource.Forecast
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestGoldens holds what people see.
func TestGoldens(t *testing.T) {
	minute := 60.0
	stopped := hello(t, 3)
	stopped.Desired = app.Stopped
	watched := foreseen(t, hello(t, 1), "", events.DeploymentOptions{}, commands.Assumptions{})
	watched.Policies = []events.PolicyVerdict{
		{Name: "free", Outcome: events.OutcomeAllow}, {Name: "office hours", Outcome: events.OutcomeHold, Until: now, Reason: "it is night"},
		{Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 2, Approvers: []string{"space_manager", "user/alice"}},
		{Name: "frozen", Outcome: events.OutcomeDeny},
	}
	for name, f := range map[string]resource.Forecast{
		"rolling": foreseen(t, hello(t, 4), "", events.DeploymentOptions{MaxInFlight: 2}, commands.Assumptions{}),
		"canary": foreseen(t, hello(t, 10), events.StrategyCanary, events.DeploymentOptions{
			MaxInFlight: 5, CanaryWeights: []int{20, 50}, Bake: 120, Guard: events.Guard{OnFailure: events.ThenRollback, CrashLimit: 2},
		}, commands.Assumptions{ContinueAfter: &minute}),
		"waiting":  foreseen(t, hello(t, 2), events.StrategyCanary, events.DeploymentOptions{}, commands.Assumptions{}),
		"many":     foreseen(t, hello(t, 120), "", events.DeploymentOptions{MaxInFlight: 2}, commands.Assumptions{}),
		"policies": watched,
		"stopped":  foreseen(t, stopped, "", events.DeploymentOptions{}, commands.Assumptions{}),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var b bytes.Buffer
			is.NoErr(forecast.Write(&b, f, 12))
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				is.NoErr(os.MkdirAll("testdata", 0o755))
				is.NoErr(os.WriteFile(golden, b.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			is.NoErr(err)
			is.Equal(b.String(), string(want))
		})
	}
}
