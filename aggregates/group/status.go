package group

import "slices"

// Member is how a member of a group stands.
type Member string

// How members stand: the last eight are ends.
const (
	Pending     Member = "PENDING"           // its wave has not come
	Creating    Member = "CREATING"          // it has, and the deployment is being created
	Approval    Member = "CREATING_APPROVAL" // it waits for people, a window or the end of a halt
	Deploying   Member = "DEPLOYING"
	Paused      Member = "PAUSED"
	Baking      Member = "BAKING"
	Canceling   Member = "CANCELING"
	RollingBack Member = "ROLLING_BACK"

	Deployed   Member = "DEPLOYED"
	Canceled   Member = "CANCELED"
	RolledBack Member = "ROLLED_BACK"
	Superseded Member = "SUPERSEDED"
	Denied     Member = "CREATING_APPROVAL_DENIED"
	Deleted    Member = "DELETED" // its app was deleted meanwhile, or stopped afterwards
	Failed     Member = "FAILED"  // it could not be created
	Skipped    Member = "SKIPPED" // it never begins
)

// Over says whether nothing more becomes of the member.
func (m Member) Over() bool {
	switch m {
	case Deployed, Canceled, RolledBack, Superseded, Denied, Deleted, Failed, Skipped:
		return true
	}
	return false
}

// Asked says whether its deployment has been asked for: then it can be read.
func (m Member) Asked() bool {
	switch m {
	case Pending, Creating, Failed, Skipped:
		return false
	}
	return true
}

// Running is what seed and directives mean by RUNNING: the deployment is active, and neither waits for approval nor goes back.
func (m Member) Running() bool { return m == Deploying || m == Paused || m == Baking }

// begun says whether the member got past being created and approved.
func (m Member) begun() bool {
	switch m {
	case Pending, Creating, Approval, Denied, Failed, Skipped:
		return false
	}
	return true
}

// Value is how a group stands, by nullplatform's names.
type Value string

// The statuses of a group.
const (
	StatusPending    Value = "PENDING"
	StatusRunning    Value = "RUNNING"
	StatusFinalizing Value = "FINALIZING"
	StatusFinalized  Value = "FINALIZED"
	StatusCanceled   Value = "CANCELED"
	StatusFailed     Value = "FAILED"
	StatusDenied     Value = "CREATING_APPROVAL_DENIED"
)

// Status follows from how the members stand and from the directive that steers the group: finalize, cancel, rollback or none
// (reference nullplatform 1.7, in its order).
func Status(members []Member, course string) Value {
	all := func(is func(Member) bool) bool {
		return !slices.ContainsFunc(members, func(m Member) bool { return !is(m) })
	}
	over := all(Member.Over)
	switch {
	case course == finalize && !over:
		return StatusFinalizing
	case all(func(m Member) bool { return m == Denied }):
		return StatusDenied
	case over && (course == cancel || course == rollback):
		return StatusCanceled
	case all(func(m Member) bool { return m == Failed || m == Skipped }):
		return StatusFailed // what is skipped is so because of one that failed
	case over:
		return StatusFinalized
	case slices.ContainsFunc(members, Member.begun):
		return StatusRunning
	}
	return StatusPending
}
