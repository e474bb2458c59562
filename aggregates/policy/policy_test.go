package policy_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/policy"
	"slipway/events"
)

// valid is a policy with everything in it, at its limits.
func valid() policy.Policy {
	labels := map[string]string{}
	for i := range 20 {
		labels[fmt.Sprintf("label-%d", i)] = "x"
	}
	approvers := []string{
		"admin", "org_manager", "org_auditor", "space_manager", "space_developer", "space_supporter", "space_auditor",
		"client/ci", "user/" + strings.Repeat("x", 135),
	}
	for len(approvers) < 50 {
		approvers = append(approvers, fmt.Sprintf("user/%d", len(approvers)))
	}
	return policy.Policy{
		ID: "p", Name: strings.Repeat("x", 255), Organization: "o1", Space: "s1",
		Metadata: events.Metadata{Labels: map[string]string{"team": "blue"}},
		Rule: events.PolicyRule{
			Condition: strings.Repeat("x", 4096), Reason: strings.Repeat("x", 1024), AppLabels: labels, Outcome: events.OutcomeApproval,
			Window:   &events.PolicyWindow{Applies: events.WindowOutside, Seconds: 366 * 24 * 60 * 60},
			Approval: &events.PolicyApproval{Needed: 20, Approvers: approvers, Expires: 366 * 24 * 60 * 60},
		},
	}
}

func message(err error) string {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		return fmt.Sprintf("not a refusal: %v", err)
	}
	return rejected.Message
}

func fold(s policy.State, decided ...events.Event) policy.State {
	for _, e := range decided {
		s = policy.Evolve(s, e)
	}
	return s
}

func TestCreate(t *testing.T) {
	is := is.New(t)
	p := valid()
	decided, err := policy.Create(policy.State{}, p)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.PolicyCreated{
		Policy: "p", Name: p.Name, Organization: "o1", Space: "s1", Rule: p.Rule, Metadata: p.Metadata,
	}})
	found, ok := fold(policy.State{}, decided...).Find("p")
	is.True(ok)
	is.Equal(found, p) // to the last field
	for _, outcome := range []string{events.OutcomeAllow, events.OutcomeDeny, events.OutcomeHold} {
		p := valid()
		p.Rule.Outcome, p.Rule.Approval = outcome, nil
		p.Rule.Window.Applies, p.Rule.Window.Seconds = events.WindowInside, 1
		_, err := policy.Create(policy.State{}, p)
		is.NoErr(err)
	}
	least := valid()
	least.Rule.Window, least.Rule.Approval = nil, &events.PolicyApproval{Needed: 1, Approvers: []string{"admin"}}
	_, err = policy.Create(policy.State{}, least)
	is.NoErr(err)
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*policy.Policy)
		want   string
	}{
		"no name":        {func(p *policy.Policy) { p.Name = " \t" }, "Name must have 1 to 255 characters"},
		"long name":      {func(p *policy.Policy) { p.Name += "x" }, "Name must have 1 to 255 characters"},
		"long condition": {func(p *policy.Policy) { p.Rule.Condition += "x" }, "Rule condition must have at most 4096 characters"},
		"long reason":    {func(p *policy.Policy) { p.Rule.Reason += "x" }, "Rule reason must have at most 1024 characters"},
		"many labels":    {func(p *policy.Policy) { p.Rule.AppLabels["one-more"] = "x" }, "Rule app labels must be at most 20"},
		"hold for how long": {func(p *policy.Policy) { p.Rule.Outcome, p.Rule.Approval, p.Rule.Window = events.OutcomeHold, nil, nil },
			"Rule window is needed where the outcome is hold: it says until when"},
		"approval by whom": {func(p *policy.Policy) { p.Rule.Approval = nil },
			"Rule approval is needed where the outcome is require_approval, and nowhere else"},
		"approval of what": {func(p *policy.Policy) { p.Rule.Outcome = events.OutcomeAllow },
			"Rule approval is needed where the outcome is require_approval, and nowhere else"},
		"no outcome": {func(p *policy.Policy) { p.Rule.Outcome, p.Rule.Approval = "perhaps", nil },
			"Rule outcome must be one of 'allow', 'deny', 'require_approval', 'hold'"},
		"window of what": {func(p *policy.Policy) { p.Rule.Window.Applies = "beside" }, "Rule window applies must be 'inside' or 'outside'"},
		"no window":      {func(p *policy.Policy) { p.Rule.Window.Seconds = 0 }, "Rule window duration in seconds must be between 1 and 31622400"},
		"long window":    {func(p *policy.Policy) { p.Rule.Window.Seconds++ }, "Rule window duration in seconds must be between 1 and 31622400"},
		"nobody needed":  {func(p *policy.Policy) { p.Rule.Approval.Needed = 0 }, "Rule approval needed must be between 1 and 20"},
		"many needed":    {func(p *policy.Policy) { p.Rule.Approval.Needed++ }, "Rule approval needed must be between 1 and 20"},
		"nobody asked":   {func(p *policy.Policy) { p.Rule.Approval.Approvers = nil }, "Rule approval approvers must be 1 to 50 roles or people"},
		"many asked": {func(p *policy.Policy) { p.Rule.Approval.Approvers = append(p.Rule.Approval.Approvers, "admin") },
			"Rule approval approvers must be 1 to 50 roles or people"},
		"a time before": {func(p *policy.Policy) { p.Rule.Approval.Expires = -1 }, "Rule approval expires in seconds must be between 1 and 31622400"},
		"a long time":   {func(p *policy.Policy) { p.Rule.Approval.Expires++ }, "Rule approval expires in seconds must be between 1 and 31622400"},
		"app labels":    {func(p *policy.Policy) { p.Rule.AppLabels = map[string]string{"-": "x"} }, ""},
		"labels":        {func(p *policy.Policy) { p.Metadata.Labels["-"] = "x" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			p := valid()
			c.change(&p)
			decided, err := policy.Create(policy.State{}, p)
			is.Equal(len(decided), 0)
			is.True(err != nil)
			if c.want != "" {
				is.Equal(message(err), c.want)
			}
		})
	}
}

// TestApproversThatAreNone: neither a role nor somebody of a kind, with a name.
func TestApproversThatAreNone(t *testing.T) {
	for _, who := range []string{"boss", "user/", "user", "robot/r", "/alice", "user/" + strings.Repeat("x", 136)} {
		t.Run(who, func(t *testing.T) {
			is := is.New(t)
			p := valid()
			p.Rule.Approval.Approvers = []string{"admin", who}
			_, err := policy.Create(policy.State{}, p)
			is.True(strings.HasPrefix(message(err), "Rule approval approvers must be roles such as 'space_manager' or 'admin', or people such as"))
		})
	}
}

func TestPoliciesAreBounded(t *testing.T) {
	is := is.New(t)
	s := policy.State{}
	for i := range 500 {
		p := policy.Policy{ID: events.PolicyID(fmt.Sprint(i)), Name: "p", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}}
		decided, err := policy.Create(s, p)
		is.NoErr(err)
		s = fold(s, decided...)
	}
	_, err := policy.Create(s, valid())
	is.Equal(message(err), "There are 500 policies, the most there can be: delete one first")
}

// TestUpdate changes what it names and that alone; the same again decides nothing.
func TestUpdate(t *testing.T) {
	is := is.New(t)
	other := policy.Policy{ID: "q", Name: "q", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}}
	s := policy.State{Policies: []policy.Policy{other, valid()}}
	name, red, rule := "renamed", "red", events.PolicyRule{Outcome: events.OutcomeAllow}
	patch := aggregates.MetadataPatch{Labels: map[string]*string{"team": &red}}
	want := valid()
	for _, c := range []struct {
		change policy.Change
		effect func(*policy.Policy)
	}{
		{policy.Change{Name: &name}, func(p *policy.Policy) { p.Name = name }},
		{policy.Change{Rule: &rule}, func(p *policy.Policy) { p.Rule = rule }},
		{policy.Change{Metadata: patch}, func(p *policy.Policy) { p.Metadata.Labels = map[string]string{"team": "red"} }},
	} {
		c.effect(&want)
		decided, err := policy.Update(s, "p", c.change)
		is.NoErr(err)
		is.Equal(decided, []events.Event{events.PolicyUpdated{Policy: "p", Name: want.Name, Rule: want.Rule, Metadata: want.Metadata}})
		before := policy.State{Policies: append([]policy.Policy{}, s.Policies...)}
		next := fold(s, decided...)
		is.True(reflect.DeepEqual(s, before)) // the state before is left alone
		s = next
		is.Equal(s.Policies, []policy.Policy{other, want})
		again, err := policy.Update(s, "p", c.change)
		is.NoErr(err)
		is.Equal(len(again), 0)
	}
	empty := ""
	_, err := policy.Update(s, "p", policy.Change{Name: &empty})
	is.Equal(message(err), "Name must have 1 to 255 characters")
	_, err = policy.Update(s, "nobody", policy.Change{Name: &name})
	is.Equal(message(err), "Policy not found")
}

// TestDelete takes away one, or all that are about a place; what holds elsewhere, or everywhere, stays.
func TestDelete(t *testing.T) {
	is := is.New(t)
	var s policy.State
	for id, home := range map[events.PolicyID][2]string{
		"all": {"", ""}, "o": {"acme", ""}, "s": {"acme", "prod"}, "t": {"acme", "dev"}, "u": {"umbrella", ""},
	} {
		s = fold(s, events.PolicyCreated{Policy: id, Organization: events.OrganizationID(home[0]), Space: events.SpaceID(home[1])})
	}
	gone := func(decided []events.Event) string {
		ids := map[string]bool{"all": true, "o": true, "s": true, "t": true, "u": true}
		for _, p := range fold(s, decided...).Policies {
			delete(ids, string(p.ID))
		}
		return strings.Join(sorted(ids), " ")
	}
	one, err := policy.Delete(s, "o")
	is.NoErr(err)
	is.Equal(gone(one), "o")
	is.Equal(len(s.Policies), 5)
	is.Equal(gone(policy.DeleteIn(s, "acme", "prod")), "s")
	is.Equal(gone(policy.DeleteIn(s, "acme", "")), "o s t")
	_, err = policy.Delete(fold(s, one...), "o")
	is.Equal(message(err), "Policy not found")
}

func sorted(ids map[string]bool) []string {
	return slices.Sorted(maps.Keys(ids))
}
