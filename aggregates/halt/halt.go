// Package halt is the rule book of halts: while one is in force no rollout in its scope goes on, and none begins. All halts
// are one aggregate, so whoever decides about a rollout sees with one look that none was missed.
//
// Decisions and [Evolve] are pure.
package halt

import (
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

// Limits.
const (
	maxHalts  = 100  // in force at once: far more than people can keep in mind
	maxReason = 1024 // bytes
)

// State is the halts that have been declared and not lifted, oldest first. Those that ended by themselves are dropped when
// another is declared. The zero State has none.
type State struct {
	Halts []events.HaltDeclared `json:"halts,omitempty"`
}

// Evolve folds one event.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.HaltDeclared:
		kept := slices.DeleteFunc(slices.Clone(s.Halts), func(h events.HaltDeclared) bool { return over(h, e.At) })
		e.Metadata = events.Metadata{} // a halt that has ended has some too, and the state knows nothing of those
		s.Halts = append(kept, e)
	case events.HaltLifted:
		s.Halts = slices.DeleteFunc(slices.Clone(s.Halts), func(h events.HaltDeclared) bool { return h.Halt == e.Halt })
	}
	return s
}

func over(h events.HaltDeclared, now time.Time) bool {
	return !h.Until.IsZero() && !now.Before(h.Until)
}

func covers(h events.HaltDeclared, o events.OrganizationID, s events.SpaceID) bool {
	return (h.Organization == "" || h.Organization == o) && (h.Space == "" || h.Space == s)
}

// For is the halt that holds rollouts in a space: of several the one that lasts longest. The zero Halt is none.
func (s State) For(o events.OrganizationID, space events.SpaceID, now time.Time) app.Halt {
	var longest *events.HaltDeclared
	for i, h := range s.Halts {
		if covers(h, o, space) && !over(h, now) && (longest == nil || outlasts(h, *longest)) {
			longest = &s.Halts[i]
		}
	}
	if longest == nil {
		return app.Halt{}
	}
	return app.Halt{ID: longest.Halt, Reason: longest.Reason, By: longest.By, Until: longest.Until}
}

func outlasts(a, b events.HaltDeclared) bool {
	return !b.Until.IsZero() && (a.Until.IsZero() || a.Until.After(b.Until))
}

// Declaration is the command to halt all rollouts in a scope: a space, an organization, or with neither everywhere.
type Declaration struct {
	Halt         events.HaltID
	Organization events.OrganizationID
	Space        events.SpaceID
	Reason       string
	Until        time.Time // zero: until it is lifted
	By           events.Actor
	Now          time.Time
	Metadata     events.Metadata
}

// Declare halts.
func Declare(s State, c Declaration) ([]events.Event, error) {
	if err := aggregates.CheckText("Reason", c.Reason, 1, maxReason); err != nil {
		return nil, err
	}
	if !c.Until.IsZero() && !c.Until.After(c.Now) {
		return nil, aggregates.Reject("Until must be in the future")
	}
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return nil, err
	}
	force := slices.DeleteFunc(slices.Clone(s.Halts), func(h events.HaltDeclared) bool { return over(h, c.Now) })
	if len(force) >= maxHalts {
		return nil, aggregates.Reject("%d halts are in force, the most there can be: lift one first", maxHalts)
	}
	return []events.Event{events.HaltDeclared{
		Halt: c.Halt, Organization: c.Organization, Space: c.Space, Reason: c.Reason, By: c.By, At: c.Now, Until: c.Until,
		Metadata: c.Metadata,
	}}, nil
}

// SetMetadata changes labels and annotations of a halt that has these, in force or not.
func SetMetadata(id events.HaltID, was events.Metadata, patch aggregates.MetadataPatch) ([]events.Event, error) {
	next := patch.On(was)
	if err := app.CheckMetadata(next); err != nil {
		return nil, err
	}
	if next.Equal(was) {
		return nil, nil
	}
	return []events.Event{events.HaltMetadataSet{Halt: id, Metadata: next}}, nil
}

// Lift ends a halt. One that has ended is not lifted again.
func Lift(s State, id events.HaltID, by events.Actor, now time.Time) []events.Event {
	known := slices.ContainsFunc(s.Halts, func(h events.HaltDeclared) bool { return h.Halt == id && !over(h, now) })
	if !known {
		return nil
	}
	return []events.Event{events.HaltLifted{Halt: id, By: by, At: now}}
}

// LiftIn ends all halts that are about a space, or where that is empty about an organization or a space of it.
func LiftIn(s State, o events.OrganizationID, space events.SpaceID, by events.Actor, now time.Time) (lifted []events.Event) {
	for _, h := range s.Halts {
		if aggregates.Within(h.Organization, h.Space, o, space) {
			lifted = append(lifted, Lift(s, h.Halt, by, now)...)
		}
	}
	return lifted
}
