// Package updater is the process manager: it follows commits and instance reports, asks the rule book what follows from
// them, and appends that.
//
// What it guarantees:
//
//  1. Every commit and report is considered at least once, and only acknowledged after what follows from it is in the log.
//     Killed at any line, another updater or the next start considers it again.
//  2. Considering twice, late, or by several updaters at once changes nothing: the rules decide from the state as it is,
//     and of two decisions at the same position one loses its race and is made again.
//  3. It never appends a decision that breaks the capacity law; it reports the fault and leaves the rollout as it is.
//  4. At start it considers every app once, so a rollout cannot be forgotten with a lost consumer.
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
)

// consumer is the durable consumer that all updaters share.
const consumer = "updater"

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
	reminders *reminders
	quotas    Quotas
	logger    *slog.Logger
	now       func() time.Time
}

// New makes an updater over the log. apps must fold the same log; quotas may be nil.
func New(log eventlog.Log, apps *eventlog.Repository[app.State], quotas Quotas, logger *slog.Logger) *Updater {
	return &Updater{log: log, apps: apps, quotas: quotas, instances: newInstances(log), reminders: newReminders(), logger: logger, now: time.Now}
}

// Run works until ctx ends, then returns nil. An error means that it cannot go on at all.
func (u *Updater) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return u.sweep(ctx) })
	group.Go(func() error { return u.reminders.run(ctx, u.remind) })
	group.Go(func() error {
		return u.log.Work(ctx, eventlog.Worker{
			Name: consumer, Filters: []string{events.AllAppSubjects, events.AllInstanceSubjects},
			Lanes: lanes, Lane: func(c events.Recorded) string { return string(appOf(c)) }, Failed: u.failed,
		}, u.handle)
	})
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("updater: %w", err)
	}
	return nil
}

// sweep considers every app once.
func (u *Updater) sweep(ctx context.Context) error {
	heads, err := u.log.Heads(ctx, events.AllAppSubjects)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, head := range heads {
		_, id, ok := head.Subject.Split()
		if !ok {
			continue
		}
		u.unasked(ctx, events.AppID(id), "sweep")
	}
	return nil
}

// remind considers an app again whose instances were missing a while ago.
func (u *Updater) remind(ctx context.Context, id events.AppID) { u.unasked(ctx, id, "reminder") }

// unasked considers an app with no commit or report that would come again if it fails.
func (u *Updater) unasked(ctx context.Context, id events.AppID, cause string) {
	if err := u.consider(ctx, id, cause, "", 0); err != nil && ctx.Err() == nil {
		u.logger.LogAttrs(ctx, slog.LevelError, "app not considered", slog.String("app", string(id)), slog.Any("err", err))
	}
}

// handle considers the app a commit or report is about.
func (u *Updater) handle(ctx context.Context, c events.Recorded) error {
	id := appOf(c)
	if id == "" {
		return nil
	}
	return u.consider(ctx, id, c.EventID(0), c.Subject, c.Sequence)
}

// appOf finds the app of a commit: an app's own, or the one an instance belongs to.
func appOf(c events.Recorded) events.AppID {
	if report, ok := c.Events[0].(events.InstanceEvent); ok {
		return report.Ref().App
	}
	aggregate, id, _ := c.Subject.Split()
	if aggregate != events.AggregateApp {
		return ""
	}
	return events.AppID(id)
}

// errBehind: a read did not show the very commit it was made for: a replica lags behind. It is tried again in a moment.
var errBehind = errors.New("the read lags behind the commit it was made for")

// consider lets the rule book decide about one app, as it stands now; now includes the commit at seq on the subject, or
// nothing is decided and the commit comes again.
func (u *Updater) consider(ctx context.Context, id events.AppID, cause string, subject events.Subject, seq events.Sequence) error {
	m := eventlog.Meta{
		CommandID: events.CommandID(events.NewID()), Actor: events.ActorUpdater, Cause: cause, Time: u.now().UTC(),
	}
	out, err := u.apps.Decide(ctx, string(id), m, func(s app.State) ([]events.Event, error) {
		if s.Deployment == nil {
			u.instances.forget(id)
			u.reminders.forget(id)
			return nil, nil
		}
		seen, at, err := u.instances.load(ctx, s)
		if err != nil {
			return nil, err
		}
		if read, ok := at[subject]; ok && read < seq {
			return nil, errBehind
		}
		var quota app.Quota
		if u.quotas != nil {
			if quota, err = u.quotas(ctx, s); err != nil {
				return nil, err
			}
		}
		waits := app.Missing(s, seen) > 0 || app.QuotaRefusal(s, seen, quota) != ""
		return decide(s, seen, u.reminders.overdue(id, waits, m.Time), quota, m.Time)
	})
	if err == nil && subject == events.AppSubject(id) && out.Position.Sequence < seq {
		err = errBehind
	}
	if err != nil {
		return err
	}
	if out.Commit.Sequence > 0 {
		u.logger.LogAttrs(ctx, slog.LevelInfo, "rollout moved on", slog.String("app", string(id)),
			slog.Uint64("seq", uint64(out.Commit.Sequence)), slog.Uint64("version", uint64(out.Commit.Version)),
			slog.Int("events", len(out.Commit.Events)), slog.String("last", string(out.Commit.Events[len(out.Commit.Events)-1].Type())))
	}
	return nil
}

// decide is Next with the capacity law asserted on what it decides, or why nothing moves.
func decide(s app.State, seen app.Instances, overdue bool, quota app.Quota, now time.Time) ([]events.Event, error) {
	decided := app.Next(s, seen, quota, now)
	if len(decided) == 0 {
		return app.Explain(s, seen, overdue, quota, now), nil
	}
	after := s
	for _, e := range decided {
		after = app.Evolve(after, e)
	}
	if err := app.CheckCapacity(s, after, seen); err != nil {
		return nil, err
	}
	return decided, nil
}

// failed tells of a commit that could not be handled; it will be handed out again.
func (u *Updater) failed(c events.Recorded, attempt int, err error) {
	level := slog.LevelWarn
	var broken *app.CapacityError
	var corrupt *eventlog.CorruptError
	if errors.As(err, &broken) || errors.As(err, &corrupt) {
		level = slog.LevelError // no attempt will mend this: a person should look
	}
	u.logger.LogAttrs(context.Background(), level, "app not considered, will try again", slog.String("command", string(c.CommandID)),
		slog.Uint64("seq", uint64(c.Sequence)), slog.Int("attempt", attempt), slog.Any("err", err))
}
