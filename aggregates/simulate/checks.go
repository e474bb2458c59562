package simulate

import (
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// nextCheck is when a check is asked next. One is asked each time its interval has passed since the rollout began, as long
// as its verdict can change anything: a rollout waits for it, or it is going to fail.
func (w *world) nextCheck() (at time.Time, ok bool) {
	for _, c := range w.checks() {
		if due := w.due(c); !ok || due.Before(at) {
			at, ok = due, true
		}
	}
	return at, ok
}

// checks are those whose verdict matters now.
func (w *world) checks() []events.Check {
	d := w.state.Deployment
	if d == nil || d.GoingBack || d.RollingBack || d.Held {
		return nil
	}
	if w.fault != FaultCheck && app.PendingCheck(w.state, w.seen) == "" {
		return nil
	}
	var all []events.Check
	for _, c := range d.Options.Checks {
		if !c.DryRun {
			all = append(all, c)
		}
	}
	return all
}

// due is the next moment after now at which a check is asked.
func (w *world) due(c events.Check) time.Time {
	interval := time.Duration(max(c.Interval, 1)) * time.Second
	return w.began.Add((w.after()/interval + 1) * interval)
}

// askChecks records the verdicts of the checks that are asked now.
func (w *world) askChecks() {
	if w.after() == 0 {
		return // its first interval has not passed
	}
	verdict := events.VerdictPass
	if w.fault == FaultCheck {
		verdict = events.VerdictFail
	}
	for _, c := range w.checks() {
		if interval := time.Duration(max(c.Interval, 1)) * time.Second; w.state.Deployment == nil || w.after()%interval != 0 {
			continue
		}
		decided, _ := app.Record(w.state, app.RecordCheck{
			Deployment: w.state.Deployment.ID(), Check: c.Name, Verdict: verdict, Message: "simulated", At: w.now,
		})
		w.commit(decided)
	}
}
