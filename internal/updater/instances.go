package updater

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// instances folds the agents' reports on the web processes of apps that have a deployment. It is a cache: each load reads
// what has come since the last one.
type instances struct {
	log eventlog.Log

	mu   sync.Mutex
	apps map[events.AppID]map[events.ProcessID]view
}

// view is what is known of one process up to a sequence.
type view struct {
	at   events.Sequence
	told time.Time // when the newest report was recorded
	seen app.ProcessInstances
}

// sighting is what the log tells of the instances of an app's web processes.
type sighting struct {
	seen app.Instances
	at   map[events.Subject]events.Sequence // up to where each was read
	told map[events.ProcessID]time.Time     // when the newest report on each was recorded
}

func newInstances(log eventlog.Log) *instances {
	return &instances{log: log, apps: map[events.AppID]map[events.ProcessID]view{}}
}

// load gives the instances of an app's web processes as the log has them now.
func (i *instances) load(ctx context.Context, s app.State) (sighting, error) {
	known := i.known(s.ID)
	fresh := map[events.ProcessID]view{}
	all := sighting{seen: app.Instances{}, at: map[events.Subject]events.Sequence{}, told: map[events.ProcessID]time.Time{}}
	for _, p := range s.Webs() {
		v, err := i.extend(ctx, p.ID, known[p.ID])
		if err != nil {
			return sighting{}, fmt.Errorf("instances of process %s: %w", p.ID, err)
		}
		fresh[p.ID], all.seen[p.ID], all.at[events.InstanceSubject(p.ID)], all.told[p.ID] = v, v.seen, v.at, v.told
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.apps[s.ID] = fresh
	return all, nil
}

func (i *instances) extend(ctx context.Context, id events.ProcessID, v view) (view, error) {
	subject := events.InstanceSubject(id)
	last, err := i.log.Last(ctx, subject)
	if err != nil || last <= v.at {
		return v, err
	}
	err = i.log.Read(ctx, subject, v.at, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if report, ok := e.(events.InstanceEvent); ok {
				v.seen = app.Observe(v.seen, report, c.Time)
			}
		}
		v.at, v.told = c.Sequence, c.Time
		return nil
	})
	return v, err
}

func (i *instances) known(id events.AppID) map[events.ProcessID]view {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.apps[id]
}

// watched are the apps of which something is kept: those whose rollouts this updater knows.
func (i *instances) watched() []events.AppID {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Collect(maps.Keys(i.apps))
}

// forget drops what is kept of an app that has no deployment.
func (i *instances) forget(id events.AppID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.apps, id)
}
