package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/events"
	"slipway/internal/resource"
	"slipway/projections"
)

// Why says what the rollout waits for, or how it ended. Where now is given it also says how long that still is.
func (r Rollout) Why(now time.Time) string {
	s := r.Status
	switch {
	case r.Over():
		return r.ended()
	case s.Halt != nil:
		return fmt.Sprintf("halted by %s%s: %s", s.Halt.DeclaredBy, until(" until ", s.Halt.Until, now), s.Halt.Reason)
	case s.Reason == projections.ReasonApproval:
		return r.asks(now)
	case s.Reason == projections.ReasonPaused:
		return r.pauses(now)
	case s.Details.Error != "":
		return s.Details.Error
	case s.Reason == projections.ReasonBaking:
		return "the new version is watched" + until(" until ", s.BakeUntil, now)
	case r.Returns():
		return "it goes back to the version before"
	case s.Step != nil && s.Step.NextAt != nil && r.Level.New >= s.Step.NewInstances:
		return "the next step begins" + until(" at ", s.Step.NextAt, now)
	}
	return "new instances start"
}

// ended says why it is over, where that is not plain.
func (r Rollout) ended() string {
	s := r.Status
	switch {
	case r.Approval != nil && r.Approval.Denied != nil:
		no := r.Approval.Denied
		return strings.TrimSuffix("denied by "+no.By+": "+no.Comment, ": ")
	case s.Reason == projections.ReasonSuperseded:
		return "a newer deployment of " + r.App + " goes on in its place"
	case s.Reason == projections.ReasonDeleted:
		return "its app was stopped"
	case s.Reason == projections.ReasonDeployed:
		return ""
	case s.Failure != nil:
		return s.Failure.Reason
	}
	return s.Details.Error
}

// pauses says until when it pauses, or who must decide.
func (r Rollout) pauses(now time.Time) string {
	s := r.Status
	switch {
	case s.PausedUntil != nil:
		return "paused" + until(" until ", s.PausedUntil, now) + ", then: " + cmp.Or(s.Then, events.ThenContinue)
	case s.Details.Error != "":
		return "held, somebody must decide: " + s.Details.Error
	}
	return "paused until somebody continues"
}

// asks says whose word it waits for.
func (r Rollout) asks(now time.Time) string {
	a, held := r.Approval, r.Status.HeldUntil
	if a == nil || !a.Granted {
		return "waits for approval" + r.whose(now)
	}
	if ahead(held, now) {
		return r.held(until(" until ", held, now))
	}
	if r.manual() {
		return "approved; waits until somebody starts it"
	}
	return "waits for the updater to begin it"
}

// manual says whether a policy leaves it to people to start what they agreed to.
func (r Rollout) manual() bool {
	return slices.ContainsFunc(r.Approval.Verdicts, func(v resource.PolicyVerdict) bool { return v.ManualStart })
}

// ahead says that a moment is still to come.
func ahead(t *resource.Time, now time.Time) bool { return t != nil && time.Time(*t).After(now) }

// held says whose window keeps it from beginning, until when, and why.
func (r Rollout) held(until string) string {
	h := r.Status.Hold
	if h == nil {
		return "held by a window" + until
	}
	return strings.TrimSuffix("held by policy "+h.Name+until+": "+h.Reason, ": ")
}

// whose lists the policies that want people to agree.
func (r Rollout) whose(now time.Time) string {
	if r.Approval == nil {
		return ""
	}
	var texts []string
	for _, v := range r.Approval.Verdicts {
		if v.Outcome != events.OutcomeApproval {
			continue
		}
		line := fmt.Sprintf(" by %s: %d of %d%s, policy %s", strings.Join(v.Approvers, " or "), r.agreed(v), v.Needed,
			until(", until ", v.ExpiresAt, now), v.Name)
		if v.Reason != "" {
			line += " (" + v.Reason + ")"
		}
		texts = append(texts, line)
	}
	return strings.Join(texts, ";")
}

// agreed counts who has agreed for the sake of a policy.
func (r Rollout) agreed(v resource.PolicyVerdict) (n int) {
	for _, yes := range r.Approval.Approvals {
		for _, p := range yes.Policies {
			if text(p) == text(v.Policy) {
				n++
			}
		}
	}
	return n
}

// until writes a moment behind a word; nothing where there is none.
func until(word string, t *resource.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	at := time.Time(*t)
	word += at.UTC().Format(resource.TimeLayout)
	if left := at.Sub(now); !now.IsZero() && left > 0 {
		word += fmt.Sprintf(" (in %v)", left.Round(time.Second))
	}
	return word
}

// Next is what a person can type where the rollout waits for one, the most usual first: arguments of the program slipway.
func (r Rollout) Next(now time.Time) []string {
	do := func(verb string) string { return verb + " " + r.GUID }
	s := r.Status
	switch {
	case r.Over():
		return nil
	case s.Halt != nil:
		return []string{"lift " + s.Halt.GUID}
	case s.Reason == projections.ReasonApproval && r.Approval != nil && r.Approval.Granted:
		if ahead(s.HeldUntil, now) || !r.manual() {
			return nil
		}
		return []string{do("start")}
	case s.Reason == projections.ReasonApproval:
		return []string{do("approve"), do("deny")}
	case s.Reason == projections.ReasonPaused:
		step, _ := r.step()
		return []string{do("continue") + fmt.Sprintf(" --step %d", max(step, 1)), do("cancel")}
	case s.Details.Error != "" && s.Reason != projections.ReasonCanceling:
		return []string{do("cancel")}
	}
	return nil
}
