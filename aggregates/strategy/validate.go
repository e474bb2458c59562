package strategy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"slipway/aggregates"
	"slipway/events"
)

// Ranges, AppConfig's. Lengths are in characters.
const (
	maxName        = 64
	maxDescription = 1024
	maxMinutes     = 1440 // a day
	minFactor      = 1.0  // percent
	maxFactor      = 100.0
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
)

// shownValue bounds what a text repeats of a value that is wrong.
const shownValue = 100

const idPattern = `(^[a-z0-9]{4,7}$|^AppConfig\.[A-Za-z0-9]{9,40}$)`

var validID = regexp.MustCompile(idPattern)

// CheckID refuses what cannot be the id of a strategy, stored or predefined.
func CheckID(id events.StrategyID) error {
	var f faults
	if !validID.MatchString(string(id)) {
		f.add(string(id), "deploymentStrategyId", "Member must satisfy regular expression pattern: "+idPattern)
	}
	return f.err()
}

func (c Creation) check() error {
	var f faults
	f.required(c.Name != nil, "name")
	f.length(c.Name, "name", 1, maxName)
	f.length(c.Description, "description", 0, maxDescription)
	f.required(c.Numbers.DeploymentDurationMinutes != nil, "deploymentDurationInMinutes")
	f.required(c.Numbers.GrowthFactor != nil, "growthFactor")
	f.numbers(c.Numbers)
	f.oneOf(c.ReplicateTo, "replicateTo", events.ReplicateToNone, events.ReplicateToSSMDocument)
	f.tags(c.Tags)
	return f.err()
}

func (c Change) check() error {
	var f faults
	f.length(c.Description, "description", 0, maxDescription)
	f.numbers(c.Numbers)
	return f.err()
}

// faults collects all that is wrong with a request, in AWS's words and by AWS's names.
type faults []string

func (f *faults) add(value, member, constraint string) {
	if runes := []rune(value); len(runes) > shownValue {
		value = string(runes[:shownValue]) + "..."
	}
	*f = append(*f, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

func (f *faults) required(given bool, member string) {
	if !given {
		*f = append(*f, "Value null at '"+member+"' failed to satisfy constraint: Member must not be null")
	}
}

func (f *faults) length(text *string, member string, least, most int) {
	if text == nil {
		return
	}
	n := utf8.RuneCountInString(*text)
	switch {
	case !utf8.ValidString(*text):
		f.add(strings.ToValidUTF8(*text, "?"), member, "Member must be valid UTF-8")
	case n < least:
		f.add(*text, member, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case n > most:
		f.add(*text, member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

func (f *faults) numbers(n Numbers) {
	f.minutes(n.DeploymentDurationMinutes, "deploymentDurationInMinutes")
	f.factor(n.GrowthFactor)
	f.oneOf(n.GrowthType, "growthType", events.GrowthExponential, events.GrowthLinear)
	f.minutes(n.FinalBakeMinutes, "finalBakeTimeInMinutes")
}

func (f *faults) minutes(n *int, member string) {
	switch {
	case n == nil:
	case *n < 0:
		f.add(strconv.Itoa(*n), member, "Member must have value greater than or equal to 0")
	case *n > maxMinutes:
		f.add(strconv.Itoa(*n), member, fmt.Sprintf("Member must have value less than or equal to %d", maxMinutes))
	}
}

func (f *faults) factor(g *float64) {
	if g == nil {
		return
	}
	shown := strconv.FormatFloat(*g, 'g', -1, 64)
	switch {
	case *g > maxFactor:
		f.add(shown, "growthFactor", "Member must have value less than or equal to 100")
	case !(*g >= minFactor): // NaN is no number from 1 on either
		f.add(shown, "growthFactor", "Member must have value greater than or equal to 1")
	}
}

func (f *faults) oneOf(word *string, member string, words ...string) {
	if word != nil && !slices.Contains(words, *word) {
		f.add(strings.ToValidUTF8(*word, "?"), member, "Member must satisfy enum value set: ["+strings.Join(words, ", ")+"]")
	}
}

func (f *faults) tags(tags map[string]string) {
	if len(tags) > maxTags {
		f.add(strconv.Itoa(len(tags))+" tags", "tags", fmt.Sprintf("Member must have length less than or equal to %d", maxTags))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		f.length(&key, "tags", 1, maxTagKey)
		f.length(&value, "tags", 0, maxTagValue)
	}
}

// err is the refusal of a request with these faults; nil where there are none.
func (f *faults) err() error {
	switch len(*f) {
	case 0:
		return nil
	case 1:
		return aggregates.Reject("1 validation error detected: %s", (*f)[0])
	}
	return aggregates.Reject("%d validation errors detected: %s", len(*f), strings.Join(*f, "; "))
}
