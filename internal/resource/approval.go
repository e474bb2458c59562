package resource

import (
	"time"

	"slipway/events"
	"slipway/projections"
)

// Approval is what the policies say of a deployment, and what people do (our own addition).
type Approval struct {
	RequestedBy string          `json:"requested_by"`     // who asked for the deployment
	RequestedAt Time            `json:"requested_at"`     // when
	Granted     bool            `json:"granted"`          // nobody is left to be asked, and it was not denied
	Verdicts    []PolicyVerdict `json:"verdicts"`         // of the policies that match
	Approvals   []Answer        `json:"approvals"`        // who has agreed so far
	Denied      *Answer         `json:"denied,omitempty"` // why it never began
}

// PolicyVerdict is what one policy says.
type PolicyVerdict struct {
	Policy       GUID     `json:"policy"` // whose verdict it is
	Name         string   `json:"name"`
	Outcome      string   `json:"outcome"`                 // allow, deny, require_approval or hold
	Reason       string   `json:"reason,omitempty"`        // the policy's
	Needed       int      `json:"needed,omitempty"`        // how many people must agree
	Approvers    []string `json:"approvers,omitempty"`     // roles and people who may agree
	SelfApproval bool     `json:"self_approval,omitempty"` // whoever asked may agree too
	ManualStart  bool     `json:"manual_start,omitempty"`  // somebody has to start it when it is approved
	ExpiresAt    *Time    `json:"expires_at,omitempty"`    // no answer counts from then on
	HeldUntil    *Time    `json:"held_until,omitempty"`    // when its window lets deployments begin
}

// HoldRef is a policy whose window keeps a deployment from beginning.
type HoldRef struct {
	Policy GUID   `json:"policy"` // whose window it is
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"` // why
}

// Answer is one person's yes or no, or a policy's no.
type Answer struct {
	By       string `json:"by"`                 // who answered
	Comment  string `json:"comment,omitempty"`  // what they said
	Policies []GUID `json:"policies,omitempty"` // for which it counts
	At       Time   `json:"at"`                 // when
}

// HaltRef is a halt as a rollout knows of it.
type HaltRef struct {
	GUID       string `json:"guid"`        // the halt's
	Reason     string `json:"reason"`      // why
	DeclaredBy string `json:"declared_by"` // who
	Until      *Time  `json:"until"`       // null: when somebody lifts it
}

func approval(a *projections.Asked) *Approval {
	if a == nil {
		return nil
	}
	out := &Approval{
		RequestedBy: string(a.By), RequestedAt: Time(a.At), Granted: a.Granted && a.Denial == nil, Verdicts: Each(a.Verdicts, Verdict),
		Approvals: Each(a.Approvals, func(y projections.Approval) Answer {
			return Answer{By: string(y.By), Comment: y.Comment, Policies: Each(y.Policies, guid[events.PolicyID]), At: Time(y.At)}
		}),
	}
	if no := a.Denial; no != nil {
		out.Denied = &Answer{By: string(no.By), Comment: no.Reason, At: Time(no.At)}
		if no.Policy != "" {
			out.Denied.Policies = []GUID{guid(no.Policy)}
		}
	}
	return out
}

// Verdict presents what one policy says.
func Verdict(v events.PolicyVerdict) PolicyVerdict {
	return PolicyVerdict{
		Policy: guid(v.Policy), Name: v.Name, Outcome: v.Outcome, Reason: v.Reason, Needed: v.Needed, Approvers: v.Approvers,
		SelfApproval: v.SelfApproval, ManualStart: v.ManualStart, ExpiresAt: known(v.Expires), HeldUntil: known(v.Until),
	}
}

// known is a moment, or nothing where it is zero.
func known(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return moment(t)
}

// held is until when a window keeps a deployment from beginning, and whose; nothing where none does.
func held(a *projections.Asked) (until *Time, by *HoldRef) {
	if a == nil {
		return nil, nil
	}
	h := a.Holding()
	if h == nil {
		return nil, nil
	}
	return known(h.Until), &HoldRef{Policy: guid(h.Policy), Name: h.Name, Reason: h.Reason}
}

func haltRef(h *projections.Halted) *HaltRef {
	if h == nil {
		return nil
	}
	return &HaltRef{GUID: string(h.Halt), Reason: h.Reason, DeclaredBy: string(h.By), Until: known(h.Until)}
}

// answerLinks offers what people can do about a deployment that waits to begin.
func (b Base) answerLinks(d projections.Deployment, links Links) {
	act := func(verb string) Link { return b.link("v3", "deployments", string(d.GUID), "actions", verb).by("POST") }
	if asked := d.Watch.Asked; asked != nil && asked.Granted {
		links["start"] = act("start")
		return
	}
	links["approve"], links["deny"] = act("approve"), act("deny")
}
