package app

import (
	"cmp"
	"slices"

	"slipway/aggregates"
	"slipway/aggregates/check"
	"slipway/events"
)

// DefaultProgressDeadline is for how long nothing may get better unless a request says otherwise: ten minutes, as Nomad and
// Kubernetes have it.
const DefaultProgressDeadline = 600 // seconds

// MaxTime bounds bakes, pauses and deadlines, in seconds: AppConfig's bound of its times, a day.
const MaxTime = 24 * 60 * 60

// complete fills in what a request may leave out.
func (c *CreateDeployment) complete() {
	if c.Stored != nil {
		c.Strategy = cmp.Or(c.Strategy, c.Stored.StrategyName())
	}
	c.Strategy = cmp.Or(c.Strategy, events.StrategyRolling)
	if c.watched() {
		c.Options.OnFailure = cmp.Or(c.Options.OnFailure, events.ThenRollback)
	}
	if !c.Now.IsZero() {
		c.Options.ProgressDeadline = cmp.Or(c.Options.ProgressDeadline, DefaultProgressDeadline)
	}
	c.Options.Checks = completed(c.Options.Checks)
}

// inFlight is how many instances may start at once: one unless the request says otherwise, and as many as a step has where
// the pace is the strategy's own.
func (c CreateDeployment) inFlight(target int) int {
	if c.Options.MaxInFlight > 0 {
		return c.Options.MaxInFlight
	}
	switch c.Strategy {
	case events.StrategyAllAtOnce, events.StrategyBlueGreen, events.StrategyLinear, events.StrategyExponential:
		return max(target, 1)
	}
	return 1
}

// watched says whether a request asks for more than Cloud Foundry's rollouts do: it is rolled back when it fails, unless it
// says otherwise. Those never fail by themselves.
func (c CreateDeployment) watched() bool {
	o := c.Options
	return c.Stored != nil || o.Bake > 0 || len(o.Checks) > 0 || o.CrashLimit > 0 || o.CrashPercent > 0 || o.StartupTimeout > 0
}

// CheckOptions refuses options that no deployment may have, whatever it is of.
func CheckOptions(o events.DeploymentOptions) error {
	if err := checkPauses(o); err != nil {
		return err
	}
	o.Checks = completed(o.Checks)
	return checkGuard(o)
}

// completed are checks with what they leave out.
func completed(checks []events.Check) []events.Check {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i] = check.Complete(checks[i])
	}
	return checks
}

// checkGuard refuses times and limits out of bounds, and checks that cannot be made.
func checkGuard(o events.DeploymentOptions) error {
	for _, bound := range []struct {
		name  string
		value int
		most  int
	}{
		{"Bake in seconds", o.Bake, MaxTime},
		{"Progress deadline in seconds", o.ProgressDeadline, MaxTime},
		{"Startup timeout in seconds", o.StartupTimeout, MaxTime},
		{"Crash limit", o.CrashLimit, MaxInstances},
		{"Crash percent", o.CrashPercent, 100},
	} {
		if bound.value < 0 || bound.value > bound.most {
			return aggregates.Reject("%s must be between 0 and %d", bound.name, bound.most)
		}
	}
	switch o.OnFailure {
	case "", events.ThenRollback, events.ThenHold, events.ThenCancel:
	default:
		return aggregates.Reject("On failure must be 'rollback', 'hold' or 'cancel'")
	}
	return check.Validate(o.Checks)
}

// checkPauses refuses pauses that do not fit the canary steps.
func checkPauses(o events.DeploymentOptions) error {
	if len(o.CanaryPauses) > max(len(o.CanaryWeights), 1) {
		return aggregates.Reject("Options canary steps must not have more pauses than steps")
	}
	for _, p := range o.CanaryPauses {
		if p.Seconds < 0 || p.Seconds > MaxTime {
			return aggregates.Reject("Options canary steps pause seconds must be between 0 and %d", MaxTime)
		}
		switch p.Then {
		case events.ThenContinue, events.ThenCancel, events.ThenHold:
		case "":
			if p.Seconds == 0 {
				continue
			}
			fallthrough
		default:
			return aggregates.Reject("Options canary steps pause then must be 'continue', 'cancel' or 'hold'")
		}
	}
	return nil
}
