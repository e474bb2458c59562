package group_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"slipway/aggregates"
	"slipway/aggregates/group"
	"slipway/events"
)

var (
	going = []group.Member{group.Approval, group.Deploying, group.Paused, group.Baking, group.Canceling, group.RollingBack}
	ends  = []group.Member{group.Deployed, group.Canceled, group.RolledBack, group.Superseded, group.Denied, group.Deleted}
	dones = []group.Value{group.StatusFinalized, group.StatusCanceled, group.StatusFailed, group.StatusDenied}
)

// TestLaws lets members do what they like, people direct what they like, and the process manager do or forget what is due; it
// holds the invariants of the package after each decision.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, seen := created(rapid.SliceOfN(rapid.IntRange(1, 3), 1, 5).Draw(t, "waves")...), group.Seen{}
		for n := range rapid.IntRange(1, 40).Draw(t, "moments") {
			before := s
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				s = settle(t, s, seen)
			case 1:
				s = direct(t, s, seen, n)
			case 2, 3:
				move(t, s, seen)
			default:
				s = act(t, s, seen)
			}
			hold(t, before, s, seen)
		}
	})
}

func settle(t *rapid.T, s group.State, seen group.Seen) group.State {
	s = fold(s, group.Next(s, seen, now)...)
	if again := group.Next(s, seen, now); len(again) > 0 {
		t.Fatalf("the same decides %v the second time", again)
	}
	return s
}

func direct(t *rapid.T, s group.State, seen group.Seen, n int) group.State {
	c := group.Direction{Command: events.CommandID(rune('a' + n)), By: "user/bob", Now: now, Directive: rapid.SampledFrom([]string{
		events.DirectiveContinue, events.DirectiveFinalize, events.DirectiveCancel, events.DirectiveRollback,
	}).Draw(t, "directive")}
	status := s.Status(seen)
	decided, err := group.Direct(s, seen, c)
	for _, e := range decided {
		if o, ok := e.(events.GroupDirected); ok && o.Directive == events.DirectiveCancel && len(o.Orders) != len(s.Members) {
			t.Fatalf("cancels only %v", o.Orders)
		}
	}
	if err == nil && c.Directive == events.DirectiveRollback && status == group.StatusFinalizing {
		t.Fatal("rolled back while it is finalizing")
	}
	return fold(s, decided...)
}

// move lets a member that its app knows do something.
func move(t *rapid.T, s group.State, seen group.Seen) {
	m := rapid.SampledFrom(s.Members).Draw(t, "member")
	if at, known := seen[m.Deployment]; known && !at.Status.Over() {
		next := rapid.SampledFrom(slices.Concat(going, ends)).Draw(t, "status")
		seen[m.Deployment] = group.Sighting{Status: next, Step: 1, AtPause: next == group.Paused}
	}
}

// act does one deed that is due, is refused it, or dies before it is on record.
func act(t *rapid.T, s group.State, seen group.Seen) group.State {
	due := group.Due(s, seen)
	if len(due) == 0 {
		return s
	}
	d, refused := rapid.SampledFrom(due).Draw(t, "deed"), error(nil)
	if rapid.Bool().Draw(t, "refused") {
		refused = aggregates.Reject("no")
	} else if d.Directive == "" {
		seen[d.Member.Deployment] = group.Sighting{Status: rapid.SampledFrom(slices.Concat(going, ends)).Draw(t, "created")}
	}
	if rapid.Bool().Draw(t, "killed") {
		return s
	}
	return fold(s, group.Done(s, d, refused, now)...)
}

func hold(t *rapid.T, before, s group.State, seen group.Seen) {
	if before.Ended && !reflect.DeepEqual(before, s) {
		t.Fatal("a group that has ended changed")
	}
	over := true
	for i, m := range s.Members {
		if was := before.Members[i]; was.End != "" && was.End != m.End {
			t.Fatalf("%s ended %s and then %s", m.Deployment, was.End, m.End)
		}
		at, known := seen[m.Deployment]
		if over = over && (m.End != "" || known && at.Status.Over()); known && !m.Started {
			t.Fatalf("%s was created and has not begun", m.Deployment)
		}
		if m.Started && m.End == group.Skipped {
			t.Fatalf("%s has begun and never begins", m.Deployment)
		}
		for _, earlier := range s.Members {
			if m.Started && earlier.Wave < m.Wave && earlier.End != group.Deployed {
				t.Fatalf("wave %d has begun, and of wave %d %s is %q", m.Wave, earlier.Wave, earlier.Deployment, earlier.End)
			}
		}
	}
	if status := s.Status(seen); slices.Contains(dones, status) != over {
		t.Fatalf("it is %s, and that all have ended is %v", status, over)
	}
}

// TestStatusIsTotal: whatever the members do, the group has one of the known statuses, and a terminal one exactly at its end.
func TestStatusIsTotal(t *testing.T) {
	all := slices.Concat(going, ends, []group.Member{group.Pending, group.Creating, group.Failed, group.Skipped})
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfN(rapid.SampledFrom(all), 1, 6).Draw(t, "members")
		course := rapid.SampledFrom([]string{"", events.DirectiveFinalize, events.DirectiveCancel, events.DirectiveRollback}).Draw(t, "course")
		status := group.Status(members, course)
		over := !slices.ContainsFunc(members, func(m group.Member) bool { return !m.Over() })
		known := slices.Contains([]group.Value{group.StatusPending, group.StatusRunning, group.StatusFinalizing}, status)
		if done := slices.Contains(dones, status); done != over || done == known {
			t.Fatalf("%v by %q is %s", members, course, status)
		}
		slices.Reverse(members)
		if group.Status(members, course) != status {
			t.Fatal("the order of the members counts")
		}
	})
}
