package projections_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// fleet is three apps with a deployment each: x1 is over, x2 is canceling, x3 goes on. Deployment xn is created n seconds
// and a half after start and changed at most one second later.
func fleet() *log {
	l := &log{}
	for n := 1; n <= 3; n++ {
		app := events.AppID(fmt.Sprintf("a%d", n))
		labels := map[string]string{"n": fmt.Sprint(n)}
		if n > 1 {
			labels["env"] = "prod"
		}
		l.add(events.AppSubject(app),
			events.AppCreated{App: app, Name: fmt.Sprintf("app-%d", 4-n), Space: events.SpaceID(fmt.Sprintf("s%d", n%2))},
			events.ProcessCreated{App: app, Process: events.ProcessID(fmt.Sprintf("p%d", n)), ProcessType: "web"},
			events.DeploymentCreated{
				App: app, Deployment: events.DeploymentID(fmt.Sprintf("x%d", n)), Metadata: events.Metadata{Labels: labels},
			},
		)
	}
	l.add(events.AppSubject("a1"), events.DeploymentDeployed{App: "a1", Deployment: "x1"})
	l.add(events.AppSubject("a2"), events.DeploymentCanceling{App: "a2", Deployment: "x2"})
	for i := range l.commits {
		l.commits[i].Time = at(events.Sequence(i%3 + 1 + i/3)).Add(500 * time.Millisecond)
	}
	return l
}

func TestDeploymentsList(t *testing.T) {
	s := applied(t, fleet())
	second := func(n int) *time.Time {
		at := at(events.Sequence(n))
		return &at
	}
	label := func(op projections.Operator, key string, values ...string) []projections.LabelRequirement {
		return []projections.LabelRequirement{{Key: key, Operator: op, Values: values}}
	}
	type filter = projections.DeploymentFilter
	for _, c := range []struct {
		name   string
		filter filter
		order  projections.Order
		want   []events.DeploymentID
	}{
		{"all, by creation", filter{}, projections.Order{}, []events.DeploymentID{"x1", "x2", "x3"}},
		{"newest first", filter{}, projections.Order{By: projections.ByCreated, Descending: true}, []events.DeploymentID{"x3", "x2", "x1"}},
		{"by update", filter{}, projections.Order{By: projections.ByUpdated}, []events.DeploymentID{"x1", "x2", "x3"}},
		{"by nothing we know", filter{}, projections.Order{By: "1; DROP TABLE apps"}, []events.DeploymentID{"x1", "x2", "x3"}},
		{"guids", filter{GUIDs: []events.DeploymentID{"x3", "x1", "no"}}, projections.Order{}, []events.DeploymentID{"x1", "x3"}},
		{"apps", filter{Apps: []events.AppID{"a2"}}, projections.Order{}, []events.DeploymentID{"x2"}},
		{"states", filter{States: []projections.DeploymentState{"CANCELING", "PAUSED"}}, projections.Order{}, []events.DeploymentID{"x2"}},
		{"status values", filter{StatusValues: []string{"ACTIVE"}}, projections.Order{}, []events.DeploymentID{"x2", "x3"}},
		{"status reasons", filter{StatusReasons: []string{"DEPLOYED"}}, projections.Order{}, []events.DeploymentID{"x1"}},
		{"both", filter{StatusValues: []string{"ACTIVE"}, Apps: []events.AppID{"a1"}}, projections.Order{}, nil},

		{"created in a second", filter{Created: projections.TimeFilter{Equal: []time.Time{*second(1), *second(3)}}},
			projections.Order{}, []events.DeploymentID{"x1", "x3"}},
		{"created after excludes the whole second", filter{Created: projections.TimeFilter{After: second(2)}},
			projections.Order{}, []events.DeploymentID{"x3"}},
		{"created from", filter{Created: projections.TimeFilter{From: second(2)}}, projections.Order{}, []events.DeploymentID{"x2", "x3"}},
		{"created before", filter{Created: projections.TimeFilter{Before: second(2)}}, projections.Order{}, []events.DeploymentID{"x1"}},
		{"created through includes the whole second", filter{Created: projections.TimeFilter{Through: second(2)}},
			projections.Order{}, []events.DeploymentID{"x1", "x2"}},
		{"created between", filter{Created: projections.TimeFilter{After: second(1), Before: second(3)}},
			projections.Order{}, []events.DeploymentID{"x2"}},
		{"updated", filter{Updated: projections.TimeFilter{Equal: []time.Time{*second(2)}}}, projections.Order{}, []events.DeploymentID{"x1"}},

		{"label exists", filter{Labels: label(projections.LabelExists, "env")}, projections.Order{}, []events.DeploymentID{"x2", "x3"}},
		{"label absent", filter{Labels: label(projections.LabelAbsent, "env")}, projections.Order{}, []events.DeploymentID{"x1"}},
		{"label in", filter{Labels: label(projections.LabelIn, "n", "1", "3")}, projections.Order{}, []events.DeploymentID{"x1", "x3"}},
		{"label not in fits those without it", filter{Labels: label(projections.LabelNotIn, "env", "prod")},
			projections.Order{}, []events.DeploymentID{"x1"}},
		{"label in nothing", filter{Labels: label(projections.LabelIn, "n")}, projections.Order{}, nil},
		{"two labels", filter{Labels: append(label(projections.LabelExists, "env"), label(projections.LabelIn, "n", "3")...)},
			projections.Order{}, []events.DeploymentID{"x3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			found, err := s.All().Deployments(t.Context(), c.filter, c.order, projections.Page{Number: 1, PerPage: 50})
			is.NoErr(err)
			var got []events.DeploymentID
			for _, d := range found.Rows {
				got = append(got, d.GUID)
			}
			is.Equal(got, c.want)
			is.Equal(found.Total, len(c.want))
			is.Equal(found.Sequence, events.Sequence(5)) // of the snapshot
		})
	}
}

func TestPages(t *testing.T) {
	s := applied(t, fleet())
	for _, c := range []struct {
		page projections.Page
		want int
	}{
		{projections.Page{}, 3},
		{projections.Page{Number: 1, PerPage: 2}, 2},
		{projections.Page{Number: 2, PerPage: 2}, 1},
		{projections.Page{Number: 3, PerPage: 2}, 0},
		{projections.Page{Number: math.MaxInt, PerPage: 5000}, 0},
	} {
		t.Run(fmt.Sprint(c.page), func(t *testing.T) {
			is := is.New(t)
			found, err := s.All().Apps(t.Context(), projections.AppFilter{}, projections.Order{}, c.page)
			is.NoErr(err)
			is.Equal(len(found.Rows), c.want)
			is.Equal(found.Total, 3) // the true total, beyond the end too
		})
	}
}

func TestOtherLists(t *testing.T) {
	s := applied(t, fleet())
	t.Run("apps by name and space", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().Apps(t.Context(), projections.AppFilter{Spaces: []events.SpaceID{"s1"}}, projections.Order{By: projections.ByName}, projections.Page{})
		is.NoErr(err)
		is.Equal(len(found.Rows), 2)
		is.Equal(found.Rows[0].GUID, events.AppID("a3")) // app-1 comes before app-3
	})
	t.Run("processes of a space", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().Processes(t.Context(), projections.ProcessFilter{
			Spaces: []events.SpaceID{"s0"}, Types: []string{"web"}, Apps: []events.AppID{"a1", "a2"},
		}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(found.Total, 1)
		is.Equal(found.Rows[0].GUID, events.ProcessID("p2"))
	})
	t.Run("history after a place", func(t *testing.T) {
		is := is.New(t)
		whole, err := s.History(t.Context(), projections.HistoryFilter{Deployment: "x1"}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(whole.Total, 2) // begun and ended
		rest, err := s.History(t.Context(), projections.HistoryFilter{Deployment: "x1", After: whole.Rows[0].Place}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(rest.Rows, whole.Rows[1:]) // what a stream resumes with
		is.Equal(rest.Rows[0], projections.HistoryEvent{
			Place: projections.Place{Sequence: 4}, ID: "c4.0", Type: "deployment.deployed", Subject: "x1", App: "a1", Deployment: "x1",
			Cause: "http", Time: at(2).Add(500 * time.Millisecond), Data: `{"app":"a1","deployment":"x1"}`,
		})
		back, err := s.History(t.Context(), projections.HistoryFilter{Deployment: "x1"},
			projections.Order{By: projections.ByCreated, Descending: true}, projections.Page{Number: 1, PerPage: 1})
		is.NoErr(err)
		is.Equal(back.Rows, whole.Rows[1:]) // the latest first
		one, err := s.Event(t.Context(), "c4.0")
		is.NoErr(err)
		is.Equal(one, rest.Rows[0]) // found by what causes name
	})
	t.Run("history of an app", func(t *testing.T) {
		is := is.New(t)
		found, err := s.History(t.Context(), projections.HistoryFilter{App: "a2"}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.True(found.Total > 2)
		for _, e := range found.Rows {
			is.Equal(e.App, events.AppID("a2")) // and of no other
		}
	})
	t.Run("history of a deployment has what happened to the app meanwhile", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		l.report("p1", events.InstanceCrashed{InstanceRef: ref("p1", 0, "i1")})
		l.add(events.DropletSubject("d9"), events.DropletCreated{Droplet: "d9", App: "a1"}) // which is no part of it
		l.app(events.DeploymentDeployed{App: "a1", Deployment: "x1"})
		l.report("p1", events.InstanceStopped{InstanceRef: ref("p1", 0, "i1")})
		found, err := applied(t, l).History(t.Context(), projections.HistoryFilter{Deployment: "x1"}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(found.Rows[len(found.Rows)-2].Type, events.TypeInstanceCrashed)
		is.Equal(found.Rows[len(found.Rows)-1].Type, events.TypeDeploymentDeployed) // and nothing after its end
	})
	t.Run("droplets and revisions", func(t *testing.T) {
		is := is.New(t)
		s := applied(t, running())
		staged, err := s.All().Droplets(t.Context(), projections.DropletFilter{
			Apps: []events.AppID{"a1"}, States: []projections.DropletState{projections.DropletStaged}}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(staged.Total, 1)
		numbered, err := s.All().Revisions(t.Context(), projections.RevisionFilter{Apps: []events.AppID{"a1"}, Numbers: []int{1, 7}}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(numbered.Total, 1)
	})
}
