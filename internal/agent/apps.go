package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Apps is the [Source] over the event log: what the apps' history says shall run.
type Apps struct {
	Log  eventlog.Log
	Apps *eventlog.Repository[app.State]
	// Logger is told of apps whose history cannot be read; nil: nobody is.
	Logger *slog.Logger
}

// Watch implements [Source]. An app whose history is corrupt is left as it is: the others go on.
func (s Apps) Watch(ctx context.Context, fn func(Update)) error {
	newest, err := s.Log.Newest(ctx) // before the heads: a commit in between is seen twice, never missed
	if err != nil {
		return fmt.Errorf("watch apps: %w", err)
	}
	heads, err := s.Log.Heads(ctx, events.AllAppSubjects)
	if err != nil {
		return fmt.Errorf("watch apps: %w", err)
	}
	all := map[events.AppID]bool{}
	for _, h := range heads {
		if id, ok := appOf(h.Subject); ok {
			all[id] = true
		}
	}
	update, err := s.load(ctx, all)
	if err != nil {
		return fmt.Errorf("watch apps: %w", err)
	}
	update.Complete = true
	fn(update)
	return s.follow(ctx, newest, fn)
}

func (s Apps) follow(ctx context.Context, after events.Sequence, fn func(Update)) error {
	query := eventlog.Query{Filters: []string{events.AllAppSubjects}, After: after}
	err := s.Log.Follow(ctx, query, func(batch []events.Recorded) error {
		changed := map[events.AppID]bool{}
		for _, c := range batch {
			if id, ok := appOf(c.Subject); ok {
				changed[id] = true
			}
		}
		update, err := s.load(ctx, changed)
		if err == nil {
			fn(update)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("watch apps: %w", err)
	}
	return nil
}

// load says what shall run of some apps.
func (s Apps) load(ctx context.Context, ids map[events.AppID]bool) (Update, error) {
	u := Update{Apps: make(map[events.AppID][]ProcessSpec, len(ids))}
	for id := range ids {
		agg, err := s.Apps.Load(ctx, string(id))
		if corrupt(err) {
			s.complain(id, err)
			u.Unknown = append(u.Unknown, id)
			continue
		}
		if err != nil {
			return u, err
		}
		u.Apps[id] = specs(agg.State)
	}
	return u, nil
}

// specs is what an app's state means for an agent. Processes of a stopped app stay known with no instances.
func specs(s app.State) []ProcessSpec {
	if !s.Exists() {
		return nil
	}
	all := make([]ProcessSpec, 0, len(s.Processes))
	for _, p := range s.Processes {
		instances := p.Instances
		if s.Desired != app.Started {
			instances = 0
		}
		all = append(all, ProcessSpec{
			App: s.ID, AppName: s.Name, Routed: s.Routed, Process: p.ID, Type: p.Type, Droplet: p.Droplet, Command: p.Command,
			Environment: p.Environment, Instances: instances, Generation: p.Generation,
			MemoryMB: p.MemoryMB, DiskMB: p.DiskMB, HealthCheck: p.HealthCheck, Leaving: p.Leaving, Dark: s.Dark(p),
		})
	}
	return all
}

func appOf(s events.Subject) (events.AppID, bool) {
	aggregate, id, ok := s.Split()
	return events.AppID(id), ok && aggregate == events.AggregateApp
}

func corrupt(err error) bool {
	var c *eventlog.CorruptError
	return errors.As(err, &c)
}

func (s Apps) complain(id events.AppID, err error) {
	if s.Logger != nil {
		s.Logger.Error("history of an app is corrupt; its instances are left as they are", "app", id, "err", err)
	}
}
