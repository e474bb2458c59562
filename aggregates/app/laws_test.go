package app_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/events"
)

// world is an app under random commands, health and deaths, with everything the laws need to look back on.
type world struct {
	t       *rapid.T
	state   app.State
	seen    app.Instances
	ids     int
	now     time.Time
	halt    app.Halt
	window  window
	ended   map[events.DeploymentID]string
	created map[events.DeploymentID]bool
	history []events.Event

	decidedFrom *app.State // what the updater decided from, while that is folded
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: now, seen: app.Instances{}, ended: map[events.DeploymentID]string{}, created: map[events.DeploymentID]bool{}}
	decided, err := app.CreateApp(w.state, app.Create{ID: appID, Name: "hello", Space: "default"})
	w.commit(decided, err)
	return w
}

// commit folds a decision; a refusal must have decided nothing.
func (w *world) commit(decided []events.Event, err error) {
	if err != nil && len(decided) > 0 {
		w.t.Fatalf("refused with %v and decided %v", err, decided)
	}
	for _, e := range decided {
		w.observeEnd(e)
		w.fold(e)
	}
}

// observeEnd holds law 5 and part of law 1: what has ended does not end again, and every end is of what was created.
func (w *world) observeEnd(e events.Event) {
	switch e := e.(type) {
	case events.DeploymentCreated:
		if w.state.Deployment != nil {
			w.t.Fatalf("a second deployment while %s is active", w.state.Deployment.ID())
		}
		if h := w.window.hold(w.now); e.Requested && h.Policy != "" {
			w.t.Fatalf("law 11: a requested deployment begins though %s", h.Text())
		}
		w.created[e.Deployment] = true
	case events.DeploymentApprovalRequested:
		w.created[e.Deployment] = true
	case events.DeploymentDenied:
		w.end(e.Deployment, app.ReasonDenied)
	case events.DeploymentWithdrawn:
		w.end(e.Deployment, app.ReasonCanceled)
	case events.DeploymentDeployed:
		w.end(e.Deployment, app.ReasonDeployed)
	case events.DeploymentCanceled:
		w.end(e.Deployment, app.ReasonCanceled)
	case events.DeploymentRolledBack:
		w.end(e.Deployment, app.ReasonRolledBack)
	case events.DeploymentSuperseded:
		w.end(e.Deployment, app.ReasonSuperseded)
	}
}

func (w *world) end(id events.DeploymentID, reason string) {
	if was, over := w.ended[id]; over || !w.created[id] {
		w.t.Fatalf("deployment %s ends as %s, but was %q, created %v", id, reason, was, w.created[id])
	}
	w.ended[id] = reason
}

func (w *world) command() events.CommandID {
	w.ids++
	return events.CommandID(fmt.Sprintf("c-%d", w.ids))
}

// act does one random thing.
func (w *world) act() {
	switch rapid.SampledFrom([]string{
		"tick", "tick", "tick", "health", "health", "health", "health", "deploy", "cancel", "continue", "continue", "scale", "stop", "start", "restart",
		"time", "time", "check", "check", "alarm", "roll back", "answer", "answer", "halt", "window",
	}).Draw(w.t, "act") {
	case "window":
		w.window = drawWindow(w.t, w.now)
	case "answer":
		w.answer()
	case "halt":
		w.halt = app.Halt{}
		if rapid.Bool().Draw(w.t, "halt") {
			w.halt = app.Halt{ID: events.HaltID(w.command()), Reason: "incident", By: "user"}
		}
	case "time":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 400).Draw(w.t, "seconds")) * time.Second)
	case "check":
		if d := w.state.Deployment; d != nil {
			w.check(rapid.SampledFrom([]string{events.VerdictPass, events.VerdictFail, events.VerdictInconclusive}).Draw(w.t, "verdict"))
		}
	case "alarm":
		w.commit(app.Receive(w.state, app.Signal{
			Name: rapid.SampledFrom([]string{"latency", "errors"}).Draw(w.t, "alarm"), Firing: rapid.Bool().Draw(w.t, "fires"), At: w.now,
		}))
	case "roll back":
		if d := w.state.Deployment; d != nil {
			w.twice(func(s app.State) ([]events.Event, error) {
				return app.RollBackDeployment(s, app.Steer{Deployment: d.ID(), By: "user", Now: w.now})
			})
		}
	case "tick":
		w.tick()
	case "health":
		w.health()
	case "deploy":
		w.deploy()
	case "cancel":
		if d := w.state.Deployment; d != nil {
			w.twice(func(s app.State) ([]events.Event, error) {
				return app.CancelDeployment(s, app.Steer{Deployment: d.ID()})
			})
		}
	case "continue":
		if d := w.state.Deployment; d != nil {
			step := d.CurrentStep()
			w.twice(func(s app.State) ([]events.Event, error) {
				return app.ContinueDeployment(s, app.Steer{Deployment: d.ID(), ExpectedStep: step, By: "user", Now: w.now})
			})
		}
	case "scale":
		n := rapid.IntRange(0, 5).Draw(w.t, "instances")
		p := rapid.SampledFrom(w.state.Processes).Draw(w.t, "process")
		w.twice(func(s app.State) ([]events.Event, error) {
			return app.ScaleProcess(s, app.Scale{Process: p.ID, Instances: &n})
		})
	case "stop":
		w.twice(app.StopApp)
	case "start":
		id := w.command()
		w.twice(func(s app.State) ([]events.Event, error) { return app.StartApp(s, id, app.Quota{}, w.now) })
	case "restart":
		w.commit(app.RestartApp(w.state, w.command(), app.Quota{}, w.now))
	}
}

func (w *world) deploy() {
	c := app.CreateDeployment{ID: w.command(), Now: w.now, Options: events.DeploymentOptions{
		MaxInFlight: rapid.IntRange(0, 6).Draw(w.t, "max_in_flight"),
	}}
	if rapid.Bool().Draw(w.t, "has droplet") {
		c.Droplet = droplet(rapid.IntRange(1, 4).Draw(w.t, "droplet"))
	}
	w.strategy(&c)
	if rapid.Bool().Draw(w.t, "guarded") {
		w.guard(&c.Options)
	}
	if revision := w.state.Revision; c.Droplet != nil && rapid.IntRange(0, 3).Draw(w.t, "roll back") == 0 {
		revision.Number, revision.Droplet = rapid.IntRange(1, 9).Draw(w.t, "number"), c.Droplet.ID
		c.Revision = &revision
	}
	if rapid.IntRange(0, 3).Draw(w.t, "has web_instances") == 0 {
		n := rapid.IntRange(0, 6).Draw(w.t, "web_instances")
		c.Options.WebInstances = &n
	}
	if rapid.IntRange(0, 3).Draw(w.t, "judged") == 0 {
		w.judge(&c)
	}
	switch {
	case w.halt.ID == "":
	case rapid.Bool().Draw(w.t, "promised"):
		c.Await = w.halt
	default:
		c.Halt = w.halt.Text()
	}
	before := w.state
	decided, err := app.DeployApp(w.state, c)
	w.commit(decided, err)
	waits := slices.ContainsFunc(w.state.Requests, func(r app.Request) bool { return r.Deployment == c.DeploymentID() })
	if waits && !reflect.DeepEqual(before.Processes, w.state.Processes) {
		w.t.Fatal("law 8: a deployment that is not approved changed a process")
	}
	if err == nil && w.state.Deployment == nil && w.state.Desired == app.Started && w.ended[c.DeploymentID()] == "" && !waits {
		w.t.Fatal("the deployment was accepted and is neither active nor over, and does not wait")
	}
}

// judge draws what the policies say.
func (w *world) judge(c *app.CreateDeployment) {
	verdict := events.PolicyVerdict{
		Policy: "p", Name: "policy", Approvers: []string{"manager"}, Needed: 1, SelfApproval: true,
		Outcome: rapid.SampledFrom([]string{events.OutcomeApproval, events.OutcomeApproval, events.OutcomeHold, events.OutcomeDeny}).Draw(w.t, "outcome"),
		Until:   w.now.Add(time.Duration(rapid.IntRange(0, 500).Draw(w.t, "until")) * time.Second),
		Expires: w.now.Add(time.Duration(rapid.IntRange(1, 500).Draw(w.t, "expires")) * time.Second), ManualStart: rapid.Bool().Draw(w.t, "manual"),
	}
	c.By, c.Judgement = "user", &app.Judgement{Verdicts: []events.PolicyVerdict{verdict}}
}

// answer says yes or no to a request, starts it, or takes it back.
func (w *world) answer() {
	if len(w.state.Requests) == 0 {
		return
	}
	id := rapid.SampledFrom(w.state.Requests).Draw(w.t, "request").Deployment
	says := app.Answer{Deployment: id, By: "user", Roles: []string{"manager"}, Now: w.now}
	steer := app.Steer{Deployment: id, By: "user", Now: w.now}
	switch rapid.SampledFrom([]string{"approve", "approve", "deny", "start", "withdraw"}).Draw(w.t, "answer") {
	case "approve":
		w.commit(app.ApproveDeployment(w.state, says))
	case "deny":
		w.commit(app.DenyDeployment(w.state, says))
	case "start":
		w.commit(app.StartDeployment(w.state, steer, app.Quota{}, w.brakes(w.now)))
	case "withdraw":
		w.commit(app.CancelDeployment(w.state, steer))
	}
}

// still is law 9: a halted rollout only looks after its capacity.
func (w *world) still(before app.State, decided []events.Event) {
	for _, e := range decided {
		switch e := e.(type) {
		case events.ProcessScaled:
			if e.Instances > e.From && e.Process != before.Deployment.Process {
				continue
			}
		case events.DeploymentBreached: // what fails may be sent back
			return
		case events.DeploymentHalted, events.DeploymentErrorRecorded: // another halt took over, and nothing else happens
			if reflect.DeepEqual(before.Processes, w.state.Processes) {
				continue
			}
		case events.DeploymentApprovalRequested, events.DeploymentWithdrawn, events.DeploymentDenied, events.DeploymentCreated:
			return
		}
		w.t.Fatalf("law 9: a halted rollout goes on with %#v", e)
	}
}

// strategy draws how the rollout moves.
func (w *world) strategy(c *app.CreateDeployment) {
	c.Strategy = rapid.SampledFrom([]string{
		events.StrategyRolling, events.StrategyCanary, events.StrategyCanary, events.StrategyAllAtOnce, events.StrategyBlueGreen, "",
	}).Draw(w.t, "strategy")
	switch c.Strategy {
	case events.StrategyCanary:
		c.Options.CanaryWeights = rapid.SliceOfN(rapid.IntRange(1, 100), 0, 3).Draw(w.t, "weights")
		slices.Sort(c.Options.CanaryWeights)
		if rapid.Bool().Draw(w.t, "timed") {
			c.Options.CanaryPauses = []events.Pause{{
				Seconds: rapid.IntRange(1, 300).Draw(w.t, "pause"),
				Then:    rapid.SampledFrom([]string{events.ThenContinue, events.ThenCancel, events.ThenHold}).Draw(w.t, "then"),
			}}
		}
	case "":
		c.Schedule = rapid.SampledFrom(plan.Schedules).Draw(w.t, "schedule")
		c.Stored = &app.StoredStrategy{ID: "s", Growth: events.Growth{
			GrowthType:                rapid.SampledFrom([]string{events.GrowthLinear, events.GrowthExponential}).Draw(w.t, "growth"),
			GrowthFactor:              rapid.Float64Range(1, 100).Draw(w.t, "factor"),
			DeploymentDurationMinutes: rapid.IntRange(0, 20).Draw(w.t, "duration"),
			FinalBakeMinutes:          rapid.IntRange(0, 5).Draw(w.t, "bake"),
		}}
	}
}

// guard draws what fails the rollout.
func (w *world) guard(o *events.DeploymentOptions) {
	o.Bake = rapid.IntRange(0, 300).Draw(w.t, "bake")
	o.Guard = events.Guard{
		OnFailure:        rapid.SampledFrom([]string{"", events.ThenRollback, events.ThenRollback, events.ThenHold, events.ThenCancel}).Draw(w.t, "on failure"),
		Fast:             rapid.IntRange(0, 4).Draw(w.t, "fast") == 0,
		ProgressDeadline: rapid.IntRange(5, 900).Draw(w.t, "deadline"),
		StartupTimeout:   rapid.SampledFrom([]int{0, 5, 60}).Draw(w.t, "startup"),
		CrashLimit:       rapid.IntRange(0, 5).Draw(w.t, "crashes"),
		CrashPercent:     rapid.IntRange(0, 100).Draw(w.t, "percent"),
		IgnoreAlarms:     rapid.Bool().Draw(w.t, "ignore alarms"),
	}
	if rapid.Bool().Draw(w.t, "checked") {
		o.Checks = []events.Check{{
			Name: "errors", Kind: events.CheckHTTP, URL: "http://example.org", FailureLimit: rapid.IntRange(0, 2).Draw(w.t, "limit"),
			DryRun: rapid.IntRange(0, 4).Draw(w.t, "dry run") == 0,
		}}
	}
}

// check records a verdict on each check of the rollout; told again it decides nothing.
func (w *world) check(verdict string) {
	for _, c := range w.state.Deployment.Options.Checks {
		if w.state.Deployment == nil {
			return
		}
		record := app.RecordCheck{Deployment: w.state.Deployment.ID(), Check: c.Name, Verdict: verdict, At: w.now}
		w.commit(app.Record(w.state, record))
		if again, _ := app.Record(w.state, record); len(again) > 0 {
			w.t.Fatalf("law 4: a verdict told twice decides %#v", again)
		}
	}
}

// health lets an agent report anything about any index, late ones of earlier starts too.
func (w *world) health() {
	p := rapid.SampledFrom(w.state.Processes).Draw(w.t, "process")
	ref := events.InstanceRef{
		App: appID, Process: p.ID, Index: rapid.IntRange(0, 6).Draw(w.t, "index"),
	}
	ref.Generation = max(p.Generation-rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(w.t, "generations ago"), 0)
	ref.Instance = events.InstanceID(fmt.Sprint(rapid.SampledFrom([]string{"a", "b"}).Draw(w.t, "instance"), ref.Index))
	report := rapid.SampledFrom([]events.InstanceEvent{
		events.InstanceStarting{InstanceRef: ref}, events.InstanceRunning{InstanceRef: ref}, events.InstanceRunning{InstanceRef: ref},
		events.InstanceUnready{InstanceRef: ref}, events.InstanceCrashed{InstanceRef: ref}, events.InstanceStopped{InstanceRef: ref},
	}).Draw(w.t, "report")
	w.seen[p.ID] = app.Observe(w.seen[p.ID], report, w.now)
	if again := app.Observe(w.seen[p.ID], report, w.now); !reflect.DeepEqual(again, w.seen[p.ID]) {
		w.t.Fatalf("a report seen twice changes something: %v", report)
	}
}

// tick is one pass of the updater, with the laws on what it decides.
func (w *world) tick() {
	before := w.state
	decided := app.Proceed(before, w.seen, app.Quota{}, w.brakes(w.now), w.now)
	w.decidedFrom = &before
	w.commit(decided, nil)
	w.decidedFrom = nil
	if d := before.Deployment; d != nil && d.Halt != "" && w.halt.ID != "" && !d.GoingBack && !d.RollingBack {
		w.still(before, decided)
	}
	if held := slices.ContainsFunc(decided, holds); held && (len(decided) != 2 || !reflect.DeepEqual(before.Processes, w.state.Processes)) {
		w.t.Fatalf("law 11: a request that is held changes something: %#v", decided)
	}
	if err := app.CheckCapacity(before, w.state, w.seen); err != nil {
		w.t.Fatalf("law 2: %v\ndecided %#v", err, decided)
	}
	again := app.Proceed(w.state, w.seen, app.Quota{}, w.brakes(w.now), w.now)
	if len(again) > 0 && onlySame(again, decided) {
		w.t.Fatalf("law 4: decided twice: %#v", again)
	}
	if len(again) == 0 {
		w.noticed()
		w.balanced()
		w.waits()
	} else {
		w.rests()
	}
	if d := w.state.Deployment; d != nil && w.halt.ID == "" && !slices.ContainsFunc(decided, turns) {
		w.surge(before)
	}
}

// rests is law 10: where nothing new is seen the updater comes to rest. A canary passes a step with each decision or two, and
// begins a request when it is over.
func (w *world) rests() {
	s := w.state
	for range 300 {
		decided := app.Proceed(s, w.seen, app.Quota{}, w.brakes(w.now), w.now)
		if len(decided) == 0 {
			return
		}
		for _, e := range decided {
			s = app.Evolve(s, e)
		}
	}
	w.t.Fatalf("law 10: it does not come to rest: %#v", app.Proceed(s, w.seen, app.Quota{}, w.brakes(w.now), w.now))
}

// turns says whether an event stands for another decision than the tick of a rollout, which balances next.
func turns(e events.Event) bool {
	switch e.Type() {
	case events.TypeDeploymentBreached, events.TypeDeploymentCreated, events.TypeDeploymentDenied, events.TypeDeploymentWithdrawn,
		events.TypeDeploymentHalted, events.TypeDeploymentResumed, events.TypeDeploymentHeld:
		return true
	}
	return false
}

// waits is law 7: between now and the deadline time alone decides nothing.
func (w *world) waits() {
	at, ok := app.Deadline(w.state, w.seen, w.now)
	if ok && !at.After(w.now) {
		w.t.Fatalf("law 7: the deadline %v is not after %v", at, w.now)
	}
	span := 24 * time.Hour
	if ok {
		span = at.Sub(w.now) - 1
	}
	then := w.now.Add(time.Duration(rapid.Int64Range(0, int64(span)).Draw(w.t, "later")))
	if early := app.Proceed(w.state, w.seen, app.Quota{}, w.brakes(then), then); len(early) > 0 {
		w.t.Fatalf("law 7: the deadline is %v, %v, but at %v it decides %#v", at, ok, then, early)
	}
}

// surge is law 3, for a rollout that has been ticked: new never exceed the target; old and new together stay within
// target + max_in_flight, or within what failing new instances made the old ones come back for.
func (w *world) surge(before app.State) {
	d := w.state.Deployment
	if d == nil || d.Phase() == app.Canceling || d.Phase() == app.RollingBack || w.state.Desired != app.Started {
		return
	}
	fresh, _ := w.state.Process(d.Process)
	if fresh.Instances > max(d.Target, 1) { // a canary has one at least
		w.t.Fatalf("law 3: %d new instances, target %d", fresh.Instances, d.Target)
	}
	old := 0
	for _, p := range w.state.Webs() {
		if p.ID != d.Process {
			old += p.Instances
		}
	}
	n := w.seen[d.Process].Count(fresh.Instances)
	slack := max(d.Options.MaxInFlight, n.Starting+n.Unhealthy) + interimSlack(w.state, w.seen)
	step := d.Plan[d.Step]
	if old+fresh.Instances > max(step.New+step.Old, d.Floor)+slack {
		w.t.Fatalf("law 3: %d old + %d new, target %d, max in flight %d, seen %+v, before %+v",
			old, fresh.Instances, d.Target, d.Options.MaxInFlight, n, before.Processes)
	}
}

// interimSlack is what interim processes hold without serving: they are dropped as a whole, not by single instances. Rejected
// ones that serve stay as long as there is too little without them, while the version before them comes back.
func interimSlack(s app.State, seen app.Instances) int {
	slack := 0
	for _, p := range s.Webs() {
		switch p.Standing {
		case app.Rejected:
			slack += p.Instances
		case app.Proven: // what was brought back may wait until as much serves
			slack += p.Returned
		case app.Interim:
			slack += p.Instances - seen[p.ID].Count(p.Instances).Routable
		}
	}
	return slack
}

func onlySame(a, b []events.Event) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// TestLaws holds the invariants of the package over random histories.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.deploy()
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			w.act()
		}
		w.settles()
		w.replayed()
	})
}

// settles is law 6: from here, with an agent that brings every instance up, the updater alone ends what is going on,
// within a number of passes that the sizes bound.
func (w *world) settles() {
	if w.state.Droplet == "" {
		return
	}
	w.commit(app.StartApp(w.state, w.command(), app.Quota{}, w.now))
	for len(w.state.Requests) > 0 {
		w.commit(app.CancelDeployment(w.state, app.Steer{Deployment: w.state.Requests[0].Deployment, By: "user", Now: w.now}))
	}
	w.halt, w.window = app.Halt{}, window{}
	for pass := 0; w.state.Deployment != nil; pass++ {
		if pass > 300 {
			w.t.Fatalf("law 6: does not end: %+v", *w.state.Deployment)
		}
		for _, p := range w.state.Processes {
			w.seen[p.ID] = anew(with(p.Instances, 0, 0), pass)
		}
		w.now = w.now.Add(time.Second)
		w.check(events.VerdictPass)
		before := w.state.Deployment
		w.tick()
		d := w.state.Deployment
		if d != nil && d.Phase() == app.Paused {
			w.commit(app.ContinueDeployment(w.state, app.Steer{Deployment: d.ID(), ExpectedStep: d.CurrentStep(), By: "user", Now: w.now}))
		}
		if at, ok := app.Deadline(w.state, w.seen, w.now); ok && w.state.Deployment == before {
			w.now = at // nothing happens until then
		}
	}
	if webs := w.state.Webs(); len(webs) != 1 {
		w.t.Fatalf("%d web processes are left", len(webs))
	}
}

// anew gives instances ids of their own: each start of one has another.
func anew(seen app.ProcessInstances, life int) app.ProcessInstances {
	for i, instance := range seen {
		instance.ID = events.InstanceID(fmt.Sprintf("%s-%d", instance.ID, life))
		seen[i] = instance
	}
	return seen
}

// TestSnapshotIsTheState: a state written to JSON and read back folds on in the same way.
func TestSnapshotIsTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.deploy()
		for range rapid.IntRange(0, 30).Draw(t, "length") {
			w.act()
		}
		data, err := json.Marshal(w.state)
		if err != nil {
			t.Fatal(err)
		}
		var back app.State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(data) {
			t.Fatalf("snapshot changes the state:\n%s\n%s", data, again)
		}
		if a, b := app.Proceed(w.state, w.seen, app.Quota{}, w.brakes(w.now), w.now), app.Proceed(back, w.seen, app.Quota{}, w.brakes(w.now), w.now); !onlySame(a, b) {
			t.Fatalf("a snapshot decides otherwise:\n%#v\n%#v", a, b)
		}
	})
}

// TestEvolveLeavesOldStatesAlone: a state is a value; later events do not reach into earlier states.
func TestEvolveLeavesOldStatesAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.deploy()
		for range rapid.IntRange(1, 20).Draw(t, "length") {
			before := w.state
			data, _ := json.Marshal(before)
			w.act()
			if after, _ := json.Marshal(before); string(after) != string(data) {
				t.Fatalf("an old state changed:\n%s\n%s", data, after)
			}
		}
	})
}
