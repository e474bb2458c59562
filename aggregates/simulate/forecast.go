package simulate

import (
	"time"

	"slipway/events"
)

// Waiting is the outcome of a rollout that does not end by itself; the others are the reasons of aggregates/app.
const Waiting = "WAITING"

// Forecast is how a rollout would go. Times count from its beginning; a nil one is never reached.
type Forecast struct {
	Created  events.DeploymentCreated // what would be recorded first: its plan, target and floor
	Verdicts []events.PolicyVerdict   // what the policies say before it may begin, where any was asked
	Outcome  string
	Waits    string         // what it waits for, or why it went back
	Finished *time.Duration // it is over
	Alone    *time.Duration // it is over, and one version alone serves with all its instances
	Lowest   Level          // least instances that serve; the earliest moment of several
	Peak     Peak
	Steps    []Step
	Timeline []Moment
	Levels   []Level // what serves, whenever that changes
}

// Level is what serves at a moment: instances that are routable, desired and get requests.
type Level struct {
	After    time.Duration
	Old, New int
	Desired  int // web instances in all, those that are starting too
}

// Serving is old and new together.
func (l Level) Serving() int { return l.Old + l.New }

// Peak is the most that the app takes at any moment, its other processes too: what a quota must have room for.
type Peak struct {
	After     time.Duration
	Instances int
	MemoryMB  int // of all instances together
}

// Step is one step of the plan as it goes.
type Step struct {
	events.Step
	Began    *time.Duration
	Reached  *time.Duration // its new instances are all routable
	Passed   *time.Duration // the next step began, or the rollout was over
	Failures []Failure      // what a failure in it would do, where that was asked for
}

// Failure is what a fault in a step leads to.
type Failure struct {
	Kind     FaultKind
	Outcome  string
	Waits    string
	Noticed  *time.Duration // the rollout is stopped: it breaches, or says why it does not move
	Finished *time.Duration
	Alone    *time.Duration // the old version alone serves again, with all its instances
	Lowest   Level
}

// Moment is an event of the rollout as people are told of it.
type Moment struct {
	After   time.Duration
	Type    events.Type
	Process events.ProcessID // of what is created, scaled or deleted
	New     bool             // it is the version being deployed
	From    int              // instances before
	To      int              // and after
	Text    string
}

// Scales says whether the moment changes how many instances of a process shall run.
func (m Moment) Scales() bool { return m.Process != "" }
