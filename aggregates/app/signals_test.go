package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// TestReceive holds what is news about an alarm. It fires since noon, but for where the case says otherwise.
func TestReceive(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hour := noon.Add(time.Hour)
	state := app.State{ID: "hello", Alarms: map[string]app.Alarm{"errors": {Since: noon}}}
	for name, tt := range map[string]struct {
		signal app.Signal
		news   bool
	}{
		"another one":                  {app.Signal{Name: "latency", Firing: true, At: hour}, true},
		"the same again":               {app.Signal{Name: "errors", Firing: true, At: hour}, false},
		"the same, began before":       {app.Signal{Name: "errors", Firing: true, Since: noon.Add(-time.Minute), At: hour}, false},
		"the same, clocks differ":      {app.Signal{Name: "errors", Firing: true, Since: noon.Add(59 * time.Second), At: hour}, false},
		"began anew, its end was lost": {app.Signal{Name: "errors", Firing: true, Since: noon.Add(30 * time.Minute), At: hour}, true},
		"it is over":                   {app.Signal{Name: "errors", At: hour}, true},
		"another one is over":          {app.Signal{Name: "latency", At: hour}, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			decided, err := app.Receive(state, tt.signal)
			is.NoErr(err)
			is.Equal(len(decided), map[bool]int{true: 1}[tt.news])
			after := state
			for _, e := range decided {
				after = app.Evolve(after, e)
				is.Equal(e.(events.SignalReceived).At, hour)
			}
			again, err := app.Receive(after, tt.signal)
			is.NoErr(err)
			is.Equal(len(again), 0) // told twice
		})
	}
}

func TestReceiveRefuses(t *testing.T) {
	is := is.New(t)
	full := app.State{ID: "hello", Alarms: map[string]app.Alarm{}}
	for n := range 100 {
		full.Alarms[strings.Repeat("x", n+1)] = app.Alarm{Since: time.Unix(0, 0)}
	}
	for _, tt := range []struct {
		state  app.State
		signal app.Signal
		want   string
	}{
		{app.State{}, app.Signal{Name: "a", Firing: true}, "App not found"},
		{full, app.Signal{Firing: true}, "Name must have 1 to 255 characters"},
		{full, app.Signal{Name: strings.Repeat("n", 256)}, "Name must have 1 to 255 characters"},
		{full, app.Signal{Name: "one more", Firing: true}, "The app has 100 alarms that fire, the most it can have: resolve one first"},
	} {
		_, err := app.Receive(tt.state, tt.signal)
		is.True(err != nil)
		is.Equal(err.Error(), tt.want)
	}
	_, err := app.Receive(full, app.Signal{Name: "x", Firing: true, Since: time.Unix(1000, 0)})
	is.NoErr(err) // one of them, anew
	decided, err := app.Receive(full, app.Signal{Name: "x", Message: strings.Repeat("m", 1000), Source: strings.Repeat("s", 1000)})
	is.NoErr(err)
	is.Equal(len(decided[0].(events.SignalReceived).Message), 512) // bounded
	is.Equal(len(decided[0].(events.SignalReceived).Source), 255)
}

// TestLateVerdicts: a verdict of a moment that was recorded or forgiven, of another rollout, of an app that is stopped.
func TestLateVerdicts(t *testing.T) {
	is := is.New(t)
	g := events.Guard{OnFailure: events.ThenHold, Checks: []events.Check{errorRate}}
	v := rollOut(t, 1, guarded(g))
	record := func(id events.DeploymentID, check string, at time.Time) int {
		decided, err := app.Record(v.s, app.RecordCheck{Deployment: id, Check: check, Verdict: events.VerdictFail, At: at})
		is.NoErr(err)
		return len(decided)
	}
	id, started := v.s.Deployment.ID(), v.s.Deployment.StartedAt
	is.Equal(record(id, "errors", started), 0) // before anything of it ran
	is.Equal(record("other", "errors", started.Add(time.Second)), 0)
	is.Equal(record(id, "other", started.Add(time.Second)), 0)
	is.Equal(record(id, "errors", started.Add(time.Second)), 2) // it counts, and fails
	v.now = started.Add(time.Second)
	v.verdict("errors", events.VerdictFail)
	is.True(v.s.Deployment.Held)
	is.Equal(record(id, "errors", v.now), 0) // once
	v.now = v.now.Add(time.Minute)
	v.steer(app.ContinueDeployment)
	is.Equal(record(id, "errors", v.now.Add(-time.Second)), 0) // somebody has forgiven what was until now
	is.Equal(record(id, "errors", v.now.Add(time.Second)), 2)
	stopped, err := app.StopApp(v.s)
	is.NoErr(err)
	v.s = must(t, v.s, stopped, err)
	is.True(!v.s.Asked())
	is.Equal(record(id, "errors", v.now.Add(time.Second)), 0) // it says nothing about the new version
}

// TestAnAlarmSaysWhatWasMeasured, in the reason why a rollout is rolled back.
func TestAnAlarmSaysWhatWasMeasured(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2, Bake: 300}})
	v.healthy()
	v.tick()
	v.now = v.now.Add(time.Second)
	decided, err := app.Receive(v.s, app.Signal{Name: "errors", Firing: true, Value: "7%", Message: "too many requests fail", At: v.now})
	v.s = must(t, v.s, decided, err)
	v.tick()
	is.Equal(v.s.Deployment.BackReason, "alarm errors fires at 7%: too many requests fail")
}
