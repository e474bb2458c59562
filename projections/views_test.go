package projections_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

func TestAppView(t *testing.T) {
	t.Run("running", func(t *testing.T) {
		is := is.New(t)
		l := running()
		s := applied(t, l)
		a, err := s.AppByName(t.Context(), "default", "hello")
		is.NoErr(err)
		is.Equal(a, projections.App{
			GUID: "a1", Name: "hello", Space: "default", Organization: "default", State: projections.AppStarted, Droplet: "d1",
			Environment: map[string]string{"K": "v"}, Metadata: events.Metadata{Labels: map[string]string{"env": "prod"}},
			Stamp: projections.Stamp{CreatedAt: at(1), UpdatedAt: at(4), Created: projections.Place{Sequence: 1}, Sequence: 4},
		})
		d, err := s.Droplet(t.Context(), "d1")
		is.NoErr(err)
		is.Equal(d.State, projections.DropletStaged) // its bits are there
		r, err := s.All().Revisions(t.Context(), projections.RevisionFilter{Apps: []events.AppID{"a1"}, Deployed: true}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(len(r.Rows), 1)
		is.Equal(r.Rows[0].GUID, events.RevisionID("r1")) // of the running process
	})
	t.Run("deleted", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		l.report("p1", events.InstanceRunning{InstanceRef: ref("p1", 0, "i1")})
		before := len(l.commits)
		l.app(events.AppDeleted{App: "a1"})
		l.report("p1", events.InstanceStopped{InstanceRef: ref("p1", 0, "i1")})
		s := storetest.Open(t)
		is.NoErr(s.Apply(t.Context(), l.commits[:before])) // so that rows must be read back to be deleted
		is.NoErr(s.Apply(t.Context(), l.commits[before:]))
		_, err := s.App(t.Context(), "a1")
		is.True(errors.Is(err, projections.ErrNotFound)) // gone
		_, err = s.Deployment(t.Context(), "x1")
		is.True(errors.Is(err, projections.ErrNotFound)) // gone with its app
		processes, err := s.All().Processes(t.Context(), projections.ProcessFilter{}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(processes.Total, 0) // gone with their app
		labeled, err := s.All().Apps(t.Context(), projections.AppFilter{Labels: []projections.LabelRequirement{
			{Key: "env", Operator: projections.LabelExists}}}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(labeled.Total, 0) // not found by its labels
		app, err := s.AppOfDeployment(t.Context(), "x1")
		is.NoErr(err)
		is.Equal(app, events.AppID("a1")) // history stays
		_, err = s.AppOfDeployment(t.Context(), "")
		is.True(errors.Is(err, projections.ErrNotFound)) // what most events name is no deployment
		anomalies, err := s.Anomalies(t.Context(), projections.Page{})
		is.NoErr(err)
		is.Equal(anomalies.Rows, []projections.Anomaly{}) // a late report is none
	})
}

func TestDeploymentView(t *testing.T) {
	t.Run("created", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		d, err := s.Deployment(t.Context(), "x1")
		is.NoErr(err)
		is.Equal(d, projections.Deployment{
			GUID: "x1", App: "a1", State: projections.Deploying, StatusValue: "ACTIVE", StatusReason: "DEPLOYING",
			Strategy: "rolling", Options: events.DeploymentOptions{MaxInFlight: 1}, Plan: []events.Step{{New: 2, Gate: "healthy"}},
			OriginalInstances: 2, Target: 2, Floor: 2, Droplet: "d2", PreviousDroplet: "d1", Revision: "r2", RevisionNumber: 2,
			Process: "p2", NewProcesses: []projections.ProcessRef{{GUID: "p2", Type: "web"}}, LastHealthyAt: at(5),
			LastStatusChange: at(5), Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}},
			Stamp: projections.Stamp{CreatedAt: at(5), UpdatedAt: at(5), Created: projections.Place{Sequence: 5, Index: 2}, Sequence: 5},
		})
		a, err := s.App(t.Context(), "a1")
		is.NoErr(err)
		is.Equal(a.Deployment, events.DeploymentID("x1")) // it is going on
	})
	t.Run("scaled and deployed", func(t *testing.T) {
		is := is.New(t)
		l := deploying().by(events.ActorUpdater)
		l.app(
			events.ProcessScaled{App: "a1", Process: "p1", ProcessType: "web", From: 2, Instances: 1, Deployment: "x1"},
			events.ProcessScaled{App: "a1", Process: "p2", ProcessType: "web", From: 1, Instances: 2, Deployment: "x1"},
		)
		l.app(events.ProcessScaled{App: "a1", Process: "p1", ProcessType: "web", From: 1, Instances: 0, Deployment: "x1"})
		l.app(
			events.ProcessDeleted{App: "a1", Process: "p1", ProcessType: "web", Deployment: "x1"},
			events.DeploymentDeployed{App: "a1", Deployment: "x1"},
		)
		s := applied(t, l)
		d, err := s.Deployment(t.Context(), "x1")
		is.NoErr(err)
		is.Equal(d.LastHealthyAt, at(6))    // when its own process last grew
		is.Equal(d.LastStatusChange, at(8)) // when it was deployed
		is.Equal([]string{string(d.State), d.StatusValue, d.StatusReason}, []string{"DEPLOYED", "FINALIZED", "DEPLOYED"})
		is.Equal(d.Sequence, events.Sequence(8)) // of its last change
		a, err := s.App(t.Context(), "a1")
		is.NoErr(err)
		is.Equal(a.Deployment, events.DeploymentID("")) // none is going on
		p, err := s.ProcessOfType(t.Context(), "a1", "web")
		is.NoErr(err)
		is.Equal(p.GUID, events.ProcessID("p2")) // the newest
		is.Equal(p.Instances, 2)
	})
	t.Run("canceled", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		l.app(events.DeploymentCanceling{App: "a1", Deployment: "x1"})
		l.by(events.ActorUpdater).app(
			events.ProcessDeleted{App: "a1", Process: "p2", ProcessType: "web", Deployment: "x1"},
			events.DeploymentCanceled{App: "a1", Deployment: "x1", Kept: "p1"},
		)
		s := applied(t, l)
		d, err := s.Deployment(t.Context(), "x1")
		is.NoErr(err)
		is.Equal([]string{string(d.State), d.StatusValue, d.StatusReason}, []string{"CANCELED", "FINALIZED", "CANCELED"})
		is.Equal(d.Kept, events.ProcessID("p1"))
		is.Equal(len(d.NewProcesses), 1) // kept though the process is gone
		_, err = s.Process(t.Context(), "p2")
		is.True(errors.Is(err, projections.ErrNotFound)) // gone
	})
	for canceled, state := range map[bool]projections.DeploymentState{false: projections.Deployed, true: projections.Canceled} {
		t.Run("superseded "+string(state), func(t *testing.T) {
			is := is.New(t)
			l := deploying()
			l.app(
				events.DeploymentSuperseded{App: "a1", Deployment: "x1", By: "x2", Canceled: canceled},
				events.DeploymentCreated{App: "a1", Deployment: "x2", Strategy: "rolling", Droplet: "d3", Process: "p3"},
			)
			l.app(events.DeploymentDeployed{App: "a1", Deployment: "x1"}) // makes no sense any more
			s := applied(t, l)
			d, err := s.Deployment(t.Context(), "x1")
			is.NoErr(err)
			is.Equal(d.State, state)
			is.Equal(d.StatusReason, "SUPERSEDED")
			is.Equal(d.SupersededBy, events.DeploymentID("x2"))
			a, err := s.App(t.Context(), "a1")
			is.NoErr(err)
			is.Equal(a.Deployment, events.DeploymentID("x2")) // the newer one goes on
			anomalies, err := s.Anomalies(t.Context(), projections.Page{})
			is.NoErr(err)
			is.Equal(len(anomalies.Rows), 1) // the end after the end
			is.Equal(anomalies.Rows[0].Problem, "deployment x1 ended before, SUPERSEDED")
		})
	}
}

func TestInstancesView(t *testing.T) {
	exit := 1
	starting := func(i int, id events.InstanceID) events.Event {
		return events.InstanceStarting{InstanceRef: ref("p1", i, id)}
	}
	routable := func(i int, id events.InstanceID) events.Event {
		return events.InstanceRunning{InstanceRef: ref("p1", i, id), Address: "127.0.0.1:61001"}
	}
	crashed := func(i int, id events.InstanceID) events.Event {
		return events.InstanceCrashed{InstanceRef: ref("p1", i, id), Reason: "exit status 1", ExitStatus: &exit, Crashes: 2}
	}
	stopped := func(i int, id events.InstanceID) events.Event {
		return events.InstanceStopped{InstanceRef: ref("p1", i, id)}
	}
	unready := events.InstanceUnready{InstanceRef: ref("p1", 0, "i1"), Reason: "slow"}

	known := func(id events.InstanceID, state projections.InstanceState, seq events.Sequence) projections.Instance {
		return projections.Instance{
			Process: "p1", App: "a1", Instance: id, Agent: "1", State: state, Since: at(seq), Sequence: seq,
		}
	}
	down := projections.Instance{Process: "p1", App: "a1", State: projections.InstanceDown}
	up := known("i1", projections.InstanceRunning, 6)
	up.Routable, up.Address = true, "127.0.0.1:61001"
	slow := up
	slow.Routable, slow.Reason, slow.Sequence = false, "slow", 7
	dead := known("i1", projections.InstanceCrashed, 7)
	dead.Reason, dead.Crashes, dead.ExitStatus = "exit status 1", 2, &exit
	again := known("i2", projections.InstanceStarting, 8)
	again.Reason, again.Crashes, again.ExitStatus = "exit status 1", 2, &exit

	for _, c := range []struct {
		name    string
		reports []events.Event
		want    projections.Instance // at index 0
	}{
		{"nothing known", nil, down},
		{"starting", []events.Event{starting(0, "i1")}, known("i1", projections.InstanceStarting, 5)},
		{"running", []events.Event{starting(0, "i1"), routable(0, "i1")}, up},
		{"unready", []events.Event{starting(0, "i1"), routable(0, "i1"), unready}, slow},
		{"crashed", []events.Event{starting(0, "i1"), routable(0, "i1"), crashed(0, "i1")}, dead},
		{"starting again", []events.Event{starting(0, "i1"), routable(0, "i1"), crashed(0, "i1"), starting(0, "i2")}, again},
		{"late crash", []events.Event{starting(0, "i2"), crashed(0, "i1")}, known("i2", projections.InstanceStarting, 5)},
		{"late stop", []events.Event{starting(0, "i2"), stopped(0, "i1")}, known("i2", projections.InstanceStarting, 5)},
		{"stopped", []events.Event{starting(0, "i1"), stopped(0, "i1")}, down},
		{"another index", []events.Event{starting(1, "i1")}, down},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			l := running()
			for _, report := range c.reports {
				l.report("p1", report)
			}
			all, err := applied(t, l).Instances(t.Context(), "p1")
			is.NoErr(err)
			is.Equal(len(all.Rows), 2)     // one for each desired
			is.Equal(all.Rows[0], c.want)  // the state of index 0
			is.Equal(all.Rows[1].Index, 1) // by index
		})
	}
	t.Run("a report sent twice counts once", func(t *testing.T) {
		is := is.New(t)
		l := running()
		twice := l.report("p1", starting(0, "i1"))
		l.report("p1", routable(0, "i1"))
		twice.Sequence = 7
		l.commits = append(l.commits, twice)
		s := applied(t, l)
		all, err := s.Instances(t.Context(), "p1")
		is.NoErr(err)
		is.Equal(all.Rows[0], up) // still running
		h, err := s.History(t.Context(), projections.HistoryFilter{Types: []events.Type{events.TypeInstanceStarting}}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(h.Total, 1) // in the history once
	})
	t.Run("surplus is not shown", func(t *testing.T) {
		is := is.New(t)
		l := running()
		l.report("p1", routable(0, "i1"))
		l.report("p1", routable(1, "i2"))
		l.app(events.ProcessScaled{App: "a1", Process: "p1", From: 2, Instances: 1})
		all, err := applied(t, l).Instances(t.Context(), "p1")
		is.NoErr(err)
		is.Equal(len(all.Rows), 1)
	})
}

func TestAnomaliesStopNothing(t *testing.T) {
	is := is.New(t)
	l := running()
	l.app(events.ProcessScaled{App: "a1", Process: "nobody", Instances: 3})
	l.app(events.ProcessScaled{App: "a2", Process: "p1", Instances: 3}) // another app's
	l.app(events.AppStopped{App: "a1"})
	s := applied(t, l)
	found, err := s.Anomalies(t.Context(), projections.Page{})
	is.NoErr(err)
	is.Equal(found.Rows, []projections.Anomaly{
		{Place: projections.Place{Sequence: 5}, Type: "process.scaled", Problem: `app "a1" has no process "nobody"`},
		{Place: projections.Place{Sequence: 6}, Type: "process.scaled", Problem: `app "a2" has no process "p1"`},
	})
	a, err := s.App(t.Context(), "a1")
	is.NoErr(err)
	is.Equal(a.State, projections.AppStopped) // what came after took effect
	h, err := s.History(t.Context(), projections.HistoryFilter{App: "a1"}, projections.Order{}, projections.Page{})
	is.NoErr(err)
	is.Equal(h.Rows[len(h.Rows)-2].Type, events.TypeProcessScaled) // and is in the history
}
