package projections_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// following is a store that reads on in a log, and how the deployment x1 stands then.
type following struct {
	testing.TB
	l *log
	s *projections.Store
}

func (f following) after(facts ...events.Event) projections.Deployment {
	f.Helper()
	if err := f.s.Apply(f.Context(), []events.Recorded{f.l.app(facts...)}); err != nil {
		f.Fatal(err)
	}
	d, err := f.s.Deployment(f.Context(), "x1")
	if err != nil {
		f.Fatal(err)
	}
	return d
}

// asking is a deployment of a roll-back that a policy wants approved, with all there can be in it.
func asking() events.DeploymentApprovalRequested {
	return events.DeploymentApprovalRequested{
		App: "a1", Deployment: "x1", By: "ann", Strategy: events.StrategyLinear, Options: events.DeploymentOptions{MaxInFlight: 3},
		Droplet: "d1", RollBackTo: "r1", StoredStrategy: "s1", Growth: &events.Growth{GrowthFactor: 20}, Group: "g1",
		Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}}, At: at(5),
		Verdicts: []events.PolicyVerdict{
			{Policy: "q1", Outcome: events.OutcomeApproval, Needed: 1},
			{Policy: "q3", Name: "noon", Outcome: events.OutcomeHold, Until: at(30)},
			{Policy: "q2", Name: "night", Reason: "sleep", Outcome: events.OutcomeHold, Until: at(40)},
		},
	}
}

// TestARequestIsShown as it was asked for, with who answered what, and what keeps it from beginning.
func TestARequestIsShown(t *testing.T) {
	is := is.New(t)
	l := running()
	f := following{t, l, applied(t, l)}
	asked := asking()
	d := f.after(asked)
	is.Equal([]any{d.App, d.Strategy, d.Options.MaxInFlight, d.Droplet, d.RolledBackTo, d.Watch.StoredStrategy, d.Watch.Growth.GrowthFactor, d.Watch.Group},
		[]any{asked.App, asked.Strategy, 3, asked.Droplet, asked.RollBackTo, asked.StoredStrategy, 20.0, asked.Group})
	is.Equal([]any{d.Metadata.Labels["team"], d.State, d.StatusReason, d.Watch.Asked.By, d.Watch.Asked.Granted},
		[]any{"pay", projections.Requested, projections.ReasonApproval, events.Actor("ann"), false})
	is.True(d.Watch.Asked.At.Equal(at(5)))
	is.Equal(len(d.Watch.Asked.Verdicts), 3)
	holding := d.Watch.Asked.Holding()
	is.True(holding.Until.Equal(at(40))) // the longest
	is.Equal([]any{holding.Policy, holding.Name, holding.Reason}, []any{events.PolicyID("q2"), "night", "sleep"})

	d = f.after(events.DeploymentApproved{App: "a1", Deployment: "x1", By: "bob", Policies: []events.PolicyID{"q1"}, Comment: "go", Granted: true, At: at(6)})
	is.True(d.Watch.Asked.Granted)
	yes := d.Watch.Asked.Approvals[0]
	is.Equal([]any{yes.By, yes.Policies, yes.Comment, yes.At.Equal(at(6))}, []any{events.Actor("bob"), []events.PolicyID{"q1"}, "go", true})
	is.True(d.UpdatedAt.Equal(at(l.seq())))

	d = f.after(events.DeploymentHeld{App: "a1", Deployment: "x1", Policy: "q4", Name: "freeze", Reason: "year end", Until: at(20), At: at(7)})
	holding = d.Watch.Asked.Holding()
	is.Equal([]any{holding.Policy, holding.Name, holding.Reason, holding.Until.Equal(at(20))}, []any{events.PolicyID("q4"), "freeze", "year end", true})
	is.True(d.UpdatedAt.Equal(at(l.seq())))
	requested := d.CreatedAt

	d = f.after(events.DeploymentCreated{App: "a1", Deployment: "x1", Strategy: events.StrategyLinear, Droplet: "d1", Plan: []events.Step{{New: 2}}, Requested: true})
	is.Equal(d.CreatedAt, requested) // it is the same deployment
	is.True(d.UpdatedAt.Equal(at(l.seq())))
	is.Equal(d.Watch.Asked.Approvals[0].By, events.Actor("bob"))
}

// seq is the sequence of the newest commit.
func (l *log) seq() events.Sequence { return events.Sequence(len(l.commits)) }

// TestARequestThatNeverBegins says who ended it, and why; what no policy needs to be asked about is granted at once.
func TestARequestThatNeverBegins(t *testing.T) {
	is := is.New(t)
	l := running()
	f := following{t, l, applied(t, l)}
	f.after(asking())
	d := f.after(events.DeploymentDenied{App: "a1", Deployment: "x1", By: "eve", Policy: "q1", Reason: "not now", At: at(7)})
	no := d.Watch.Asked.Denial
	is.Equal([]any{no.By, no.Policy, no.Reason, no.At.Equal(at(7))}, []any{events.Actor("eve"), events.PolicyID("q1"), "not now", true})
	is.Equal([]any{d.State, d.StatusReason, d.Error}, []any{projections.Denied, projections.ReasonDenied, "not now"})

	l = running()
	f = following{t, l, applied(t, l)}
	asked := asking()
	asked.Verdicts = append(asked.Verdicts[1:], events.PolicyVerdict{Outcome: events.OutcomeApproval})
	is.True(f.after(asked).Watch.Asked.Granted)
	d = f.after(events.DeploymentWithdrawn{App: "a1", Deployment: "x1", Reason: "nobody approved it in time", At: at(7)})
	is.Equal([]any{d.State, d.StatusReason, d.Error}, []any{projections.Canceled, projections.ReasonCanceled, "nobody approved it in time"})
	is.Equal(projections.Asked{}.Holding(), nil)
}

// TestWhatWatchesARollout: checks by name with how often they failed, a breach with its cause, and that to go on forgives it.
func TestWhatWatchesARollout(t *testing.T) {
	is := is.New(t)
	l := deploying()
	f := following{t, l, applied(t, l)}
	check := func(name, verdict string) events.Event {
		return events.DeploymentCheckRecorded{App: "a1", Deployment: "x1", Check: name, Verdict: verdict, Value: "0.07", Message: "too many", At: at(8)}
	}
	d := f.after(check("errors", events.VerdictFail), check("errors", events.VerdictPass), check("errors", events.VerdictFail), check("other", events.VerdictPass))
	errors := d.Watch.Checks["errors"]
	is.Equal([]any{errors.Verdict, errors.Value, errors.Message, errors.Failures, errors.At.Equal(at(8))}, []any{events.VerdictFail, "0.07", "too many", 2, true})
	is.Equal(d.Watch.Checks["other"].Failures, 0)
	is.Equal(d.State, projections.Deploying)

	d = f.after(events.DeploymentBreached{
		App: "a1", Deployment: "x1", Cause: "check", Name: "errors", Reason: "it failed", Value: "0.07", Action: events.ThenHold, At: at(9),
	})
	b := d.Watch.Breach
	is.Equal([]any{b.Cause, b.Name, b.Reason, b.Value, b.Action, b.At.Equal(at(9))}, []any{"check", "errors", "it failed", "0.07", events.ThenHold, true})
	is.Equal([]any{d.State, d.StatusReason, d.Error, d.Watch.Held}, []any{projections.Paused, projections.ReasonPaused, "it failed", true})

	d = f.after(events.DeploymentContinued{App: "a1", Deployment: "x1", Step: 1})
	is.Equal([]any{d.Step, d.Error, d.Watch.Held, d.Watch.Breach == nil, len(d.Watch.Checks)}, []any{0, "", false, true, 0})
	d = f.after(events.DeploymentErrorRecorded{App: "a1", Deployment: "x1", Error: "slow"}, events.DeploymentStepStarted{App: "a1", Deployment: "x1", Step: 2})
	is.Equal([]any{d.Step, d.Error, d.LastHealthyAt.Equal(at(l.seq()))}, []any{1, "", true})
	d = f.after(events.DeploymentPaused{App: "a1", Deployment: "x1", Until: at(60)})
	is.True(d.Watch.AtPause)
	d = f.after(events.DeploymentContinued{App: "a1", Deployment: "x1", Step: 2})
	is.Equal([]any{d.Step, d.Watch.AtPause, d.Watch.PausedUntil}, []any{2, false, time.Time{}})
	d = f.after(events.DeploymentBakeStarted{App: "a1", Deployment: "x1", Until: at(90)})
	is.Equal([]any{d.Watch.BakeUntil.Equal(at(90)), d.LastHealthyAt.Equal(at(l.seq()))}, []any{true, true})
	d = f.after(events.DeploymentBreached{App: "a1", Deployment: "x1", Reason: "it failed", Action: events.ThenRollback})
	is.Equal(d.Watch.Held, false) // it goes back, by events of its own
}
