package audit_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/audit"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// failer is *testing.T or *rapid.T.
type failer interface {
	Helper()
	Fatalf(string, ...any)
}

var registry = events.NewRegistry()

const appID events.AppID = "app-1"

// world is one app whose real rule book writes a real log.
type world struct {
	t       failer
	log     *eventlog.Memory
	apps    *eventlog.Repository[app.State]
	seen    app.Instances
	reports []string // ids of all reports, a sweep first
	ids     int
}

func newWorld(t failer) *world {
	log := eventlog.NewMemory(registry)
	w := &world{t: t, log: log, apps: commands.Apps(log, nil), seen: app.Instances{}, reports: []string{"sweep"}}
	w.must("tester", func(s app.State) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: appID, Name: "hello", Space: "default", Organization: "default"})
	})
	return w
}

func (w *world) next(kind string) string {
	w.ids++
	return fmt.Sprintf("%s-%d", kind, w.ids)
}

// decide commits what a decision comes to; a refusal comes to nothing.
func (w *world) decide(actor events.Actor, cause string, decide func(app.State) ([]events.Event, error)) (events.Recorded, error) {
	out, err := w.apps.Decide(context.Background(), string(appID), eventlog.Meta{
		CommandID: events.CommandID(w.next("c")), Actor: actor, Cause: cause, Time: time.Unix(1, 0).UTC(),
	}, decide)
	return out.Commit, err
}

// must is for what is no question of the test.
func (w *world) must(actor events.Actor, decide func(app.State) ([]events.Event, error)) events.Sequence {
	w.t.Helper()
	c, err := w.decide(actor, "test", decide)
	if err != nil {
		w.t.Fatalf("given: %v", err)
	}
	return c.Sequence
}

// forge commits events that no rule book decided.
func (w *world) forge(actor events.Actor, forged ...events.Event) events.Sequence {
	w.t.Helper()
	return w.must(actor, func(app.State) ([]events.Event, error) { return forged, nil })
}

func (w *world) state() app.State {
	w.t.Helper()
	agg, err := w.apps.Load(context.Background(), string(appID))
	if err != nil {
		w.t.Fatalf("load: %v", err)
	}
	return agg.State
}

func ref(p events.ProcessID, index int, instance string) events.InstanceRef {
	return events.InstanceRef{
		App: appID, Process: p, ProcessType: "web", Index: index, Instance: events.InstanceID(instance), Agent: "1",
	}
}

// report appends a report of an agent and gives its id.
func (w *world) report(told ...events.Event) string {
	w.t.Helper()
	id := w.next("r")
	process := told[0].(events.InstanceEvent).Ref().Process
	_, err := w.log.Report(context.Background(), events.Commit{
		Subject: events.InstanceSubject(process), CommandID: events.CommandID(id), Actor: "agent/1", Time: time.Unix(1, 0), Events: told,
	})
	if err != nil {
		w.t.Fatalf("report: %v", err)
	}
	for _, e := range told {
		w.seen[process] = app.Observe(w.seen[process], e.(events.InstanceEvent), time.Unix(1, 0))
	}
	w.reports = append(w.reports, id+".0")
	return id + ".0"
}

// allRun lets all desired web instances run.
func (w *world) allRun() {
	for _, p := range w.state().Webs() {
		for i := range p.Instances {
			if w.seen[p.ID][i].State != app.InstanceRunning {
				w.report(events.InstanceRunning{InstanceRef: ref(p.ID, i, w.next("i"))})
			}
		}
	}
}

// tick is one pass of the updater. between is called between its reading and its writing.
func (w *world) tick(between func(app.State)) events.Recorded {
	w.t.Helper()
	cause := w.reports[len(w.reports)-1]
	c, err := w.decide(events.ActorUpdater, cause, func(s app.State) ([]events.Event, error) {
		seen := app.Instances{}
		for _, p := range s.Webs() { // one after the other, as the updater reads them
			seen[p.ID] = maps.Clone(w.seen[p.ID])
			between(s)
		}
		return app.Next(s, seen, app.Quota{}, time.Unix(2, 0)), nil
	})
	if err != nil {
		w.t.Fatalf("tick: %v", err)
	}
	return c
}

func calm(app.State) {}

// running is an app with so many web instances running.
func running(t failer, instances int) *world {
	w := newWorld(t)
	w.deploy(1, app.CreateDeployment{ID: "first", Options: events.DeploymentOptions{WebInstances: &instances}})
	w.allRun()
	return w
}

// deploy begins a rollout of the n-th droplet.
func (w *world) deploy(n int, c app.CreateDeployment) events.Sequence {
	c.Droplet = droplet(n)
	return w.must("tester", func(s app.State) ([]events.Event, error) { return app.DeployApp(s, c) })
}

func droplet(n int) *app.Droplet {
	return &app.Droplet{
		ID: events.DropletID(fmt.Sprintf("droplet-%d", n)), App: appID, Staged: true,
		ProcessTypes: map[string]string{"web": fmt.Sprintf("./web-%d", n), "worker": "./worker"},
	}
}

// rolled is a whole rollout, from three instances of one version to three of the next.
func rolled(t failer) *world {
	w := running(t, 3)
	w.deploy(2, app.CreateDeployment{ID: "second"})
	for w.state().Deployment != nil {
		w.allRun()
		w.tick(calm)
	}
	return w
}

// raws is the log as it stands.
func (w *world) raws() []eventlog.Raw {
	w.t.Helper()
	var all []eventlog.Raw
	err := w.log.Scan(context.Background(), eventlog.Query{}, func(raw eventlog.Raw) error {
		raw.Header = maps.Clone(raw.Header)
		all = append(all, raw)
		return nil
	})
	if err != nil {
		w.t.Fatalf("scan: %v", err)
	}
	return all
}

// verify audits the log as it is.
func (w *world) verify() audit.Report {
	w.t.Helper()
	return verify(w.t, w.raws())
}

// verify audits a log that holds these messages.
func verify(t failer, raws []eventlog.Raw) audit.Report {
	t.Helper()
	report, err := audit.Verify(context.Background(), tampered{raws: raws}, registry, nil)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return report
}

// tampered is a log that holds what somebody put there.
type tampered struct {
	raws   []eventlog.Raw
	newest events.Sequence // where it is not that of the last message
	err    error
}

func (l tampered) Newest(context.Context) (events.Sequence, error) {
	if len(l.raws) == 0 || l.newest > 0 {
		return l.newest, nil
	}
	return l.raws[len(l.raws)-1].Sequence, nil
}

func (l tampered) Scan(_ context.Context, _ eventlog.Query, fn func(eventlog.Raw) error) error {
	for _, raw := range l.raws {
		if err := fn(raw); err != nil {
			return err
		}
	}
	return l.err
}

// found lists breaches as "law at sequence".
func found(r audit.Report) []string {
	var all []string
	for _, b := range r.Breaches {
		all = append(all, fmt.Sprintf("%s at %d", b.Law, b.Sequence))
	}
	return all
}

// commitsOf are the places in the log where the app's commits stand.
func commitsOf(raws []eventlog.Raw) []int {
	var at []int
	for i, raw := range raws {
		if raw.Subject == events.AppSubject(appID) {
			at = append(at, i)
		}
	}
	return at
}

// renumbered closes the holes in the sequences.
func renumbered(raws []eventlog.Raw) []eventlog.Raw {
	raws = slices.Clone(raws)
	for i := range raws {
		raws[i].Sequence = events.Sequence(i + 1)
	}
	return raws
}
