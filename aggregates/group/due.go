package group

import (
	"errors"
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Deed is something that is still to be done for a member, by a command of its own: create its deployment, or tell it of a
// directive.
type Deed struct {
	Member     events.GroupMember
	Directive  string           // empty: create it
	Step       int              // continue: past this step and no other
	Command    events.CommandID // of the deed; the same deed has the same id, so doing it twice does it once
	By         events.Actor     // in whose name
	Automation bool             // who is no person
	order      *Order           // that it carries out; nil: none that is on record
}

// Due is what is to be done now: deployments that have begun on record and that their apps do not know, orders, and, where the
// group is to be finalized, members that pause. An order waits for the
// deployment that it is for.
func Due(s State, seen Seen) []Deed {
	var deeds []Deed
	for _, m := range s.Members {
		if m.stands(seen) == Creating {
			deeds = append(deeds, Deed{Member: m.GroupMember, Command: m.Command, By: s.By, Automation: s.Automation})
		}
	}
	for _, o := range s.Orders {
		if m, _ := s.Member(o.Deployment); m.stands(seen) != Creating {
			deeds = append(deeds, told(m, o))
		}
	}
	if s.Course != finalize {
		return deeds
	}
	for _, m := range s.Members {
		if at := seen[m.Deployment]; m.End == "" && at.AtPause {
			deeds = append(deeds, Deed{
				Member: m.GroupMember, Directive: proceed, Step: at.Step, By: s.Steered.By, Automation: s.Steered.Automation,
				Command: events.CommandID(events.DeriveID(s.Steered.Command, "finalize/"+string(m.Deployment), at.Step)),
			})
		}
	}
	return deeds
}

// told is the deed of an order.
func told(m Entry, o Order) Deed {
	return Deed{
		Member: m.GroupMember, Directive: o.Directive, Step: o.Step, By: o.By, Automation: o.Automation, order: &o,
		Command: events.CommandID(events.DeriveID(o.Command, "order/"+string(o.Deployment), 0)),
	}
}

// Done records what became of a deed; err is the refusal, nil where it was done. That a deployment was created its app tells.
func Done(s State, d Deed, err error, now time.Time) []events.Event {
	var reason string
	if err != nil {
		reason = text(err)
	}
	m, ok := s.Member(d.Member.Deployment)
	switch {
	case !ok || m.End != "":
		return nil
	case d.Directive == "" && err != nil:
		return []events.Event{events.GroupMemberEnded{Group: s.ID, Deployment: m.Deployment, Status: string(Failed), Reason: reason, At: now}}
	case d.order != nil && s.pending(*d.order):
		return []events.Event{events.GroupMemberDirected{Group: s.ID, Deployment: m.Deployment, Command: d.order.Command, Error: reason}}
	}
	return nil
}

// pending says whether an order still stands.
func (s State) pending(o Order) bool {
	for _, other := range s.Orders {
		if other.Deployment == o.Deployment && other.Command == o.Command {
			return true
		}
	}
	return false
}

// text is a refusal in its own words, however it was wrapped.
func text(err error) string {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		rejected = &aggregates.RejectedError{Message: fmt.Sprint(err)}
	}
	said := []rune(rejected.Message)
	return string(said[:min(len(said), maxReason)])
}
