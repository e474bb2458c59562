// Package plan turns a strategy into the ordered steps of one rollout. A plan is computed once, when the deployment is
// created, and frozen in its first event.
//
// Rolling is the only strategy so far; canary steps and growth curves compile into the same steps.
package plan

import "slipway/events"

// Rolling is a single step: the new process reaches the target and all others are gone. The tick moves towards it by
// max_in_flight instances at a time.
func Rolling(target int) []events.Step {
	return []events.Step{{New: target, Old: 0, Gate: events.GateHealthy}}
}

// Start is how many instances the new process begins with: as many as may start at once, but no more than the first
// step wants.
func Start(steps []events.Step, maxInFlight int) int {
	if len(steps) == 0 {
		return 0
	}
	return min(maxInFlight, steps[0].New)
}
