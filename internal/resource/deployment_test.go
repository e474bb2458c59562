package resource_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/projections"
)

// quarters is a rollout that follows a stored strategy, at the second of its steps.
func quarters() projections.Deployment {
	growth := events.Growth{GrowthType: "LINEAR", GrowthFactor: 25, DeploymentDurationMinutes: 4, FinalBakeMinutes: 1}
	guard := events.Guard{OnFailure: "hold", ProgressDeadline: app.DefaultProgressDeadline, CrashLimit: 5}
	return projections.Deployment{
		GUID: "d", App: "a", State: projections.Deploying, StatusValue: "ACTIVE", StatusReason: "DEPLOYING", Strategy: "linear", Target: 6,
		Options: events.DeploymentOptions{MaxInFlight: 6, Guard: guard}, PreviousDroplet: "d1", Step: 1,
		Plan:          plan.Compile(plan.Request{Strategy: "linear", Original: 6, Target: 6, Growth: &growth}),
		Watch:         projections.Watch{StartedAt: noon, StoredStrategy: "1225qzk", Growth: &growth},
		LastHealthyAt: noon, LastStatusChange: noon,
	}
}

// shown is a deployment as JSON.
func shown(t testing.TB, d projections.Deployment) (v struct {
	Status, Options, Growth, Relationships map[string]any
	Links                                  map[string]any
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(encode(t, base.Deployment(d))), &v); err != nil {
		t.Fatal(err)
	}
	delete(v.Status, "details")
	return v
}

func TestWhatADeploymentTellsOfItsStrategy(t *testing.T) {
	is := is.New(t)
	v := shown(t, quarters())
	is.Equal(v.Relationships["deployment_strategy"], map[string]any{"data": map[string]any{"guid": "1225qzk"}})
	is.Equal(v.Growth, map[string]any{"growth_type": "LINEAR", "growth_factor": 25.0, "deployment_duration_minutes": 4.0, "final_bake_minutes": 1.0})
	is.Equal(v.Options, map[string]any{"max_in_flight": 6.0, "on_failure": "hold", "breaker": map[string]any{"crashes": 5.0}}) // no deadline was given
	is.Equal(v.Status, map[string]any{"value": "ACTIVE", "reason": "DEPLOYING", "step": map[string]any{
		"current": 2.0, "total": 5.0, "share": 50.0, "new_instances": 3.0, "next_at": "2026-01-01T12:02:00Z",
	}})
	is.True(v.Links["rollback"] != nil && v.Links["continue"] == nil)
}

// TestWhatADeploymentTellsOfItself: the fields of each state, and no others.
func TestWhatADeploymentTellsOfItself(t *testing.T) {
	breach := &projections.Breach{Cause: "crashes", Reason: "new instances crashed 5 times", Value: "5", Action: "hold", At: noon}
	failure := map[string]any{"cause": "crashes", "reason": "new instances crashed 5 times", "value": "5", "action": "hold", "at": "2026-01-01T12:00:00Z"}
	second := map[string]any{"current": 2.0, "total": 5.0, "share": 50.0, "new_instances": 3.0}
	canary := map[string]any{"steps": map[string]any{"current": 1.0, "total": 2.0}}
	for name, c := range map[string]struct {
		change func(*projections.Deployment)
		want   map[string]any
	}{
		"held": {func(d *projections.Deployment) {
			d.State, d.StatusReason, d.Watch.Held, d.Watch.Breach = projections.Paused, "PAUSED", true, breach
		}, map[string]any{"value": "ACTIVE", "reason": "PAUSED", "step": second, "failure": failure}},
		"baking": {func(d *projections.Deployment) {
			d.State, d.StatusReason, d.Step, d.Watch.BakeUntil = projections.Baking, "BAKING", 4, noon.Add(time.Minute)
		}, map[string]any{"value": "ACTIVE", "reason": "BAKING", "bake_until": "2026-01-01T12:01:00Z", "step": map[string]any{
			"current": 5.0, "total": 5.0, "share": 100.0, "new_instances": 6.0,
		}}},
		"rolled back": {func(d *projections.Deployment) {
			d.State, d.StatusValue, d.StatusReason, d.Watch.Breach = projections.RolledBack, "FINALIZED", "ROLLED_BACK", breach
			d.Watch.BakeUntil = noon // it did not come to that
		}, map[string]any{"value": "FINALIZED", "reason": "ROLLED_BACK", "step": second, "failure": failure}},
		"paused for a while": {func(d *projections.Deployment) {
			d.State, d.StatusReason, d.Strategy, d.Step = projections.Paused, "PAUSED", "canary", 0
			d.Plan = plan.Canary(6, 6, []int{50, 100})
			d.Watch = projections.Watch{AtPause: true, PausedUntil: noon.Add(time.Hour), PausedThen: "cancel"}
		}, map[string]any{
			"value": "ACTIVE", "reason": "PAUSED", "canary": canary, "paused_until": "2026-01-01T13:00:00Z", "then": "cancel",
		}},
		"paused and held": {func(d *projections.Deployment) {
			d.State, d.StatusReason = projections.Paused, "PAUSED"
			d.Watch = projections.Watch{AtPause: true, PausedUntil: noon.Add(time.Hour), PausedThen: "cancel", Held: true, Breach: breach}
		}, map[string]any{"value": "ACTIVE", "reason": "PAUSED", "step": second, "failure": failure}}, // it does not end by itself
		"checked": {func(d *projections.Deployment) {
			d.Plan = plan.Rolling(6)
			d.Step = 0
			d.Watch = projections.Watch{Checks: map[string]projections.CheckState{
				"errors": {Verdict: "fail", Value: "0.3", Message: "0.3 is not <= 0.01", Failures: 2, At: noon},
			}}
		}, map[string]any{"value": "ACTIVE", "reason": "DEPLOYING", "checks": map[string]any{"errors": map[string]any{
			"verdict": "fail", "value": "0.3", "message": "0.3 is not <= 0.01", "failures": 2.0, "at": "2026-01-01T12:00:00Z",
		}}}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			d := quarters()
			c.change(&d)
			is.Equal(shown(t, d).Status, c.want)
		})
	}
}

// TestLinksOfADeployment: what may be asked for is linked, and nothing else.
func TestLinksOfADeployment(t *testing.T) {
	for state, want := range map[projections.DeploymentState][3]bool{ // cancel, rollback, continue
		projections.Deploying: {true, true, false}, projections.Prepaused: {true, true, false}, projections.Paused: {true, true, true},
		projections.Baking: {true, true, false}, projections.RollingBack: {true, false, false}, projections.Canceling: {true, false, false},
	} {
		t.Run(string(state), func(t *testing.T) {
			is := is.New(t)
			d := quarters()
			d.State = state
			links := base.Deployment(d).Links
			has := func(name string) bool { _, ok := links[name]; return ok }
			is.Equal([3]bool{has("cancel"), has("rollback"), has("continue")}, want)
		})
	}
	is := is.New(t)
	d := quarters()
	d.StatusValue, d.State = "FINALIZED", projections.RolledBack
	is.Equal(len(base.Deployment(d).Links), 4) // self, app, events, stream
	d = quarters()
	d.PreviousDroplet = ""
	_, ok := base.Deployment(d).Links["rollback"]
	is.True(!ok) // to nothing
}

// TestShownOptionsCanBeSentAgain: what a deployment shows as its options is a request's options.
func TestShownOptionsCanBeSentAgain(t *testing.T) {
	is := is.New(t)
	d := quarters()
	d.Strategy = "canary"
	d.Options.CanaryWeights, d.Options.CanaryPauses = []int{10, 50}, []events.Pause{{}, {Seconds: 5, Then: "continue"}}
	d.Options.Checks = []events.Check{{Name: "up", Kind: "http", URL: "http://x", Interval: 5, Timeout: 5}}
	sent, err := json.Marshal(base.Deployment(d).Options)
	is.NoErr(err)
	c, err := commands.Decode("deployment.create", []byte(`{"strategy":"canary","options":`+string(sent)+`}`))
	is.NoErr(err)
	is.NoErr(c.(commands.CreateDeployment).Check())
}
