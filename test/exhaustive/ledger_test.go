package exhaustive

import (
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"slices"

	"slipway/aggregates/app"
	"slipway/events"
)

// stage is how far a rollout has come.
type stage uint8

const (
	unasked stage = iota
	waiting       // it was asked for and has not begun
	active
	over
)

// fate is what has become of one rollout.
type fate struct {
	stage stage
	robot bool     // no person asked for it
	yes   [2]uint8 // who agreed, a bit each, by the policies that want somebody to
}

// ledger is what the laws go by beside the state that the rules fold: it is kept from the events and from what people did, by
// nothing that the rules say themselves.
type ledger struct {
	fates    [1 + rollouts]fate
	serving  int8  // which rollout a stop would end; -1: none
	rejected uint8 // versions, a bit each
	byHand   bool  // a person has gone back, and nobody has let automation go on since
}

// missing is how many must still agree for the i-th policy that asks people.
func (f fate) missing(i int, v events.PolicyVerdict) int {
	return max(v.Needed-bits.OnesCount8(f.yes[i]), 0)
}

func number(id events.DeploymentID) int { return slices.Index(deployments[:], id) }

// enter takes down what was decided, and holds the laws of requests over it.
func (w *world) enter(before app.State, decided []events.Event, by kind) error {
	s := before
	for _, e := range decided {
		if err := w.line(s, e, by); err != nil {
			return fmt.Errorf("%w: %s", err, text(decided))
		}
		s = app.Evolve(s, e)
	}
	if by == stops && w.ledger.serving >= 0 {
		return fmt.Errorf("a stop does not end rollout %d, which serves", w.ledger.serving)
	}
	began := 0
	for n, f := range w.ledger.fates {
		if f.stage == active {
			began = n
		}
	}
	for n := range began {
		if w.ledger.fates[n].stage == waiting {
			return fmt.Errorf("rollout %d has begun and the older %d still waits", began, n)
		}
	}
	return nil
}

// line takes down one event.
func (w *world) line(s app.State, e events.Event, by kind) error {
	l := &w.ledger
	switch e := e.(type) {
	case events.DeploymentApprovalRequested:
		return l.move(e.Deployment, waiting, unasked)
	case events.DeploymentApproved:
		return w.agreed(s, e)
	case events.DeploymentDenied:
		if !w.mayDeny(s, e, by) {
			return errors.New("it is denied without a cause")
		}
		return l.move(e.Deployment, over, waiting)
	case events.DeploymentWithdrawn:
		if e.By == events.ActorUpdater && !w.expired(s, e.Deployment) {
			return errors.New("it is taken back before its time")
		}
		return l.move(e.Deployment, over, waiting)
	case events.DeploymentHeld:
		if w.freeze.hold(w.now).Policy == "" || l.fates[number(e.Deployment)].stage != waiting {
			return errors.New("nothing holds it")
		}
	case events.DeploymentCreated:
		return errors.Join(w.mayBegin(s, e, by), l.move(e.Deployment, active, waiting, unasked))
	case events.DeploymentSuperseded:
		if number(e.By) <= number(e.Deployment) {
			return fmt.Errorf("rollout %d is superseded by %d, which was asked for before", number(e.Deployment), number(e.By))
		}
		return l.move(e.Deployment, over, waiting, active)
	case events.DeploymentCanceled:
		return l.move(e.Deployment, over, active)
	case events.DeploymentRolledBack:
		return l.move(e.Deployment, over, active)
	case events.DeploymentDeployed:
		if err := stands(s, e); err != nil {
			return err
		}
		l.serving = -1
		if d := s.Deployment; ours(d) {
			l.serving = int8(number(e.Deployment))
		}
		return l.move(e.Deployment, over, active)
	case events.DeploymentDeleted:
		if int(l.serving) != number(e.Deployment) || by != stops {
			return fmt.Errorf("a stop ends %d, serving was %d", number(e.Deployment), l.serving)
		}
		l.serving = -1
	case events.ProcessCreated:
		return l.acts(e.Deployment)
	case events.ProcessScaled:
		return l.acts(e.Deployment)
	case events.ProcessDeleted:
		return l.acts(e.Deployment)
	case events.ProcessRestarted:
		return l.acts(e.Deployment)
	case events.DeploymentContinued, events.DeploymentStepStarted, events.DeploymentPaused, events.DeploymentBakeStarted:
		return stands(s, e)
	case events.DeploymentRollingBack:
		l.byHand = l.byHand || by == rollsBack
	case events.AutomationReleased:
		l.byHand = false
	case events.VersionRejected:
		l.rejected |= version(e.Droplet)
	case events.VersionAccepted:
		l.rejected &^= version(e.Droplet)
	}
	return nil
}

// move is the law of ends: what is over begins no more, and nothing ends that was not there.
func (l *ledger) move(id events.DeploymentID, to stage, from ...stage) error {
	f := &l.fates[number(id)]
	if !slices.Contains(from, f.stage) {
		return fmt.Errorf("rollout %d comes from stage %d to %d", number(id), f.stage, to)
	}
	f.stage = to
	return nil
}

// acts is the law that nothing acts on processes which has not begun, or is over.
func (l *ledger) acts(id events.DeploymentID) error {
	if id != "" && l.fates[number(id)].stage != active {
		return fmt.Errorf("rollout %d acts on processes in stage %d", number(id), l.fates[number(id)].stage)
	}
	return nil
}

// ours says whether a rollout used anything that Cloud Foundry does not have.
func ours(d *app.Deployment) bool {
	return d.Requested || d.Options.OnFailure != "" || d.Group != "" || d.Strategy != events.StrategyRolling && d.Strategy != events.StrategyCanary
}

func version(d events.DropletID) uint8 {
	for n := range 1 + rollouts {
		if droplet(n+1).ID == d {
			return 1 << n
		}
	}
	return 0
}

// agreed is the law of answers: each of those who may, but not who asked, counts once for each policy, in time.
func (w *world) agreed(s app.State, e events.DeploymentApproved) error {
	f, r := &w.ledger.fates[number(e.Deployment)], requestOf(s, e.Deployment)
	who := slices.Index(people[:], e.By)
	if f.stage != waiting || who <= 0 {
		return fmt.Errorf("an answer of %s counts in stage %d", e.By, f.stage)
	}
	left := 0
	for i, v := range wanting(r) {
		switch bit := uint8(1) << who; {
		case !slices.Contains(e.Policies, v.Policy):
		case f.yes[i]&bit != 0:
			return fmt.Errorf("%s counts twice for %s", e.By, v.Policy)
		case !v.Expires.IsZero() && !w.now.Before(v.Expires):
			return fmt.Errorf("%s counts for %s after the time for that", e.By, v.Policy)
		default:
			f.yes[i] |= bit
		}
		left += f.missing(i, v)
	}
	if e.Granted != (left == 0) {
		return fmt.Errorf("granted is %v, and %d are missing", e.Granted, left)
	}
	return nil
}

// wanting are the policies that want people to agree, as they said when it was asked for.
func wanting(r app.Request) (wanting []events.PolicyVerdict) {
	for _, v := range r.Verdicts {
		if v.Outcome == events.OutcomeApproval {
			wanting = append(wanting, v)
		}
	}
	return wanting
}

func requestOf(s app.State, id events.DeploymentID) app.Request {
	for _, r := range s.Requests {
		if r.Deployment == id {
			return r
		}
	}
	return app.Request{}
}

// expired says whether somebody's answer is missing that can come no more.
func (w *world) expired(s app.State, id events.DeploymentID) bool {
	for i, v := range wanting(requestOf(s, id)) {
		if w.ledger.fates[number(id)].missing(i, v) > 0 && !v.Expires.IsZero() && !w.now.Before(v.Expires) {
			return true
		}
	}
	return false
}

// mayDeny is the law of denials: a policy denies what it says so of and what it would hold for ever, the updater what must not begin any
// more, and else somebody does who was asked.
func (w *world) mayDeny(s app.State, e events.DeploymentDenied, by kind) bool {
	f, r := w.ledger.fates[number(e.Deployment)], requestOf(s, e.Deployment)
	switch e.By {
	case events.ActorPolicy:
		h := w.freeze.hold(w.now)
		return h.Policy != "" && h.Until.IsZero() ||
			slices.ContainsFunc(r.Verdicts, func(v events.PolicyVerdict) bool { return v.Outcome == events.OutcomeDeny })
	case events.ActorUpdater:
		return w.ledger.rejected&version(r.Version.Droplet) != 0 || f.robot && w.ledger.byHand && f.yes == [2]uint8{}
	}
	return by == denies && slices.Contains(people[1:], e.By) && len(wanting(r)) > 0
}

// mayBegin is the law of beginning: everybody has agreed in time, nobody has said no, somebody starts it where a policy wants
// that, and neither halt nor freeze nor what is said of its version or of automation stands in its way.
func (w *world) mayBegin(s app.State, e events.DeploymentCreated, by kind) error {
	n := number(e.Deployment)
	f := w.ledger.fates[n]
	agreed := 0
	for i, v := range wanting(requestOf(s, e.Deployment)) {
		if agreed += bits.OnesCount8(f.yes[i]); f.missing(i, v) > 0 {
			return fmt.Errorf("rollout %d begins, and %d people have not agreed", n, f.missing(i, v))
		}
		if v.ManualStart && by != begins {
			return fmt.Errorf("rollout %d begins, and nobody started it", n)
		}
	}
	switch {
	case e.Requested != (f.stage == waiting):
		return fmt.Errorf("rollout %d begins in stage %d, requested is %v", n, f.stage, e.Requested)
	case w.halt(w.now).ID != "":
		return fmt.Errorf("rollout %d begins in a halt", n)
	case w.freeze.hold(w.now).Policy != "":
		return fmt.Errorf("rollout %d begins in a freeze", n)
	case w.ledger.rejected&version(e.Droplet) != 0:
		return fmt.Errorf("rollout %d begins with a rejected version", n)
	case f.robot && w.ledger.byHand && agreed == 0:
		return fmt.Errorf("rollout %d of automation begins after a person has gone back", n)
	}
	return nil
}

// final is the law that what is over stays so, whoever says what about it.
func (w *world) final() error {
	for n, f := range w.ledger.fates {
		if f.stage != over {
			continue
		}
		for _, a := range []action{{kind: approves, sort: 1}, {kind: denies}, {kind: begins}, {kind: withdraws}} {
			if decided, _ := w.about(deployments[n], a); len(decided) > 0 {
				return fmt.Errorf("%s decides about rollout %d, which is over: %s", names[a.kind], n, text(decided))
			}
		}
	}
	return nil
}

// still is the law of halts for what follows by itself: nothing goes on, but old instances come back where new ones fail, and
// what is on its way back goes on.
func (w *world) still(before app.State, decided []events.Event) error {
	if w.halt(w.now).ID == "" {
		return nil
	}
	d := before.Deployment
	back := d != nil && (d.GoingBack || d.RollingBack)
	for _, e := range decided {
		fine := back
		switch e := e.(type) {
		case events.DeploymentHalted, events.DeploymentErrorRecorded:
			fine = true
		case events.DeploymentBreached:
			back, fine = true, true
		case events.ProcessScaled:
			fine = back || d != nil && e.Process != d.Process && e.Instances > e.From
		case events.DeploymentResumed, events.DeploymentCreated, events.DeploymentWithdrawn, events.DeploymentDenied, events.DeploymentHeld:
			fine = false
		}
		if !fine {
			return fmt.Errorf("in a halt the updater decides %s", text(decided))
		}
	}
	return nil
}

// stands is the law of halts for whatever is decided: a rollout that stands still takes no step.
func stands(s app.State, e events.Event) error {
	if d := s.Deployment; d != nil && d.Halt != "" && !d.GoingBack && !d.RollingBack {
		return fmt.Errorf("a halted rollout goes on: %s", e.Type())
	}
	return nil
}

// untouched is the law that a halt undoes nothing, and that what is let go stands where it stood.
func (w *world) untouched(before app.State, decided []events.Event) error {
	halts := slices.ContainsFunc(decided, func(e events.Event) bool {
		return e.Type() == events.TypeDeploymentHalted || e.Type() == events.TypeDeploymentResumed
	})
	asked := slices.ContainsFunc(decided, func(e events.Event) bool { return e.Type() == events.TypeDeploymentApprovalRequested })
	if !halts || asked || reflect.DeepEqual(unhalted(before), unhalted(w.state)) {
		return nil
	}
	return fmt.Errorf("a halt changes more than that nothing moves: %s", text(decided))
}

// unhalted is a state without what tells of halts, and of how things stand.
func unhalted(s app.State) app.State {
	s.LetGo = ""
	if s.Deployment != nil {
		d := *s.Deployment
		d.Halt, d.Error, d.ProgressAt = "", "", epoch
		s.Deployment = &d
	}
	s.Requests = slices.Clone(s.Requests)
	for i := range s.Requests {
		s.Requests[i].Halt, s.Requests[i].Held = "", events.DeploymentHeld{}
	}
	return s
}
