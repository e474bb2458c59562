package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
		faults = append(faults, running[i].end())
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

func (p runningPart) end() error {
	p.stop()
	return <-p.ended
}
