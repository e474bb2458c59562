package app

import (
	"slipway/aggregates"
	"slipway/events"
)

// SetFeature switches one of the app's features. Without revisions nothing is numbered, and nothing can be rolled back to.
func SetFeature(s State, name string, enabled bool) ([]events.Event, error) {
	switch {
	case !s.Exists():
		return nil, aggregates.NotFound("App")
	case name == events.FeatureSSH && enabled:
		return nil, aggregates.Reject("Feature 'ssh' cannot be enabled: there is no way into an instance")
	case name == events.FeatureSSH:
		return nil, nil // it is off
	case name != events.FeatureRevisions:
		return nil, aggregates.NotFound("Feature")
	case s.NoRevisions == !enabled:
		return nil, nil
	}
	return []events.Event{events.AppFeatureSet{App: s.ID, Name: name, Enabled: enabled}}, nil
}
