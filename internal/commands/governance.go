package commands

import (
	"context"
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
	"slipway/internal/eventlog"
)

// The catalogue of what holds deployments back, and lets them go on.
type (
	// ApproveDeployment agrees that a requested deployment may begin.
	ApproveDeployment struct {
		Deployment events.DeploymentID `json:"deployment"`
		Comment    string              `json:"comment,omitempty"`
	}
	// DenyDeployment ends a requested deployment before it begins.
	DenyDeployment struct {
		Deployment events.DeploymentID `json:"deployment"`
		Comment    string              `json:"comment,omitempty"`
	}
	// StartDeployment begins a requested deployment that is approved.
	StartDeployment struct {
		Deployment events.DeploymentID `json:"deployment"`
	}
	// DeclareHalt holds all rollouts in a space or an organization, or with neither everywhere.
	DeclareHalt struct {
		Organization events.OrganizationID `json:"organization,omitempty"`
		Space        events.SpaceID        `json:"space,omitempty"`
		Reason       string                `json:"reason"`
		Until        string                `json:"until,omitempty"`               // when it ends by itself, RFC 3339
		Seconds      *int                  `json:"duration_in_seconds,omitempty"` // or how long it lasts
		Metadata     events.Metadata       `json:"metadata,omitzero"`
	}
	// UpdateHalt merges labels and annotations of a halt, in force or not; null deletes one.
	UpdateHalt struct {
		Halt     events.HaltID `json:"halt"`
		Metadata MetadataPatch `json:"metadata"`
	}
	// LiftHalt lets the rollouts go on.
	LiftHalt struct {
		Halt events.HaltID `json:"halt"`
	}
	// RejectVersion lets nobody deploy a droplet or a revision any more.
	RejectVersion struct {
		Droplet  events.DropletID  `json:"droplet,omitempty"`
		Revision events.RevisionID `json:"revision,omitempty"`
		Reason   string            `json:"reason"`
	}
	// AcceptVersion lets a rejected droplet or revision be deployed again.
	AcceptVersion struct {
		Droplet  events.DropletID  `json:"droplet,omitempty"`
		Revision events.RevisionID `json:"revision,omitempty"`
	}
	// ReleaseAutomation lets automation deploy an app again after somebody had gone back by hand.
	ReleaseAutomation struct {
		App events.AppID `json:"app"`
	}
)

func (ApproveDeployment) Name() string { return "deployment.approve" }
func (DenyDeployment) Name() string    { return "deployment.deny" }
func (StartDeployment) Name() string   { return "deployment.start" }
func (DeclareHalt) Name() string       { return "halt.declare" }
func (UpdateHalt) Name() string        { return "halt.update" }
func (LiftHalt) Name() string          { return "halt.lift" }
func (RejectVersion) Name() string     { return "version.reject" }
func (AcceptVersion) Name() string     { return "version.accept" }
func (ReleaseAutomation) Name() string { return "app.release-automation" }

func (h *Handler) approveDeployment(ctx context.Context, c ApproveDeployment, by Caller, m eventlog.Meta) (Result, error) {
	return h.answer(ctx, app.ApproveDeployment, app.Answer{Deployment: c.Deployment, Comment: c.Comment}, by, m)
}

func (h *Handler) denyDeployment(ctx context.Context, c DenyDeployment, by Caller, m eventlog.Meta) (Result, error) {
	return h.answer(ctx, app.DenyDeployment, app.Answer{Deployment: c.Deployment, Comment: c.Comment}, by, m)
}

func (h *Handler) releaseAutomation(ctx context.Context, c ReleaseAutomation, by Caller, m eventlog.Meta) (Result, error) {
	return h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) {
		if by.Automation {
			return nil, aggregates.Forbid("Automation cannot let itself deploy again: a person has to")
		}
		return app.ReleaseAutomation(s, m.Actor)
	})
}

func (h *Handler) rejectVersion(ctx context.Context, c RejectVersion, m eventlog.Meta) (Result, error) {
	return h.onVersion(ctx, app.Version{Droplet: c.Droplet, Revision: c.Revision}, m, func(s app.State, v app.Version) ([]events.Event, error) {
		return app.RejectVersion(s, v, c.Reason, m.Actor)
	})
}

func (h *Handler) acceptVersion(ctx context.Context, c AcceptVersion, m eventlog.Meta) (Result, error) {
	return h.onVersion(ctx, app.Version{Droplet: c.Droplet, Revision: c.Revision}, m, func(s app.State, v app.Version) ([]events.Event, error) {
		return app.AcceptVersion(s, v, m.Actor)
	})
}

// answer says yes or no to a requested deployment, for what the caller is where its app lives.
func (h *Handler) answer(
	ctx context.Context, decide func(app.State, app.Answer) ([]events.Event, error), a app.Answer, by Caller, m eventlog.Meta,
) (Result, error) {
	a.By, a.Now = m.Actor, m.Time
	return h.onDeployment(ctx, a.Deployment, m, func(s app.State) (_ []events.Event, err error) {
		if a.Roles, err = by.rolesAt(ctx, s.ID); err != nil {
			return nil, err
		}
		return decide(s, a)
	})
}

func (h *Handler) startDeployment(ctx context.Context, c StartDeployment, m eventlog.Meta) (Result, error) {
	return h.onDeployment(ctx, c.Deployment, m, func(s app.State) ([]events.Event, error) {
		quota, err := h.quota(ctx, s.Organization, s.Space)
		if err != nil {
			return nil, err
		}
		var b app.Brakes
		if b.Halt, err = h.halts.For(ctx, s.Organization, s.Space, m.Time); err != nil {
			return nil, err
		}
		if b.Holds, _, err = h.policies.Holds(ctx, app.Beginning(s, c.Deployment), m.Time); err != nil {
			return nil, err
		}
		return app.StartDeployment(s, app.Steer{Deployment: c.Deployment, By: m.Actor, Now: m.Time}, quota, b)
	})
}

func (h *Handler) declareHalt(ctx context.Context, c DeclareHalt, m eventlog.Meta) (Result, error) {
	declaration := halt.Declaration{
		Halt:   events.HaltID(events.DeriveID(m.CommandID, "halt", 0)),
		Reason: c.Reason, By: m.Actor, Now: m.Time, Metadata: c.Metadata,
	}
	var err error
	if declaration.Until, err = c.until(m.Time); err != nil {
		return Result{}, err
	}
	if declaration.Organization, declaration.Space, err = h.scope(ctx, c.Organization, c.Space); err != nil {
		return Result{}, err
	}
	out, err := h.halts.Decide(ctx, m, func(s halt.State) ([]events.Event, error) { return halt.Declare(s, declaration) })
	if err != nil {
		return Result{}, err
	}
	return h.settle(ctx, Home{declaration.Organization, declaration.Space}, resultOf(KindHalt, string(declaration.Halt), out), m)
}

// maxHalt bounds how long a halt may last that ends by itself, in seconds: a year. One for longer is lifted by somebody.
const maxHalt = 365 * 24 * 60 * 60

func (c DeclareHalt) until(now time.Time) (time.Time, error) {
	switch {
	case c.Until != "" && c.Seconds != nil:
		return time.Time{}, aggregates.Reject("Cannot set both fields 'until' and 'duration_in_seconds'")
	case c.Until != "":
		until, err := time.Parse(time.RFC3339, c.Until)
		if err != nil || until.After(now.Add(maxHalt*time.Second)) {
			return time.Time{}, aggregates.Reject("Until must be a time such as 2026-01-02T15:04:05Z, within a year")
		}
		return until.UTC(), nil
	case c.Seconds == nil:
		return time.Time{}, nil
	case *c.Seconds < 1 || *c.Seconds > maxHalt:
		return time.Time{}, aggregates.Reject("Duration in seconds must be between 1 and %d", maxHalt)
	}
	return now.Add(time.Duration(*c.Seconds) * time.Second), nil
}

// scope checks that a scope is there, and completes it: a space is in its organization.
func (h *Handler) scope(ctx context.Context, o events.OrganizationID, s events.SpaceID) (events.OrganizationID, events.SpaceID, error) {
	switch {
	case o != "" && s != "":
		return "", "", aggregates.Reject("Name either an organization or a space")
	case s != "":
		home, err := h.organizationOf(ctx, s)
		return home, s, err
	case o != "":
		agg, err := h.places.organizations.Load(ctx, string(o))
		if err == nil && !agg.State.Exists() && o != events.DefaultOrganization {
			err = InvalidOrganization()
		}
		return o, "", err
	}
	return "", "", nil
}

// InvalidOrganization is Cloud Foundry's text for an organization in a body.
func InvalidOrganization() error {
	return aggregates.Reject("Invalid organization. Ensure the organization exists and you have access to it.")
}

func (h *Handler) liftHalt(ctx context.Context, c LiftHalt, m eventlog.Meta) (Result, error) {
	return h.onHalt(ctx, c.Halt, m, func(s halt.State, _ events.Metadata) ([]events.Event, error) {
		return halt.Lift(s, c.Halt, m.Actor, m.Time), nil
	})
}

func (h *Handler) updateHalt(ctx context.Context, c UpdateHalt, m eventlog.Meta) (Result, error) {
	return h.onHalt(ctx, c.Halt, m, func(_ halt.State, has events.Metadata) ([]events.Event, error) {
		return halt.SetMetadata(c.Halt, has, c.Metadata)
	})
}

// onHalt decides about a halt that was declared once, whether it is in force or not. What it is called is read at each attempt: a commit
// that came in between is a conflict, and there is another one.
func (h *Handler) onHalt(
	ctx context.Context, id events.HaltID, m eventlog.Meta, decide func(halt.State, events.Metadata) ([]events.Event, error),
) (Result, error) {
	out, err := h.halts.Decide(ctx, m, func(s halt.State) ([]events.Event, error) {
		has, known, err := h.declared(ctx, id)
		if err == nil && !known {
			err = aggregates.NotFound(string(KindHalt))
		}
		if err != nil {
			return nil, err
		}
		return decide(s, has)
	})
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindHalt, string(id), out), nil
}

// declared says whether there ever was a halt, and which metadata it has; of those that are over the state knows nothing.
func (h *Handler) declared(ctx context.Context, id events.HaltID) (has events.Metadata, known bool, err error) {
	err = h.log.Read(ctx, events.HaltSubject, 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			switch e := e.(type) {
			case events.HaltDeclared:
				if e.Halt == id {
					has, known = e.Metadata, true
				}
			case events.HaltMetadataSet:
				if e.Halt == id {
					has = e.Metadata
				}
			}
		}
		return nil
	})
	return has, known, err
}

// onVersion decides about the app that a droplet or a revision belongs to.
func (h *Handler) onVersion(ctx context.Context, v app.Version, m eventlog.Meta, decide func(app.State, app.Version) ([]events.Event, error)) (Result, error) {
	if (v.Droplet == "") == (v.Revision == "") {
		return Result{}, aggregates.Reject("Name either a droplet or a revision")
	}
	kind, id := KindDroplet, string(v.Droplet)
	d, err := h.droplet(ctx, v.Droplet)
	owner := d.App
	if v.Revision != "" {
		kind, id = KindRevision, string(v.Revision)
		owner, err = h.finder.AppOfRevision(ctx, v.Revision)
		err = notFound(err, kind)
	}
	if err != nil {
		return Result{}, err
	}
	result, err := h.onApp(ctx, owner, m, func(s app.State) ([]events.Event, error) {
		if !s.Exists() {
			return nil, aggregates.NotFound(string(kind))
		}
		return decide(s, v)
	})
	result.Kind, result.ID = kind, id
	return result, err
}

// Roles says which roles somebody has where an app lives.
type Roles func(ctx context.Context, id events.AppID) ([]string, error)

// RolesOf are the roles that who asked for a group has as the creator of a member.
func RolesOf(m events.GroupMember) Roles {
	return func(context.Context, events.AppID) ([]string, error) { return m.Roles, nil }
}

func (c Caller) rolesAt(ctx context.Context, id events.AppID) ([]string, error) {
	if c.Roles == nil {
		return nil, nil
	}
	roles, err := c.Roles(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("roles of %s: %w", c.Actor, err)
	}
	return roles, nil
}
