// Package staging makes droplets of packages: it takes the files as they are. A Procfile among them, or the start commands
// that the app was given, name the processes; an image is a droplet without bits.
//
// A build is begun by whoever asks for it and staged here, by a worker that follows the builds in the log, rather than by the
// request itself: a crash in between is healed by the log handing the build out again, a gigabyte need not fit into a
// request's deadline, and a stager can run where the load is. Requests wait a moment for what is quick.
//
// What it guarantees:
//
//  1. Every build that was begun ends: STAGED, or FAILED with a reason a person understands. What stands in the way and may
//     pass (a store that does not answer) is tried again until [pack.Deadline], then it is the reason.
//  2. It ends once and has one droplet, whoever stages it how often, at the same time or after a crash: the droplet's id is
//     in the build's first event, and of two droplets under one id the first counts.
//  3. Bits that no event names are removed.
package staging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/droplet"
	"slipway/aggregates/pack"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// Worker is the name under which all stagers share the builds.
const Worker = "stager"

// lanes is how many builds one process stages at once: each reads and writes one stream and packs on one core.
const lanes = 2

// Stager stages builds.
type Stager struct {
	log      eventlog.Log
	apps     *eventlog.Repository[app.State]
	builds   *eventlog.Repository[pack.Build]
	droplets *eventlog.Repository[droplet.State]
	bits     Bits
	logger   *slog.Logger
	now      func() time.Time
}

// New makes a stager. now may be nil: time.Now.
func New(log eventlog.Log, apps *eventlog.Repository[app.State], bits Bits, logger *slog.Logger, now func() time.Time) *Stager {
	if now == nil {
		now = time.Now
	}
	return &Stager{
		log: log, apps: apps, builds: commands.Builds(log), droplets: commands.Droplets(log), bits: bits, logger: logger, now: now,
	}
}

// Run stages builds until ctx ends.
func (s *Stager) Run(ctx context.Context) error {
	return s.log.Work(ctx, eventlog.Worker{
		Name: Worker, Filters: []string{events.AllBuildSubjects}, Lanes: lanes,
		Failed: func(c events.Recorded, attempt int, err error) {
			s.logger.LogAttrs(ctx, slog.LevelWarn, "build not staged yet", slog.String("subject", string(c.Subject)),
				slog.Uint64("seq", uint64(c.Sequence)), slog.Int("attempt", attempt), slog.Any("err", err))
		},
	}, s.handle)
}

// handle stages the build that a commit begins. An error is for what may pass: the commit comes again.
func (s *Stager) handle(ctx context.Context, c events.Recorded) error {
	for i, e := range c.Events {
		begun, ok := e.(events.BuildCreated)
		if !ok {
			continue
		}
		agg, err := s.builds.Load(ctx, string(begun.Build))
		if err != nil || agg.State.Phase != pack.Staging {
			return err
		}
		m := eventlog.Meta{Actor: c.Actor, Cause: c.EventID(i), Trace: c.Trace, Time: s.now().UTC()}
		if err := s.end(ctx, agg.State, m, s.late(c, s.stage(ctx, agg.State, m))); err != nil {
			return fmt.Errorf("stage build %s: %w", begun.Build, err)
		}
	}
	return nil
}

// late makes an error that has lasted too long the end of the build.
func (s *Stager) late(c events.Recorded, err error) error {
	var rejected *aggregates.RejectedError
	if err == nil || errors.As(err, &rejected) || s.now().Sub(c.Time) < pack.Deadline {
		return err
	}
	s.logger.Error("build given up", "subject", string(c.Subject), "seq", uint64(c.Sequence), "err", err)
	return aggregates.Reject("StagingTimeExpired - Staging time expired: the files could not be read or stored for %s", pack.Deadline)
}

// end writes what became of a build. A refusal is its end; any other error is not.
func (s *Stager) end(ctx context.Context, b pack.Build, m eventlog.Meta, outcome error) error {
	var rejected *aggregates.RejectedError
	if outcome != nil && !errors.As(outcome, &rejected) {
		return outcome
	}
	m.CommandID = events.CommandID(events.DeriveID(events.CommandID(b.ID), "end", 0))
	out, err := s.builds.Decide(ctx, string(b.ID), m, func(b pack.Build) ([]events.Event, error) {
		if rejected != nil {
			return pack.FailBuild(b, rejected.Message), nil
		}
		return pack.FinishBuild(b), nil
	})
	if err == nil {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "build ended", slog.String("build", string(b.ID)), slog.String("app", string(b.App)),
			slog.String("state", string(out.State.Phase)), slog.Uint64("seq", uint64(out.Position.Sequence)))
	}
	return err
}

// stage makes the build's droplet, if it is not there. A refusal is the reason why there is none.
func (s *Stager) stage(ctx context.Context, b pack.Build, m eventlog.Meta) error {
	known, err := s.droplets.Load(ctx, string(b.Droplet))
	if err != nil || known.State.ID != "" {
		return err
	}
	m.CommandID = events.CommandID(events.DeriveID(events.CommandID(b.ID), "droplet", 0))
	stage := droplet.Stage{ID: b.Droplet, App: b.App, Package: b.Package, Build: b.ID, Image: b.Image}
	if b.Image != "" {
		stage.ProcessTypes = map[string]string{events.ProcessTypeWeb: droplet.ImageCommand}
		_, err := s.decide(ctx, stage, m)
		return err
	}
	return s.stageBits(ctx, b, stage, m)
}

// stageBits stores the package's files as those of the droplet, then makes the droplet.
func (s *Stager) stageBits(ctx context.Context, b pack.Build, stage droplet.Stage, m eventlog.Meta) error {
	object := events.NewID()
	err := s.repack(ctx, b, object, &stage.Upload)
	if err == nil {
		var made string
		if made, err = s.decide(ctx, stage, m); made == object {
			return nil
		}
	}
	if gone := s.bits.Delete(context.WithoutCancel(ctx), object); gone != nil {
		s.logger.Warn("bits that nobody names are left in the object store", "object", object, "err", gone)
	}
	return err
}

// repack writes the package's zip as the droplet's .tgz and finds out which processes it has.
func (s *Stager) repack(ctx context.Context, b pack.Build, object string, u *droplet.Upload) (err error) {
	u.Bits = object
	if u.SHA256, u.SizeBytes, err = s.convert(ctx, b.Bits, object); err != nil {
		return err
	}
	if u.ProcessTypes, err = s.bits.Inspect(ctx, object); err != nil || len(u.ProcessTypes) > 0 {
		return err
	}
	u.ProcessTypes, err = s.given(ctx, b.App)
	return err
}

// given are the start commands that users gave the app, by process type.
func (s *Stager) given(ctx context.Context, id events.AppID) (map[string]string, error) {
	owner, err := s.apps.Load(ctx, string(id))
	if err != nil {
		return nil, err
	}
	types := map[string]string{}
	for _, p := range owner.State.Processes {
		if p.Custom {
			types[p.Type] = p.Command // of several of a type the newest, which comes last, counts
		}
	}
	return types, nil
}

// decide makes the droplet, and says which object holds the bits that count.
func (s *Stager) decide(ctx context.Context, stage droplet.Stage, m eventlog.Meta) (object string, err error) {
	out, err := s.droplets.Decide(ctx, string(stage.ID), m, func(d droplet.State) ([]events.Event, error) {
		return droplet.StageDroplet(d, stage)
	})
	return out.State.Bits, err
}
