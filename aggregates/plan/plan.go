// Package plan turns a strategy into the ordered steps of one rollout. A plan is computed once, when the deployment is
// created, and frozen in its first event.
//
// Each strategy compiles into the same steps: so many new and so many old instances, and a gate. The last step is always
// "all new, none old"; growth curves will compile into further steps before it.
package plan

import "slipway/events"

// Rolling is a single step: the new process reaches the target and all others are gone. The tick moves towards it by
// max_in_flight instances at a time.
func Rolling(target int) []events.Step {
	return []events.Step{{New: target, Old: 0, Gate: events.GateHealthy}}
}

// Canary pauses at each weight, a percentage of instances, then goes on as a rolling deployment. Without weights it pauses
// once, at one new instance beside all old ones. The numbers are Cloud Foundry's (reference 1.5): the base is the smaller
// of the original count and the target; a step has base*weight/100 new instances, rounded half up, at least one; and one
// instance more in all than the base, except at 100 percent.
func Canary(original, target int, weights []int) []events.Step {
	if len(weights) == 0 {
		return append([]events.Step{{New: 1, Old: original, Gate: events.GateManual}}, Rolling(target)...)
	}
	base := min(original, target)
	var steps []events.Step
	for _, weight := range weights {
		step := events.Step{New: max((base*weight+50)/100, 1), Gate: events.GateManual}
		if weight < 100 {
			step.Old = base - step.New + 1
		}
		steps = append(steps, step)
	}
	return append(steps, Rolling(target)...)
}

// Pauses is how many steps of a plan wait for somebody to continue.
func Pauses(steps []events.Step) int {
	n := 0
	for _, s := range steps {
		if s.Gate == events.GateManual {
			n++
		}
	}
	return n
}

// Start is how many instances the new process begins with: as many as may start at once, but no more than the first
// step wants.
func Start(steps []events.Step, maxInFlight int) int {
	if len(steps) == 0 {
		return 0
	}
	return min(maxInFlight, steps[0].New)
}
