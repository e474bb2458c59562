package replay

import (
	"fmt"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
)

// Rollout is a past rollout as the log has it. Times count from its creation.
type Rollout struct {
	Name     string // of the app
	Created  events.DeploymentCreated
	Before   app.State // the app right before it
	Scalings []Scaling // what it decided about web processes
	Outcome  string    // as in the audit: ACTIVE while it goes on
	Took     time.Duration
	Lowest   simulate.Level // least that served
	Peak     int            // most web instances desired at a time
	Notes    []string       // what happened that a simulation does not carry over

	deploy app.CreateDeployment
	pauses map[int]time.Duration // those that somebody continued, from 1
	paused int                   // how many there were
	acts   []simulate.Act
	lives  lives
}

// same says whether two scalings are of the same process and size. New processes are the same, whatever they are called.
func (s Scaling) same(t Scaling) bool {
	return s.New == t.New && (s.New || s.Process == t.Process) && s.From == t.From && s.To == t.To
}

// Outcomes beside the reasons of aggregates/app.
const (
	Active  = "ACTIVE"
	Deleted = "DELETED"
)

// Scaling is a change of how many instances of a web process shall run.
type Scaling struct {
	After    time.Duration
	Process  events.ProcessID
	New      bool // it is the version that was deployed
	From, To int
}

func (s Scaling) String() string {
	version := "old"
	if s.New {
		version = "new"
	}
	return fmt.Sprintf("%s %d to %d", version, s.From, s.To)
}

// recorder folds the log into a rollout.
type recorder struct {
	id        events.DeploymentID
	at        events.Sequence
	state     app.State
	seen      app.Instances
	began     time.Time
	revisions map[events.RevisionID]events.RevisionCreated
	starts    *starts
	paused    time.Time // since when; zero: it is not
	rollout   Rollout
}

func newRecorder(id events.DeploymentID, at events.Sequence) *recorder {
	return &recorder{
		id: id, at: at, seen: app.Instances{}, revisions: map[events.RevisionID]events.RevisionCreated{}, starts: newStarts(),
		rollout: Rollout{pauses: map[int]time.Duration{}},
	}
}

// before folds a commit of the time before the rollout.
func (r *recorder) before(c events.Recorded) {
	for _, e := range c.Events {
		if revision, ok := e.(events.RevisionCreated); ok {
			r.revisions[revision.Revision] = revision
		}
		r.state = app.Evolve(r.state, e)
	}
}

func (r *recorder) ended() bool {
	return r.rollout.Outcome != "" && r.rollout.Outcome != Active
}

// take folds what comes next.
func (r *recorder) take(c events.Recorded) {
	if report, ok := c.Events[0].(events.InstanceEvent); ok {
		r.report(report.Ref().Process, c)
		return
	}
	if c.Sequence == r.at {
		r.begin(c)
	}
	for _, e := range c.Events {
		before := r.state
		r.state = app.Evolve(r.state, e)
		r.scaled(before, c, e)
		if r.happened(c, e); r.ended() {
			break // what follows in the commit that supersedes it is the next one's
		}
	}
	r.starts.want(r.state, c.Time)
	r.measure(c.Time)
}

func (r *recorder) begin(c events.Recorded) {
	r.began = c.Time
	r.rollout.Name, r.rollout.Before, r.rollout.Outcome = r.state.Name, r.state, Active
	r.starts.adopt(r.state, c.Time)
	r.rollout.deploy, r.rollout.Created = asked(r.state, c, r.id, r.revisions)
	r.starts.fresh = r.rollout.Created.Process
}

func (r *recorder) report(process events.ProcessID, c events.Recorded) {
	r.seen[process] = observed(r.seen[process], c)
	for _, e := range c.Events {
		report, ok := e.(events.InstanceEvent)
		if !ok {
			continue
		}
		crash, ok := e.(events.InstanceCrashed)
		if ok && !r.seenBefore(c) && process != r.rollout.Created.Process {
			r.note(c.Time, fmt.Sprintf("an old instance crashed (%s)", crash.Reason))
		}
		r.starts.take(report, c.Time, r.seenBefore(c))
	}
	if !r.seenBefore(c) {
		r.measure(c.Time)
	}
}

// scaled notes a change of a web process that the rollout made.
func (r *recorder) scaled(before app.State, c events.Recorded, e events.Event) {
	s := Scaling{After: c.Time.Sub(r.began)}
	switch e := e.(type) {
	case events.ProcessCreated:
		if e.ProcessType != events.ProcessTypeWeb {
			return
		}
		s.Process, s.To = e.Process, e.Instances
	case events.ProcessScaled:
		if e.ProcessType != events.ProcessTypeWeb {
			return
		}
		s.Process, s.From, s.To = e.Process, e.From, e.Instances
	case events.ProcessDeleted:
		p, _ := before.Process(e.Process)
		if p.Type != events.ProcessTypeWeb {
			return
		}
		s.Process, s.From = e.Process, p.Instances
	default:
		return
	}
	s.New = s.Process == r.rollout.Created.Process
	r.rollout.Scalings = append(r.rollout.Scalings, s)
}

// happened notes what people did, how it ended, and what is not carried over.
func (r *recorder) happened(c events.Recorded, e events.Event) {
	after := c.Time.Sub(r.began)
	r.rollout.Took = after
	switch e := e.(type) {
	case events.DeploymentPaused:
		r.rollout.paused++
		r.paused = c.Time
	case events.DeploymentContinued:
		r.continued(c)
	case events.DeploymentCanceling:
		r.act(c, simulate.Cancel)
	case events.DeploymentRollingBack:
		r.act(c, simulate.RollBack)
	case events.DeploymentSuperseded:
		if e.Deployment == r.id {
			r.rollout.acts = append(r.rollout.acts, simulate.Act{After: after, Verb: simulate.Supersede})
			r.rollout.Outcome = app.ReasonSuperseded
		}
	case events.DeploymentDeployed:
		r.rollout.Outcome = app.ReasonDeployed
	case events.DeploymentCanceled:
		r.rollout.Outcome = app.ReasonCanceled
	case events.DeploymentRolledBack:
		r.rollout.Outcome = app.ReasonRolledBack
	case events.AppDeleted:
		r.rollout.Outcome = Deleted
	case events.AppStopped, events.SignalReceived, events.DeploymentHalted:
		r.note(c.Time, string(e.Type()))
	case events.DeploymentCheckRecorded:
		if e.Verdict != events.VerdictPass {
			r.note(c.Time, fmt.Sprintf("check %s: %s", e.Check, e.Verdict))
		}
	case events.ProcessRestarted:
		if c.Actor != events.ActorUpdater && c.Sequence > r.at {
			r.note(c.Time, string(e.Type()))
		}
	}
}

// continued notes that somebody went on: after a pause, or with what was held.
func (r *recorder) continued(c events.Recorded) {
	switch {
	case c.Actor.System():
	case r.paused.IsZero():
		r.act(c, simulate.Continue)
	default:
		r.rollout.pauses[r.rollout.paused] = c.Time.Sub(r.paused)
	}
	r.paused = time.Time{}
}

// act notes what somebody did; what followed by itself from a failure does so again.
func (r *recorder) act(c events.Recorded, v simulate.Verb) {
	for _, e := range c.Events {
		if _, failed := e.(events.DeploymentBreached); failed {
			return
		}
	}
	if !c.Actor.System() {
		r.rollout.acts = append(r.rollout.acts, simulate.Act{After: c.Time.Sub(r.began), Verb: v})
	}
}

// maxNotes bounds what is told one by one.
const maxNotes = 20

func (r *recorder) note(at time.Time, text string) {
	if len(r.rollout.Notes) < maxNotes {
		r.rollout.Notes = append(r.rollout.Notes, fmt.Sprintf("%v after the start: %s", at.Sub(r.began).Round(time.Millisecond), text))
	}
}

func (r *recorder) measure(now time.Time) {
	l := simulate.Serving(r.state, r.seen, r.rollout.Created.Process)
	l.After = now.Sub(r.began)
	if r.rollout.Peak == 0 || l.Serving() < r.rollout.Lowest.Serving() {
		r.rollout.Lowest = l
	}
	r.rollout.Peak = max(r.rollout.Peak, l.Desired)
}
