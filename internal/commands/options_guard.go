package commands

import (
	"math"

	"slipway/aggregates/app"
	"slipway/aggregates/check"
	"slipway/events"
)

// guard reads what fails a deployment, and what becomes of it then.
func (p *optionParser) guard() (g events.Guard) {
	g.OnFailure = p.choice("on_failure", "On failure", events.ThenRollback, events.ThenHold, events.ThenCancel)
	g.Fast = p.boolean("fast", "Fast")
	g.ProgressDeadline = p.whole("progress_deadline_in_seconds", "Progress deadline in seconds", 1, app.MaxTime)
	g.StartupTimeout = p.whole("startup_timeout_in_seconds", "Startup timeout in seconds", 1, app.MaxTime)
	p.breaker(&g)
	g.IgnoreAlarms = p.boolean("ignore_alarms", "Ignore alarms")
	g.Checks = p.checks()
	return g
}

// breaker reads how many crashes of new instances fail a deployment.
func (p *optionParser) breaker(g *events.Guard) {
	inner, ok := p.object("breaker", "Options breaker")
	if !ok {
		return
	}
	if !inner.has("crashes") && !inner.has("percent") {
		p.fault("Options breaker must have \"crashes\" or \"percent\"")
	}
	g.CrashLimit = inner.whole("crashes", "Options breaker crashes", 1, app.MaxInstances)
	g.CrashPercent = inner.whole("percent", "Options breaker percent", 1, 100)
	p.adopt(inner, "Options breaker")
}

// checks reads health checks. What they may look like is for package check to say: here is their JSON form.
func (p *optionParser) checks() (checks []events.Check) {
	list, ok := p.objects("checks")
	if !ok {
		p.fault("Options checks must be an array of objects")
		return nil
	}
	for _, c := range list {
		checks = append(checks, c.check())
		p.adopt(c, "Options checks")
	}
	return checks
}

func (p *optionParser) check() events.Check {
	c := events.Check{
		Name: p.text("name", "Options checks name"), Kind: p.text("type", "Options checks type"), URL: p.text("url", "Options checks url"),
		Query: p.text("query", "Options checks query"), PassWhen: p.text("pass_when", "Options checks pass when"),
		FailWhen: p.text("fail_when", "Options checks fail when"), OnEmpty: p.text("on_empty", "Options checks on empty"),
		OnNaN: p.text("on_nan", "Options checks on nan"),
	}
	c.Interval = p.whole("interval_in_seconds", "Options checks interval in seconds", 1, check.MaxInterval)
	c.Timeout = p.whole("timeout_in_seconds", "Options checks timeout in seconds", 1, check.MaxInterval)
	c.FailureLimit = p.whole("failure_limit", "Options checks failure limit", 0, math.MaxInt32)
	c.DryRun = p.boolean("dry_run", "Options checks dry run")
	return c
}
