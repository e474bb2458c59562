package simulate

import (
	"fmt"

	"slipway/aggregates/app"
	"slipway/events"
)

// record notes an event that people are told of.
func (w *world) record(before app.State, e events.Event) {
	m := Moment{After: w.after(), Type: e.Type()}
	switch e := e.(type) {
	case events.ProcessCreated, events.ProcessScaled, events.ProcessDeleted:
		if !m.scales(before, e) {
			return
		}
		m.New = m.Process == w.fresh
	case events.DeploymentCreated:
		w.out.Created = e
		for _, s := range e.Plan {
			w.out.Steps = append(w.out.Steps, Step{Step: s})
		}
		m.Text = fmt.Sprintf("%s, %d to %d instances", e.Strategy, e.OriginalInstances, e.Target)
	case events.DeploymentPaused:
		m.Text = pauseText(e)
		w.paused()
	case events.DeploymentErrorRecorded:
		if m.Text = e.Error; e.Error == "" {
			return
		}
		w.breaks()
	case events.DeploymentBreached:
		m.Text = e.Reason + ": " + e.Action
		w.breaks()
	default:
		if !w.deploymentEvent(&m, e) {
			return
		}
	}
	w.out.Timeline = append(w.out.Timeline, m)
}

// deploymentEvent says whether an event that needs no more than a text is one of the rollout that is simulated.
func (w *world) deploymentEvent(m *Moment, e events.Event) bool {
	switch e := e.(type) {
	case events.DeploymentStepStarted:
		m.Text = fmt.Sprintf("step %d", e.Step)
	case events.DeploymentContinued:
		m.Text = "by " + string(e.By)
	case events.DeploymentBakeStarted:
		m.Text = fmt.Sprintf("watched for %v", e.Until.Sub(e.At))
	case events.DeploymentRollingBack:
		m.Text = e.Reason
	case events.DeploymentCanceling:
	case events.DeploymentSuperseded:
		return e.Deployment == w.in.Deploy.DeploymentID() && w.finish(app.ReasonSuperseded)
	case events.DeploymentDeployed:
		return w.finish(app.ReasonDeployed)
	case events.DeploymentCanceled:
		return w.finish(app.ReasonCanceled)
	case events.DeploymentRolledBack:
		return w.finish(app.ReasonRolledBack)
	default:
		return false
	}
	return true
}

// scales fills in what an event changes about a web process; it says whether it does.
func (m *Moment) scales(before app.State, e events.Event) bool {
	processType := ""
	switch e := e.(type) {
	case events.ProcessCreated:
		m.Process, m.To, processType = e.Process, e.Instances, e.ProcessType
	case events.ProcessScaled:
		m.Process, m.From, m.To, m.Text, processType = e.Process, e.From, e.Instances, e.Reason, e.ProcessType
	case events.ProcessDeleted:
		p, _ := before.Process(e.Process)
		m.Process, m.From, m.Text, processType = e.Process, p.Instances, "it is not needed any more", p.Type
	}
	return processType == events.ProcessTypeWeb
}

func pauseText(e events.DeploymentPaused) string {
	if e.Until.IsZero() {
		return fmt.Sprintf("at step %d, until somebody continues", e.Step)
	}
	return fmt.Sprintf("at step %d, for a time, then it does this: %s", e.Step, e.Then)
}

// finish notes that the rollout is over.
func (w *world) finish(outcome string) bool {
	w.ended, w.stopped = true, outcome == app.ReasonSuperseded
	w.out.Outcome, w.out.Finished = outcome, w.mark()
	if w.step >= 0 && outcome == app.ReasonDeployed {
		w.out.Steps[w.step].Passed = w.mark()
	}
	return true
}

// breaks notes the first sign of a failure.
func (w *world) breaks() {
	if w.broke == nil {
		w.broke = w.mark()
	}
}

// Serving is what serves: instances that are routable, desired and get requests, of the process being deployed and of the
// others; and the web instances that are desired in all.
func Serving(s app.State, seen app.Instances, fresh events.ProcessID) (l Level) {
	for _, p := range s.Webs() {
		l.Desired += p.Instances
		n := seen[p.ID].Count(p.Instances).Routable
		switch {
		case s.Dark(p):
		case p.ID == fresh:
			l.New += n
		default:
			l.Old += n
		}
	}
	return l
}

// measure takes what serves now.
func (w *world) measure() {
	level := Serving(w.state, w.seen, w.fresh)
	level.After = w.after()
	w.level(level)
	w.peak()
	w.reached()
	if w.ended && w.out.Alone == nil && len(w.state.Webs()) == 1 && level.Serving() == level.Desired {
		w.out.Alone = w.mark()
	}
}

// level notes what serves; of several levels at one moment the last is drawn, and the lowest counts.
func (w *world) level(l Level) {
	if !w.measured || l.Serving() < w.out.Lowest.Serving() {
		w.out.Lowest, w.measured = l, true
	}
	if n := len(w.out.Levels); n > 0 {
		last := w.out.Levels[n-1]
		if last.Old == l.Old && last.New == l.New && last.Desired == l.Desired {
			return
		}
		if last.After == l.After {
			w.out.Levels = w.out.Levels[:n-1]
		}
	}
	w.out.Levels = append(w.out.Levels, l)
}

func (w *world) peak() {
	u := usage(w.state)
	if u.Instances > w.out.Peak.Instances {
		w.out.Peak.Instances, w.out.Peak.After = u.Instances, w.after()
	}
	w.out.Peak.MemoryMB = max(w.out.Peak.MemoryMB, u.MemoryMB)
}

// reached notes that the new instances of the present step are all routable.
func (w *world) reached() {
	d := w.state.Deployment
	if d == nil || w.step < 0 || w.step != d.Step || d.GoingBack || d.RollingBack {
		return
	}
	fresh, _ := w.state.Process(w.fresh)
	if s := &w.out.Steps[w.step]; s.Reached == nil && w.seen[w.fresh].Count(fresh.Instances).Routable >= s.New {
		s.Reached = w.mark()
	}
}

// forecast is what the world has come to.
func (w *world) forecast() Forecast {
	f := w.out
	if f.Outcome == "" {
		f.Outcome, f.Waits = Waiting, waits(w.state)
	}
	return f
}

// waits says what a rollout waits for that does not go on by itself.
func waits(s app.State) string {
	d := s.Deployment
	switch {
	case d.Held:
		return "somebody to continue or to cancel it: " + d.Error
	case d.AtPause:
		return fmt.Sprintf("somebody to continue or to cancel it, at step %d", d.CurrentStep())
	}
	return d.Error
}
