package commands

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

// Options of a deployment as given. Their JSON form is the one on the wire, which docs/strategies.md lists.
type Options struct {
	events.DeploymentOptions
	canary bool // canary was given, if only as {}: which only a canary deployment may
}

// OptionsOf are the options of a deployment as its request could have given them.
func OptionsOf(o events.DeploymentOptions) Options {
	return Options{DeploymentOptions: o, canary: len(o.CanaryWeights) > 0}
}

// UnmarshalJSON reads the options of a deployment with Cloud Foundry's rules and texts (reference 2.3): null is absent,
// numeric strings pass for all numbers but max_in_flight, several faults are told together. Slipway's own options follow
// the same rules.
func (o *Options) UnmarshalJSON(data []byte) error {
	*o = Options{}
	if isNull(data) {
		return nil
	}
	p, ok := parseObject(data)
	if !ok {
		return aggregates.Reject("Options must be an object")
	}
	o.MaxInFlight = p.maxInFlight()
	o.WebInstances = narrow(p.number("web_instances", "Web instances", 0, math.MaxInt32))
	o.MemoryMB = narrow(p.number("memory_in_mb", "Memory in mb", 1, math.MaxInt32))
	o.DiskMB = narrow(p.number("disk_in_mb", "Disk in mb", 1, math.MaxInt32))
	o.LogRate = p.number("log_rate_limit_in_bytes_per_second", "Log rate limit in bytes per second", -1, math.MaxInt64)
	p.canary(o)
	o.Bake = p.whole("bake_in_seconds", "Bake in seconds", 0, app.MaxTime)
	o.Guard = p.guard()
	if unknown := p.unknown(); unknown != "" {
		p.fault("Options has unsupported key(s): " + unknown)
	}
	if len(p.faults) > 0 {
		return aggregates.Reject("%s", strings.Join(p.faults, ", "))
	}
	return nil
}

// The faults of canary steps, in Cloud Foundry's words.
const (
	faultSteps  = "Options canary steps must be an array of objects"
	faultWeight = "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"
	faultOrder  = "Options canary steps instance weight must be sorted in ascending order"
	keyWeight   = "instance_weight"
)

// canary reads the steps: percentages of instances, ascending, each with the pause that it may have. No steps at all is one
// step of one instance.
func (p *optionParser) canary(o *Options) {
	raw, ok := p.take("canary")
	if !ok {
		return
	}
	o.canary = true
	inner, ok := parseObject(raw)
	if !ok {
		p.fault("Options canary must be an object")
		return
	}
	steps, ok := inner.objects("steps")
	if !ok {
		p.fault(faultSteps)
		return
	}
	p.adopt(inner, "Options canary")
	for i, step := range steps {
		o.CanaryWeights = append(o.CanaryWeights, step.weight())
		if pause, given := step.pause(); given {
			o.CanaryPauses = append(o.CanaryPauses, make([]events.Pause, i-len(o.CanaryPauses))...)
			o.CanaryPauses = append(o.CanaryPauses, pause)
		}
		p.adopt(step, "Options canary steps")
	}
	if !slices.IsSorted(o.CanaryWeights) && !slices.Contains(p.faults, faultWeight) {
		p.fault(faultOrder)
	}
}

// weight reads the share of a canary step, in percent.
func (p *optionParser) weight() int {
	raw, ok := p.take(keyWeight)
	if !ok {
		p.fault("Options canary steps missing key: \"" + keyWeight + "\"")
	}
	weight, err := strconv.Atoi(string(raw))
	if err != nil || weight < 1 || weight > 100 {
		p.fault(faultWeight)
	}
	return weight
}

// pause reads for how long a canary step waits, and what then.
func (p *optionParser) pause() (pause events.Pause, given bool) {
	inner, ok := p.object("pause", "Options canary steps pause")
	if !ok {
		return pause, false
	}
	if !inner.has("seconds") || !inner.has("then") {
		p.fault("Options canary steps pause must have \"seconds\" and \"then\"")
	}
	pause.Seconds = inner.whole("seconds", "Options canary steps pause seconds", 1, app.MaxTime)
	pause.Then = inner.choice("then", "Options canary steps pause then", events.ThenContinue, events.ThenCancel, events.ThenHold)
	p.adopt(inner, "Options canary steps pause")
	return pause, true
}

// checkStrategy refuses canary options for another strategy.
func (o Options) checkStrategy(strategy string) error {
	if o.canary && strategy != events.StrategyCanary {
		return aggregates.Reject("Options canary are only valid for Canary deployments")
	}
	return nil
}
