package commands

import (
	"context"
	"errors"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/name"
	"slipway/aggregates/space"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Quotas gives decisions the facts about the quotas that an app falls under.
type Quotas struct {
	organizations *eventlog.Repository[space.State]
	quotas        *eventlog.Repository[space.Quota]
	usage         Usage
}

// NewQuotas makes one over the event log; what is used it asks of usage. snapshots may be nil.
func NewQuotas(log eventlog.Log, snapshots eventlog.Snapshots, usage Usage) *Quotas {
	return &Quotas{organizations: Organizations(log, snapshots), quotas: OrganizationQuotas(log), usage: usage}
}

// Of loads the quotas of a space and of its organization. Where neither has one, which is so until somebody makes one, nothing
// is summed up and no read model waited for.
func (q *Quotas) Of(ctx context.Context, organization events.OrganizationID, in events.SpaceID) (app.Quota, error) {
	agg, err := q.organizations.Load(ctx, string(organization))
	if err != nil {
		return app.Quota{}, err
	}
	home, _ := agg.State.Space(in)
	facts := app.Quota{Organization: app.QuotaScope{Name: agg.State.Name}, Space: app.QuotaScope{Name: home.Name}}
	if agg.State.Quota != "" {
		quota, err := q.quotas.Load(ctx, string(agg.State.Quota))
		if err != nil {
			return app.Quota{}, err
		}
		facts.Organization.Limits = quota.State.Limits // of a deleted one: none
	}
	ofSpace, _ := agg.State.SpaceQuota(home.Quota)
	facts.Space.Limits = ofSpace.Limits
	if facts.Organization.Limits == (events.QuotaLimits{}) && facts.Space.Limits == (events.QuotaLimits{}) {
		return facts, nil
	}
	facts.Organization.Used, facts.Space.Used, err = q.usage.Usage(ctx, organization, in)
	return facts, err
}

// quota is the facts for a decision about an app.
func (h *Handler) quota(ctx context.Context, organization events.OrganizationID, in events.SpaceID) (app.Quota, error) {
	return (&Quotas{organizations: h.places.organizations, quotas: h.places.quotas, usage: h.finder}).Of(ctx, organization, in)
}

// homeOfQuota says to which organization's spaces a quota can be given; none for a quota of organizations.
func (h *Handler) homeOfQuota(ctx context.Context, id events.QuotaID) (events.OrganizationID, error) {
	agg, err := h.places.quotas.Load(ctx, string(id))
	if err != nil || agg.Exists() {
		return "", err
	}
	organization, err := h.finder.OrganizationOfQuota(ctx, id)
	if errors.Is(err, ErrUnknown) {
		err = aggregates.NotFound("Quota")
	}
	return organization, err
}

func (h *Handler) takeQuotaName(ctx context.Context, called string, id events.QuotaID, m eventlog.Meta) error {
	return h.takeName(ctx, name.Taking{
		Scope: events.ScopeOrganizationQuotas, Name: called, ID: string(id), Taken: "Organization Quota '" + called + "' already exists.",
	}, m, func(holder string) (name.Holder, error) {
		agg, err := h.places.quotas.Load(ctx, holder)
		return holderOf(agg.State.Exists(), agg.State.Deleted, agg.State.Name == called), err
	})
}

func (h *Handler) createQuota(ctx context.Context, c CreateQuota, m eventlog.Meta) (Result, error) {
	set := space.SetQuota{Quota: events.QuotaID(events.DeriveID(m.CommandID, "quota", 0)), Name: &c.Called, Limits: &c.Limits}
	if c.Organization != "" {
		return h.onSpaceQuota(ctx, c.Organization, set.Quota, m, func(s space.State) ([]events.Event, error) {
			if !s.Exists() { // a state that never was cannot name itself
				return nil, aggregates.Reject("Organization with guid '%s' does not exist, or you do not have access to it.", c.Organization)
			}
			made, err := space.CreateSpaceQuota(s, set)
			if err != nil {
				return nil, err
			}
			return applied(s, made, set.Quota, c.Spaces)
		})
	}
	if _, err := space.CreateQuota(space.Quota{}, set); err != nil {
		return Result{}, err
	}
	if err := h.knowOrganizations(ctx, c.Organizations); err != nil {
		return Result{}, err
	}
	if err := h.takeQuotaName(ctx, c.Called, set.Quota, m); err != nil {
		return Result{}, err
	}
	result, err := h.onQuota(ctx, set.Quota, m, func(q space.Quota) ([]events.Event, error) { return space.CreateQuota(q, set) })
	if err != nil {
		return Result{}, err
	}
	return h.applyToOrganizations(ctx, set.Quota, c.Organizations, result, m)
}

// applied adds to what was decided that spaces get a quota.
func applied(s space.State, decided []events.Event, id events.QuotaID, to []events.SpaceID) ([]events.Event, error) {
	for _, e := range decided {
		s = space.Evolve(s, e)
	}
	for _, p := range to {
		more, err := space.ApplySpaceQuota(s, id, p)
		if err != nil {
			return nil, err
		}
		decided = append(decided, more...)
	}
	return decided, nil
}

func (h *Handler) onQuota(ctx context.Context, id events.QuotaID, m eventlog.Meta, decide func(space.Quota) ([]events.Event, error)) (Result, error) {
	out, err := h.places.quotas.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindOrganizationQuota, string(id), out), nil
}

func (h *Handler) onSpaceQuota(ctx context.Context, home events.OrganizationID, id events.QuotaID, m eventlog.Meta,
	decide func(space.State) ([]events.Event, error),
) (Result, error) {
	result, err := h.onOrganization(ctx, home, m, decide)
	result.Kind, result.ID = KindSpaceQuota, string(id)
	return result, err
}

func (h *Handler) updateQuota(ctx context.Context, c UpdateQuota, m eventlog.Meta) (Result, error) {
	home, err := h.homeOfQuota(ctx, c.Quota)
	if err != nil {
		return Result{}, err
	}
	set := space.SetQuota{Quota: c.Quota, Name: c.Called, Limits: c.Limits}
	if home != "" {
		return h.onSpaceQuota(ctx, home, c.Quota, m, func(s space.State) ([]events.Event, error) { return space.UpdateSpaceQuota(s, set) })
	}
	agg, err := h.places.quotas.Load(ctx, string(c.Quota))
	if err != nil {
		return Result{}, err
	}
	if _, err := space.UpdateQuota(agg.State, set); err != nil {
		return Result{}, err
	}
	renamed := c.Called != nil && *c.Called != agg.State.Name
	if renamed {
		if err := h.takeQuotaName(ctx, *c.Called, c.Quota, m); err != nil {
			return Result{}, err
		}
	}
	result, err := h.onQuota(ctx, c.Quota, m, func(q space.Quota) ([]events.Event, error) { return space.UpdateQuota(q, set) })
	if err == nil && renamed {
		h.freeName(ctx, events.ScopeOrganizationQuotas, agg.State.Name, string(c.Quota), m)
	}
	return result, err
}

func (h *Handler) applyQuota(ctx context.Context, c ApplyQuota, m eventlog.Meta) (Result, error) {
	home, err := h.homeOfQuota(ctx, c.Quota)
	if err != nil {
		return Result{}, err
	}
	if home != "" {
		return h.onSpaceQuota(ctx, home, c.Quota, m, func(s space.State) ([]events.Event, error) { return applied(s, nil, c.Quota, c.Spaces) })
	}
	agg, err := h.places.quotas.Load(ctx, string(c.Quota))
	if err != nil {
		return Result{}, err
	}
	if !agg.State.Exists() {
		return Result{}, aggregates.NotFound(string(KindOrganizationQuota))
	}
	if err := h.knowOrganizations(ctx, c.Organizations); err != nil {
		return Result{}, err
	}
	result := Result{Kind: KindOrganizationQuota, ID: string(c.Quota), Sequence: agg.Position.Sequence}
	return h.applyToOrganizations(ctx, c.Quota, c.Organizations, result, m)
}

// knowOrganizations refuses organizations that are not there, all before anything is written.
func (h *Handler) knowOrganizations(ctx context.Context, ids []events.OrganizationID) error {
	for _, id := range ids {
		agg, err := h.places.organizations.Load(ctx, string(id))
		if err != nil {
			return err
		}
		if _, err := space.ApplyQuota(agg.State, ""); err != nil {
			return aggregates.Reject("Organizations with guids [%q] do not exist, or you do not have access to them.", string(id))
		}
	}
	return nil
}

// applyToOrganizations gives the quota to one organization after the other: each is an aggregate of its own. A command that
// broke off in between is completed by sending it again.
func (h *Handler) applyToOrganizations(ctx context.Context, id events.QuotaID, to []events.OrganizationID, result Result, m eventlog.Meta) (Result, error) {
	for _, o := range to {
		given, err := h.onOrganization(ctx, o, derived(m, "apply/"+string(o)), func(s space.State) ([]events.Event, error) {
			return space.ApplyQuota(s, id)
		})
		if err != nil {
			return Result{}, err
		}
		result = result.and(given.Sequence)
	}
	return result, nil
}

func (h *Handler) removeQuota(ctx context.Context, c RemoveQuota, m eventlog.Meta) (Result, error) {
	home, err := h.homeOfQuota(ctx, c.Quota)
	if err != nil {
		return Result{}, err
	}
	return h.onSpaceQuota(ctx, home, c.Quota, m, func(s space.State) ([]events.Event, error) {
		return space.RemoveSpaceQuota(s, c.Quota, c.Space)
	})
}

func (h *Handler) deleteQuota(ctx context.Context, c DeleteQuota, m eventlog.Meta) (Result, error) {
	home, err := h.homeOfQuota(ctx, c.Quota)
	if err != nil {
		return Result{}, err
	}
	if home != "" {
		return h.onSpaceQuota(ctx, home, c.Quota, m, func(s space.State) ([]events.Event, error) { return space.DeleteSpaceQuota(s, c.Quota), nil })
	}
	used, err := h.finder.QuotaInUse(ctx, c.Quota)
	if err != nil {
		return Result{}, err
	}
	out, err := h.places.quotas.Decide(ctx, string(c.Quota), m, func(q space.Quota) ([]events.Event, error) { return space.DeleteQuota(q, used) })
	if err != nil {
		return Result{}, err
	}
	h.freeName(ctx, events.ScopeOrganizationQuotas, out.State.Name, string(c.Quota), m)
	return resultOf(KindOrganizationQuota, string(c.Quota), out), nil
}
