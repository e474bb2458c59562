package commands

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// Options of a deployment as given.
type Options struct {
	events.DeploymentOptions
	canary bool // canary was given, if only as {}: which only a canary deployment may
}

// MarshalJSON writes the options as they are read.
func (o Options) MarshalJSON() ([]byte, error) {
	type step struct {
		Weight int `json:"instance_weight"`
	}
	type canary struct {
		Steps []step `json:"steps"`
	}
	shape := struct {
		MaxInFlight  int     `json:"max_in_flight,omitempty"`
		WebInstances *int    `json:"web_instances,omitempty"`
		MemoryMB     *int    `json:"memory_in_mb,omitempty"`
		DiskMB       *int    `json:"disk_in_mb,omitempty"`
		LogRate      *int64  `json:"log_rate_limit_in_bytes_per_second,omitempty"`
		Canary       *canary `json:"canary,omitempty"`
	}{o.MaxInFlight, o.WebInstances, o.MemoryMB, o.DiskMB, o.LogRate, nil}
	if o.canary {
		shape.Canary = &canary{}
		for _, weight := range o.CanaryWeights {
			shape.Canary.Steps = append(shape.Canary.Steps, step{weight})
		}
	}
	return json.Marshal(shape)
}

// UnmarshalJSON reads the options of a deployment with Cloud Foundry's rules and texts (reference 2.3): null is absent,
// numeric strings pass for all numbers but max_in_flight, several faults are told together.
func (o *Options) UnmarshalJSON(data []byte) error {
	*o = Options{}
	if isNull(data) {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return aggregates.Reject("Options must be an object")
	}
	p := optionParser{fields: fields}
	o.MaxInFlight = p.maxInFlight()
	o.WebInstances = narrow(p.number("web_instances", "Web instances", 0, math.MaxInt32))
	o.MemoryMB = narrow(p.number("memory_in_mb", "Memory in mb", 1, math.MaxInt32))
	o.DiskMB = narrow(p.number("disk_in_mb", "Disk in mb", 1, math.MaxInt32))
	o.LogRate = p.number("log_rate_limit_in_bytes_per_second", "Log rate limit in bytes per second", -1, math.MaxInt64)
	o.CanaryWeights, o.canary = p.canary()
	p.unknown()
	if len(p.faults) > 0 {
		return aggregates.Reject("%s", strings.Join(p.faults, ", "))
	}
	return nil
}

// optionParser takes known fields out of the object and collects what is wrong with them.
type optionParser struct {
	fields map[string]json.RawMessage
	faults []string
}

// take removes a field; ok is false where it is absent or null.
func (p *optionParser) take(key string) (json.RawMessage, bool) {
	raw, ok := p.fields[key]
	delete(p.fields, key)
	return raw, ok && !isNull(raw)
}

func (p *optionParser) fault(text string) { p.faults = append(p.faults, text) }

func (p *optionParser) maxInFlight() int {
	raw, ok := p.take("max_in_flight")
	if !ok || string(raw) == "false" { // Cloud Foundry takes false for absent
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 32)
	if err != nil || n < 1 {
		p.fault("Max in flight must be an integer greater than 0")
		return 0
	}
	return int(n)
}

func (p *optionParser) number(key, name string, least, most int64) *int64 {
	raw, ok := p.take(key)
	if !ok {
		return nil
	}
	text := string(raw)
	var quoted string
	if json.Unmarshal(raw, &quoted) == nil {
		text = quoted
	}
	if !jsonNumber.MatchString(text) || len(text) > 40 {
		p.fault(name + " is not a number")
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n >= least && n <= most {
		return &n
	}
	// Not plainly an integer in range: a float tells what it is, and cannot be made to fill the memory as 1e999999999 could.
	f, _ := strconv.ParseFloat(text, 64)
	switch {
	case f != math.Trunc(f):
		p.fault(name + " must be an integer")
	case f < float64(least) && least == 1:
		p.fault(name + " must be greater than 0")
	case f < float64(least):
		p.fault(name + " must be greater than or equal to " + strconv.FormatInt(least, 10))
	case f >= math.MaxInt64 || int64(f) > most:
		p.fault(name + " must be less than or equal to " + strconv.FormatInt(most, 10))
	default:
		n = int64(f)
		return &n
	}
	return nil
}

// jsonNumber is what counts as a number, quoted or not.
var jsonNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// The faults of canary steps, in Cloud Foundry's words.
const (
	faultSteps  = "Options canary steps must be an array of objects"
	faultWeight = "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"
	faultOrder  = "Options canary steps instance weight must be sorted in ascending order"
	keyWeight   = "instance_weight"
)

// canary reads the steps: percentages of instances, ascending. No steps at all is one step of one instance.
func (p *optionParser) canary() (weights []int, given bool) {
	raw, ok := p.take("canary")
	if !ok {
		return nil, false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		p.fault("Options canary must be an object")
		return nil, true
	}
	inner := optionParser{fields: fields}
	var steps []map[string]json.RawMessage
	if raw, ok := inner.take("steps"); ok {
		if json.Unmarshal(raw, &steps) != nil || slices.ContainsFunc(steps, func(s map[string]json.RawMessage) bool { return s == nil }) {
			p.fault(faultSteps)
			return nil, true
		}
	}
	if len(inner.fields) > 0 {
		p.fault("Options canary has unsupported key(s): " + strings.Join(slices.Sorted(maps.Keys(inner.fields)), ", "))
	}
	for _, step := range steps {
		weights = append(weights, p.weight(step))
	}
	if !slices.IsSorted(weights) && !slices.Contains(p.faults, faultWeight) {
		p.fault(faultOrder)
	}
	return weights, true
}

func (p *optionParser) weight(step map[string]json.RawMessage) int {
	s := optionParser{fields: step}
	raw, ok := s.take(keyWeight)
	if !ok {
		p.once("Options canary steps missing key: \"" + keyWeight + "\"")
	}
	weight, err := strconv.Atoi(string(raw))
	if err != nil || weight < 1 || weight > 100 {
		p.once(faultWeight)
	}
	if len(s.fields) > 0 {
		p.once("Options canary steps has unsupported key(s): " + strings.Join(slices.Sorted(maps.Keys(s.fields)), ", "))
	}
	return weight
}

// once tells a fault that several steps may have only one time.
func (p *optionParser) once(text string) {
	if !slices.Contains(p.faults, text) {
		p.fault(text)
	}
}

func (p *optionParser) unknown() {
	if len(p.fields) > 0 {
		p.fault("Options has unsupported key(s): " + strings.Join(slices.Sorted(maps.Keys(p.fields)), ", "))
	}
}

func narrow(n *int64) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

// checkStrategy refuses canary options for another strategy.
func (o Options) checkStrategy(strategy string) error {
	if o.canary && strategy != events.StrategyCanary {
		return aggregates.Reject("Options canary are only valid for Canary deployments")
	}
	return nil
}
