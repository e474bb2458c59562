package projections_test

import (
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/group"
	"slipway/events"
	"slipway/projections"
)

// groups are facts about few groups and their members; the first two bring forth a group and a deployment of one.
func groups(t *rapid.T, app events.AppID, x events.DeploymentID, labels map[string]string) []events.Event {
	g := id[events.GroupID](t, "j")
	return []events.Event{
		events.GroupCreated{Group: g, Organization: "default", Metadata: events.Metadata{Labels: labels}, By: "ann", Members: []events.GroupMember{
			{Deployment: x, App: app, Wave: 1}, {Deployment: "x9", App: "a9", Wave: 2},
		}},
		events.DeploymentCreated{App: app, Deployment: x, Group: g},
		events.GroupMemberStarted{Group: g, Deployment: x},
		events.GroupMemberEnded{Group: g, Deployment: x, Status: "FAILED", Reason: "no"},
		events.GroupDirected{Group: g, Directive: events.DirectiveRollback, By: "bob"},
		events.GroupMemberDirected{Group: g, Deployment: x, Error: "no way back"},
		events.GroupEnded{Group: g, Status: "FINALIZED"},
		events.GroupMetadataSet{Group: g, Metadata: events.Metadata{Labels: labels}},
		events.DeploymentApprovalRequested{App: app, Deployment: x, Group: g},
		events.DeploymentDeleted{App: app, Deployment: x},
		events.DeploymentDenied{App: app, Deployment: x},
	}
}

// grouped is running with a group j1 of x1 and, in the second wave, x2.
func grouped() *log {
	l := running()
	l.add(events.GroupSubject("j1"), events.GroupCreated{
		Group: "j1", Name: "both", Organization: "default", By: "ann", Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}},
		Members: []events.GroupMember{{Deployment: "x1", App: "a1", Wave: 1}, {Deployment: "x2", App: "a9", Wave: 2}},
	})
	l.add(events.GroupSubject("j1"), events.GroupMemberStarted{Group: "j1", Deployment: "x1"})
	return l
}

func TestAGroupStandsAsItsMembersDo(t *testing.T) {
	is := is.New(t)
	l := grouped()
	s := applied(t, l)
	stands := func(status group.Value, members ...group.Member) {
		t.Helper()
		is.Helper()
		is.NoErr(s.Apply(t.Context(), l.commits))
		g, err := s.Group(t.Context(), "j1")
		is.NoErr(err)
		is.Equal(g.Status, status)
		for i, m := range members {
			is.Equal(g.Members[i].Status, m)
		}
	}
	stands(group.StatusPending, group.Creating, group.Pending)
	was, err := s.Group(t.Context(), "j1")
	is.NoErr(err)
	is.Equal([]string{was.Members[0].AppName, was.Members[1].AppName}, []string{"hello", ""}) // no name is on record: the app's own
	l.app(events.DeploymentCreated{App: "a1", Deployment: "x1", Group: "j1", Plan: []events.Step{{New: 2, Gate: events.GateHealthy}}})
	stands(group.StatusRunning, group.Deploying, group.Pending) // in the commit in which the member does
	before, err := s.Group(t.Context(), "j1")
	is.NoErr(err)
	is.Equal([]int{before.Members[0].Wave, before.Members[1].Wave}, []int{1, 2})
	l.app(events.DeploymentMetadataSet{App: "a1", Deployment: "x1", Metadata: events.Metadata{Labels: map[string]string{"a": "b"}}})
	stands(group.StatusRunning, group.Deploying, group.Pending)
	after, err := s.Group(t.Context(), "j1")
	is.NoErr(err)
	is.Equal(after, before) // what a group does not show does not touch it
	l.app(events.DeploymentPaused{App: "a1", Deployment: "x1", Step: 1})
	stands(group.StatusRunning, group.Paused, group.Pending)
	l.add(events.GroupSubject("j1"), events.GroupDirected{Group: "j1", Directive: events.DirectiveRollback, By: "bob"},
		events.GroupMemberEnded{Group: "j1", Deployment: "x2", Status: "SKIPPED", Reason: "the group was rolled back before"})
	l.app(events.DeploymentRollingBack{App: "a1", Deployment: "x1"})
	stands(group.StatusRunning, group.RollingBack, group.Skipped)
	l.app(events.DeploymentRolledBack{App: "a1", Deployment: "x1"})
	stands(group.StatusCanceled, group.RolledBack, group.Skipped)
	l.add(events.GroupSubject("j1"), events.GroupMemberEnded{Group: "j1", Deployment: "x1", Status: "ROLLED_BACK"})
	l.app(events.AppDeleted{App: "a1"})
	stands(group.StatusCanceled, group.RolledBack, group.Skipped) // it stays when an app is gone

	g, err := s.Group(t.Context(), "j1")
	is.NoErr(err)
	is.Equal(g.Directive.By, events.Actor("bob"))
	is.Equal(g.Members[1].Reason, "the group was rolled back before")
	is.Equal(g.Spaces, []events.SpaceID{"default", ""}) // of an app that is not there nobody knows the space
}

// TestTheLastDirectiveOfAGroup: who gave it and when, which course it is on, and who refused that one, not another before.
func TestTheLastDirectiveOfAGroup(t *testing.T) {
	is := is.New(t)
	l := grouped()
	s := applied(t, l)
	group := func() projections.Group {
		t.Helper()
		is.NoErr(s.Apply(t.Context(), l.commits))
		g, err := s.Group(t.Context(), "j1")
		is.NoErr(err)
		return g
	}
	is.Equal(group().Directive, nil)
	direct := func(directive string, by events.Actor, seconds events.Sequence) *projections.Directive {
		l.add(events.GroupSubject("j1"), events.GroupDirected{Group: "j1", Directive: directive, By: by, At: at(seconds)})
		return &projections.Directive{Directive: directive, By: by, At: at(seconds)}
	}
	first := direct(events.DirectiveRollback, "bob", 20)
	l.add(events.GroupSubject("j1"), events.GroupMemberDirected{Group: "j1", Deployment: "x1", Error: "no way back"})
	g := group()
	is.Equal(g.Directive, first)
	is.Equal([]string{g.Course, g.Members[0].Refusal, g.Members[1].Refusal}, []string{events.DirectiveRollback, "no way back", ""})
	second := direct(events.DirectiveContinue, "ann", 21)
	g = group()
	is.Equal(g.Directive, second)
	is.Equal([]string{g.Course, g.Members[0].Refusal}, []string{events.DirectiveRollback, ""}) // a continue steers nothing
	is.Equal(g.Sequence, events.Sequence(len(l.commits)))                                      // in the commit that told it
	is.Equal(g.UpdatedAt, at(g.Sequence))
}

// TestAMemberThatIsTakenBackForAFault says which, as its deployment does.
func TestAMemberThatIsTakenBackForAFault(t *testing.T) {
	for action, want := range map[string]string{events.ThenCancel: "too many errors", events.ThenHold: ""} {
		t.Run(action, func(t *testing.T) {
			is := is.New(t)
			l := grouped()
			l.app(events.DeploymentCreated{App: "a1", Deployment: "x1", Group: "j1", Plan: []events.Step{{New: 2, Gate: events.GateHealthy}}})
			l.app(events.DeploymentBreached{App: "a1", Deployment: "x1", Cause: "check", Reason: "too many errors", Action: action})
			l.app(events.DeploymentCanceling{App: "a1", Deployment: "x1"})
			l.app(events.DeploymentCanceled{App: "a1", Deployment: "x1"})
			g, err := applied(t, l).Group(t.Context(), "j1")
			is.NoErr(err)
			is.Equal(g.Members[0].Status, group.Canceled)
			is.Equal(g.Members[0].Reason, want) // somebody canceled what was held: that is no fault
		})
	}
}

func TestListsOfGroups(t *testing.T) {
	is := is.New(t)
	l := grouped()
	l.add(events.GroupSubject("j2"), events.GroupCreated{Group: "j2", Members: []events.GroupMember{
		{Deployment: "x3", App: "a1", Wave: 1}, {Deployment: "x4", App: "a1", Wave: 2},
	}})
	l.app(events.DeploymentCreated{App: "a1", Deployment: "x3", Group: "j2"})
	s := applied(t, l)
	found := func(sight projections.Sight, f projections.GroupFilter) (ids []events.GroupID) {
		all, err := sight.Groups(t.Context(), f, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(all.Total, len(all.Rows))
		for _, g := range all.Rows {
			ids = append(ids, g.GUID)
		}
		return ids
	}
	g, err := s.Group(t.Context(), "j2")
	is.NoErr(err)
	is.Equal(g.Spaces, []events.SpaceID{"default"}) // once
	both, second := []events.GroupID{"j1", "j2"}, []events.GroupID{"j2"}
	is.Equal(found(s.All(), projections.GroupFilter{}), both)
	is.Equal(found(s.All(), projections.GroupFilter{Apps: []events.AppID{"a1"}}), both)
	is.Equal(found(s.All(), projections.GroupFilter{Apps: []events.AppID{"a9"}}), both[:1])
	is.Equal(found(s.All(), projections.GroupFilter{Names: []string{"both"}}), both[:1])
	is.Equal(found(s.All(), projections.GroupFilter{Statuses: []group.Value{group.StatusRunning}}), second)
	labels := []projections.LabelRequirement{{Key: "team", Operator: projections.LabelIn, Values: []string{"pay"}}}
	is.Equal(found(s.All(), projections.GroupFilter{Labels: labels}), both[:1])
	is.Equal(found(s.Only([]events.SpaceID{"default"}, nil), projections.GroupFilter{}), second) // all of a group's spaces must be seen
	is.Equal(len(found(s.Only(nil, nil), projections.GroupFilter{})), 0)

	members, err := s.All().Deployments(t.Context(), projections.DeploymentFilter{Groups: second}, projections.Order{}, projections.Page{})
	is.NoErr(err)
	is.Equal(members.Total, 1)
	is.Equal(members.Rows[0].GUID, events.DeploymentID("x3"))
}
