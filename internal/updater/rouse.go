package updater

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"slipway/events"
	"slipway/internal/eventlog"
)

// rouse considers every app because of a halt that was declared or lifted, or since policies changed: first the rollouts that this
// updater knows, since those must stand still at once, then all others, which another updater may know of, or none. Of what
// changed several times only the last is news: a new consumer begins with all there ever was.
func (u *Updater) rouse(ctx context.Context, c events.Recorded) error {
	if last, err := u.log.Last(ctx, c.Subject); err != nil || last > c.Sequence {
		return err
	}
	because := trigger{c.EventID(0), c.Subject, c.Sequence}
	known := u.instances.watched()
	err := u.considerAll(ctx, known, because)
	every, listed := eventlog.IDs[events.AppID](ctx, u.log, events.AllAppSubjects)
	if listed != nil {
		return errors.Join(err, fmt.Errorf("apps: %w", listed))
	}
	slices.Sort(known)
	others := slices.DeleteFunc(every, func(id events.AppID) bool {
		_, done := slices.BinarySearch(known, id)
		return done
	})
	return errors.Join(err, u.considerAll(ctx, others, because))
}

// considerAll considers apps side by side. One that cannot be considered keeps no other from it; the first such fault is told.
func (u *Updater) considerAll(ctx context.Context, apps []events.AppID, because trigger) (fault error) {
	var group errgroup.Group
	var once sync.Once
	group.SetLimit(lanes)
	for _, id := range apps {
		group.Go(func() error {
			if err := u.consider(ctx, id, because); err != nil {
				once.Do(func() { fault = fmt.Errorf("app %s: %w", id, err) })
			}
			return nil
		})
	}
	_ = group.Wait() // faults are collected above
	return fault
}
