package app

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/aggregates"
	"slipway/events"
)

// Bounds of metadata, Cloud Foundry's.
const (
	maxLabels      = 50
	maxAnnotations = 200
	maxKeyName     = 63
	maxKeyPrefix   = 253
	maxAnnotation  = 5000
)

var (
	dnsPrefix  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	nameBytes  = regexp.MustCompile(`^[-A-Za-z0-9_.]*$`)
	nameBounds = regexp.MustCompile(`^[A-Za-z0-9](.*[A-Za-z0-9])?$`)
)

// CheckMetadata refuses labels and annotations that break Cloud Foundry's rules (reference 1.14), in its words.
func CheckMetadata(m events.Metadata) error {
	if len(m.Labels) > maxLabels {
		return aggregates.Reject("Failed to add %d labels because it would exceed maximum of %d", len(m.Labels), maxLabels)
	}
	if len(m.Annotations) > maxAnnotations {
		return aggregates.Reject("Failed to add %d annotations because it would exceed maximum of %d", len(m.Annotations), maxAnnotations)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Labels)) {
		if fault := keyFault(key); fault != "" {
			return aggregates.Reject("Metadata label key error: %s", fault)
		}
		if value := m.Labels[key]; value != "" {
			if fault := nameFault(value); fault != "" {
				return aggregates.Reject("Metadata label value error: %s", fault)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Annotations)) {
		if fault := keyFault(key); fault != "" {
			return aggregates.Reject("Metadata annotation key error: %s", fault)
		}
		if value := m.Annotations[key]; len(value) > maxAnnotation {
			return aggregates.Reject("Metadata annotation value error: '%s...' is greater than %d characters", value[:8], maxAnnotation)
		}
	}
	return nil
}

// keyFault says what is wrong with a key "[prefix/]name"; nothing if it is right.
func keyFault(key string) string {
	prefix, keyName, prefixed := strings.Cut(key, "/")
	if !prefixed {
		prefix, keyName = "", key
	}
	switch {
	case strings.Contains(keyName, "/"):
		return "key has more than one '/'"
	case keyName == "":
		return "key cannot be empty string"
	case len(prefix) > maxKeyPrefix:
		return "prefix '" + prefix[:8] + "...' is greater than 253 characters"
	case prefixed && !dnsPrefix.MatchString(prefix):
		return "prefix '" + prefix + "' must be in valid dns format"
	case prefix == "cloudfoundry.org":
		return "prefix 'cloudfoundry.org' is reserved"
	}
	return nameFault(keyName)
}

func nameFault(s string) string {
	switch {
	case !utf8.ValidString(s) || !nameBytes.MatchString(s):
		return "'" + strings.ToValidUTF8(s, "?") + "' contains invalid characters"
	case len(s) > maxKeyName:
		return "'" + s[:8] + "...' is greater than 63 characters"
	case !nameBounds.MatchString(s):
		return "'" + s + "' starts or ends with invalid characters"
	}
	return ""
}
