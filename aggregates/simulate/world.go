package simulate

import (
	"fmt"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// MaxWork bounds a simulation, and once more all that it explores: each moment and each decision costs one, and one more for
// each instance that is looked at then. It is about a second of computing: a thousand instances, one at a time.
const MaxWork = 5_000_000

// LimitError: the rollout is too large, or takes too many steps, to be simulated.
type LimitError struct {
	Reached time.Duration // how far it came
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the rollout is too large to be simulated: it came to %v after its start; ask with fewer instances, steps or checks", e.Reached)
}

// Run simulates a rollout. One that policies let wait is simulated as if it had been let go at once; what they say stands
// beside it. Errors: what [app.DeployApp] refuses, as it does; a [*LimitError]; an [*app.CapacityError] where the rules are at
// fault.
func Run(in Input) (Forecast, error) {
	var verdicts []events.PolicyVerdict
	if j := in.Deploy.Judgement; j != nil {
		verdicts, in.Deploy.Judgement = j.Verdicts, nil
	}
	f, err := run(in)
	f.Verdicts = verdicts
	return f, err
}

func run(in Input) (Forecast, error) {
	w := &world{
		in: in, state: in.App, seen: app.Instances{}, now: in.Deploy.Now, began: in.Deploy.Now, before: usage(in.App),
		instances: map[slot]virtual{}, starts: map[slot]int{}, sizes: map[events.ProcessID]size{}, step: -1, work: new(int), explored: new(int),
		fresh: events.ProcessID(events.DeriveID(in.Deploy.ID, "process", 0)),
	}
	w.adopt()
	created, err := app.DeployApp(in.App, in.Deploy)
	if err != nil {
		return Forecast{}, err
	}
	w.commit(created)
	for _, act := range in.Acts {
		w.happen(act.After, func(w *world) { w.act(act.Verb) })
	}
	if err := w.run(); err != nil {
		return Forecast{}, err
	}
	return w.forecast(), nil
}

// world is an app on a virtual clock. It is cloned to see what else could have come of a moment, so what it refers to is
// cloned or never changed.
type world struct {
	in     Input
	state  app.State
	seen   app.Instances
	now    time.Time
	began  time.Time
	before app.Usage        // what the app took before
	fresh  events.ProcessID // the new web process

	queue     queue
	order     int
	instances map[slot]virtual
	starts    map[slot]int // of each slot
	sizes     map[events.ProcessID]size
	work      *int // done so far
	explored  *int // by clones, all together

	fault   FaultKind // that is on now
	step    int       // index of the present one
	pauses  int       // so far
	ended   bool      // the rollout is over; instances may still start
	stopped bool      // nobody looks any further

	out      Forecast
	measured bool
	broke    *time.Duration // first sign that the rollout was stopped by a failure
}

// run lets time go by until nothing more happens.
func (w *world) run() error {
	for {
		if err := w.settle(); err != nil {
			return err
		}
		at, ok := w.next()
		if !ok || w.stopped || w.out.Alone != nil {
			return nil
		}
		w.now = at
		for {
			h, ok := w.queue.take(at)
			if !ok {
				break
			}
			h.do(w)
		}
		w.askChecks()
	}
}

// settle lets the rule book decide until it has nothing more to say about this moment.
func (w *world) settle() error {
	for !w.stopped {
		w.enterStep()
		w.reconcile()
		if *w.work += 1 + len(w.instances); *w.work > MaxWork {
			return &LimitError{w.after()}
		}
		decided, err := w.decide()
		if err != nil || len(decided) == 0 {
			return err
		}
		w.commit(decided)
	}
	return nil
}

// decide is what the updater decides, with the law asserted on it.
func (w *world) decide() ([]events.Event, error) {
	if w.ended {
		return nil, nil
	}
	quota := w.quota()
	decided := app.Proceed(w.state, w.seen, quota, app.Brakes{}, w.now)
	if len(decided) == 0 {
		return app.Explain(w.state, w.seen, false, quota, w.now), nil
	}
	after := w.state
	for _, e := range decided {
		after = app.Evolve(after, e)
	}
	return decided, app.CheckCapacity(w.state, after, w.seen)
}

// next is the moment at which something happens next.
func (w *world) next() (at time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	if len(w.queue) > 0 {
		sooner(w.queue[0].at)
	}
	if w.ended {
		return at, ok
	}
	if due, waits := app.Deadline(w.state, w.seen, w.now); waits {
		sooner(due)
	}
	if due, asks := w.nextCheck(); asks {
		sooner(due)
	}
	return at, ok
}

func (w *world) commit(decided []events.Event) {
	for _, e := range decided {
		before := w.state
		w.state = app.Evolve(w.state, e)
		if !w.ended { // what follows in the commit that supersedes it is the next one's
			w.record(before, e)
		}
	}
	w.measure()
}

// happen lets something happen after a while.
func (w *world) happen(wait time.Duration, do func(*world)) {
	w.order++
	w.queue.add(happening{at: w.now.Add(max(wait, 0)), order: w.order, do: do})
}

// after is the time since the rollout began.
func (w *world) after() time.Duration { return w.now.Sub(w.began) }

func (w *world) mark() *time.Duration {
	d := w.after()
	return &d
}

// quota is the facts of the quotas, with what the app takes now in place of what it took before.
func (w *world) quota() app.Quota {
	q, now := w.in.Deploy.Quota, usage(w.state)
	for _, scope := range []*app.QuotaScope{&q.Organization, &q.Space} {
		scope.Used.Instances += now.Instances - w.before.Instances
		scope.Used.MemoryMB += now.MemoryMB - w.before.MemoryMB
		scope.Used.LogRate += now.LogRate - w.before.LogRate
	}
	return q
}

// usage is what the app takes of its quotas.
func usage(s app.State) (sum app.Usage) {
	if s.Desired != app.Started {
		return sum
	}
	for _, p := range s.Processes {
		u := app.UsageOf(p.Instances, p.MemoryMB, p.LogRate)
		sum.Instances += u.Instances
		sum.MemoryMB += u.MemoryMB
		sum.LogRate += u.LogRate
	}
	return sum
}
