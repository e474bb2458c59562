package audit

import (
	"context"

	"slipway/events"
)

// Home is where an event belongs.
var Home = home

// Held says how much an audit that has walked the log still holds: processes whose instances it knows, and reports since the
// last commits.
func Held(ctx context.Context, log Log, reg *events.Registry) (seen, raced int, err error) {
	a := newAuditor(reg)
	_, err = a.walk(ctx, log, func(events.Sequence, events.Sequence) {})
	for _, h := range a.apps {
		seen, raced = seen+len(h.seen), raced+len(h.window.reports)
	}
	return seen, raced, err
}
