package exhaustive

import (
	"slipway/aggregates/app"
	"slipway/events"
)

func options(strategy string, o events.DeploymentOptions) app.CreateDeployment {
	return app.CreateDeployment{Strategy: strategy, Options: o}
}

// Strategies, each as small as shows what is its own.
var (
	rolling   = options("", events.DeploymentOptions{MaxInFlight: 1})
	atOnce    = options(events.StrategyAllAtOnce, events.DeploymentOptions{})
	canary    = options(events.StrategyCanary, events.DeploymentOptions{})
	halves    = options(events.StrategyCanary, events.DeploymentOptions{CanaryWeights: []int{50, 100}})
	blueGreen = options(events.StrategyBlueGreen, events.DeploymentOptions{Bake: 60})
	fallBack  = events.Guard{CrashLimit: 1, OnFailure: events.ThenRollback}
)

func timed(then string) app.CreateDeployment {
	return options(events.StrategyCanary, events.DeploymentOptions{CanaryPauses: []events.Pause{{Seconds: 60, Then: then}}})
}

func guarded(inFlight int, g events.Guard) app.CreateDeployment {
	return options("", events.DeploymentOptions{MaxInFlight: inFlight, Guard: g})
}

func checked(onFailure string) app.CreateDeployment {
	return guarded(1, events.Guard{OnFailure: onFailure, ProgressDeadline: 120, Checks: []events.Check{{
		Name: "errors", Kind: events.CheckHTTP, URL: "http://example.org",
	}}})
}

var growth2 = app.CreateDeployment{Stored: &app.StoredStrategy{ID: "s", Growth: events.Growth{
	GrowthType: events.GrowthLinear, GrowthFactor: 50, DeploymentDurationMinutes: 2, FinalBakeMinutes: 1,
}}}

// fast does not wait for the old version on the way back.
var fast = guarded(2, events.Guard{CrashLimit: 1, Fast: true})

var deadlines = guarded(1, events.Guard{ProgressDeadline: 120, StartupTimeout: 30, OnFailure: events.ThenRollback})

// to is a rollout to another number of instances.
func to(instances int) app.CreateDeployment {
	return options("", events.DeploymentOptions{MaxInFlight: 1, WebInstances: &instances})
}

// agreed begins when one person agrees, agreed2 when two do.
var (
	agreed  = judged(rolling, approval("p", 1))
	agreed2 = judged(rolling, approval("p", 2))
)

// scopes are what is walked through. A second deployment may come at any moment where the budget has one.
var scopes = []scope{
	{name: "rolling 1", size: small, instances: 1, first: rolling, lag: 2, left: budget{crashes: 3, rollsBack: 1, cancels: 1}},
	{name: "rolling 2", size: small, instances: 2, first: rolling, lag: 1, left: budget{crashes: 1, rollsBack: 1}},
	{name: "rolling 3", size: small, instances: 3, first: rolling, left: budget{crashes: 1, rollsBack: 1}},
	{name: "rolling 2 to 1", size: ci, instances: 2, first: to(1), lag: 1, left: budget{crashes: 2, rollsBack: 1, cancels: 1}},
	{name: "rolling 1 to 2", size: ci, instances: 1, first: to(2), lag: 1, left: budget{crashes: 2, rollsBack: 1, cancels: 1}},
	{name: "at once 3", size: ci, instances: 3, first: atOnce, left: budget{crashes: 1, rollsBack: 1, cancels: 1}},
	{name: "pause then continue", size: small, instances: 1, first: timed(events.ThenContinue), lag: 1, left: budget{crashes: 1, continues: 1}},
	{name: "pause then cancel", size: small, instances: 1, first: timed(events.ThenCancel), lag: 1, left: budget{crashes: 1, continues: 1}},
	{name: "pause then hold", size: small, instances: 1, first: timed(events.ThenHold), lag: 1, left: budget{crashes: 1, continues: 1}},
	{name: "blue-green 1", size: small, instances: 1, first: blueGreen, lag: 1, left: budget{crashes: 1, rollsBack: 1}},
	{name: "blue-green 2", size: ci, instances: 2, first: blueGreen, left: budget{crashes: 1, rollsBack: 1}},
	{name: "growth", size: ci, instances: 2, first: growth2, left: budget{crashes: 1, rollsBack: 1}},
	{name: "alarm", size: ci, instances: 1, first: growth2, left: budget{alarms: 2, rollsBack: 1}},
	{name: "breaker", size: ci, instances: 2, first: guarded(2, fallBack), left: budget{crashes: 2}},
	{name: "deadlines", size: ci, instances: 2, first: deadlines, left: budget{crashes: 1}},
	{name: "check then rollback", size: ci, instances: 2, first: checked(events.ThenRollback), left: budget{passes: 1, fails: 1, unknowns: 1}},
	{name: "check then hold", size: ci, instances: 1, first: checked(events.ThenHold), left: budget{passes: 2, fails: 1, continues: 1, rollsBack: 1}},
	{name: "check then cancel", size: small, instances: 1, first: checked(events.ThenCancel), left: budget{passes: 1, fails: 1, crashes: 1}},

	{name: "rolling 1 twice", size: ci, instances: 1, first: rolling, second: rolling, lag: 1, left: budget{deploys: 1, crashes: 1, cancels: 1, rollsBack: 1}},
	{name: "rolling 2 twice", size: ci, instances: 2, first: rolling, second: rolling, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "at once 3, then rolling", size: ci, instances: 3, first: atOnce, second: rolling, left: budget{deploys: 1, rollsBack: 1}},
	{name: "stopped", size: ci, instances: 1, first: rolling, second: rolling, left: budget{deploys: 1, crashes: 1, stops: 1, rollsBack: 1}},
	{name: "at once twice", size: ci, instances: 2, first: atOnce, second: atOnce, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "canary twice", size: ci, instances: 2, first: canary, second: canary, left: budget{deploys: 1, crashes: 1, continues: 2, rollsBack: 1}},
	{name: "canary in halves, then rolling", size: ci, instances: 2, first: halves, second: rolling, left: budget{deploys: 1, crashes: 1, continues: 2, rollsBack: 1}},
	{name: "blue-green twice", size: ci, instances: 1, first: blueGreen, second: blueGreen, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "growth twice", size: ci, instances: 1, first: growth2, second: growth2, left: budget{deploys: 1, crashes: 1}},
	{name: "breaker, then rolling", size: ci, instances: 2, first: guarded(2, fallBack), second: rolling, left: budget{deploys: 1, crashes: 1}},
	{name: "fast, then rolling", size: ci, instances: 2, first: fast, second: rolling, left: budget{deploys: 1, crashes: 1}},
	{name: "check, then rolling", size: ci, instances: 2, first: checked(events.ThenRollback), second: rolling, left: budget{deploys: 1, passes: 1, fails: 1}},

	{name: "approval", size: small, instances: 1, first: agreed2, left: budget{declares: 1}},
	{name: "approval by two policies", size: small, instances: 1, first: judged(rolling, approval("p", 1), byHand(lasting(approval("q", 2)))), left: budget{freezes: 1}},
	{name: "approval in freezes", size: small, instances: 1, first: agreed, left: budget{freezes: 2}},
	{name: "approval by hand", size: small, instances: 1, first: judged(rolling, byHand(approval("p", 1))), left: budget{freezes: 1}},
	{name: "approval in halts", size: small, instances: 1, first: agreed, left: budget{declares: 2}},
	{name: "approval of a rejected version", size: small, instances: 1, first: agreed, left: budget{rejects: 1, freezes: 1}},
	{name: "rolling, then approval", size: ci, instances: 1, first: rolling, second: agreed, lag: 1, left: budget{deploys: 1, declares: 1}},
	{name: "halted", size: small, instances: 1, first: rolling, left: budget{declares: 2, crashes: 1, rollsBack: 1}},
	{name: "halted, late reports", size: ci, instances: 1, first: rolling, lag: 1, left: budget{declares: 2, crashes: 1, rollsBack: 1}},
	{name: "halted pause", size: small, instances: 1, first: timed(events.ThenContinue), left: budget{declares: 2, continues: 1}},
	{name: "halted bake", size: small, instances: 1, first: blueGreen, left: budget{declares: 1}},
	{name: "halted bake, rolled back", size: ci, instances: 1, first: blueGreen, left: budget{declares: 2, rollsBack: 1}},

	{name: "halted 2", size: ci, instances: 2, first: rolling, left: budget{declares: 1, crashes: 1, rollsBack: 1, cancels: 1}},
	{name: "halted twice", size: ci, instances: 1, first: rolling, second: rolling, lag: 1, left: budget{deploys: 1, declares: 1, crashes: 1}},
	{name: "halted growth", size: ci, instances: 2, first: growth2, left: budget{declares: 1}},
	{name: "halted deadlines", size: ci, instances: 1, first: deadlines, left: budget{declares: 1, crashes: 1}},
	{name: "halted breaker", size: ci, instances: 2, first: guarded(2, fallBack), left: budget{declares: 1, crashes: 1}},
	{name: "halted check", size: ci, instances: 1, first: checked(events.ThenRollback), left: budget{declares: 1, passes: 1, fails: 1}},
	{name: "halted, stopped", size: ci, instances: 1, first: blueGreen, left: budget{declares: 1, stops: 1}},
	{name: "promised its turn", size: ci, instances: 1, first: rolling, second: agreed, promised: true, left: budget{deploys: 1, declares: 2}},
	{name: "approval twice", size: ci, instances: 1, first: agreed, second: agreed, left: budget{deploys: 1, declares: 1}},
	{name: "approval twice, by hand", size: ci, instances: 1, first: judged(rolling, byHand(approval("p", 1))), second: agreed, left: budget{deploys: 1, declares: 1}},
	{name: "approval twice, then rolling", size: ci, instances: 1, first: agreed, second: agreed, third: rolling, left: budget{deploys: 2}},
	{name: "rolling 2, then approval", size: ci, instances: 2, first: rolling, second: agreed, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "canary, then approval", size: ci, instances: 2, first: canary, second: agreed, left: budget{deploys: 1, continues: 1, declares: 1}},
	{name: "approval, stopped", size: ci, instances: 1, first: agreed, second: rolling, left: budget{deploys: 1, stops: 1, freezes: 1}},
	{name: "rolling, then automation", size: ci, instances: 1, first: rolling, second: automatic(rolling), left: budget{deploys: 1, rollsBack: 1, freezes: 1}},
	{name: "rolling, then approved automation", size: ci, instances: 1, first: rolling, second: automatic(agreed), left: budget{deploys: 1, rollsBack: 1}},
	{name: "rejected versions", size: ci, instances: 1, first: rolling, second: agreed, left: budget{deploys: 1, rejects: 2, freezes: 1}},

	{name: "canary twice, with rollbacks", size: night, instances: 2, first: canary, second: canary, lag: 1, left: budget{deploys: 1, crashes: 1, continues: 2, rollsBack: 1}},
	{name: "rolling 2 twice, late reports", size: night, instances: 2, first: rolling, second: rolling, lag: 1, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "at once 3 twice, with crashes", size: night, instances: 3, first: atOnce, second: rolling, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "at once twice, late reports", size: night, instances: 2, first: atOnce, second: atOnce, lag: 1, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "stopped, late reports", size: night, instances: 1, first: rolling, second: rolling, lag: 1, left: budget{deploys: 1, crashes: 1, stops: 1, rollsBack: 1}},
	{name: "blue-green 2 twice", size: night, instances: 2, first: blueGreen, second: blueGreen, left: budget{deploys: 1, crashes: 1, rollsBack: 1}},
	{name: "growth 2 twice", size: night, instances: 2, first: growth2, second: growth2, left: budget{deploys: 1, rollsBack: 1}},
	{name: "growth 3", size: night, instances: 3, first: growth2, left: budget{rollsBack: 1}},
	{name: "breaker twice", size: night, instances: 2, first: guarded(2, fallBack), second: guarded(2, fallBack), left: budget{deploys: 1, crashes: 1}},

	{name: "approval twice, halts and freezes", size: night, instances: 1, first: agreed, second: agreed, left: budget{deploys: 1, declares: 1, freezes: 1}},
	{name: "approval three times", size: night, instances: 1, first: agreed, second: agreed, third: judged(rolling, byHand(approval("p", 1))), left: budget{deploys: 2}},
	{name: "approval, stopped twice", size: night, instances: 1, first: agreed, second: rolling, left: budget{deploys: 1, stops: 2, freezes: 1}},
	{name: "promised its turn, in freezes", size: night, instances: 1, first: rolling, second: agreed, promised: true, left: budget{deploys: 1, declares: 2, freezes: 1}},
	{name: "rolling 2, then approval, in halts", size: night, instances: 2, first: rolling, second: agreed, left: budget{deploys: 1, declares: 1, crashes: 1, rollsBack: 1}},
	{name: "halted 2 twice, late reports", size: night, instances: 2, first: rolling, second: rolling, lag: 1, left: budget{deploys: 1, declares: 1, rollsBack: 1}},
	{name: "halted canary, then approval", size: night, instances: 2, first: canary, second: agreed, left: budget{deploys: 1, continues: 1, declares: 1, rollsBack: 1}},
	{name: "halted growth, then approval", size: night, instances: 1, first: growth2, second: agreed, left: budget{deploys: 1, declares: 1}},
	{name: "halted check, then approval", size: night, instances: 1, first: checked(events.ThenRollback), second: agreed, left: budget{deploys: 1, declares: 1, passes: 1, fails: 1}},
	{name: "automation, approved or not, and halts", size: night, instances: 1, first: automatic(agreed), second: automatic(rolling), left: budget{deploys: 1, rollsBack: 1, declares: 1, freezes: 1}},
}
