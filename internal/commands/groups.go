package commands

import (
	"context"
	"errors"
	"fmt"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/internal/eventlog"
)

// The catalogue of groups.
type (
	// CreateGroup asks for several deployments as one.
	CreateGroup struct {
		Called   string          `json:"name,omitempty"`
		Members  []Member        `json:"members"`
		Metadata events.Metadata `json:"metadata,omitzero"`
	}
	// Member is a deployment of a group.
	Member struct {
		CreateDeployment
		Wave *int `json:"wave,omitempty"` // from 1, the default: it begins when all of the waves before it are deployed
	}
	// UpdateGroup merges labels and annotations; null deletes one.
	UpdateGroup struct {
		Group    events.GroupID `json:"group"`
		Metadata MetadataPatch  `json:"metadata"`
	}
	// ContinueGroup lets the members go on that pause at a step.
	ContinueGroup struct {
		Group events.GroupID `json:"group"`
	}
	// FinalizeGroup lets the members go on to their ends.
	FinalizeGroup struct {
		Group events.GroupID `json:"group"`
	}
	// CancelGroup lets all members go back, if every one of them is running.
	CancelGroup struct {
		Group events.GroupID `json:"group"`
	}
	// RollBackGroup lets the members go back without a dip that can.
	RollBackGroup struct {
		Group events.GroupID `json:"group"`
	}
)

func (CreateGroup) Name() string   { return "group.create" }
func (UpdateGroup) Name() string   { return "group.update" }
func (ContinueGroup) Name() string { return "group.continue" }
func (FinalizeGroup) Name() string { return "group.finalize" }
func (CancelGroup) Name() string   { return "group.cancel" }
func (RollBackGroup) Name() string { return "group.rollback" }

// Groups is the repository of groups, for whoever decides about them.
func Groups(log eventlog.Log) *eventlog.Repository[group.State] {
	return eventlog.NewRepository(log, events.AggregateGroup, group.Evolve, nil, 0)
}

// Check tells what is wrong with the request by itself, all of it together, each fault with its member.
func (c CreateGroup) Check() error {
	faults := []error{group.Creation{Name: c.Called, Members: c.members(""), Metadata: c.Metadata}.Check()}
	for i, m := range c.Members {
		faults = append(faults, OfMember(i, m.Check()))
	}
	return Together(faults...)
}

// WaveNumber is the wave in which the member begins: 1 where the request names none.
func (m Member) WaveNumber() int {
	if m.Wave == nil {
		return 1
	}
	return *m.Wave
}

// OfMember says of a refusal which member it is about, counted from 1.
func OfMember(n int, err error) error {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		return err
	}
	return &aggregates.RejectedError{Code: rejected.Code, Message: fmt.Sprintf("Members %d: %s", n+1, rejected.Message)}
}

// members are the members as they are recorded.
func (c CreateGroup) members(command events.CommandID) []events.GroupMember {
	all := make([]events.GroupMember, len(c.Members))
	for i, m := range c.Members {
		all[i] = events.GroupMember{
			App: m.App, Wave: m.WaveNumber(), Droplet: m.Droplet, Revision: m.Revision, Strategy: m.Strategy, StoredStrategy: m.DeploymentStrategy,
			Options: m.Options.DeploymentOptions, Metadata: m.Metadata,
		}
		all[i].Command, all[i].Deployment = group.MemberIDs(command, i)
	}
	return all
}

// Deploy is the command that creates a member of a group.
func Deploy(of events.GroupID, schedule plan.Schedule, m events.GroupMember) CreateDeployment {
	return CreateDeployment{
		App: m.App, Droplet: m.Droplet, Revision: m.Revision, Strategy: m.Strategy, DeploymentStrategy: m.StoredStrategy,
		Options: OptionsOf(m.Options), Metadata: m.Metadata, Group: of, Schedule: schedule,
	}
}

func (h *Handler) updateGroup(ctx context.Context, c UpdateGroup, m eventlog.Meta) (Result, error) {
	return h.onGroup(ctx, c.Group, m, func(s group.State) ([]events.Event, error) { return group.SetMetadata(s, c.Metadata) })
}

func (h *Handler) continueGroup(ctx context.Context, c ContinueGroup, by Caller, m eventlog.Meta) (Result, error) {
	return h.direct(ctx, c.Group, events.DirectiveContinue, by, m)
}

func (h *Handler) finalizeGroup(ctx context.Context, c FinalizeGroup, by Caller, m eventlog.Meta) (Result, error) {
	return h.direct(ctx, c.Group, events.DirectiveFinalize, by, m)
}

func (h *Handler) cancelGroup(ctx context.Context, c CancelGroup, by Caller, m eventlog.Meta) (Result, error) {
	return h.direct(ctx, c.Group, events.DirectiveCancel, by, m)
}

func (h *Handler) rollBackGroup(ctx context.Context, c RollBackGroup, by Caller, m eventlog.Meta) (Result, error) {
	return h.direct(ctx, c.Group, events.DirectiveRollback, by, m)
}

func (h *Handler) onGroup(ctx context.Context, id events.GroupID, m eventlog.Meta, decide func(group.State) ([]events.Event, error)) (Result, error) {
	out, err := h.groups.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindGroup, string(id), out), nil
}

// createGroup refuses the whole where one of its members would be refused now. What who asks is at each of the apps is recorded with
// it, since they are not there any more when the members are created.
func (h *Handler) createGroup(ctx context.Context, c CreateGroup, by Caller, m eventlog.Meta) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	create := group.Creation{
		Group: group.IDOf(m.CommandID), Name: c.Called, Members: c.members(m.CommandID), Metadata: c.Metadata, Schedule: h.schedule,
		By: m.Actor, Automation: by.Automation, Now: m.Time,
	}
	return h.onGroup(ctx, create.Group, m, func(s group.State) (_ []events.Event, err error) {
		if create.Homes, err = h.wouldDeploy(ctx, create, by, m); err != nil {
			return nil, err
		}
		for i := range create.Members {
			if create.Members[i].Roles, err = by.rolesAt(ctx, create.Members[i].App); err != nil {
				return nil, err
			}
		}
		return group.Create(s, create)
	})
}

// wouldDeploy decides about each member as its deployment would be decided about now, gives where its app lives, and notes its name.
// Nothing is written.
func (h *Handler) wouldDeploy(ctx context.Context, c group.Creation, by Caller, m eventlog.Meta) ([]group.Home, error) {
	homes, faults := make([]group.Home, len(c.Members)), []error{}
	for i, member := range c.Members {
		of := m
		of.CommandID = member.Command
		s, err := h.rehearse(ctx, Deploy("", c.Schedule, member), by, of) // of no group yet: a halt refuses it
		homes[i] = group.Home{Organization: s.Organization, Space: s.Space}
		c.Members[i].AppName = s.Name
		faults = append(faults, OfMember(i, err))
	}
	return homes, Together(faults...)
}

// rehearse decides about a deployment and leaves it at that.
func (h *Handler) rehearse(ctx context.Context, c CreateDeployment, by Caller, m eventlog.Meta) (app.State, error) {
	create, err := h.asked(ctx, c, by, m)
	if err != nil {
		return app.State{}, err
	}
	agg, err := h.apps.Load(ctx, string(c.App))
	if err != nil {
		return app.State{}, err
	}
	quota, err := h.quota(ctx, agg.State.Organization, agg.State.Space)
	if err != nil {
		return agg.State, err
	}
	if err := h.facts(ctx, c, agg.State, quota, &create); err != nil {
		return agg.State, err
	}
	_, err = app.DeployApp(agg.State, create)
	return agg.State, err
}

// direct asks something of a whole group, as its members stand now.
func (h *Handler) direct(ctx context.Context, id events.GroupID, directive string, by Caller, m eventlog.Meta) (Result, error) {
	return h.onGroup(ctx, id, m, func(s group.State) ([]events.Event, error) {
		seen, err := Members{h.log, h.apps}.See(ctx, s)
		if err != nil {
			return nil, err
		}
		return group.Direct(s, seen, group.Direction{
			Directive: directive, Command: m.CommandID, By: m.Actor, Automation: by.Automation, Now: m.Time,
		})
	})
}
