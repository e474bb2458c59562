package group_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/group"
	"slipway/events"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// created is a group with one member for each wave named: m1, m2...
func created(waves ...int) group.State {
	e := events.GroupCreated{Group: "g", By: "user/ann", At: now}
	for i, w := range waves {
		n := string(rune('1' + i))
		e.Members = append(e.Members, events.GroupMember{
			Deployment: events.DeploymentID("m" + n), Command: events.CommandID("c" + n), App: events.AppID("a" + n), Wave: w,
		})
	}
	return group.Evolve(group.State{}, e)
}

func fold(s group.State, decided ...events.Event) group.State {
	for _, e := range decided {
		s = group.Evolve(s, e)
	}
	return s
}

// seeing gives members m1, m2... these statuses; empty: not seen.
func seeing(all ...group.Member) group.Seen {
	seen := group.Seen{}
	for i, m := range all {
		if m != "" {
			seen[events.DeploymentID("m"+string(rune('1'+i)))] = group.Sighting{Status: m, Step: 1, AtPause: m == group.Paused}
		}
	}
	return seen
}

func started(n string) events.Event {
	return events.GroupMemberStarted{Group: "g", Deployment: events.DeploymentID("m" + n), At: now}
}

func ended(n string, status group.Member, reason string) events.Event {
	return events.GroupMemberEnded{Group: "g", Deployment: events.DeploymentID("m" + n), Status: string(status), Reason: reason, At: now}
}

func TestStatus(t *testing.T) {
	type members = []group.Member
	for _, c := range []struct {
		of     members
		course string
		want   group.Value
	}{
		{members{group.Pending, group.Creating}, "", group.StatusPending},
		{members{group.Approval, group.Denied}, "", group.StatusPending},
		{members{group.Approval, group.Deploying}, "", group.StatusRunning},
		{members{group.Deployed, group.Pending}, "", group.StatusRunning},
		{members{group.Deployed, group.Canceling}, events.DirectiveCancel, group.StatusRunning},
		{members{group.Deployed, group.Baking}, events.DirectiveFinalize, group.StatusFinalizing},
		{members{group.Deployed, group.Deployed}, events.DirectiveFinalize, group.StatusFinalized},
		{members{group.Deployed, group.RolledBack, group.Failed}, "", group.StatusFinalized}, // terminal, not successful
		{members{group.Canceled, group.Deployed}, events.DirectiveCancel, group.StatusCanceled},
		{members{group.RolledBack, group.Skipped}, events.DirectiveRollback, group.StatusCanceled},
		{members{group.Failed, group.Skipped}, "", group.StatusFailed},
		{members{group.Failed, group.Denied}, "", group.StatusFinalized},
		{members{group.Denied, group.Denied}, events.DirectiveRollback, group.StatusDenied},
	} {
		is := is.New(t)
		is.Equal(group.Status(c.of, c.course), c.want)
	}
}

func TestNext(t *testing.T) {
	wave1 := fold(created(1, 1, 2), started("1"), started("2"))
	for name, c := range map[string]struct {
		given group.State
		seen  group.Seen
		want  []events.Event
	}{
		"the first wave begins":     {created(1, 1, 2), nil, []events.Event{started("1"), started("2")}},
		"it goes on":                {wave1, seeing(group.Deployed, group.Approval), []events.Event{ended("1", group.Deployed, "")}},
		"the second wave begins":    {wave1, seeing(group.Deployed, group.Deployed), []events.Event{ended("1", group.Deployed, ""), ended("2", group.Deployed, ""), started("3")}},
		"nobody is seen":            {wave1, nil, nil},
		"waves are told by number":  {created(7, 3), nil, []events.Event{started("2")}},
		"a wave does not end well":  {wave1, seeing(group.Deploying, group.RolledBack), []events.Event{ended("2", group.RolledBack, ""), ended("3", group.Skipped, "wave 1 did not end well: deployment m2 of app a2 is ROLLED_BACK")}},
		"superseded is not healthy": {fold(created(1, 2), started("1")), seeing(group.Superseded), []events.Event{ended("1", group.Superseded, ""), ended("2", group.Skipped, "wave 1 did not end well: deployment m1 of app a1 is SUPERSEDED"), events.GroupEnded{Group: "g", Status: "FINALIZED", At: now}}},
		"all have ended":            {fold(created(1), started("1")), seeing(group.Deployed), []events.Event{ended("1", group.Deployed, ""), events.GroupEnded{Group: "g", Status: "FINALIZED", At: now}}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := group.Next(c.given, c.seen, now)
			is.Equal(got, c.want)
			is.Equal(group.Next(fold(c.given, got...), c.seen, now), nil) // the second time it decides nothing
		})
	}
}

func TestDirect(t *testing.T) {
	two := fold(created(1, 1), started("1"), started("2"))
	waves := fold(created(1, 2), started("1"))
	waves.Members[1].AppName = "shop" // groups from before have no names on record
	named := fold(two)
	named.Members = slices.Clone(two.Members)
	named.Members[1].AppName = "shop"
	finalizing := fold(two, events.GroupDirected{Group: "g", Directive: events.DirectiveFinalize})
	order := func(n string, step int) events.GroupOrder {
		return events.GroupOrder{Deployment: events.DeploymentID("m" + n), Step: step}
	}
	directed := func(what string, orders ...events.GroupOrder) events.GroupDirected {
		return events.GroupDirected{Group: "g", Directive: what, Command: "c", Orders: orders, By: "user/bob", At: now}
	}
	for name, c := range map[string]struct {
		given  group.State
		seen   group.Seen
		ask    string
		want   []events.Event
		refuse string
	}{
		"cancel, all running":     {two, seeing(group.Deploying, group.Paused), "cancel", []events.Event{directed("cancel", order("1", 0), order("2", 0))}, ""},
		"cancel, one waits":       {two, seeing(group.Deploying, group.Approval), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and deployment m2 of app a2 is CREATING_APPROVAL"},
		"cancel, refused by name": {named, seeing(group.Deploying, group.Approval), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and deployment m2 of app shop (a2) is CREATING_APPROVAL"},
		"cancel, one has ended":   {two, seeing(group.Deployed, group.RollingBack), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and deployment m1 of app a1 is DEPLOYED, deployment m2 of app a2 is ROLLING_BACK"},
		"cancel, waves":           {waves, seeing(group.Deploying), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and app shop (a2) is PENDING"},
		"cancel again":            {fold(two, directed("cancel")), seeing(group.Canceling, group.Canceled), "cancel", nil, ""},
		"cancel, all wait":        {two, seeing(group.Approval, group.Approval), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and deployment m1 of app a1 is CREATING_APPROVAL, deployment m2 of app a2 is CREATING_APPROVAL"},
		"cancel again, one runs":  {fold(two, directed("cancel")), seeing(group.Deploying, group.Canceling), "cancel", nil, "Cannot cancel the deployment group: every member must be RUNNING, and deployment m2 of app a2 is CANCELING"},
		"rollback before it begins": {created(1), nil, "rollback", []events.Event{
			directed("rollback"), ended("1", group.Skipped, "the group was rolled back before"),
		}, ""},
		"continue, one has ended": {fold(two, ended("2", group.Deployed, "")), seeing(group.Paused, group.Paused), "continue", []events.Event{directed("continue", order("1", 1))}, ""},
		"rollback": {waves, seeing(group.Baking), "rollback", []events.Event{
			directed("rollback", order("1", 0)), ended("2", group.Skipped, "the group was rolled back before"),
		}, ""},
		"rollback, one waits":         {two, seeing(group.Approval, group.Deployed), "rollback", []events.Event{directed("rollback", order("1", 0))}, ""},
		"rollback, all go back":       {two, seeing(group.RollingBack, group.Canceling), "rollback", nil, ""},
		"rollback while finalizing":   {finalizing, seeing(group.Deploying, group.Deploying), "rollback", nil, "Cannot roll back a deployment group with status: FINALIZING"},
		"cancel while finalizing":     {finalizing, seeing(group.Deploying, group.Deploying), "cancel", nil, "Cannot cancel a deployment group with status: FINALIZING"},
		"finalize":                    {two, seeing(group.Deployed, group.Paused), "finalize", []events.Event{directed("finalize")}, ""},
		"finalize, one waits":         {two, seeing(group.Deployed, group.Approval), "finalize", nil, "Cannot finalize the deployment group: every member must be RUNNING or have ended, and deployment m2 of app a2 is CREATING_APPROVAL"},
		"finalize again":              {finalizing, seeing(group.Deploying, group.Deploying), "finalize", nil, ""},
		"continue who pauses":         {two, seeing(group.Deploying, group.Paused), "continue", []events.Event{directed("continue", order("2", 1))}, ""},
		"continue, nobody pauses":     {two, seeing(group.Deploying, group.Deployed), "continue", nil, "Cannot continue the deployment group: no member is paused at a step, and deployment m1 of app a1 is DEPLOYING, deployment m2 of app a2 is DEPLOYED"},
		"rollback when it is over":    {two, seeing(group.Deployed, group.Deployed), "rollback", nil, "Cannot roll back a deployment group with status: FINALIZED"},
		"something else":              {two, seeing(group.Deploying, group.Deploying), "land", nil, "Directive must be one of continue, finalize, cancel, rollback"},
		"of a group that is no group": {group.State{}, nil, "cancel", nil, "Deployment group not found"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, err := group.Direct(c.given, c.seen, group.Direction{Directive: c.ask, Command: "c", By: "user/bob", Now: now})
			if c.refuse != "" {
				is.Equal(err.Error(), c.refuse)
				return
			}
			is.NoErr(err)
			is.Equal(got, c.want)
		})
	}
}

func TestDue(t *testing.T) {
	is := is.New(t)
	s := fold(created(1, 1, 2), started("1"), started("2"))
	verbs := func(s group.State, seen group.Seen) (said []string) {
		for _, d := range group.Due(s, seen) {
			said = append(said, strings.TrimSpace(string(d.Member.Deployment)+" "+d.Directive))
		}
		return said
	}
	is.Equal(verbs(s, seeing("", group.Deploying)), []string{"m1"}) // created it is as often as nobody knows it
	rolled, err := group.Direct(s, seeing("", group.Approval), group.Direction{Directive: "rollback", Command: "c", Now: now})
	is.NoErr(err)
	s = fold(s, rolled...)
	is.Equal(verbs(s, seeing("", group.Approval)), []string{"m1", "m2 rollback"}) // m1 has to be there first
	is.Equal(verbs(s, seeing(group.Deploying, group.Approval)), []string{"m1 rollback", "m2 rollback"})

	deeds := group.Due(s, seeing(group.Deploying, group.Approval))
	is.True(deeds[0].Command != deeds[1].Command)
	refused := group.Done(s, deeds[0], fmt.Errorf("app a1: %w", aggregates.Reject("no way back")), now)
	is.Equal(refused, []events.Event{events.GroupMemberDirected{Group: "g", Deployment: "m1", Command: "c", Error: "no way back"}})
	s = fold(s, refused...)
	is.Equal(group.Done(s, deeds[0], nil, now), nil) // it is recorded once
	s = fold(s, group.Next(s, seeing(group.Deploying, group.Canceled), now)...)
	is.Equal(verbs(s, seeing(group.Deploying, group.Canceled)), nil) // nobody is told any more who has ended

	deed := group.Due(fold(created(1), started("1")), nil)[0]
	failed := group.Done(fold(created(1), started("1")), deed, aggregates.Reject("App is suspended"), now)
	is.Equal(failed, []events.Event{ended("1", group.Failed, "App is suspended")})
}

func TestFinalizeContinuesWhoPauses(t *testing.T) {
	is := is.New(t)
	s := fold(created(1, 1), started("1"), started("2"), events.GroupDirected{Group: "g", Directive: "finalize", Command: "c", By: "user/bob"})
	held := group.Seen{"m1": {Status: group.Paused, Step: 2, AtPause: true}, "m2": {Status: group.Paused, Step: 1}}
	deeds := group.Due(s, held)
	is.Equal(len(deeds), 1) // who is held after a failure is not forgiven by the way
	is.Equal(deeds[0].Step, 2)
	is.Equal(deeds[0].By, events.Actor("user/bob"))
	is.Equal(group.Done(s, deeds[0], nil, now), nil) // its app has it on record
}

func TestCreate(t *testing.T) {
	home := group.Home{Organization: "acme", Space: "prod"}
	member := func(app string, wave int) events.GroupMember {
		return events.GroupMember{App: events.AppID(app), Wave: wave}
	}
	for name, c := range map[string]struct {
		members []events.GroupMember
		homes   []group.Home
		name    string
		refuse  string
	}{
		"none":              {nil, nil, "", "Members must have at least one deployment"},
		"too many":          {slices.Repeat([]events.GroupMember{member("a", 1)}, 101), nil, "", "Members has too many deployments (maximum is 100)"},
		"no wave":           {[]events.GroupMember{member("a", 0)}, nil, "", "Members 1 wave must be an integer between 1 and 100"},
		"twice the app":     {[]events.GroupMember{member("a", 1), member("b", 1), member("a", 2)}, nil, "", "Members 1 and 3 are of the same app: the later one would supersede the other"},
		"a long name":       {[]events.GroupMember{member("a", 1)}, nil, strings.Repeat("x", 251), "Name must have at most 250 characters"},
		"two organizations": {[]events.GroupMember{member("a", 1), member("b", 1)}, []group.Home{home, {Organization: "umbrella"}}, "", "Members must be apps of one organization"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := group.Create(group.State{}, group.Creation{Group: "g", Name: c.name, Members: c.members, Homes: c.homes, Now: now})
			is.Equal(err.Error(), c.refuse)
		})
	}
	is := is.New(t)
	decided, err := group.Create(group.State{}, group.Creation{
		Group: "g", Members: []events.GroupMember{member("a", 1), member("b", 1)}, Homes: []group.Home{home, {"acme", "dev"}}, By: "user/ann", Now: now,
	})
	is.NoErr(err)
	made := decided[0].(events.GroupCreated)
	is.Equal(made.Organization, events.OrganizationID("acme"))
	is.Equal(made.Space, events.SpaceID("")) // it is in two
}
