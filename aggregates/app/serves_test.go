package app_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// TestWhatIsBroughtBackCountsOnceItRuns: new instances fail after old ones have left. The old ones that start again take the
// place of nobody before they are up.
func TestWhatIsBroughtBackCountsOnceItRuns(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 3, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 3, Bake: 60, Guard: events.Guard{OnFailure: events.ThenHold}}})
	v.healthy()
	v.tick()
	old, fresh := sizes(v.s)
	is.Equal([]int{old, fresh}, []int{0, 3})
	v.fresh(1, 0, 2)
	v.old(0, 0)
	v.tick()
	old, _ = sizes(v.s)
	is.Equal(old, 2)
	v.old(0, 2)
	v.fresh(2, 1, 0)
	v.tick()
	old, _ = sizes(v.s)
	is.Equal(old, 2) // one of two would be enough, but which one comes up first is not known
	v.old(1, 1)
	v.tick()
	old, _ = sizes(v.s)
	is.Equal(old, 1)
	v.fresh(3, 0, 0)
	v.tick()
	old, _ = sizes(v.s)
	is.Equal(old, 0)
}

// TestNothingLeavesWhileTooLittleServes: a new instance that seems to serve nothing may have come up since it was last seen.
func TestNothingLeavesWhileTooLittleServes(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 1, app.CreateDeployment{})
	v.fresh(0, 1, 0)
	v.seen[v.s.Webs()[0].ID] = with(0, 0, 1)
	v.steer(app.RollBackDeployment)
	is.Equal(len(v.tick()), 0) // the old one crashed, the new one may be all there is
	v.old(1, 0)
	v.tick()
	is.Equal(v.outcome(), app.ReasonRolledBack)
}

// TestSupersededRollbackLeavesNoGap: what is rolled back must not serve, but it does so until there is enough without it.
func TestSupersededRollbackLeavesNoGap(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 3, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 3, Bake: 60}})
	v.healthy()
	v.tick()
	bad := v.s.Deployment.Process
	v.steer(app.RollBackDeployment)
	v.tick()
	v.old(1, 2)
	v.tick()
	v.s = deploy(t, v.s, 3, 3)
	left := func() int { p, _ := v.s.Process(bad); return p.Instances }
	v.old(1, 2)
	v.tick()
	is.Equal(left(), 2) // with the one of version 1 that makes three
	v.old(2, 1)
	v.tick()
	is.Equal(left(), 1)
	v.old(3, 0)
	v.tick()
	is.Equal(left(), 0)
	old, _ := v.s.Process(v.s.Webs()[0].ID)
	is.Equal(old.Instances, 3) // whole, while version 3 starts
}

// TestRejectedLeavesAtOnceWhereItDoesNotHelp, whatever of it runs.
func TestRejectedLeavesAtOnceWhereItDoesNotHelp(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Strategy: events.StrategyCanary})
	v.healthy()
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Paused)
	canary := v.s.Deployment.Process
	v.s = deploy(t, v.s, 3, 1)
	v.tick()
	_, there := v.s.Process(canary)
	is.True(!there)
	is.Equal(v.s.Webs()[0].Instances, 2)
}

// TestAStartCountsForNothingUntilItIsUp: when an app is started anew in the middle of a rollout, what ran before is on its way
// out, though it is reported as running for a moment, and what starts does not serve yet.
func TestAStartCountsForNothingUntilItIsUp(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 1, app.CreateDeployment{})
	interim := v.s.Deployment.Process
	v.s = deploy(t, v.s, 3, 1)
	before := with(1, 0, 0)
	before[0] = app.Instance{ID: "before", State: app.InstanceRunning, Generation: v.s.Webs()[0].Generation}
	decided, err := app.RestartApp(v.s, "restart", app.Quota{}, v.now)
	restarted := must(t, v.s, decided, err)
	is.NoErr(app.CheckCapacity(v.s, restarted, v.seen)) // a restart promises nothing
	v.s = restarted
	v.seen = app.Instances{v.s.Webs()[0].ID: before, interim: with(0, 1, 0)}
	v.tick()
	_, there := v.s.Process(interim)
	is.True(there) // it may be the first to be up
	v.seen[interim] = with(1, 0, 0)
	v.tick()
	is.Equal([]int{v.s.Webs()[0].Instances, v.s.Webs()[1].Instances}, []int{0, 1}) // it is, and one is enough
}

// TestAfterACancelWhatComesBackCountsOnceItRuns: a cancel is quick, and the deployment after it inherits what still starts.
func TestAfterACancelWhatComesBackCountsOnceItRuns(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 3, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 3, Bake: 60}})
	v.healthy()
	v.tick()
	v.steer(app.CancelDeployment)
	v.tick()
	is.Equal(v.outcome(), app.ReasonCanceled)
	v.s = deploy(t, v.s, 3, 1)
	v.old(1, 2)
	v.fresh(1, 0, 0)
	v.tick()
	old, _ := sizes(v.s)
	is.Equal(old, 3) // one old and one new one serve: too few for any of them to leave
	v.old(3, 0)
	v.tick()
	old, _ = sizes(v.s)
	is.Equal(old, 2)
}

// TestTheLawCanBeBroken: a decision that takes away what serves is told from one that does not.
func TestTheLawCanBeBroken(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{})
	v.fresh(1, 0, 0)
	scaled := events.ProcessScaled{App: appID, Process: v.s.Webs()[0].ID, From: 2, Instances: 1}
	is.NoErr(app.CheckCapacity(v.s, app.Evolve(v.s, scaled), v.seen)) // one old and one new one are two
	scaled.Instances = 0
	err := app.CheckCapacity(v.s, app.Evolve(v.s, scaled), v.seen)
	var broken *app.CapacityError
	is.True(errors.As(err, &broken))
	is.Equal(broken.After, app.Capacity{Old: 0, New: 1, Floor: 2})
}

// TestWhatNeverTookRequestsServesNobody: a blue-green rollout that is superseded before the switch leaves.
func TestWhatNeverTookRequestsServesNobody(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Strategy: events.StrategyBlueGreen})
	green := v.s.Deployment.Process
	v.fresh(1, 1, 0)
	v.s = deploy(t, v.s, 3, 1)
	p, _ := v.s.Process(green)
	is.Equal(p.Standing, app.Rejected)
	v.tick()
	_, there := v.s.Process(green)
	is.True(!there)
}
