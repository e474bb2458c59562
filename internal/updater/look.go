package updater

import (
	"context"
	"fmt"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// Waits that no event ends.
const (
	// missingGrace is how long instances may be missing before somebody is told: far longer than an agent needs to report
	// that it has started one, short enough for a person who watches.
	missingGrace = 10 * time.Second
	// roomAgain is when an app is considered again that waits for room in a quota: what makes room may be any other app.
	roomAgain = 10 * time.Second
)

// look is what one consideration of an app goes by that has a deployment, or one that waits to begin.
type look struct {
	app.State
	seen         app.Instances
	quota        app.Quota
	brakes       app.Brakes
	now          time.Time
	missingSince time.Time // zero: no new instance is missing
}

// look gathers it. It fails with errBehind if it does not include the very report, halt or policy that was given as the cause.
func (u *Updater) look(ctx context.Context, s app.State, because trigger, now time.Time) (look, error) {
	l := look{State: s, now: now}
	declared, err := u.halts.Load(ctx)
	if err != nil {
		return look{}, err
	}
	if because.subject == events.HaltSubject && declared.Position.Sequence < because.seq {
		return look{}, errBehind
	}
	l.brakes.Halt = declared.State.For(s.Organization, s.Space, now)
	if len(app.ApplyHalt(s, l.brakes.Halt, now)) > 0 {
		return l, nil // that is all to decide now: it must not wait for quotas and instances
	}
	if u.quotas != nil {
		if l.quota, err = u.quotas(ctx, s); err != nil {
			return look{}, err
		}
	}
	if err = u.hold(ctx, &l, because); err != nil {
		return look{}, err
	}
	if s.Deployment != nil {
		err = u.watch(ctx, &l, because)
	}
	return l, err
}

// hold adds which windows hold requests that would begin now.
func (u *Updater) hold(ctx context.Context, l *look, because trigger) (err error) {
	beginning := app.Beginning(l.State, "")
	if len(beginning) == 0 || l.brakes.Halt.ID != "" {
		return nil
	}
	var at events.Sequence
	l.brakes.Holds, at, err = u.policies.Holds(ctx, beginning, l.now)
	if err == nil && because.subject == events.PolicySubject && at < because.seq {
		err = errBehind
	}
	return err
}

// watch adds what is seen of the instances of a rollout.
func (u *Updater) watch(ctx context.Context, l *look, because trigger) error {
	sight, err := u.instances.load(ctx, l.State)
	if err != nil {
		return err
	}
	if read, ok := sight.at[because.subject]; ok && read < because.seq {
		return errBehind
	}
	l.seen = sight.seen
	if app.Missing(l.State, l.seen) > 0 {
		l.missingSince, err = u.missingSince(ctx, l.State, sight, l.now)
	}
	return err
}

// missingSince is from when on an agent has had the time to report on the instances that are missing: since the rollout
// moved on, since the last report on the new process, or since that grew. All of it is in the log, so a restart does not
// begin to count anew.
func (u *Updater) missingSince(ctx context.Context, s app.State, sight sighting, now time.Time) (time.Time, error) {
	since := later(s.Deployment.ProgressAt, sight.told[s.Deployment.Process])
	if now.Before(since.Add(missingGrace)) {
		return since, nil
	}
	grown, err := u.grown(ctx, s)
	return later(since, grown), err
}

// grown is when the newest commit of the app was recorded, if it lets the new process grow; else zero. Where growth had to
// wait for room, nothing else in the state tells when it came.
func (u *Updater) grown(ctx context.Context, s app.State) (at time.Time, err error) {
	subject := events.AppSubject(s.ID)
	last, err := u.log.Last(ctx, subject)
	if err == nil && last > 0 {
		err = u.log.Read(ctx, subject, last-1, last, func(c events.Recorded) error {
			for _, e := range c.Events {
				if grows(e, s.Deployment.Process) {
					at = c.Time
				}
			}
			return nil
		})
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("newest commit of app %s: %w", s.ID, err)
	}
	return at, nil
}

func grows(e events.Event, process events.ProcessID) bool {
	scaled, ok := e.(events.ProcessScaled)
	return ok && scaled.Process == process && scaled.Instances > scaled.From
}

// overdue says whether new instances have been missing for too long.
func (l look) overdue() bool {
	return !l.missingSince.IsZero() && !l.now.Before(l.missingSince.Add(missingGrace))
}

// next is when the app is to be considered again though nothing has happened; zero: not before something does.
func (l look) next() (at time.Time) {
	moments := []time.Time{}
	if due, ok := app.Deadline(l.State, l.seen, l.now); ok {
		moments = append(moments, due)
	}
	if !l.missingSince.IsZero() && !l.overdue() {
		moments = append(moments, l.missingSince.Add(missingGrace))
	}
	if l.brakes.Halt.ID == "" && app.QuotaRefusal(l.State, l.seen, l.quota) != "" {
		moments = append(moments, l.now.Add(roomAgain))
	}
	if !l.brakes.Halt.Until.IsZero() {
		moments = append(moments, l.brakes.Halt.Until)
	}
	for _, m := range moments {
		if at.IsZero() || m.Before(at) {
			at = m
		}
	}
	return at
}

// decide is Proceed with the capacity law asserted on what it decides, or why nothing moves.
func (l look) decide() ([]events.Event, error) {
	decided := app.Proceed(l.State, l.seen, l.quota, l.brakes, l.now)
	if len(decided) == 0 {
		return app.Explain(l.State, l.seen, l.overdue(), l.quota, l.now), nil
	}
	if err := l.lawful(decided); err != nil {
		return nil, err
	}
	return decided, nil
}

// lawful asserts the capacity law on a decision.
func (l look) lawful(decided []events.Event) error {
	if slices.ContainsFunc(decided, begins) {
		return nil // what is superseded is judged by the new one's floor from its next step on, as a command's is
	}
	after := l.State
	for _, e := range decided {
		after = app.Evolve(after, e)
	}
	return app.CheckCapacity(l.State, after, l.seen)
}

func begins(e events.Event) bool { return e.Type() == events.TypeDeploymentCreated }

// later is the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
