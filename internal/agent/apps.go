package agent

import (
	"context"
	"fmt"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Apps is the [Source] over the event log: every app as it stands now, then each one again when it changes.
type Apps struct {
	Log  eventlog.Log
	Apps *eventlog.Repository[app.State] // over Log
}

var _ Source = Apps{}

// Watch implements [Source]. An app is always given as it stands, not as a commit left it: commits that come close
// together cost one look, and a late one changes nothing.
func (a Apps) Watch(ctx context.Context, fn func(Update)) error {
	newest, err := a.Log.Newest(ctx)
	if err != nil {
		return err
	}
	heads, err := a.Log.Heads(ctx, events.AllAppSubjects)
	if err != nil {
		return err
	}
	subjects := make([]events.Subject, len(heads))
	for i, head := range heads {
		subjects[i] = head.Subject
	}
	all, err := a.load(ctx, subjects)
	if err != nil {
		return err
	}
	fn(Update{Complete: true, Apps: all})
	return a.Log.Follow(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}, After: newest}, func(batch []events.Recorded) error {
		changed := make([]events.Subject, len(batch))
		for i, c := range batch {
			changed[i] = c.Subject
		}
		some, err := a.load(ctx, changed)
		if err != nil {
			return err
		}
		fn(Update{Apps: some})
		return nil
	})
}

func (a Apps) load(ctx context.Context, subjects []events.Subject) (map[events.AppID][]ProcessSpec, error) {
	specs := map[events.AppID][]ProcessSpec{}
	for _, subject := range subjects {
		_, id, ok := subject.Split()
		if _, known := specs[events.AppID(id)]; !ok || known {
			continue
		}
		agg, err := a.Apps.Load(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("what shall run: %w", err)
		}
		specs[events.AppID(id)] = specsOf(agg.State)
	}
	return specs, nil
}

// specsOf says what shall run of an app: of a stopped one no instance, of a deleted one no process.
func specsOf(s app.State) []ProcessSpec {
	specs := make([]ProcessSpec, 0, len(s.Processes))
	for _, p := range s.Processes {
		instances := p.Instances
		if s.Desired != app.Started {
			instances = 0
		}
		specs = append(specs, ProcessSpec{
			App: s.ID, AppName: s.Name, Process: p.ID, Type: p.Type, Droplet: p.Droplet, Command: p.Command,
			Environment: s.Environment, Instances: instances, Generation: p.Generation,
			MemoryMB: p.MemoryMB, DiskMB: p.DiskMB, HealthCheck: p.HealthCheck,
		})
	}
	return specs
}
