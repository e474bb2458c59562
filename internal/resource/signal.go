package resource

import (
	"time"

	"slipway/events"
)

// Signal is an alarm about an app.
type Signal struct {
	Name          string `json:"name"`
	Firing        bool   `json:"firing"`
	Since         *Time  `json:"since"`              // when Slipway heard that it fires; null where it does not
	Recorded      bool   `json:"recorded,omitempty"` // what was sent is news
	Relationships OfApp  `json:"relationships"`
	Links         Links  `json:"links"`
}

// Signals are the alarms that fire.
type Signals struct {
	Resources []Signal `json:"resources"`
}

// Signal presents an alarm.
func (b Base) Signal(app events.AppID, name string, firing bool, since time.Time, recorded bool) Signal {
	s := Signal{
		Name: name, Firing: firing, Recorded: recorded, Relationships: OfApp{App: toOne(app)},
		Links: Links{"self": b.link("v3", "apps", string(app), "signals"), "app": b.link("v3", "apps", string(app))},
	}
	if firing {
		s.Since = new(Time(since))
	}
	return s
}
