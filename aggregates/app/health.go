package app

import (
	"fmt"
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// RecordCheck is the command to record that a check of a rollout was made.
type RecordCheck struct {
	Deployment events.DeploymentID
	Check      string
	Verdict    string
	Value      string // what was measured
	Threshold  string // what it was held against
	Message    string // in words
	At         time.Time
}

// Asked says whether the checks of a rollout are to be asked now: while it moves, is paused, held or bakes. Not once it goes
// back, nor while the app is stopped: what it says then is nothing about the new version.
func (s State) Asked() bool {
	d := s.Deployment
	return d != nil && s.Desired == Started && !d.GoingBack && !d.RollingBack && len(d.Options.Checks) > 0
}

// maxMessage bounds what a check or an alarm says, in bytes.
const maxMessage = 512

// Record appends a verdict. A failed one more than the check bears fails the rollout, in the same commit: the first failure
// wins. A verdict on a rollout that is not asked about any more, on a check it does not have, or of a moment that has been
// recorded or forgiven, decides nothing: it is late. So one of each moment counts, however many ask.
func Record(s State, c RecordCheck) ([]events.Event, error) {
	if !s.Asked() || s.Deployment.ID() != c.Deployment {
		return nil, nil
	}
	checks := s.Deployment.Options.Checks
	i := slices.IndexFunc(checks, func(known events.Check) bool { return known.Name == c.Check })
	if i < 0 || !c.At.After(later(s.Deployment.Checks[c.Check].At, s.Deployment.WatchedFrom)) {
		return nil, nil
	}
	check, d := checks[i], &decision{State: s}
	d.add(events.DeploymentCheckRecorded{
		App: s.ID, Deployment: c.Deployment, Check: c.Check, Verdict: c.Verdict, Value: c.Value, Threshold: c.Threshold,
		Message: cut(c.Message, maxMessage), DryRun: check.DryRun, At: c.At,
	})
	failures := d.Deployment.Checks[c.Check].Failures
	if c.Verdict == events.VerdictFail && failures > check.FailureLimit && !check.DryRun && !s.Deployment.Held {
		d.fail(events.DeploymentBreached{
			App: s.ID, Deployment: c.Deployment, Cause: events.CauseCheck, Name: c.Check, Value: c.Value, At: c.At,
			Crashes: s.Deployment.Forgiven, Reason: cut(failedText(check, failures, c.Message), maxError),
		})
	}
	return d.events, nil
}

func failedText(check events.Check, failures int, message string) string {
	text := "check " + check.Name + " failed"
	if failures > 1 {
		text += fmt.Sprintf(" %d times", failures)
	}
	if message != "" {
		text += ": " + message
	}
	return text
}

// Signal is the command to record what a system outside says about the app's health.
type Signal struct {
	Name    string // of the alarm
	Firing  bool
	Since   time.Time // when it began, by the clock of who says so; zero: nobody knows
	Source  string
	Value   string
	Message string
	At      time.Time
}

// Alarm is one that fires.
type Alarm struct {
	Since   time.Time `json:"since"` // when Slipway heard of it
	Value   string    `json:"value,omitempty"`
	Message string    `json:"message,omitempty"`
}

// words is what is said of an alarm that fires.
func (a Alarm) words(name string) string {
	text := "alarm " + name + " fires"
	if a.Value != "" {
		text += " at " + a.Value
	}
	if a.Message != "" {
		text += ": " + a.Message
	}
	return cut(text, maxError)
}

// Bounds of alarms. What fires is kept in the app's state.
const (
	maxAlarms    = 100
	maxAlarmName = 255
	// alarmSlack is how much later than the last one an alarm must have begun to be another one: clocks differ.
	alarmSlack = time.Minute
)

// Receive records an alarm that begins to fire, or that is over. Said again it decides nothing; but one that has begun anew
// is recorded, although nobody said that it was over meanwhile: its end may have been lost. What it means for a rollout is
// for [Next] to say.
func Receive(s State, c Signal) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if c.Name == "" || len(c.Name) > maxAlarmName {
		return nil, aggregates.Reject("Name must have 1 to %d characters", maxAlarmName)
	}
	known, fires := s.Alarms[c.Name]
	anew := fires && c.Firing && c.Since.After(known.Since.Add(alarmSlack))
	if fires == c.Firing && !anew {
		return nil, nil
	}
	if c.Firing && !anew && len(s.Alarms) >= maxAlarms {
		return nil, aggregates.Reject("The app has %d alarms that fire, the most it can have: resolve one first", maxAlarms)
	}
	return []events.Event{events.SignalReceived{
		App: s.ID, Name: c.Name, Firing: c.Firing, Source: cut(c.Source, maxAlarmName), Value: cut(c.Value, maxAlarmName),
		Message: cut(c.Message, maxMessage), At: c.At,
	}}, nil
}
