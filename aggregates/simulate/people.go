package simulate

import (
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// somebody acts in the simulation.
const somebody events.Actor = "somebody"

// paused lets somebody continue the pause that has just begun, after a while.
func (w *world) paused() {
	w.pauses++
	if w.in.Pauses == nil {
		return
	}
	lasts, ok := w.in.Pauses(w.pauses)
	if !ok {
		return
	}
	n := w.pauses
	w.happen(lasts, func(w *world) {
		if w.pauses == n && w.state.Deployment != nil && w.state.Deployment.AtPause {
			w.act(Continue)
		}
	})
}

// act does what somebody does. What is refused, or comes too late, changes nothing.
func (w *world) act(v Verb) {
	d := w.state.Deployment
	if d == nil {
		return
	}
	steer := app.Steer{Deployment: d.ID(), By: somebody, Now: w.now}
	var decided []events.Event
	switch v {
	case Continue:
		steer.Crashes = app.Crashes(w.seen[d.Process])
		decided, _ = app.ContinueDeployment(w.state, steer)
	case Cancel:
		decided, _ = app.CancelDeployment(w.state, steer)
	case RollBack:
		decided, _ = app.RollBackDeployment(w.state, steer)
	case Supersede:
		decided = []events.Event{events.DeploymentSuperseded{App: w.state.ID, Deployment: d.ID()}}
	}
	w.commit(decided)
}

// enterStep notes that a step has begun, and what goes wrong in it.
func (w *world) enterStep() {
	d := w.state.Deployment
	if d == nil || d.Step == w.step || d.Step >= len(w.out.Steps) {
		return
	}
	if w.step >= 0 {
		w.out.Steps[w.step].Passed = w.mark()
	}
	w.step = d.Step
	w.out.Steps[w.step].Began = w.mark()
	if w.in.Explore {
		w.out.Steps[w.step].Failures = w.explore()
	}
	if w.in.Fault.Kind != "" && w.in.Fault.Step == w.step+1 {
		w.fail(w.in.Fault.Kind)
	}
}

// alarmDelay is how long after its step has begun an alarm fires: one that fires already counts for nothing.
const alarmDelay = time.Second

// fail lets something go wrong from now on.
func (w *world) fail(kind FaultKind) {
	w.fault = kind
	switch kind {
	case FaultCrash, FaultHang:
		if fresh, ok := w.state.Process(w.fresh); ok && fresh.Instances >= w.out.Steps[w.step].New {
			w.down()
		}
	case FaultAlarm:
		w.happen(alarmDelay, func(w *world) {
			decided, _ := app.Receive(w.state, app.Signal{Name: "simulated", Firing: true, At: w.now})
			w.commit(decided)
		})
	}
}
