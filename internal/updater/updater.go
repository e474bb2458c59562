// Package updater is the process manager: it follows commits, instance reports and alarms, asks the rule book what follows
// from them, and appends that.
//
// What it guarantees:
//
//  1. Every commit and report is considered at least once, and only acknowledged after what follows from it is in the log, or while
//     a newer one of its subject is to be considered. Killed at any line, another updater or the next start considers it again.
//  2. Considering twice, late, or by several updaters at once changes nothing: the rules decide from the state as it is,
//     and of two decisions at the same position one loses its race and is made again.
//  3. It never appends a decision that breaks the capacity law; it reports the fault and leaves the rollout as it is.
//  4. At start it considers every app once, so a rollout cannot be forgotten with a lost consumer or a lost alarm.
//  5. Where a rollout waits for a time it is considered then: never before, by this machine's clock, and while a server and
//     an updater are up within a second. Its alarm is set before what it was considered for is acknowledged, and all that
//     its times follow from is in the log, so a restart neither forgets nor prolongs a wait.
//  6. What it decides takes every halt into account that is in the log then. A halt that is declared or lifted makes it
//     consider every app at once, those first whose rollouts it knows; one that ends by itself rings like any deadline.
//  7. What was asked for begins only if the policies that say when let it, as they are in the log then. Whenever they change it
//     considers every app where something waits.
//
// It has no state that matters: what it holds in memory is a cache of folded history.
package updater

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/halts"
	"slipway/internal/policy"
)

// The durable consumers that all updaters share. Halts have their own, so that no app's turn comes before them or after, and
// policies have theirs, so that no halt waits for them.
const (
	consumer         = "updater"
	haltsConsumer    = "updater-halts"
	policiesConsumer = "updater-policies"
)

// lanes is how many apps are considered at once. A decision waits for one append; more lanes than writes the log takes
// at once would only queue there.
const lanes = 16

// Quotas says what is left for an app to grow into. nil quotas allow everything.
type Quotas func(ctx context.Context, s app.State) (app.Quota, error)

// Updater drives rollouts.
type Updater struct {
	log       eventlog.Log
	apps      *eventlog.Repository[app.State]
	instances *instances
	timers    eventlog.Timers
	halts     *halts.Halts
	policies  *policy.Policies
	quotas    Quotas
	logger    *slog.Logger
	now       func() time.Time
}

// New makes an updater over the log. apps must fold the same log; quotas may be nil.
func New(
	log eventlog.Log, timers eventlog.Timers, apps *eventlog.Repository[app.State], quotas Quotas, logger *slog.Logger,
) *Updater {
	return &Updater{
		log: log, timers: timers, apps: apps, quotas: quotas, halts: halts.New(log), policies: policy.New(log),
		instances: newInstances(log), logger: logger, now: time.Now,
	}
}

// Run works until ctx ends, then returns nil. An error means that it cannot go on at all.
func (u *Updater) Run(ctx context.Context) error {
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return u.sweep(working) })
	group.Go(func() error { return u.timers.Ring(working, u.rung) })
	group.Go(func() error {
		return u.log.Work(working, eventlog.Worker{
			Name: consumer, Filters: []string{events.AllAppSubjects, events.AllInstanceSubjects},
			Lanes: lanes, Lane: func(c events.Recorded) string { return string(appOf(c)) }, Failed: u.failed, Newest: true,
		}, u.handle)
	})
	for name, all := range map[string]events.Subject{haltsConsumer: events.HaltSubject, policiesConsumer: events.PolicySubject} {
		group.Go(func() error {
			return u.log.Work(working, eventlog.Worker{Name: name, Filters: []string{string(all)}, Lanes: 1, Failed: u.failed}, u.rouse)
		})
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("updater: %w", err)
	}
	return nil
}

// trigger is why an app is considered: a commit or report, or none of them.
type trigger struct {
	cause   string // the id of its first event, or what else it was
	subject events.Subject
	seq     events.Sequence
}

// rung considers the app of an alarm.
func (u *Updater) rung(ctx context.Context, a eventlog.Alarm) error {
	err := u.consider(ctx, events.AppID(a.Key), trigger{cause: "timer"})
	if err != nil && ctx.Err() == nil {
		u.logger.LogAttrs(ctx, level(err), "app not considered in time, will try again", slog.String("app", a.Key),
			slog.Time("due", a.At), slog.Any("err", err))
	}
	return err
}

// handle considers the app a commit or report is about.
func (u *Updater) handle(ctx context.Context, c events.Recorded) error {
	return u.consider(ctx, appOf(c), trigger{c.EventID(0), c.Subject, c.Sequence})
}

// appOf finds the app of a commit: an app's own, or the one an instance belongs to.
func appOf(c events.Recorded) events.AppID {
	if report, ok := c.Events[0].(events.InstanceEvent); ok {
		return report.Ref().App
	}
	_, id, _ := c.Subject.Split()
	return events.AppID(id)
}

// errBehind: a read did not show the very commit it was made for: a replica lags behind. It is tried again in a moment.
var errBehind = errors.New("the read lags behind the commit it was made for")

// consider lets the rule book decide about one app, as it stands now; now includes the commit that is the cause, or nothing
// is decided and it comes again. Where nothing is to be done now, an alarm is set for when something may be; where something
// was, its commit will be considered.
func (u *Updater) consider(ctx context.Context, id events.AppID, because trigger) error {
	m := eventlog.Meta{
		CommandID: events.CommandID(events.NewID()), Actor: events.ActorUpdater, Cause: because.cause, Time: u.now().UTC(),
	}
	var next time.Time
	out, err := u.apps.Decide(ctx, string(id), m, func(s app.State) ([]events.Event, error) {
		next = time.Time{}
		if s.Deployment == nil {
			u.instances.forget(id)
		}
		if len(s.Requests) == 0 && (s.Deployment == nil || because.subject == events.PolicySubject) {
			return nil, nil
		}
		l, err := u.look(ctx, s, because, m.Time)
		if err != nil {
			return nil, err
		}
		next = l.next()
		return l.decide()
	})
	switch {
	case err != nil:
		return err
	case because.subject == events.AppSubject(id) && out.Position.Sequence < because.seq:
		return errBehind
	case out.Commit.Sequence > 0:
		u.moved(ctx, id, out.Commit)
		return nil
	case next.IsZero():
		return nil
	}
	return u.timers.Set(ctx, eventlog.Alarm{Key: string(id), At: next})
}

func (u *Updater) moved(ctx context.Context, id events.AppID, c events.Recorded) {
	u.logger.LogAttrs(ctx, slog.LevelInfo, "rollout moved on", slog.String("app", string(id)),
		slog.Uint64("seq", uint64(c.Sequence)), slog.Uint64("version", uint64(c.Version)),
		slog.Int("events", len(c.Events)), slog.String("last", string(c.Events[len(c.Events)-1].Type())))
}

// failed tells of a commit that could not be handled; it will be handed out again.
func (u *Updater) failed(c events.Recorded, attempt int, err error) {
	u.logger.LogAttrs(context.Background(), level(err), "app not considered, will try again", slog.String("command", string(c.CommandID)),
		slog.Uint64("seq", uint64(c.Sequence)), slog.Int("attempt", attempt), slog.Any("err", err))
}

// level is Error where no attempt will mend it, so that a person should look.
func level(err error) slog.Level {
	var broken *app.CapacityError
	var corrupt *eventlog.CorruptError
	if errors.As(err, &broken) || errors.As(err, &corrupt) {
		return slog.LevelError
	}
	return slog.LevelWarn
}
