package projector

import (
	"context"
	"errors"
	"fmt"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// cachedNames bounds the names in memory; past it an arbitrary one makes room.
const cachedNames = 10_000

// name is where an app lives and what it is called there.
type name struct{ organization, space, app string }

var errStop = errors.New("enough was read")

// nameless stands for an app that never was, which a rejected command may name: its token is "=".
var nameless = name{organization: string(events.DefaultOrganization), space: string(events.DefaultSpace)}

// names knows the names of apps. They are in an app's first event and never change, so one read of the log per app is
// all it takes, whichever events come past it first.
type names struct {
	log   eventlog.Log
	known map[events.AppID]name
}

func newNames(log eventlog.Log) *names { return &names{log: log, known: map[events.AppID]name{}} }

// of is the name of the app that an event at a place of the log is about.
func (n *names) of(ctx context.Context, e events.Event, at events.Sequence) (name, error) {
	if created, ok := e.(events.AppCreated); ok {
		n.remember(created)
	}
	app := projections.RefsOf(e).App
	if known, ok := n.known[app]; ok {
		return known, nil
	}
	if !events.ValidID(string(app)) {
		return nameless, nil // no history can stand under it
	}
	err := n.log.Read(ctx, events.AppSubject(app), 0, at, func(c events.Recorded) error {
		for _, e := range c.Events {
			if created, ok := e.(events.AppCreated); ok {
				n.remember(created)
			}
		}
		return errStop // it is in the first commit or nowhere
	})
	if err != nil && !errors.Is(err, errStop) {
		return name{}, fmt.Errorf("name of app %s: %w", app, err)
	}
	if known, ok := n.known[app]; ok {
		return known, nil
	}
	return nameless, nil
}

func (n *names) remember(e events.AppCreated) {
	if len(n.known) >= cachedNames {
		for other := range n.known {
			delete(n.known, other)
			break
		}
	}
	n.known[e.App] = name{organization: string(e.Organization), space: string(e.Space), app: e.Name}
}
