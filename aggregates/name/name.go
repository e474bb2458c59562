// Package name is the rule book of names that are unique although nobody decides about all that have one: an app's in its
// space, an organization's, that of a quota of organizations. A name belongs to one thing at a time. The thing is created, or
// renamed, in two steps, claim then create, with no transaction across them; a claim that was not followed by its thing heals
// by being taken over (docs/adr/0002).
package name

import (
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Grace is how long a claim holds without its app: far longer than the two appends of a creation take.
const Grace = 30 * time.Second

// State is a name folded from its events.
type State struct {
	App    events.AppID `json:"app,omitempty"`    // whom it belongs to; none: free
	Holder string       `json:"holder,omitempty"` // the same for a name that is no app's
	At     time.Time    `json:"at,omitzero"`      // since when
}

// Evolve folds one event into the state. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.NameClaimed:
		return State{App: e.App, At: e.At}
	case events.NameTaken:
		return State{Holder: e.Holder, At: e.At}
	case events.NameReleased, events.NameFreed:
		return State{}
	}
	return s
}

// Holder is what became of the app that holds the name.
type Holder int

// The holders.
const (
	Absent  Holder = iota // it was never created, or not yet
	Alive                 // it exists
	Deleted               // it is gone
)

// Claim is the command to take a name for an app.
type Claim struct {
	Space  events.SpaceID
	Name   string
	App    events.AppID
	Now    time.Time
	Holder Holder // of the present claim, if there is one
}

// Take claims the name. It is refused where another app holds it, or may be about to.
func Take(s State, c Claim) ([]events.Event, error) {
	if s.App == c.App {
		return nil, nil
	}
	if s.App != "" && (c.Holder == Alive || c.Holder == Absent && c.Now.Sub(s.At) < Grace) {
		return nil, &aggregates.RejectedError{
			Code: aggregates.CodeUniqueness, Message: "App with the name '" + c.Name + "' already exists.",
		}
	}
	return []events.Event{events.NameClaimed{Space: c.Space, Name: c.Name, App: c.App, At: c.Now}}, nil
}

// Release frees the name, if this app holds it.
func Release(s State, space events.SpaceID, name string, app events.AppID) []events.Event {
	if s.App != app {
		return nil
	}
	return []events.Event{events.NameReleased{Space: space, Name: name, App: app}}
}
