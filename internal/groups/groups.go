// Package groups is the process manager of groups: it follows groups and what happens to their members, asks the rule book
// (aggregates/group) what follows, records it, and sends members their commands, in the name of whoever asked.
//
// What it guarantees:
//
//  1. Every commit of a group and of an app with members is considered at least once, and only acknowledged after what follows
//     from it is recorded and done. Killed at any line, another one or the next start does it.
//  2. Doing it twice, late, or by several at once changes nothing: the command of each deed has an id that follows from the
//     group, and the apps decide from their state as it is.
//  3. A member begins on record before it is created, so whatever is seen of a group, no deployment of it is unknown to it.
//  4. What a member refuses is recorded in its words; of the others each is told all the same.
//  5. A member whose time comes during a halt is created at once, as a deployment that waits and says so; it begins when the halt
//     is over, without anything that this package does.
//  6. At start it considers every group that goes on, so none is forgotten with a lost consumer.
package groups

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

const (
	// consumer is the durable consumer that all process managers share.
	consumer = "groups"
	// lanes is how many apps and groups are considered at once: few, for most commits have nothing to do with groups.
	lanes = 4
	// rounds bounds how often one consideration looks again at what it has done. What is left then comes again.
	rounds = 3 * group.MaxMembers
	// door is where members' commands come from, for the record.
	door = "group"
)

// Commands carries out commands: *commands.Handler.
type Commands interface {
	Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error)
}

// Manager drives groups.
type Manager struct {
	log     eventlog.Log
	groups  *eventlog.Repository[group.State]
	members commands.Members
	send    Commands
	logger  *slog.Logger
	now     func() time.Time
}

// New makes a manager over the log. apps must fold the same log.
func New(log eventlog.Log, apps *eventlog.Repository[app.State], send Commands, logger *slog.Logger) *Manager {
	return &Manager{
		log: log, groups: commands.Groups(log), members: commands.Members{Log: log, Apps: apps}, send: send, logger: logger, now: time.Now,
	}
}

// Run works until ctx ends, then returns nil. An error means that it cannot go on at all.
func (m *Manager) Run(ctx context.Context) error {
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return m.sweep(working) })
	work.Go(func() error {
		return m.log.Work(working, eventlog.Worker{
			Name: consumer, Filters: []string{events.AllAppSubjects, events.AllGroupSubjects}, Lanes: lanes, Failed: m.failed,
		}, m.handle)
	})
	if err := work.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("groups: %w", err)
	}
	return nil
}

// errBehind: a read did not show the very commit it was made for: a replica lags behind. It is tried again in a moment.
var errBehind = errors.New("the read lags behind the commit it was made for")

// handle considers the groups that a commit may matter to.
func (m *Manager) handle(ctx context.Context, c events.Recorded) error {
	aggregate, id, _ := c.Subject.Split()
	if aggregate == events.AggregateGroup {
		return m.consider(ctx, events.GroupID(id), c)
	}
	of, err := m.groupsOf(ctx, events.AppID(id), c)
	if err != nil {
		return err
	}
	for _, g := range of {
		if err := m.consider(ctx, g, c); err != nil {
			return err
		}
	}
	return nil
}

// groupsOf are the groups whose members a commit of an app is about. Most commits name no deployment, and are done with.
func (m *Manager) groupsOf(ctx context.Context, id events.AppID, c events.Recorded) (of []events.GroupID, err error) {
	var named []events.DeploymentID
	gone := false
	for _, e := range c.Events {
		d, about := deployment(e)
		if _, deleted := e.(events.AppDeleted); deleted {
			gone = true
		} else if about {
			named = append(named, d)
		}
	}
	if len(named) == 0 && !gone {
		return nil, nil
	}
	agg, err := m.members.Apps.Load(ctx, string(id))
	if err == nil && agg.Position.Sequence < c.Sequence {
		err = errBehind
	}
	if gone && err == nil { // an app that is deleted remembers nothing
		agg, err = m.members.Apps.LoadAt(ctx, string(id), c.Sequence-1)
	}
	if err != nil {
		return nil, err
	}
	return membership(agg.State, named, gone), nil
}

// membership are the groups of deployments that an app knows: of those named, or of all that go on.
func membership(s app.State, named []events.DeploymentID, all bool) (of []events.GroupID) {
	add := func(d events.DeploymentID, g events.GroupID) {
		if g != "" && (all || slices.Contains(named, d)) && !slices.Contains(of, g) {
			of = append(of, g)
		}
	}
	if s.Deployment != nil {
		add(s.Deployment.ID(), s.Deployment.Group)
	}
	for _, r := range s.Requests {
		add(r.Deployment, r.Group)
	}
	for _, e := range s.Ended {
		add(e.ID, e.Group)
	}
	return of
}

// deployment is the one that an event makes another of, in a way that may matter to a group.
func deployment(e events.Event) (events.DeploymentID, bool) {
	switch e := e.(type) {
	case events.DeploymentPaused, events.DeploymentResumed, events.DeploymentDenied, events.DeploymentWithdrawn, events.DeploymentDeployed,
		events.DeploymentCanceled, events.DeploymentRolledBack, events.DeploymentSuperseded:
		return events.DeploymentID(e.Subject()), true
	}
	return "", false
}

// consider does for a group whatever is to be done, as it stands now: that includes the commit that is the cause, or nothing is
// done and it comes again.
func (m *Manager) consider(ctx context.Context, id events.GroupID, because events.Recorded) error {
	for range rounds {
		agg, err := m.groups.Load(ctx, string(id))
		if err != nil {
			return err
		}
		if because.Subject == events.GroupSubject(id) && agg.Position.Sequence < because.Sequence {
			return errBehind
		}
		if agg.State.Ended || !agg.State.Exists() {
			return nil
		}
		moved, err := m.round(ctx, agg.State)
		if err != nil || !moved {
			return err
		}
	}
	return fmt.Errorf("group %s: not settled after %d rounds", id, rounds)
}

// round records what follows from what is seen, and does what is due. moved is false where there was nothing.
func (m *Manager) round(ctx context.Context, s group.State) (moved bool, err error) {
	seen, err := m.members.See(ctx, s)
	if err != nil {
		return false, err
	}
	if len(group.Next(s, seen, m.now().UTC())) > 0 {
		return true, m.record(ctx, s.ID, func(s group.State, now time.Time) []events.Event { return group.Next(s, seen, now) })
	}
	var faults []error
	for _, deed := range group.Due(s, seen) {
		done, err := m.do(ctx, s, deed)
		moved, faults = moved || done, append(faults, err)
	}
	return moved, errors.Join(faults...)
}

// record appends what is decided about a group.
func (m *Manager) record(ctx context.Context, id events.GroupID, decide func(group.State, time.Time) []events.Event) error {
	meta := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: events.ActorGroups, Cause: door, Time: m.now().UTC()}
	out, err := m.groups.Decide(ctx, string(id), meta, func(s group.State) ([]events.Event, error) { return decide(s, meta.Time), nil })
	if err == nil && out.Commit.Sequence > 0 {
		m.logger.LogAttrs(ctx, slog.LevelInfo, "group moved on", slog.String("group", string(id)), slog.Uint64("seq", uint64(out.Commit.Sequence)),
			slog.String("last", string(out.Commit.Events[len(out.Commit.Events)-1].Type())))
	}
	return err
}

// do sends a member its command, and records a refusal, or that an order was taken; done says whether anything came of it. What
// is neither done nor refused is an error: it is to be tried again.
func (m *Manager) do(ctx context.Context, s group.State, d group.Deed) (done bool, err error) {
	by := commands.Caller{CommandID: d.Command, Actor: d.By, Automation: d.Automation, Door: door}
	if d.Directive == "" { // then it is who asked for the group
		by.Roles = commands.RolesOf(d.Member)
	}
	_, refusal := m.send.Handle(ctx, command(s, d), by)
	var rejected *aggregates.RejectedError
	if refusal != nil && !errors.As(refusal, &rejected) {
		return false, refusal
	}
	recorded := false
	err = m.record(ctx, s.ID, func(s group.State, now time.Time) []events.Event {
		decided := group.Done(s, d, refusal, now)
		recorded = len(decided) > 0
		return decided
	})
	return refusal == nil || recorded, err
}

func command(s group.State, d group.Deed) commands.Command {
	switch of := d.Member.Deployment; d.Directive {
	case events.DirectiveCancel:
		return commands.CancelDeployment{Deployment: of}
	case events.DirectiveRollback:
		return commands.RollBackDeployment{Deployment: of}
	case events.DirectiveContinue:
		return commands.ContinueDeployment{Deployment: of, ExpectedStep: d.Step}
	}
	return commands.Deploy(s.ID, s.Schedule, d.Member)
}

// failed tells of a commit that could not be handled; it will be handed out again.
func (m *Manager) failed(c events.Recorded, attempt int, err error) {
	m.logger.LogAttrs(context.Background(), level(err), "group not considered, will try again", slog.String("command", string(c.CommandID)),
		slog.Uint64("seq", uint64(c.Sequence)), slog.Int("attempt", attempt), slog.Any("err", err))
}

// level is Error where no attempt will mend it, so that a person should look.
func level(err error) slog.Level {
	var corrupt *eventlog.CorruptError
	if errors.As(err, &corrupt) {
		return slog.LevelError
	}
	return slog.LevelWarn
}
