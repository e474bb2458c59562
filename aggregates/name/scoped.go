package name

import (
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Taking is the command to take a name for a thing other than an app: an organization, or a quota of organizations.
type Taking struct {
	Scope  events.NameScope
	Name   string
	ID     string // of the thing
	Now    time.Time
	Holder Holder // of the present claim, if there is one. One that exists under another name is absent: it may be being renamed.
	Taken  string // what the refusal says
}

// TakeScoped claims the name. It is refused where another thing has it, or may be about to.
func TakeScoped(s State, c Taking) ([]events.Event, error) {
	if s.Holder == c.ID {
		return nil, nil
	}
	if s.Holder != "" && (c.Holder == Alive || c.Now.Sub(s.At) < Grace && c.Holder == Absent) {
		return nil, aggregates.Reject("%s", c.Taken)
	}
	return []events.Event{events.NameTaken{Scope: c.Scope, Name: c.Name, Holder: c.ID, At: c.Now}}, nil
}

// FreeScoped frees the name, if this thing holds it.
func FreeScoped(s State, scope events.NameScope, name, id string) []events.Event {
	if s.Holder != id {
		return nil
	}
	return []events.Event{events.NameFreed{Scope: scope, Name: name, Holder: id}}
}
