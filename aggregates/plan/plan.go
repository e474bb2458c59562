// Package plan turns a strategy into the ordered steps of one rollout. A plan is computed once, when the deployment is
// created, and frozen in its first event.
//
// Every strategy compiles into the same steps: so many new and so many old instances, a gate, and where time matters the
// moment before which the step does not begin. The last step always has all new instances.
package plan

import (
	"cmp"
	"math"
	"slices"
	"time"

	"slipway/events"
)

// Request is what a plan is made from.
type Request struct {
	Strategy         string
	Original, Target int // web instances before and after
	Options          events.DeploymentOptions
	Growth           *events.Growth // of a linear or exponential strategy
	Schedule         Schedule       // when its steps begin; empty: [FirstStepNow]
}

// Compile makes the plan.
func Compile(r Request) []events.Step {
	switch r.Strategy {
	case events.StrategyCanary:
		return bake(canary(r.Original, r.Target, r.Options.CanaryWeights, r.Options.CanaryPauses), r.Options.Bake)
	case events.StrategyBlueGreen:
		return blueGreen(r.Original, r.Target, r.Options.Bake)
	case events.StrategyLinear, events.StrategyExponential:
		if r.Growth != nil {
			return grow(r)
		}
	}
	return bake(Rolling(r.Target), r.Options.Bake)
}

// Rolling is a single step: the new process reaches the target and all others are gone. The tick moves towards it by
// max_in_flight instances at a time; "all at once" is the same with as many in flight as there are.
func Rolling(target int) []events.Step {
	return []events.Step{{New: target, Old: 0, Gate: events.GateHealthy}}
}

// Canary pauses at each weight, a percentage of instances, then goes on as a rolling deployment. Without weights it pauses
// once, at one new instance beside all old ones. The numbers are Cloud Foundry's (reference 1.5): the base is the smaller
// of the original count and the target; a step has base*weight/100 new instances, rounded half up, at least one; and one
// instance more in all than the base, except at 100 percent.
func Canary(original, target int, weights []int) []events.Step {
	return canary(original, target, weights, nil)
}

func canary(original, target int, weights []int, pauses []events.Pause) []events.Step {
	var steps []events.Step
	if len(weights) == 0 {
		steps = []events.Step{{New: 1, Old: original, Gate: events.GateManual}}
	}
	base := min(original, target)
	for _, weight := range weights {
		step := events.Step{New: max((base*weight+50)/100, 1), Gate: events.GateManual}
		if weight < 100 {
			step.Old = base - step.New + 1
		}
		steps = append(steps, step)
	}
	for i := range min(len(steps), len(pauses)) {
		steps[i].Wait, steps[i].Then = milliseconds(pauses[i].Seconds), pauses[i].Then
	}
	return append(steps, Rolling(target)...)
}

// blueGreen brings all new instances up beside all old ones, without requests; then the requests go to them, and the old
// ones stay as they are until the bake is over.
func blueGreen(original, target, seconds int) []events.Step {
	return []events.Step{
		{New: target, Old: original, Gate: events.GateHealthy, Dark: true},
		{New: target, Old: original, Gate: events.GateBake, Wait: milliseconds(seconds)},
	}
}

// bake lets the last step be watched for a while.
func bake(steps []events.Step, seconds int) []events.Step {
	if last := &steps[len(steps)-1]; seconds > 0 {
		last.Gate, last.Wait = events.GateBake, milliseconds(seconds)
	}
	return steps
}

func milliseconds(seconds int) int64 { return int64(seconds) * int64(time.Second/time.Millisecond) }

// Schedule says when the steps of a growth curve begin. AWS AppConfig's own texts disagree (reference 2.4); in all three
// the value never falls, is 100 no later than at the end of the duration, and the bake begins then and not before.
type Schedule string

// The schedules, for N steps in a duration of D.
const (
	FirstStepNow      Schedule = "first-step-now"      // step k at (k-1)·D/N: the API reference
	FirstStepLater    Schedule = "first-step-later"    // step k at k·D/N: the user guide
	OneIntervalAround Schedule = "one-interval-around" // step k at k·D/(N+1): what the service was seen to do
)

// Schedules are all there are.
var Schedules = []Schedule{FirstStepNow, FirstStepLater, OneIntervalAround}

// Valid says whether s is a schedule; empty means [FirstStepNow].
func (s Schedule) Valid() bool { return s == "" || slices.Contains(Schedules, s) }

// begins is when step k of n begins, k from 1.
func (s Schedule) begins(k, n int, duration time.Duration) time.Duration {
	switch cmp.Or(s, FirstStepNow) {
	case FirstStepLater:
		return duration * time.Duration(k) / time.Duration(n)
	case OneIntervalAround:
		return duration * time.Duration(k) / time.Duration(n+1)
	}
	return duration * time.Duration(k-1) / time.Duration(n)
}

// tolerance absorbs that a factor comes as a 32-bit float on the wire: 33.333332 is a third, 33.3 is not.
const tolerance = 1e-6

// Shares are the values of a growth curve in percent, the last one exactly 100: k·G, or G·2^(k-1), for step k from 1.
func Shares(g events.Growth) []float64 {
	var shares []float64
	for k := 1; ; k++ {
		share := g.GrowthFactor * float64(k)
		if g.GrowthType == events.GrowthExponential {
			share = g.GrowthFactor * math.Pow(2, float64(k-1))
		}
		if share >= 100*(1-tolerance) || k == maxShares {
			return append(shares, 100)
		}
		shares = append(shares, share)
	}
}

// maxShares bounds a curve: a factor is 1 percent or more.
const maxShares = 100

// grow compiles a growth curve: the share of new instances rises at fixed times from the start, each only when the one
// before is healthy; at the end of the duration the bake begins. Without a duration there is one step.
func grow(r Request) []events.Step {
	shares, duration := Shares(*r.Growth), time.Duration(r.Growth.DeploymentDurationMinutes)*time.Minute
	wait := time.Duration(r.Growth.FinalBakeMinutes) * time.Minute
	base, n := min(r.Original, r.Target), len(shares)
	var steps []events.Step
	if first := r.Schedule.begins(1, n, duration); first > 0 {
		steps = append(steps, events.Step{Old: base, Gate: events.GateHealthy})
	}
	for i, share := range shares {
		if duration == 0 && i < n-1 {
			continue
		}
		fresh := part(r.Target, share)
		steps = append(steps, events.Step{
			New: fresh, Old: max(base-fresh, 0), Gate: events.GateHealthy, Share: share,
			After: r.Schedule.begins(i+1, n, duration).Milliseconds(),
		})
	}
	if duration > 0 || wait > 0 {
		steps = append(steps, events.Step{
			New: r.Target, Gate: events.GateBake, Share: 100, After: duration.Milliseconds(), Wait: wait.Milliseconds(),
		})
	}
	return steps
}

// part is a share of so many instances, rounded half up, at least one of them.
func part(instances int, share float64) int {
	return min(max(int(float64(instances)*share/100+0.5), 1), instances)
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

// Shown is how many steps people are told of: of a canary those at which it pauses, of anything else all.
func Shown(steps []events.Step) int {
	if n := Pauses(steps); n > 0 {
		return n
	}
	return max(len(steps), 1)
}

// Start is how many instances the new process begins with: as many as may start at once, but no more than the first
// step wants.
func Start(steps []events.Step, maxInFlight int) int {
	if len(steps) == 0 {
		return 0
	}
	return min(maxInFlight, steps[0].New)
}
