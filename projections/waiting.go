package projections

import (
	"fmt"
	"strings"
	"time"

	"slipway/events"
)

// Stuck says why it does not move, as it is told to people; empty where it does. One that waits to begin says whom or what for.
func (d Deployment) Stuck() string {
	if d.Error != "" || d.State != Requested || d.Watch.Asked == nil {
		return d.Error
	}
	return d.Watch.Asked.waits()
}

// waits says whose word it waits for, then which window, then who starts it: the updater, where nobody else is to.
func (a Asked) waits() string {
	var open []string
	manual := false
	for _, v := range a.Verdicts {
		manual = manual || v.ManualStart
		if yes := a.agreed(v.Policy); v.Outcome == events.OutcomeApproval && yes < v.Needed {
			open = append(open, wanted(v, yes))
		}
	}
	held := a.Holding()
	switch {
	case len(open) > 0:
		return "waits for approval: " + strings.Join(open, "; ")
	case held != nil:
		return because(fmt.Sprintf("policy %s holds it until %s", held.Name, held.Until.UTC().Format(time.RFC3339)), held.Reason)
	case manual:
		return "approved, waits until somebody starts it"
	}
	return "waits for the updater to begin it"
}

// wanted is what a policy still wants of people.
func wanted(v events.PolicyVerdict, yes int) string {
	text := fmt.Sprintf("policy %s wants %d of %s", v.Name, v.Needed, strings.Join(v.Approvers, ", "))
	if yes > 0 {
		text += fmt.Sprintf(", %d agreed", yes)
	}
	if !v.Expires.IsZero() {
		text += ", until " + v.Expires.UTC().Format(time.RFC3339)
	}
	return because(text, v.Reason)
}

// ended says why one that is over ended so: who or which policy denied it and why, who took it back, what failed, what goes on in its
// place. It is empty where nobody said, and of one that is deployed.
func (d Deployment) ended() string {
	asked, breach := d.Watch.Asked, d.Watch.Breach
	switch {
	case asked != nil && asked.Denial != nil:
		return asked.Denial.words()
	case d.StatusReason == ReasonCanceled && breach != nil && breach.Action == events.ThenCancel:
		return breach.Reason
	case d.SupersededBy != "":
		return "deployment " + string(d.SupersededBy) + " goes on in its place"
	}
	return d.Error
}

// words name who denied it. A policy names itself, and so does who gave no reason.
func (n Denial) words() string {
	by := "denied by " + string(n.By)
	if n.By.System() || n.Reason == by {
		return n.Reason
	}
	return because(by, n.Reason)
}

func because(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + ": " + reason
}

// agreed is how many people have said yes, as far as it counts for a policy.
func (a Asked) agreed(p events.PolicyID) (n int) {
	for _, yes := range a.Approvals {
		for _, of := range yes.Policies {
			if of == p {
				n++
			}
		}
	}
	return n
}
