package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Part is one running piece of Slipway.
type Part struct {
	Name string
	// Run works until ctx ends, then finishes what it has begun and returns nil.
	Run func(ctx context.Context) error
	// Ready is closed once it does its work; nil: from the start.
	Ready <-chan struct{}
}

// errEnded: a part returned although nobody had asked it to.
var errEnded = errors.New("ended by itself")

// Run runs all parts until ctx ends or one of them fails, then stops them one after the other in the order given.
func Run(ctx context.Context, logger *slog.Logger, parts ...Part) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	running := make([]runningPart, len(parts))
	for i, part := range parts {
		running[i] = start(context.WithoutCancel(ctx), part, fail)
	}
	<-ctx.Done()
	var faults []error
	for i := range running {
		logger.LogAttrs(ctx, slog.LevelDebug, "stopping", slog.String("part", parts[i].Name))
		faults = append(faults, running[i].end(func(since time.Duration) {
			logger.LogAttrs(ctx, slog.LevelWarn, "waiting for a part to stop; a second signal kills at once",
				slog.String("part", parts[i].Name), slog.Duration("since", since))
		}))
	}
	return errors.Join(faults...)
}

type runningPart struct {
	stop  context.CancelFunc
	ended chan error
}

// start runs a part; fail is told if it ends before it is asked to.
func start(ctx context.Context, part Part, fail context.CancelCauseFunc) runningPart {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		err := part.Run(ctx)
		if err == nil && ctx.Err() == nil {
			err = errEnded
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", part.Name, err)
			fail(err)
		}
		ended <- err
	}()
	return runningPart{stop: stop, ended: ended}
}

// stopPatience is how long the end of a part is waited for without a word: longer than any part gives what it has begun.
const stopPatience = 45 * time.Second

// end stops a part and waits for its end; slow is told again and again how long that has taken.
func (p runningPart) end(slow func(since time.Duration)) error {
	p.stop()
	tick := time.NewTicker(stopPatience)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case err := <-p.ended:
			return err
		case <-tick.C:
			slow(time.Since(began))
		}
	}
}
