package exhaustive

import (
	"fmt"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
)

// people are who asks for rollouts, the first of them, and who may answer: all of them, but nobody answers themselves.
var people = [...]events.Actor{"user/ann", "user/bob", "user/eve"}

// rollouts is how many there may be in a scope after the first version.
const rollouts = 3

// in is a moment so many seconds from when something is asked for.
func in(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// approval is the verdict of a policy that wants so many people to agree, within a minute.
func approval(policy events.PolicyID, needed int) events.PolicyVerdict {
	return events.PolicyVerdict{
		Policy: policy, Name: string(policy), Outcome: events.OutcomeApproval, Needed: needed, Expires: in(60),
		Approvers: []string{string(people[0]), string(people[1]), string(people[2])},
	}
}

// byHand lets what is approved begin only when somebody starts it.
func byHand(v events.PolicyVerdict) events.PolicyVerdict {
	v.ManualStart = true
	return v
}

// lasting lets people take their time.
func lasting(v events.PolicyVerdict) events.PolicyVerdict {
	v.Expires = time.Time{}
	return v
}

// judged is a rollout that policies say something about when it is asked for.
func judged(c app.CreateDeployment, verdicts ...events.PolicyVerdict) app.CreateDeployment {
	c.Judgement = &app.Judgement{Verdicts: verdicts}
	return c
}

// automatic is a rollout that no person asks for.
func automatic(c app.CreateDeployment) app.CreateDeployment {
	c.Automation = true
	return c
}

// asked counts the rollouts that have been asked for, with the version that was there first.
func (sc *scope) asked(w *world) int { return 2 + int(sc.left[deploys]-w.left[deploys]) }

// request completes the n-th rollout of the scope as it is asked for now: 2 is the first one.
func (sc *scope) request(w *world, n int) app.CreateDeployment {
	c := [...]app.CreateDeployment{sc.first, sc.second, sc.third}[n-2]
	c.ID, c.Droplet, c.Now, c.By = commandOf(n), droplet(n), w.now, people[0]
	var verdicts []events.PolicyVerdict
	if c.Judgement != nil {
		verdicts = slices.Clone(c.Judgement.Verdicts)
		for i, v := range verdicts {
			if !v.Expires.IsZero() {
				verdicts[i].Expires = w.now.Add(v.Expires.Sub(epoch))
			}
		}
	}
	if h := w.freeze.hold(w.now); h.Policy != "" {
		v := events.PolicyVerdict{Policy: h.Policy, Name: h.Name, Outcome: events.OutcomeHold, Until: h.Until}
		if h.Until.IsZero() {
			v.Outcome = events.OutcomeDeny
		}
		verdicts = append(verdicts, v)
	}
	if verdicts != nil {
		c.Judgement = &app.Judgement{Verdicts: verdicts}
	}
	switch h := w.halt(w.now); {
	case h.ID == "":
	case sc.promised:
		c.Await = h
	default:
		c.Halt = h.Text()
	}
	return c
}

func commandOf(n int) events.CommandID {
	return [...]events.CommandID{"first", "deploy-2", "deploy-3", "deploy-4"}[n-1]
}

// deployments are all that there may be, in the order in which they are asked for.
var deployments = func() (ids [1 + rollouts]events.DeploymentID) {
	for i := range ids {
		ids[i] = app.CreateDeployment{ID: commandOf(i + 1)}.DeploymentID()
	}
	return ids
}()

// answer is what somebody does about a request.
func (w *world) answer(a action) ([]events.Event, error) {
	return w.about(w.state.Requests[a.of].Deployment, a)
}

func (w *world) about(id events.DeploymentID, a action) ([]events.Event, error) {
	steer := app.Steer{Deployment: id, By: people[1], Now: w.now}
	switch a.kind {
	case approves:
		return app.ApproveDeployment(w.state, app.Answer{Deployment: id, By: people[a.sort], Now: w.now})
	case denies:
		return app.DenyDeployment(w.state, app.Answer{Deployment: id, By: people[1], Now: w.now})
	case begins:
		return app.StartDeployment(w.state, steer, app.Quota{}, w.brakes(w.now, id))
	}
	return app.CancelDeployment(w.state, steer)
}

// halting are the sorts of halts: how long each lasts; zero: until it is lifted.
var halting = [...]time.Duration{0, 45 * time.Second}

// freeze is a window in which nothing begins; the zero freeze is none, and one without an end never ends.
type freeze struct{ from, until time.Time }

// freezing are the sorts of freezes: in how long each begins and ends.
var freezing = [...]struct{ from, until time.Duration }{{0, 90 * time.Second}, {0, 0}, {30 * time.Second, 120 * time.Second}}

// hold is what the policy says at a moment.
func (f freeze) hold(at time.Time) app.Hold {
	if f.from.IsZero() || at.Before(f.from) || !f.until.IsZero() && !at.Before(f.until) {
		return app.Hold{}
	}
	return app.Hold{Policy: "freeze", Name: "freeze", Until: f.until}
}

// govern is what people do about all rollouts at once.
func (w *world) govern(a action) *world {
	next := w.copy()
	switch a.kind {
	case declares:
		if !next.left.spend(declares) {
			return nil
		}
		c := halt.Declaration{Halt: events.HaltID([]byte{'h', '0' + w.left[declares]}), Reason: "incident", By: people[2], Now: w.now}
		if lasts := halting[a.sort]; lasts > 0 {
			c.Until = w.now.Add(lasts)
		}
		return next.halted(halt.Declare(w.halts, c))
	case lifts:
		return next.halted(halt.Lift(w.halts, w.halts.Halts[a.sort].Halt, people[2], w.now), nil)
	case freezes:
		if !next.left.spend(freezes) {
			return nil
		}
		next.freeze = freeze{from: w.now.Add(freezing[a.sort].from)}
		if long := freezing[a.sort].until; long > 0 {
			next.freeze.until = w.now.Add(long)
		}
		return next
	}
	if w.freeze == (freeze{}) {
		return nil
	}
	next.freeze = freeze{}
	return next
}

func (w *world) halted(decided []events.Event, err error) *world {
	if err != nil || len(decided) == 0 {
		return nil
	}
	for _, e := range decided {
		w.halts = halt.Evolve(w.halts, e)
	}
	return w
}

// halt is the one in force at a moment.
func (w *world) halt(at time.Time) app.Halt {
	return w.halts.For(w.state.Organization, w.state.Space, at)
}

// brakes are what the updater finds at a moment by its clock, or who starts a request by hand.
func (w *world) brakes(at time.Time, started events.DeploymentID) app.Brakes {
	b := app.Brakes{Halt: w.halt(at)}
	if h := w.freeze.hold(at); h.Policy != "" {
		b.Holds = app.Holds{}
		for _, r := range app.Beginning(w.state, started) {
			b.Holds[r.Deployment] = h
		}
	}
	return b
}

// due is when the updater looks again although nothing has happened.
func (w *world) due(seen app.Instances) (at time.Time, ok bool) {
	at, ok = app.Deadline(w.state, seen, w.now)
	if until := w.halt(w.now).Until; !until.IsZero() && (!ok || until.Before(at)) {
		at, ok = until, true
	}
	return at, ok
}

// next is the next moment at which something may follow from time.
func (w *world) next() (at time.Time, ok bool) {
	consider := func(m time.Time) {
		if m.After(w.now) && (!ok || m.Before(at)) {
			at, ok = m, true
		}
	}
	if len(w.state.Requests) > 0 || matters(w.state.Deployment).time {
		if due, waits := app.Deadline(w.state, w.seen(), w.now); waits {
			consider(due)
		}
	}
	for _, h := range w.halts.Halts {
		consider(h.Until)
	}
	consider(w.freeze.from)
	consider(w.freeze.until)
	return at, ok
}

// idle says whether nothing goes on and nothing waits to begin.
func (w *world) idle() bool { return w.state.Deployment == nil && len(w.state.Requests) == 0 }

// governance says what waits, and what is said of all rollouts.
func (w *world) governance() (text string) {
	if len(w.state.Requests) == 0 && len(w.halts.Halts) == 0 && w.freeze == (freeze{}) {
		return ""
	}
	for _, r := range w.state.Requests {
		text += fmt.Sprintf("    rollout %d waits: %d agreed, granted %v, halted by %q, held by %q until %v\n",
			number(r.Deployment), len(r.Approvals), r.Granted, r.Halt, r.Held.Policy, r.Held.Until.Sub(epoch))
	}
	return text + fmt.Sprintf("    in force: halt %q; freeze %+v, of %v, until %v\n",
		w.halt(w.now).ID, w.freeze.hold(w.now).Policy, w.freeze.from.Sub(epoch), w.freeze.until.Sub(epoch))
}
