package group

import (
	"strings"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Direction is the command to ask something of a whole group.
type Direction struct {
	Directive  string // one of events.Directive...
	Command    events.CommandID
	By         events.Actor
	Automation bool // By is no person
	Now        time.Time
}

// Direct decides what a directive means for each member, given what is seen of them. It is refused as a whole where the seed
// says so: cancel unless every member is RUNNING, rollback while the group is FINALIZING. What a member answers to its order is
// its own affair and undoes nothing for the others.
func Direct(s State, seen Seen, c Direction) ([]events.Event, error) {
	if !s.Exists() {
		return nil, NotFound()
	}
	status := s.Status(seen)
	if status == StatusFinalizing && c.Directive == finalize {
		return nil, nil
	}
	if s.over(seen) || status == StatusFinalizing {
		return nil, aggregates.Reject("Cannot %s a deployment group with status: %s", verb(c.Directive), status)
	}
	switch c.Directive {
	case cancel:
		return s.cancel(seen, c)
	case rollback:
		return s.rollBack(seen, c), nil
	case finalize:
		return s.finalize(seen, c)
	case proceed:
		return s.proceed(seen, c)
	}
	return nil, aggregates.Reject("Directive must be one of continue, finalize, cancel, rollback")
}

func verb(directive string) string {
	if directive == rollback {
		return "roll back"
	}
	return directive
}

func (s State) over(seen Seen) bool {
	for _, m := range s.Members {
		if !m.stands(seen).Over() {
			return false
		}
	}
	return true
}

// cancel needs every member to be RUNNING. Asked again while all go back, it decides nothing.
func (s State) cancel(seen Seen, c Direction) ([]events.Event, error) {
	if s.Course == cancel && s.count(seen, Member.Running) == 0 {
		return nil, nil
	}
	if err := s.refuse(seen, "cancel", "every member must be RUNNING", Member.Running); err != nil {
		return nil, err
	}
	return []events.Event{s.ordered(c, s.orders(seen, Member.Running))}, nil
}

// rollBack sends back who can go back, takes back what waits for approval, and keeps from beginning what has not begun. Where
// nothing is left to do, because all of them go back, it decides nothing.
func (s State) rollBack(seen Seen, c Direction) []events.Event {
	e := s.ordered(c, s.orders(seen, func(m Member) bool { return m.Running() || m == Approval || m == Creating }))
	decided := []events.Event{e}
	for _, m := range s.Members {
		if m.stands(seen) == Pending {
			decided = append(decided, events.GroupMemberEnded{
				Group: s.ID, Deployment: m.Deployment, Status: string(Skipped), Reason: "the group was rolled back before", At: c.Now,
			})
		}
	}
	if len(e.Orders) == 0 && len(decided) == 1 {
		return nil
	}
	return decided
}

// finalize needs every member to be RUNNING, or over.
func (s State) finalize(seen Seen, c Direction) ([]events.Event, error) {
	err := s.refuse(seen, finalize, "every member must be RUNNING or have ended", func(m Member) bool { return m.Running() || m.Over() })
	if err != nil {
		return nil, err
	}
	return []events.Event{s.ordered(c, nil)}, nil
}

// proceed lets the members go on that wait at a step. One that is held after a failure is not among them: whoever forgives that
// says so of the one member. Where a halt holds one of them it is refused, as it is of a single deployment.
func (s State) proceed(seen Seen, c Direction) ([]events.Event, error) {
	var orders []events.GroupOrder
	for _, m := range s.Members {
		if halt := seen[m.Deployment].Halt; m.End == "" && halt != "" {
			return nil, aggregates.Reject("Cannot continue the deployment group: %s: %s", describe(m, m.stands(seen)), halt)
		}
		if at := seen[m.Deployment]; m.End == "" && at.AtPause {
			orders = append(orders, events.GroupOrder{Deployment: m.Deployment, Step: at.Step})
		}
	}
	if len(orders) == 0 {
		return nil, s.refuse(seen, proceed, "no member is paused at a step", func(Member) bool { return false })
	}
	return []events.Event{s.ordered(c, orders)}, nil
}

func (s State) ordered(c Direction, orders []events.GroupOrder) events.GroupDirected {
	return events.GroupDirected{
		Group: s.ID, Directive: c.Directive, Command: c.Command, Orders: orders, By: c.By, Automation: c.Automation, At: c.Now,
	}
}

func (s State) orders(seen Seen, to func(Member) bool) (orders []events.GroupOrder) {
	for _, m := range s.Members {
		if to(m.stands(seen)) {
			orders = append(orders, events.GroupOrder{Deployment: m.Deployment})
		}
	}
	return orders
}

func (s State) count(seen Seen, is func(Member) bool) int { return len(s.orders(seen, is)) }

// refuse names the members that stand in the way; nil where there are none.
func (s State) refuse(seen Seen, verb, why string, fits func(Member) bool) error {
	var misfits []string
	for _, m := range s.Members {
		if status := m.stands(seen); !fits(status) {
			misfits = append(misfits, describe(m, status))
		}
	}
	if len(misfits) == 0 {
		return nil
	}
	return aggregates.Reject("Cannot %s the deployment group: %s, and %s", verb, why, strings.Join(misfits, ", "))
}
