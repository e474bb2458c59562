package group

import (
	"slices"

	"slipway/aggregates/plan"
	"slipway/events"
)

// The directives, shorter.
const (
	proceed  = events.DirectiveContinue
	finalize = events.DirectiveFinalize
	cancel   = events.DirectiveCancel
	rollback = events.DirectiveRollback
)

// State is a group folded from its events. It is a value: Evolve returns a new one. The zero State is a group that does not
// exist.
type State struct {
	ID         events.GroupID
	Members    []Entry // in the order of the request
	Course     string  // the last directive that steers it: finalize, cancel or rollback
	Steered    events.GroupDirected
	Orders     []Order // directives that members have not been told of yet, oldest first
	Metadata   events.Metadata
	Schedule   plan.Schedule // when the steps of its members' growth curves begin
	By         events.Actor  // who asked for it
	Automation bool          // no person decided it
	Ended      bool
}

// Entry is a member as far as it is recorded.
type Entry struct {
	events.GroupMember
	Started bool
	End     Member // empty: it has not ended
}

// Order is something to be asked of one member.
type Order struct {
	events.GroupOrder
	Directive  string
	Command    events.CommandID // of the directive
	By         events.Actor
	Automation bool // By is no person
}

// Exists says whether the group has been created.
func (s State) Exists() bool { return s.ID != "" }

// Evolve folds one event into the group. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.GroupCreated:
		s = State{ID: e.Group, Metadata: e.Metadata, Schedule: plan.Schedule(e.Schedule), By: e.By, Automation: e.Automation}
		for _, m := range e.Members {
			s.Members = append(s.Members, Entry{GroupMember: m})
		}
	case events.GroupMemberStarted:
		return s.change(e.Deployment, func(m *Entry) { m.Started = true })
	case events.GroupMemberEnded:
		s.Orders = s.without(func(o Order) bool { return o.Deployment == e.Deployment })
		return s.change(e.Deployment, func(m *Entry) { m.End = Member(e.Status) })
	case events.GroupDirected:
		return s.directed(e)
	case events.GroupMemberDirected:
		s.Orders = s.without(func(o Order) bool { return o.Deployment == e.Deployment && o.Command == e.Command })
	case events.GroupEnded:
		s.Ended = true
	case events.GroupMetadataSet:
		s.Metadata = e.Metadata
	}
	return s
}

func (s State) directed(e events.GroupDirected) State {
	s.Orders = slices.Clone(s.Orders)
	for _, o := range e.Orders {
		s.Orders = append(s.Orders, Order{GroupOrder: o, Directive: e.Directive, Command: e.Command, By: e.By, Automation: e.Automation})
	}
	if e.Directive != proceed {
		s.Course, s.Steered = e.Directive, e
	}
	return s
}

func (s State) change(id events.DeploymentID, change func(*Entry)) State {
	s.Members = slices.Clone(s.Members)
	for i := range s.Members {
		if s.Members[i].Deployment == id {
			change(&s.Members[i])
		}
	}
	return s
}

func (s State) without(done func(Order) bool) []Order {
	left := slices.DeleteFunc(slices.Clone(s.Orders), done)
	if len(left) == 0 {
		return nil
	}
	return left
}

// Member finds a member by its deployment.
func (s State) Member(id events.DeploymentID) (Entry, bool) {
	i := slices.IndexFunc(s.Members, func(m Entry) bool { return m.Deployment == id })
	if i < 0 {
		return Entry{}, false
	}
	return s.Members[i], true
}

// stands is how a member stands: as recorded, or as it is seen.
func (m Entry) stands(seen Seen) Member {
	switch at, ok := seen[m.Deployment]; {
	case m.End != "":
		return m.End
	case ok:
		return at.Status
	case m.Started:
		return Creating
	}
	return Pending
}

// Status is how the group stands, given what is seen of its members.
func (s State) Status(seen Seen) Value {
	members := make([]Member, len(s.Members))
	for i, m := range s.Members {
		members[i] = m.stands(seen)
	}
	return Status(members, s.Course)
}
