package strategy

import (
	"slices"

	"slipway/events"
)

// predefined are the strategies that are always there, as AppConfig defines them. They are no facts of the log, so that every
// installation has them and a correction reaches all.
var predefined = []State{
	linear("AppConfig.AllAtOnce", "Quick", 100, 0, 10),
	linear("AppConfig.Linear50PercentEvery30Seconds", "Test/Demo", 50, 1, 1),
	{
		ID: "AppConfig.Canary10Percent20Minutes", Name: "AppConfig.Canary10Percent20Minutes", Description: "AWS Recommended",
		Growth: events.Growth{
			GrowthType: events.GrowthExponential, GrowthFactor: 10, DeploymentDurationMinutes: 20, FinalBakeMinutes: 10,
		},
		ReplicateTo: events.ReplicateToNone,
	},
	linear("AppConfig.Linear20PercentEvery6Minutes", "AWS Recommended", 20, 30, 30),
}

func linear(id events.StrategyID, description string, factor float64, duration, bake int) State {
	return State{
		ID: id, Name: string(id), Description: description, ReplicateTo: events.ReplicateToNone,
		Growth: events.Growth{
			GrowthType: events.GrowthLinear, GrowthFactor: factor, DeploymentDurationMinutes: duration, FinalBakeMinutes: bake,
		},
	}
}

// AllPredefined lists the predefined strategies, in the order in which they are shown.
func AllPredefined() []State { return slices.Clone(predefined) }

// Predefined finds a predefined strategy by its id, which is also its name.
func Predefined(id events.StrategyID) (State, bool) {
	i := slices.IndexFunc(predefined, func(s State) bool { return s.ID == id })
	if i < 0 {
		return State{}, false
	}
	return predefined[i], true
}
