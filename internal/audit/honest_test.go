package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/audit"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

// act does one random thing.
func (w *world) act(t *rapid.T) {
	switch rapid.SampledFrom([]string{
		"tick", "tick", "tick", "tick", "health", "health", "health", "run", "run", "deploy", "cancel", "scale", "stop", "start", "restart", "delete",
	}).Draw(t, "act") {
	case "tick":
		w.race(t)
	case "health":
		w.health(t, w.state())
	case "run":
		w.allRun()
	case "deploy":
		c := app.CreateDeployment{
			ID: events.CommandID(w.next("d")), Droplet: droplet(rapid.IntRange(1, 3).Draw(t, "droplet")),
			Options: events.DeploymentOptions{MaxInFlight: rapid.IntRange(0, 5).Draw(t, "max_in_flight")},
		}
		w.try(func(s app.State) ([]events.Event, error) { return app.DeployApp(s, c) })
	case "cancel":
		if d := w.state().Deployment; d != nil {
			w.try(func(s app.State) ([]events.Event, error) {
				return app.CancelDeployment(s, app.Steer{Deployment: d.ID()})
			})
		}
	case "scale":
		w.scale(t)
	case "stop":
		w.try(app.StopApp)
	case "start":
		w.try(func(s app.State) ([]events.Event, error) {
			return app.StartApp(s, events.CommandID(w.next("s")), app.Quota{}, time.Unix(2, 0))
		})
	case "restart":
		w.try(func(s app.State) ([]events.Event, error) {
			return app.RestartApp(s, events.CommandID(w.next("s")), app.Quota{}, time.Unix(2, 0))
		})
	case "delete":
		if rapid.IntRange(0, 19).Draw(t, "really") == 0 {
			w.try(app.DeleteApp)
		}
	}
}

// try asks for a decision that may be refused.
func (w *world) try(decide func(app.State) ([]events.Event, error)) {
	_, _ = w.decide("tester", "test", decide)
}

func (w *world) scale(t *rapid.T) {
	s := w.state()
	if len(s.Processes) == 0 {
		return
	}
	n := rapid.IntRange(0, 5).Draw(t, "instances")
	p := rapid.SampledFrom(s.Processes).Draw(t, "process")
	w.try(func(s app.State) ([]events.Event, error) {
		return app.ScaleProcess(s, app.Scale{Process: p.ID, Instances: &n})
	})
}

// race is a pass of the updater during which agents report.
func (w *world) race(t *rapid.T) {
	w.tick(func(s app.State) {
		for range rapid.IntRange(0, 3).Draw(t, "racing") {
			w.health(t, s)
		}
	})
}

// health lets an agent report anything about any index.
func (w *world) health(t *rapid.T, s app.State) {
	if len(s.Processes) == 0 {
		return
	}
	p := rapid.SampledFrom(s.Processes).Draw(t, "process")
	index := rapid.IntRange(0, 4).Draw(t, "index")
	r := ref(p.ID, index, fmt.Sprint(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "instance"), index)) // an instance has one index
	w.report(rapid.SampledFrom([]events.Event{
		events.InstanceStarting{InstanceRef: r}, events.InstanceRunning{InstanceRef: r}, events.InstanceRunning{InstanceRef: r},
		events.InstanceUnready{InstanceRef: r}, events.InstanceCrashed{InstanceRef: r}, events.InstanceStopped{InstanceRef: r},
	}).Draw(t, "report"))
}

// TestHonestHistoriesAreClean: whatever people, agents and the updater do, however their doings race, none of it is
// taken for a breach.
func TestHonestHistoriesAreClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := running(t, rapid.IntRange(0, 4).Draw(t, "instances"))
		for range rapid.IntRange(1, 80).Draw(t, "length") {
			w.act(t)
		}
		report := w.verify()
		if !report.OK() || report.Unjudged > 0 {
			t.Fatalf("an honest history is accused: %+v", report.Breaches)
		}
		for _, x := range report.Rollouts {
			if !x.Judged || x.Outcome == "" {
				t.Fatalf("not judged to the end: %+v", x)
			}
		}
	})
}

func TestRollout(t *testing.T) {
	is := is.New(t)
	w := rolled(t)
	report := w.verify()
	is.Equal(found(report), nil)
	is.Equal(len(report.Rollouts), 2) // the first start, and the rollout
	is.Equal(report.Messages, len(w.raws()))
	is.Equal(report.Aggregates, 1)
	is.True(report.Reports > 5) // three instances twice
	x := report.Rollouts[1]
	is.Equal(x.Name, "hello")
	is.Equal(x.Outcome, app.ReasonDeployed)
	is.Equal(x.Floor, 3)
	is.Equal(x.Lowest.Total(), 3) // never below what was there
	is.Equal(x.Decisions, 3)      // two steps and the end
	is.Equal(x.Below, false)
	is.Equal(x.BelowMS, int64(0))
	is.True(x.Judged)
	is.True(x.Ended > x.Created)
}

func TestDecisionsAreTheUpdaters(t *testing.T) {
	is := is.New(t)
	w, _, _ := underway(t)
	w.must("tester", func(s app.State) ([]events.Event, error) {
		return app.SetEnvironment(s, map[string]*string{"A": new(string)})
	})
	is.Equal(w.verify().Rollouts[1].Decisions, 1)
}

// TestMemory: what was reported of processes that are gone, and before the last commit, is not kept.
func TestMemory(t *testing.T) {
	is := is.New(t)
	seen, raced, err := audit.Held(t.Context(), rolled(t).log, registry)
	is.NoErr(err)
	is.Equal(seen, 1) // the process that is left
	is.Equal(raced, 0)
	w, _, fresh := underway(t)
	w.report(events.InstanceStarting{InstanceRef: ref(fresh, 1, "y")})
	seen, raced, err = audit.Held(t.Context(), w.log, registry)
	is.NoErr(err)
	is.Equal(seen, 2)
	is.Equal(raced, 1) // since the last commit
}

// TestTimeBelowTheFloor: new instances crash after old ones have left. That is no breach, and it is told how long it took.
func TestTimeBelowTheFloor(t *testing.T) {
	is := is.New(t)
	w := running(t, 3)
	w.deploy(2, app.CreateDeployment{ID: "second"})
	fresh := w.state().Deployment.Process
	first := events.InstanceRunning{InstanceRef: ref(fresh, 0, "x")}
	w.report(first)
	w.tick(calm) // an old one goes
	w.report(events.InstanceCrashed{InstanceRef: first.InstanceRef})
	crashed := events.Sequence(len(w.raws()))
	w.tick(calm) // an old one is to come back
	decided := events.Sequence(len(w.raws()))
	back := events.InstanceRunning{InstanceRef: ref(w.state().Webs()[0].ID, 2, "y")}
	back.Generation = w.state().Webs()[0].Generation
	w.report(back)
	raws := w.raws()
	for i := range raws {
		raws[i].Stored = time.Unix(int64(i), 0)
	}
	x := verify(t, raws).Rollouts[1]
	is.Equal(*x.Lowest, audit.Low{Old: 2, New: 0, At: crashed})
	is.Equal(x.BelowMS, int64(2000)) // from the crash until it runs
	is.Equal(x.Below, false)         // restored
	is.Equal(x.Outcome, audit.OutcomeActive)

	x = verify(t, raws[:decided]).Rollouts[1]
	is.Equal(x.Below, true) // not restored yet: what was decided does not serve
}

// TestStoppedAppPromisesNothing: the clock does not run while nothing is promised.
func TestStoppedAppPromisesNothing(t *testing.T) {
	is := is.New(t)
	w := running(t, 2)
	w.deploy(2, app.CreateDeployment{ID: "second"})
	fresh := w.state().Deployment.Process
	w.report(events.InstanceRunning{InstanceRef: ref(fresh, 0, "x")})
	w.tick(calm)
	w.report(events.InstanceCrashed{InstanceRef: ref(fresh, 0, "x")})
	w.must("tester", app.StopApp)
	stopped := len(w.raws())
	w.report(events.InstanceStarting{InstanceRef: ref(fresh, 1, "y")})
	raws := w.raws()
	for i := range raws {
		raws[i].Stored = time.Unix(int64(i), 0)
	}
	raws[stopped].Stored = time.Unix(1_000_000, 0)
	is.Equal(verify(t, raws).Rollouts[1].BelowMS, int64(1000))
}

func TestOutcomes(t *testing.T) {
	is := is.New(t)
	w := running(t, 2)
	w.deploy(2, app.CreateDeployment{ID: "second"})
	w.deploy(3, app.CreateDeployment{ID: "third"})
	id := w.state().Deployment.ID()
	w.must("tester", func(s app.State) ([]events.Event, error) { return app.CancelDeployment(s, app.Steer{Deployment: id}) })
	w.tick(calm)
	w.deploy(2, app.CreateDeployment{ID: "fourth"})
	w.must("tester", app.DeleteApp)
	var outcomes []string
	for _, x := range w.verify().Rollouts {
		outcomes = append(outcomes, x.Outcome)
	}
	is.Equal(outcomes, []string{app.ReasonDeployed, app.ReasonSuperseded, app.ReasonCanceled, audit.OutcomeDeleted})
}

func TestOtherAggregates(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	for _, e := range []struct {
		subject events.Subject
		event   events.Event
	}{
		{events.DropletSubject("d"), events.DropletCreated{Droplet: "d", App: appID}},
		{events.NameSubject("default", "hello"), events.NameClaimed{Space: "default", Name: "hello", App: appID}},
		{events.CommandSubject("r"), events.CommandRejected{Command: "r"}},
	} {
		_, err := w.log.Append(t.Context(), events.Commit{
			Subject: e.subject, CommandID: "r", Version: 1, Actor: "tester", Time: time.Unix(1, 0), Events: []events.Event{e.event},
		}, 0)
		is.NoErr(err)
	}
	report := w.verify()
	is.Equal(found(report), nil)
	is.Equal(report.Aggregates, 4)
}

func TestProgress(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	var told []string
	for range 5000 {
		w.report(events.InstanceStarting{InstanceRef: ref("p", 0, "a")})
	}
	_, err := audit.Verify(t.Context(), w.log, registry, func(done, total events.Sequence) {
		told = append(told, fmt.Sprintf("%d of %d", done, total))
	})
	is.NoErr(err)
	is.Equal(told, []string{"5000 of 5001", "5001 of 5001"})
}

func TestEmptyLog(t *testing.T) {
	is := is.New(t)
	report := verify(t, nil)
	is.True(report.OK())
	is.Equal(report.Messages, 0)
}

// TestLogThatCannotBeRead is no breach, and no clean report either.
func TestLogThatCannotBeRead(t *testing.T) {
	is := is.New(t)
	_, err := audit.Verify(t.Context(), tampered{err: context.DeadlineExceeded}, registry, nil)
	is.True(err != nil)
}

// TestStream audits a log that stands in JetStream: what the server adds to messages is no part of them.
func TestStream(t *testing.T) {
	is := is.New(t)
	log, err := eventlog.Open(t.Context(), natstest.Connect(t), registry, eventlog.Config{})
	is.NoErr(err)
	for _, raw := range rolled(t).raws() {
		c, err := registry.DecodeCommit(raw.Message)
		is.NoErr(err)
		if c.Version == 0 {
			_, err = log.Report(t.Context(), c)
		} else {
			last, lastErr := log.Last(t.Context(), c.Subject)
			is.NoErr(lastErr)
			_, err = log.Append(t.Context(), c, last)
		}
		is.NoErr(err)
	}
	report, err := audit.Verify(t.Context(), log, registry, nil)
	is.NoErr(err)
	is.Equal(found(report), nil)
	is.Equal(len(report.Rollouts), 2)
	is.True(time.Since(report.Rollouts[0].Began) < time.Hour) // the server's time
}

// BenchmarkVerify is the time an audit takes for one message.
func BenchmarkVerify(b *testing.B) {
	w := running(b, 3)
	for i := range 200 {
		w.deploy(1+i%2, app.CreateDeployment{ID: events.CommandID(w.next("d"))})
		finished(w)
	}
	raws := w.raws()
	for b.Loop() {
		verify(b, raws)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(raws)), "ns/message")
}
