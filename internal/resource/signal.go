package resource

import (
	"slipway/aggregates/app"
	"slipway/events"
)

// Signal is an alarm about an app.
type Signal struct {
	Name          string `json:"name"`
	Firing        bool   `json:"firing"`             // whether it fires
	Since         *Time  `json:"since"`              // when Slipway heard that it fires; null where it does not
	Value         string `json:"value,omitempty"`    // what was measured
	Message       string `json:"message,omitempty"`  // in words
	Recorded      bool   `json:"recorded,omitempty"` // what was sent is news
	Relationships OfApp  `json:"relationships"`
	Links         Links  `json:"links"`
}

// Signals are the alarms that fire.
type Signals struct {
	Resources []Signal `json:"resources"` // by name
}

// Signal presents an alarm, which is zero where it does not fire.
func (b Base) Signal(id events.AppID, name string, alarm app.Alarm, firing, recorded bool) Signal {
	s := Signal{
		Name: name, Firing: firing, Value: alarm.Value, Message: alarm.Message, Recorded: recorded, Relationships: OfApp{App: toOne(id)},
		Links: Links{"self": b.link("v3", "apps", string(id), "signals"), "app": b.link("v3", "apps", string(id))},
	}
	if firing {
		s.Since = new(Time(alarm.Since))
	}
	return s
}
