package events

import "time"

// Kinds of checks.
const (
	CheckPrometheus = "prometheus" // the value of a query
	CheckHTTP       = "http"       // the status of an answer
)

// Verdicts of a check.
const (
	VerdictPass         = "pass"
	VerdictFail         = "fail"
	VerdictInconclusive = "inconclusive" // neither: too little is known, or nobody could be asked
)

// Check is a question about a rollout's health, asked again and again while it goes on and while it bakes.
type Check struct {
	Name         string `json:"name"`                          // unique in its deployment
	Kind         string `json:"kind"`                          // prometheus or http
	URL          string `json:"url"`                           // of the Prometheus server, or what is to be asked
	Query        string `json:"query,omitempty"`               // prometheus: an instant query in PromQL
	PassWhen     string `json:"pass_when,omitempty"`           // prometheus: a comparison with the value, like "<= 0.01"
	FailWhen     string `json:"fail_when,omitempty"`           // prometheus: the same; absent: what does not pass fails
	OnEmpty      string `json:"on_empty,omitempty"`            // prometheus: the verdict where there is no value; absent: inconclusive
	OnNaN        string `json:"on_nan,omitempty"`              // prometheus: the verdict for NaN; absent: inconclusive
	Interval     int    `json:"interval_in_seconds,omitempty"` // from one question to the next
	Timeout      int    `json:"timeout_in_seconds,omitempty"`  // of one question
	FailureLimit int    `json:"failure_limit,omitempty"`       // so many failed verdicts are borne; the next one fails the rollout
	DryRun       bool   `json:"dry_run,omitempty"`             // it is only recorded
}

// DeploymentCheckRecorded: a check of the rollout was made.
type DeploymentCheckRecorded struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Check      string       `json:"check"`               // its name
	Verdict    string       `json:"verdict"`             // pass, fail or inconclusive
	Value      string       `json:"value,omitempty"`     // what was measured: a number, NaN, or an HTTP status
	Threshold  string       `json:"threshold,omitempty"` // what it was held against
	Message    string       `json:"message,omitempty"`   // in words, where there is more to say
	DryRun     bool         `json:"dry_run,omitempty"`   // it is only recorded
	At         time.Time    `json:"at"`                  // when it was asked
}

// Causes of a breach.
const (
	CauseCheck    = "check"    // a check failed
	CauseAlarm    = "alarm"    // an alarm about the app fires
	CauseDeadline = "deadline" // nothing got better for too long
	CauseStartup  = "startup"  // a new instance took too long to start
	CauseCrashes  = "crashes"  // new instances crashed too often, or too many at once
)

// DeploymentBreached: the rollout failed. What becomes of it stands beside the cause; the events after it in the commit
// begin that.
type DeploymentBreached struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Cause      string       `json:"cause"`             // check, alarm, deadline, startup or crashes
	Name       string       `json:"name,omitempty"`    // of the check or alarm
	Reason     string       `json:"reason"`            // in words, with what was measured
	Value      string       `json:"value,omitempty"`   // what was measured
	Crashes    int          `json:"crashes,omitempty"` // crashes of new instances until then
	Action     string       `json:"action"`            // rollback, hold or cancel
	At         time.Time    `json:"at"`                // when
}

// DeploymentRollingBack: the rollout goes back on its own or because somebody asked: the old version comes to full strength
// before the new one leaves. The app's current droplet is the previous one again.
type DeploymentRollingBack struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Reason     string       `json:"reason"`         // why, in words
	Fast       bool         `json:"fast,omitempty"` // it does not wait for the old version
	At         time.Time    `json:"at"`             // when it began
}

// DeploymentRolledBack: the rollout is undone; the old version runs at its original count.
type DeploymentRolledBack struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Kept       ProcessID    `json:"kept"` // the web process that serves again
}

// SignalReceived: a system outside says that an alarm about the app fires, or that it is over. It is recorded when that
// changes.
type SignalReceived struct {
	App     AppID     `json:"app"`
	Name    string    `json:"name"`              // of the alarm
	Firing  bool      `json:"firing"`            // it fires now, or it is over
	Source  string    `json:"source,omitempty"`  // who says so: alertmanager, ...
	Value   string    `json:"value,omitempty"`   // what was measured
	Message string    `json:"message,omitempty"` // in words
	At      time.Time `json:"at"`                // when Slipway heard of it
}

func (DeploymentCheckRecorded) Type() Type { return TypeDeploymentCheckRecorded }
func (DeploymentBreached) Type() Type      { return TypeDeploymentBreached }
func (DeploymentRollingBack) Type() Type   { return TypeDeploymentRollingBack }
func (DeploymentRolledBack) Type() Type    { return TypeDeploymentRolledBack }
func (SignalReceived) Type() Type          { return TypeSignalReceived }

func (e DeploymentCheckRecorded) Subject() string { return string(e.Deployment) }
func (e DeploymentBreached) Subject() string      { return string(e.Deployment) }
func (e DeploymentRollingBack) Subject() string   { return string(e.Deployment) }
func (e DeploymentRolledBack) Subject() string    { return string(e.Deployment) }
func (e SignalReceived) Subject() string          { return string(e.App) }
