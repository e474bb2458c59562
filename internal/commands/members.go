package commands

import (
	"context"
	"fmt"

	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Members looks at the members of groups, in their apps.
type Members struct {
	Log  eventlog.Log
	Apps *eventlog.Repository[app.State] // over Log
}

// See gives how the members stand that have begun and not ended on record.
func (l Members) See(ctx context.Context, s group.State) (group.Seen, error) {
	seen := group.Seen{}
	for _, m := range s.Members {
		if !m.Started || m.End != "" {
			continue
		}
		at, known, err := l.see(ctx, m.App, m.Deployment)
		if err != nil {
			return nil, fmt.Errorf("member %s of group %s: %w", m.Deployment, s.ID, err)
		}
		if known {
			seen[m.Deployment] = at
		}
	}
	return seen, nil
}

// see asks the app's state, and where that does not know the deployment the app's history: an app remembers only the newest of
// those that ended, and none when it is deleted.
func (l Members) see(ctx context.Context, owner events.AppID, id events.DeploymentID) (group.Sighting, bool, error) {
	agg, err := l.Apps.Load(ctx, string(owner))
	if err != nil {
		return group.Sighting{}, false, err
	}
	if at, known := group.See(agg.State, id); known {
		return at, true, nil
	}
	at, known, err := l.recall(ctx, owner, id)
	if known && !at.Status.Over() && agg.State.Deleted {
		at = group.Sighting{Status: group.Deleted}
	}
	return at, known, err
}

// recall is how a deployment stood when its app last knew it.
func (l Members) recall(ctx context.Context, owner events.AppID, id events.DeploymentID) (last group.Sighting, ever bool, err error) {
	var s app.State
	err = l.Log.Read(ctx, events.AppSubject(owner), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			s = app.Evolve(s, e)
		}
		if at, known := group.See(s, id); known {
			last, ever = at, true
		}
		return nil
	})
	return last, ever, err
}
