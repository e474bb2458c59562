package commands

import (
	"bytes"
	"encoding/json"
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
	p, ok := parseObject(data)
	if !ok {
		return aggregates.Reject("Options must be an object")
	}
	o.MaxInFlight = p.maxInFlight()
	o.WebInstances = narrow(p.number("web_instances", "Web instances", 0, math.MaxInt32))
	o.MemoryMB = narrow(p.number("memory_in_mb", "Memory in mb", 1, math.MaxInt32))
	o.DiskMB = narrow(p.number("disk_in_mb", "Disk in mb", 1, math.MaxInt32))
	o.LogRate = p.number("log_rate_limit_in_bytes_per_second", "Log rate limit in bytes per second", -1, math.MaxInt64)
	o.CanaryWeights, o.canary = p.canary()
	if unknown := p.unknown(); unknown != "" {
		p.fault("Options has unsupported key(s): " + unknown)
	}
	if len(p.faults) > 0 {
		return aggregates.Reject("%s", strings.Join(p.faults, ", "))
	}
	return nil
}

// optionParser takes known fields out of the object and collects what is wrong with them.
type optionParser struct {
	fields map[string]json.RawMessage
	keys   []string // of the object, as they came
	faults []string
}

// parseObject reads a JSON object; ok is false where data is anything else.
func parseObject(data []byte) (p optionParser, ok bool) {
	if json.Unmarshal(data, &p.fields) != nil || p.fields == nil {
		return p, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token() // the brace: that all of it is an object has just been seen
	for d.More() {
		key, _ := d.Token()
		name, _ := key.(string)
		p.keys = append(p.keys, name)
		var value json.RawMessage
		_ = d.Decode(&value)
	}
	return p, true
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
	inner, ok := parseObject(raw)
	if !ok {
		p.fault("Options canary must be an object")
		return nil, true
	}
	steps, ok := inner.steps()
	if !ok {
		p.fault(faultSteps)
		return nil, true
	}
	if unknown := inner.unknown(); unknown != "" {
		p.fault("Options canary has unsupported key(s): " + unknown)
	}
	for _, step := range steps {
		weights = append(weights, p.weight(step))
	}
	if !slices.IsSorted(weights) && !slices.Contains(p.faults, faultWeight) {
		p.fault(faultOrder)
	}
	return weights, true
}

// steps takes the list of steps; ok is false where it is no list of objects.
func (p *optionParser) steps() (steps []optionParser, ok bool) {
	raw, given := p.take("steps")
	if !given {
		return nil, true
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	for _, raw := range list {
		step, ok := parseObject(raw)
		if !ok {
			return nil, false
		}
		steps = append(steps, step)
	}
	return steps, true
}

func (p *optionParser) weight(s optionParser) int {
	raw, ok := s.take(keyWeight)
	if !ok {
		p.once("Options canary steps missing key: \"" + keyWeight + "\"")
	}
	weight, err := strconv.Atoi(string(raw))
	if err != nil || weight < 1 || weight > 100 {
		p.once(faultWeight)
	}
	if unknown := s.unknown(); unknown != "" {
		p.once("Options canary steps has unsupported key(s): " + unknown)
	}
	return weight
}

// once tells a fault that several steps may have only one time.
func (p *optionParser) once(text string) {
	if !slices.Contains(p.faults, text) {
		p.fault(text)
	}
}

// unknown lists the keys that nobody took, in the order in which they came, as Cloud Foundry tells them.
func (p *optionParser) unknown() string {
	var left []string
	for _, key := range p.keys {
		if _, ok := p.fields[key]; ok {
			left = append(left, key)
			delete(p.fields, key)
		}
	}
	return strings.Join(left, ", ")
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
