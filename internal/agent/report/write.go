package report

import (
	"context"
	"errors"
	"time"

	"slipway/events"
)

// write tries until the reports stand in the log, ctx ends, or they can never be written.
func (r *Reporter) write(ctx context.Context, process events.ProcessID, batch []entry) {
	c := r.commit(process, batch)
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := r.try(ctx, c)
		switch {
		case err == nil:
			return
		case ctx.Err() != nil:
			r.log.Warn("reports not written: the agent ends", "process", process, "count", len(batch), "err", err)
			return
		case errors.Is(err, events.ErrMalformed), errors.Is(err, events.ErrUnknownType):
			r.log.Error("reports dropped: they can never be written", "process", process, "count", len(batch), "err", err)
			return
		}
		r.log.Debug("report again", "process", process, "attempt", attempt, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		pause = min(2*pause, maxPause)
	}
}

func (r *Reporter) try(ctx context.Context, c events.Commit) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	_, err := r.out.Report(ctx, c)
	return err
}

func (r *Reporter) commit(process events.ProcessID, batch []entry) events.Commit {
	c := events.Commit{
		Subject: events.InstanceSubject(process), CommandID: events.CommandID(events.NewID()),
		Actor: events.Actor("agent/" + r.agent), Cause: "agent", Time: batch[len(batch)-1].at,
	}
	for _, e := range batch {
		c.Events = append(c.Events, e.event)
	}
	return c
}
