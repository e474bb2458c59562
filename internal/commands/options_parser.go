package commands

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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

// has says whether a field is there, and not null.
func (p *optionParser) has(key string) bool {
	raw, ok := p.fields[key]
	return ok && !isNull(raw)
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

// once tells a fault that several things may have only one time.
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

// boolean takes a field that is true or false; absent it is false.
func (p *optionParser) boolean(key, name string) (b bool) {
	raw, ok := p.take(key)
	if ok && json.Unmarshal(raw, &b) != nil {
		p.fault(name + " must be a boolean")
	}
	return b
}

// text takes a field that is a string; absent it is empty.
func (p *optionParser) text(key, name string) (s string) {
	raw, ok := p.take(key)
	if ok && json.Unmarshal(raw, &s) != nil {
		p.fault(name + " must be a string")
	}
	return s
}

// choice takes a field that is one of these words; absent it is empty, and so it is where it is none of them.
func (p *optionParser) choice(key, name string, words ...string) (s string) {
	raw, ok := p.take(key)
	if ok && (json.Unmarshal(raw, &s) != nil || !slices.Contains(words, s)) {
		last := len(words) - 1
		p.fault(name + " must be '" + strings.Join(words[:last], "', '") + "' or '" + words[last] + "'")
		return ""
	}
	return s
}

// whole is a number that fits into an int; absent it is 0.
func (p *optionParser) whole(key, name string, least, most int64) int {
	if n := p.number(key, name, least, most); n != nil {
		return int(*n)
	}
	return 0
}

// object takes a field that is an object; ok is false where it is absent or anything else.
func (p *optionParser) object(key, name string) (inner optionParser, ok bool) {
	raw, given := p.take(key)
	if !given {
		return inner, false
	}
	if inner, ok = parseObject(raw); !ok {
		p.once(name + " must be an object")
	}
	return inner, ok
}

// objects takes a field that is a list of objects; ok is false where it is anything else.
func (p *optionParser) objects(key string) (list []optionParser, ok bool) {
	raw, given := p.take(key)
	if !given {
		return nil, true
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	for _, item := range items {
		inner, ok := parseObject(item)
		if !ok {
			return nil, false
		}
		list = append(list, inner)
	}
	return list, true
}

// adopt takes over the faults of an object inside, each one time, and tells the keys of it that nobody took.
func (p *optionParser) adopt(inner optionParser, name string) {
	if unknown := inner.unknown(); unknown != "" {
		inner.fault(name + " has unsupported key(s): " + unknown)
	}
	for _, fault := range inner.faults {
		p.once(fault)
	}
}
