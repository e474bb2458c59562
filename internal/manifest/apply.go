package manifest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// Commands carries out commands: *commands.Handler.
type Commands interface {
	Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error)
}

// Finder looks into read models that have caught up with what was acknowledged before.
type Finder interface {
	OrganizationOfSpace(ctx context.Context, id events.SpaceID) (events.OrganizationID, error)
	// AppByName gives commands.ErrUnknown where there is no such app.
	AppByName(ctx context.Context, space events.SpaceID, name string) (events.AppID, error)
	// CaughtUp returns once the read models hold all that the log holds now.
	CaughtUp(ctx context.Context) error
}

// Applier applies manifests.
type Applier struct {
	commands Commands
	finder   Finder
	store    *projections.Store
	apps     *eventlog.Repository[app.State]
	outcomes *eventlog.Repository[outcome]
	codeOf   func(error) string
	now      func() time.Time
}

// Config is what an applier needs.
type Config struct {
	Commands Commands
	Finder   Finder
	Store    *projections.Store
	Log      eventlog.Log
	Apps     *eventlog.Repository[app.State] // over Log
	CodeOf   func(error) string              // under which code a refusal is recorded
}

// New makes an applier.
func New(c Config) *Applier {
	return &Applier{
		commands: c.Commands, finder: c.Finder, store: c.Store, apps: c.Apps, codeOf: c.CodeOf, now: time.Now,
		outcomes: eventlog.NewRepository(c.Log, events.AggregateManifest, evolve, nil, 0),
	}
}

// outcome is how the applying of a manifest ended.
type outcome struct{ ended bool }

func evolve(o outcome, e events.Event) outcome {
	switch e.(type) {
	case events.ManifestApplied, events.ManifestFailed:
		o.ended = true
	}
	return o
}

// Apply does what a manifest says of the apps of a space and records how it ended. It gives the sequence of that record. A
// part that is refused is no error here: the record says it. Errors are of what may pass; the same manifest under the same
// command id then goes on where it was left.
func (a *Applier) Apply(ctx context.Context, space events.SpaceID, m Manifest, by commands.Caller) (events.Sequence, error) {
	known, err := a.outcomes.Load(ctx, string(by.CommandID))
	if err != nil || known.State.ended {
		return known.Position.Sequence, err
	}
	var done []events.AppID
	var refusal *aggregates.RejectedError
	for i, asked := range m.Apps {
		id, err := a.app(ctx, space, asked, child(by, i))
		if errors.As(err, &refusal) {
			refusal = &aggregates.RejectedError{
				Code: refusal.Code, Message: fmt.Sprintf("For application '%s': %s", asked.Name, refusal.Message),
			}
			break
		}
		if err != nil {
			return 0, fmt.Errorf("apply manifest to app %q: %w", asked.Name, err)
		}
		done = append(done, id)
	}
	return a.record(ctx, space, done, refusal, by)
}

func (a *Applier) record(ctx context.Context, space events.SpaceID, done []events.AppID, refusal *aggregates.RejectedError, by commands.Caller) (events.Sequence, error) {
	organization, err := a.finder.OrganizationOfSpace(ctx, space)
	if err != nil && !errors.Is(err, commands.ErrUnknown) { // it may have been deleted meanwhile
		return 0, err
	}
	var ended events.Event = events.ManifestApplied{Command: by.CommandID, Space: space, Organization: organization, Apps: done}
	if refusal != nil {
		ended = events.ManifestFailed{Command: by.CommandID, Space: space, Organization: organization, Code: a.codeOf(refusal), Message: refusal.Message}
	}
	meta := eventlog.Meta{CommandID: by.CommandID, Actor: by.Actor, Cause: by.Door, Trace: by.Trace, Time: a.now().UTC()}
	out, err := a.outcomes.Decide(ctx, string(by.CommandID), meta, func(o outcome) ([]events.Event, error) {
		if o.ended {
			return nil, nil
		}
		return []events.Event{ended}, nil
	})
	return out.Position.Sequence, err
}

// child is the caller under an id for the n-th part of what it asks.
func child(by commands.Caller, n int) commands.Caller {
	by.CommandID = events.CommandID(events.DeriveID(by.CommandID, "manifest", n))
	return by
}

// app does what is said of one app. Each command has an id of its own, numbered in the order of the steps here, whether or
// not the ones before it were needed.
func (a *Applier) app(ctx context.Context, space events.SpaceID, asked App, by commands.Caller) (events.AppID, error) {
	id, err := a.ensure(ctx, space, asked, child(by, 0))
	if err != nil {
		return "", err
	}
	for i, p := range asked.Processes {
		if err := a.process(ctx, id, p, child(by, 10+i)); err != nil {
			return "", err
		}
	}
	if len(asked.Environment) > 0 {
		set := commands.SetEnvironment{App: id, Var: patch(asked.Environment)}
		if _, err := a.commands.Handle(ctx, set, child(by, 1)); err != nil {
			return "", err
		}
	}
	if !asked.Metadata.IsZero() {
		update := commands.UpdateApp{App: id, Metadata: aggregates.MetadataPatch{
			Labels: patch(asked.Metadata.Labels), Annotations: patch(asked.Metadata.Annotations),
		}}
		if _, err := a.commands.Handle(ctx, update, child(by, 2)); err != nil {
			return "", err
		}
	}
	return id, a.route(ctx, space, id, asked, child(by, 3))
}

// ensure finds the app or creates it.
func (a *Applier) ensure(ctx context.Context, space events.SpaceID, asked App, by commands.Caller) (events.AppID, error) {
	id, err := a.finder.AppByName(ctx, space, asked.Name)
	if err == nil {
		return id, a.checkLifecycle(ctx, id, asked)
	}
	if !errors.Is(err, commands.ErrUnknown) {
		return "", err
	}
	made, err := a.commands.Handle(ctx, commands.CreateApp{
		AppName: asked.Name, Space: space, Environment: asked.Environment, Metadata: asked.Metadata,
		Lifecycle: asked.lifecycle(), NoRoute: !asked.DefaultRoute || asked.NoRoute || len(asked.Routes) > 0,
	}, by)
	return made.App, err
}

// checkLifecycle refuses an image for an app of bits: what runs it was chosen when it was created.
func (a *Applier) checkLifecycle(ctx context.Context, id events.AppID, asked App) error {
	owner, err := a.apps.Load(ctx, string(id))
	if err == nil && asked.Image != "" && owner.State.Lifecycle != events.LifecycleDocker {
		err = aggregates.Reject("Lifecycle type cannot be changed")
	}
	return err
}

// process does what is said of one process.
func (a *Applier) process(ctx context.Context, id events.AppID, asked Process, by commands.Caller) error {
	owner, err := a.apps.Load(ctx, string(id))
	if err != nil {
		return err
	}
	stands, there := owner.State.ProcessOfType(asked.Type)
	if !there {
		if _, err := a.commands.Handle(ctx, commands.CreateProcess{App: id, Type: asked.Type}, child(by, 0)); err != nil {
			return err
		}
	}
	if asked.scales() {
		scale := commands.ScaleProcess{
			App: id, Type: asked.Type, Instances: asked.Instances, MemoryMB: asked.MemoryMB, DiskMB: asked.DiskMB, LogRate: asked.LogRate,
		}
		if _, err := a.commands.Handle(ctx, scale, child(by, 1)); err != nil {
			return err
		}
	}
	if !asked.updates() {
		return nil
	}
	if !there {
		if owner, err = a.apps.Load(ctx, string(id)); err != nil {
			return err
		}
		stands, _ = owner.State.ProcessOfType(asked.Type)
	}
	_, err = a.commands.Handle(ctx, commands.UpdateProcess{
		Process: stands.ID, Command: asked.Command, HealthCheck: asked.health(stands.HealthCheck),
	}, child(by, 2))
	return err
}
