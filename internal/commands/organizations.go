package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/name"
	"slipway/aggregates/route"
	"slipway/aggregates/space"
	"slipway/events"
	"slipway/internal/eventlog"
)

// bootstrap is the command that makes what is there from the first start. Its id is fixed: however often it is given, and by
// however many processes, it does so once, and does not bring back what somebody deleted.
const (
	bootstrapCommand events.CommandID = "bootstrap"
	bootstrapActor   events.Actor     = "slipway"
)

// Bootstrap makes the default organization with its space, and the default domain, where they have never been.
func (h *Handler) Bootstrap(ctx context.Context) error {
	m := h.meta(Caller{CommandID: bootstrapCommand, Actor: bootstrapActor, Door: "start"})
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if err := h.bootstrap(ctx, m); err != nil {
		return fmt.Errorf("make the default organization, space and domain: %w", err)
	}
	return nil
}

func (h *Handler) bootstrap(ctx context.Context, m eventlog.Meta) error {
	const id, name = events.DefaultOrganization, string(events.DefaultOrganization)
	_, err := h.places.domains.Decide(ctx, string(events.DefaultDomain), m, func(d route.Domain) ([]events.Event, error) {
		if d.ID != "" {
			return nil, nil
		}
		return route.CreateDomain(d, string(events.DefaultDomain), "")
	})
	if err != nil {
		return err
	}
	agg, err := h.places.organizations.Load(ctx, string(id))
	if err != nil || agg.Exists() {
		return err
	}
	if err := h.takeOrganizationName(ctx, name, id, m); err != nil {
		return err
	}
	_, err = h.places.organizations.Decide(ctx, string(id), m, func(s space.State) ([]events.Event, error) {
		made, err := space.CreateOrganization(s, id, name, events.Metadata{})
		if err != nil || len(made) == 0 {
			return nil, err
		}
		home, err := space.CreateSpace(space.Evolve(s, made[0]), events.DefaultSpace, string(events.DefaultSpace), events.Metadata{})
		return append(made, home...), err
	})
	return err
}

func (h *Handler) takeOrganizationName(ctx context.Context, called string, id events.OrganizationID, m eventlog.Meta) error {
	return h.takeName(ctx, name.Taking{
		Scope: events.ScopeOrganizations, Name: called, ID: string(id), Taken: "Organization '" + called + "' already exists.",
	}, m, func(holder string) (name.Holder, error) {
		agg, err := h.places.organizations.Load(ctx, holder)
		return holderOf(agg.State.Exists(), agg.State.Deleted, agg.State.Name == called), err
	})
}

// holderOf says what became of the thing that has claimed a name. One that exists under another name may be being renamed.
func holderOf(exists, deleted, named bool) name.Holder {
	switch {
	case deleted:
		return name.Deleted
	case exists && named:
		return name.Alive
	}
	return name.Absent
}

// takeName claims a name in a scope; look says what became of whoever holds it.
func (h *Handler) takeName(ctx context.Context, t name.Taking, m eventlog.Meta, look func(holder string) (name.Holder, error)) error {
	t.Now = m.Time
	_, err := h.names.Decide(ctx, scopedNameID(t.Scope, t.Name), derived(m, "claim"), func(s name.State) ([]events.Event, error) {
		holder, err := look(s.Holder)
		if err != nil {
			return nil, err
		}
		t.Holder = holder
		return name.TakeScoped(s, t)
	})
	return err
}

// freeName frees a name. Where that fails it is told only: whoever claims the name next finds that its holder is gone.
func (h *Handler) freeName(ctx context.Context, scope events.NameScope, called, id string, m eventlog.Meta) {
	_, err := h.names.Decide(ctx, scopedNameID(scope, called), derived(m, "release"), func(s name.State) ([]events.Event, error) {
		return name.FreeScoped(s, scope, called, id), nil
	})
	if err != nil {
		h.logger.LogAttrs(ctx, slog.LevelWarn, "name not released yet; the next claim on it heals this",
			slog.String("scope", string(scope)), slog.String("id", id), slog.Any("err", err))
	}
}

func scopedNameID(scope events.NameScope, called string) string {
	_, id, _ := events.ScopedNameSubject(scope, called).Split()
	return id
}

// organizationOf finds the organization of a space that exists. The default space is taken to exist until it has been made:
// a command may come before [Handler.Bootstrap].
func (h *Handler) organizationOf(ctx context.Context, id events.SpaceID) (events.OrganizationID, error) {
	organization := events.DefaultOrganization
	if id != events.DefaultSpace {
		found, err := h.finder.OrganizationOfSpace(ctx, id)
		if errors.Is(err, ErrUnknown) {
			return "", InvalidSpace()
		}
		if err != nil {
			return "", err
		}
		organization = found
	}
	agg, err := h.places.organizations.Load(ctx, string(organization))
	if err != nil {
		return "", err
	}
	if _, there := agg.State.Space(id); !there && (agg.Exists() || id != events.DefaultSpace) {
		return "", InvalidSpace()
	}
	return organization, nil
}

func (h *Handler) createOrganization(ctx context.Context, c CreateOrganization, m eventlog.Meta) (Result, error) {
	if err := errors.Join(space.CheckName(c.Called), app.CheckMetadata(c.Metadata)); err != nil {
		return Result{}, err
	}
	id := events.OrganizationID(events.DeriveID(m.CommandID, "organization", 0))
	if err := h.takeOrganizationName(ctx, c.Called, id, m); err != nil {
		return Result{}, err
	}
	return h.onOrganization(ctx, id, m, func(s space.State) ([]events.Event, error) {
		return space.CreateOrganization(s, id, c.Called, c.Metadata)
	})
}

func (h *Handler) onOrganization(ctx context.Context, id events.OrganizationID, m eventlog.Meta, decide func(space.State) ([]events.Event, error)) (Result, error) {
	out, err := h.places.organizations.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindOrganization, string(id), out), nil
}

// updateOrganization takes the new name before and frees the old one after.
func (h *Handler) updateOrganization(ctx context.Context, c UpdateOrganization, m eventlog.Meta) (Result, error) {
	agg, err := h.places.organizations.Load(ctx, string(c.Organization))
	if err != nil {
		return Result{}, err
	}
	change := space.Change{Name: c.Called, Metadata: c.Metadata}
	next, err := space.UpdateOrganization(agg.State, change)
	if err != nil {
		return Result{}, err
	}
	if err := app.CheckMetadata(c.Metadata.On(agg.State.Metadata)); err != nil {
		return Result{}, err
	}
	renamed := len(next) > 0 && c.Called != nil && *c.Called != agg.State.Name
	if renamed {
		if err := h.takeOrganizationName(ctx, *c.Called, c.Organization, m); err != nil {
			return Result{}, err
		}
	}
	result, err := h.onOrganization(ctx, c.Organization, m, func(s space.State) ([]events.Event, error) {
		return space.UpdateOrganization(s, change)
	})
	if err == nil && renamed {
		h.freeName(ctx, events.ScopeOrganizations, agg.State.Name, string(c.Organization), m)
	}
	return result, err
}

func (h *Handler) createSpace(ctx context.Context, c CreateSpace, m eventlog.Meta) (Result, error) {
	if err := app.CheckMetadata(c.Metadata); err != nil {
		return Result{}, err
	}
	id := events.SpaceID(events.DeriveID(m.CommandID, "space", 0))
	result, err := h.onOrganization(ctx, c.Organization, m, func(s space.State) ([]events.Event, error) {
		return space.CreateSpace(s, id, c.Called, c.Metadata)
	})
	result.Kind, result.ID = KindSpace, string(id)
	return result, err
}

func (h *Handler) updateSpace(ctx context.Context, c UpdateSpace, m eventlog.Meta) (Result, error) {
	return h.onSpace(ctx, c.Space, m, func(s space.State) ([]events.Event, error) {
		p, _ := s.Space(c.Space)
		if err := app.CheckMetadata(c.Metadata.On(p.Metadata)); err != nil {
			return nil, err
		}
		return space.UpdateSpace(s, c.Space, space.Change{Name: c.Called, Metadata: c.Metadata})
	})
}

// onSpace decides about a space in its organization.
func (h *Handler) onSpace(ctx context.Context, id events.SpaceID, m eventlog.Meta, decide func(space.State) ([]events.Event, error)) (Result, error) {
	organization, err := h.finder.OrganizationOfSpace(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return Result{}, aggregates.NotFound(string(KindSpace))
	}
	if err != nil {
		return Result{}, err
	}
	result, err := h.onOrganization(ctx, organization, m, decide)
	result.Kind, result.ID = KindSpace, string(id)
	return result, err
}
