package projections_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// TestWhatWaitsToBeginSaysWhy: whose word, then which window, then that somebody starts it. What was recorded since counts more.
func TestWhatWaitsToBeginSaysWhy(t *testing.T) {
	ten := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	eyes := events.PolicyVerdict{
		Policy: "p", Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 2, Approvers: []string{"admin", "user/bob"}, Reason: "it matters",
		Expires: ten, ManualStart: true,
	}
	office := events.PolicyVerdict{Policy: "w", Name: "office hours", Outcome: events.OutcomeHold, Until: ten}
	later := events.PolicyVerdict{Policy: "f", Name: "freeze", Outcome: events.OutcomeHold, Until: ten.Add(time.Hour), Reason: "year end"}
	yes := projections.Approval{By: "user/bob", Policies: []events.PolicyID{"q", "p"}}
	other := projections.Approval{By: "user/eve", Policies: []events.PolicyID{"q"}}
	for want, asked := range map[string]projections.Asked{
		"waits for approval: policy four eyes wants 2 of admin, user/bob, until 2026-01-05T10:00:00Z: it matters":           {Verdicts: []events.PolicyVerdict{office, eyes}},
		"waits for approval: policy four eyes wants 2 of admin, user/bob, 1 agreed, until 2026-01-05T10:00:00Z: it matters": {Verdicts: []events.PolicyVerdict{eyes}, Approvals: []projections.Approval{yes, other}},
		"policy office hours holds it until 2026-01-05T10:00:00Z":                                                           {Verdicts: []events.PolicyVerdict{office}},
		"policy freeze holds it until 2026-01-05T11:00:00Z: year end":                                                       {Verdicts: []events.PolicyVerdict{office, later, office}}, // the last to let it go
		"approved, waits until somebody starts it":                                                                          {Verdicts: []events.PolicyVerdict{eyes}, Approvals: []projections.Approval{yes, yes}},
		"waits for the updater to begin it":                                                                                 {},
	} {
		t.Run(want, func(t *testing.T) {
			is := is.New(t)
			d := projections.Deployment{State: projections.Requested, Watch: projections.Watch{Asked: &asked}}
			is.Equal(d.Stuck(), want)
			d.Error = "rollouts are halted"
			is.Equal(d.Stuck(), "rollouts are halted")
			d.State, d.Error = projections.Deploying, ""
			is.Equal(d.Stuck(), "") // it has begun
		})
	}
}
