package updater

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"slipway/events"
)

// Waits before the apps are considered again that a sweep could not. They double in between.
const (
	firstSweepAgain   = time.Second
	longestSweepAgain = 30 * time.Second
)

// sweep considers every app once, whatever consumer or alarm of it was lost while no updater ran.
func (u *Updater) sweep(ctx context.Context) error {
	apps, err := u.everyApp(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for wait := firstSweepAgain; ; wait = min(2*wait, longestSweepAgain) {
		if apps = u.sweepOnce(ctx, apps); len(apps) == 0 {
			return nil
		}
		again := time.NewTimer(wait)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil
		}
	}
}

func (u *Updater) everyApp(ctx context.Context) (apps []events.AppID, err error) {
	heads, err := u.log.Heads(ctx, events.AllAppSubjects)
	for _, head := range heads {
		if _, id, ok := head.Subject.Split(); ok {
			apps = append(apps, events.AppID(id))
		}
	}
	return apps, err
}

// sweepOnce gives the apps that could not be considered.
func (u *Updater) sweepOnce(ctx context.Context, apps []events.AppID) (left []events.AppID) {
	for _, id := range apps {
		err := u.consider(ctx, id, trigger{cause: "sweep"})
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		left = append(left, id)
		u.logger.LogAttrs(ctx, level(err), "app not considered at start, will try again", slog.String("app", string(id)), slog.Any("err", err))
	}
	return left
}
