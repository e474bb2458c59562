package updater_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	rules "slipway/aggregates/policy"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/policy"
)

// decidePolicies changes the policies.
func (r *rig) decidePolicies(t testing.TB, decide func(rules.State) ([]events.Event, error)) {
	t.Helper()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "user/ann", Time: time.Now().UTC()}
	_, err := policy.New(r.log).Decide(t.Context(), m, decide)
	is.New(t).NoErr(err)
}

// freezing is a rule that lets nothing begin for so long, once a year.
func freezing(from time.Time, long time.Duration) events.PolicyRule {
	return events.PolicyRule{Outcome: events.OutcomeHold, Reason: "year end", Window: &events.PolicyWindow{
		Rule: "FREQ=YEARLY", Start: from.UTC().Format("2006-01-02T15:04:05"), Seconds: int(long / time.Second), Zone: "UTC",
		Applies: events.WindowInside,
	}}
}

// freeze makes such a policy.
func (r *rig) freeze(t testing.TB, id events.PolicyID, from time.Time, long time.Duration) {
	t.Helper()
	r.decidePolicies(t, func(s rules.State) ([]events.Event, error) {
		return rules.Create(s, rules.Policy{ID: id, Name: string(id), Rule: freezing(from, long)})
	})
}

func (r *rig) thaw(t testing.TB, id events.PolicyID) {
	t.Helper()
	r.decidePolicies(t, func(s rules.State) ([]events.Event, error) { return rules.Delete(s, id) })
}

// requestHeld asks for the second droplet in a freeze that was declared before and is over at a moment.
func (r *rig) requestHeld(t testing.TB, id events.PolicyID, until time.Time) {
	t.Helper()
	now := time.Now().UTC()
	r.freeze(t, id, now, until.Sub(now))
	r.request(t, 2, events.PolicyVerdict{Policy: id, Name: string(id), Outcome: events.OutcomeHold, Reason: "year end", Until: until})
}

// requestApproval asks for the second droplet, which bob must agree to within two hours.
func (r *rig) requestApproval(t testing.TB) {
	t.Helper()
	r.request(t, 2, events.PolicyVerdict{
		Policy: "p", Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 1, Approvers: []string{"user/bob"},
		Expires: time.Now().UTC().Add(2 * time.Hour),
	})
}

func (r *rig) approve(t testing.TB) {
	t.Helper()
	r.decide(t, "approve", func(s app.State) ([]events.Event, error) {
		return app.ApproveDeployment(s, app.Answer{Deployment: s.Requests[0].Deployment, By: "user/bob", Now: time.Now().UTC()})
	})
}

func held(s app.State) bool { return len(s.Requests) == 1 && s.Requests[0].Held.Policy != "" }

// TestAFreezeCameInBetween: what is approved in it begins when it is over, to the nanosecond, whether there is one updater or
// several, or one is away meanwhile and the alarm is lost; and the approval stays one, though its time is over by then.
func TestAFreezeCameInBetween(t *testing.T) {
	for name, c := range map[string]struct {
		updaters int
		away     time.Duration
	}{
		"one updater": {1, 0}, "several": {3, 0}, "back in time": {1, 30 * time.Minute}, "back too late": {1, 5 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, 4)
				stopAgent, stop := start(t, r.agent(nil)), start(t, r.updater())
				for range c.updaters - 1 {
					defer start(t, r.updater())()
				}
				r.requestApproval(t)
				from := time.Now().UTC().Add(time.Hour)
				r.freeze(t, "freeze", from, 3*time.Hour)
				<-time.After(90 * time.Minute)
				approved := time.Now().UTC()
				r.approve(t)
				s := r.await(t, "it is held", held)
				is.Equal([]time.Time{s.Requests[0].Held.At, s.Requests[0].Held.Until}, []time.Time{approved, from.Add(3 * time.Hour)})
				begins := from.Add(3 * time.Hour)
				if c.away > 0 {
					stop()
					<-time.After(c.away)
					r.timers = eventlog.NewMemoryTimers()
					begins = latest(begins, time.Now().UTC())
					stop = start(t, r.updater())
				}
				r.awaitFor(t, 8*time.Hour, "it is deployed", deployed)
				is.Equal(r.when(t, events.TypeDeploymentHeld), []time.Time{approved}) // once
				is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{begins})
				stop()
				stopAgent()
			})
		})
	}
}

// TestAFreezeIsAskedAfterAtEachBeginning: a halt ends in one freeze, and when that one is over another has been declared.
func TestAFreezeIsAskedAfterAtEachBeginning(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		now := time.Now().UTC()
		r.requestApproval(t)
		r.halt(t, declaration(now.Add(time.Hour)))
		r.freeze(t, "first", now.Add(30*time.Minute), time.Hour)
		r.approve(t)
		r.awaitFor(t, 2*time.Hour, "it is held", held)
		is.Equal(r.when(t, events.TypeDeploymentHeld), []time.Time{now.Add(time.Hour)}) // in a halt nobody asks
		r.freeze(t, "second", now.Add(80*time.Minute), time.Hour)
		r.awaitFor(t, 4*time.Hour, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{now.Add(140 * time.Minute)})
	})
}

// TestAFreezeIsLifted: what it held begins at once; where the policy only says otherwise now, so does the request.
func TestAFreezeIsLifted(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		now := time.Now().UTC()
		r.freeze(t, "freeze", now, 3*time.Hour)
		r.requestApproval(t)
		r.approve(t)
		r.await(t, "it is held", held)
		<-time.After(time.Hour)
		r.decidePolicies(t, func(s rules.State) ([]events.Event, error) {
			longer := freezing(now, 4*time.Hour)
			return rules.Update(s, "freeze", rules.Change{Rule: &longer})
		})
		r.await(t, "it says until when", func(s app.State) bool {
			return held(s) && s.Requests[0].Held.Until.Equal(now.Add(4*time.Hour))
		})
		<-time.After(time.Hour)
		r.thaw(t, "freeze")
		r.await(t, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentHeld), []time.Time{now, now.Add(time.Hour)})
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{now.Add(2 * time.Hour)})
	})
}

// TestAFreezeIsLiftedThatHeldFromTheBeginning: what it held begins at once, as if it had been declared later; where the policy only
// says otherwise now, so does the request.
func TestAFreezeIsLiftedThatHeldFromTheBeginning(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		now := time.Now().UTC()
		r.requestHeld(t, "freeze", now.Add(7*time.Hour))
		r.freeze(t, "another", now, time.Hour) // which ends before
		<-time.After(90 * time.Minute)
		r.thaw(t, "freeze")
		r.await(t, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{now.Add(90 * time.Minute)})
	})
}

// TestAFreezeThatNeverEnds denies what is approved in it, with the policy's words.
func TestAFreezeThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 4)
		stop := start(t, r.updater())
		r.requestApproval(t)
		r.decidePolicies(t, func(s rules.State) ([]events.Event, error) {
			rule := freezing(time.Now().Add(-time.Hour), 24*time.Hour)
			rule.Window.Rule = "FREQ=DAILY"
			return rules.Create(s, rules.Policy{ID: "sunset", Name: "sunset", Rule: rule})
		})
		r.approve(t)
		s := r.await(t, "it is denied", func(s app.State) bool { return len(s.Requests) == 0 && len(s.Ended) > 1 })
		is.Equal(s.Ended[len(s.Ended)-1].Reason, app.ReasonDenied)
		is.Equal(len(r.when(t, events.TypeDeploymentCreated)), 1) // the first one of the app
		stop()
	})
}

// TestKilledWhileItIsHeld: an updater is ended after every single commit and another one started.
func TestKilledWhileItIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 4)
		stopAgent := start(t, r.agent(nil))
		now := time.Now().UTC()
		r.freeze(t, "freeze", now, time.Hour)
		r.requestApproval(t)
		r.approve(t)
		version := events.Version(0)
		for s := (app.State{}); !deployed(s); {
			stop := start(t, r.updater())
			before := version
			r.awaitFor(t, 2*time.Hour, "one commit further", func(app.State) bool {
				agg, err := r.apps.Load(t.Context(), "hello")
				is.NoErr(err)
				s, version = agg.State, agg.Position.Version
				return version > before
			})
			stop()
		}
		is.Equal(r.when(t, events.TypeDeploymentHeld), []time.Time{now})
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{now.Add(time.Hour)})
		stopAgent()
	})
}

// TestAFreezeIsLiftedBehindAReplica: a look that does not show the very change it is made for is made again.
func TestAFreezeIsLiftedBehindAReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := &lagging{Log: eventlog.NewMemory(events.NewRegistry())}
		r := newRigOn(t, log, eventlog.NewMemoryTimers(), 4)
		stopAgent, stop := start(t, r.agent(nil)), start(t, r.updater())
		r.freeze(t, "freeze", time.Now(), 300*time.Hour)
		r.requestApproval(t)
		r.approve(t)
		r.await(t, "it is held", held)
		<-time.After(time.Second)
		other := &rig{log: log.Log} // who changes the policies is elsewhere
		log.lag(t, events.PolicySubject)
		other.thaw(t, "freeze")
		r.await(t, "it is deployed", deployed)
		is.True(log.caughtUp()) // it had lagged behind
		stop()
		stopAgent()
	})
}
