package commands

import (
	"context"
	"errors"

	"slipway/aggregates"
	"slipway/aggregates/halt"
	rules "slipway/aggregates/policy"
	"slipway/aggregates/route"
	"slipway/aggregates/space"
	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Contents is what goes with a place when it is deleted, but for policies and halts, which are each one history for all places.
type Contents struct {
	Apps          []events.AppID
	Routes        []events.RouteID
	Subscriptions []events.SubscriptionID
}

// deleteOrganization deletes the organization first, so that nothing new comes to live in it, and then all that lives there.
// After a crash the same command goes on.
func (h *Handler) deleteOrganization(ctx context.Context, c DeleteOrganization, m eventlog.Meta) (Result, error) {
	out, err := h.places.organizations.Decide(ctx, string(c.Organization), m, space.DeleteOrganization)
	if err != nil {
		return Result{}, err
	}
	h.freeName(ctx, events.ScopeOrganizations, out.State.Name, string(c.Organization), m)
	return h.deleteContents(ctx, c.Organization, "", resultOf(KindOrganization, string(c.Organization), out), m)
}

// deleteSpace deletes the space first, so that nothing new comes to live in it, and then all that lives there or is about it. After
// a crash the same command goes on: the space of an app is known even when the space has gone.
func (h *Handler) deleteSpace(ctx context.Context, c DeleteSpace, m eventlog.Meta) (Result, error) {
	if c.Space == "" { // to what lists the contents of a place it would mean every place
		return Result{}, aggregates.NotFound(string(KindSpace))
	}
	result, err := h.onSpace(ctx, c.Space, m, func(s space.State) ([]events.Event, error) { return space.DeleteSpace(s, c.Space), nil })
	var refused *aggregates.RejectedError
	if !errors.As(err, &refused) || refused.Code != aggregates.CodeNotFound {
		if err != nil {
			return Result{}, err
		}
		return h.deleteContents(ctx, "", c.Space, result, m)
	}
	left, failed := h.deleteContents(ctx, "", c.Space, Result{Kind: KindSpace, ID: string(c.Space)}, m)
	switch {
	case failed != nil:
		return Result{}, failed
	case left.Sequence == 0: // there was nothing: it was not broken off
		return Result{}, err
	}
	return left, nil
}

// deleteContents deletes all apps, routes and subscriptions of a space, or of a whole organization, and at last what governs it
// alone: nothing that a freeze or a halt holds there begins because that goes. The result is of the newest commit, if there was any.
func (h *Handler) deleteContents(ctx context.Context, o events.OrganizationID, s events.SpaceID, result Result, m eventlog.Meta) (Result, error) {
	all, err := h.finder.Contents(ctx, o, s)
	if err != nil {
		return Result{}, err
	}
	var ends []func() (Result, error)
	for _, id := range all.Apps {
		ends = append(ends, func() (Result, error) { return h.deleteApp(ctx, DeleteApp{App: id}, derived(m, "app/"+string(id))) })
	}
	for _, id := range all.Routes {
		ends = append(ends, func() (Result, error) {
			return h.onRoute(ctx, id, derived(m, "route/"+string(id)), func(s route.State) ([]events.Event, error) { return route.Delete(s), nil })
		})
	}
	for _, id := range all.Subscriptions {
		ends = append(ends, func() (Result, error) {
			return h.onSubscription(ctx, id, derived(m, "subscription/"+string(id)), subscription.Delete)
		})
	}
	for _, end := range ends {
		gone, err := end()
		if err != nil {
			return Result{}, err
		}
		result = result.and(gone.Sequence)
	}
	ended, err := h.endRules(ctx, o, s, m)
	if err != nil {
		return Result{}, err
	}
	return result.and(ended), nil
}

// endRules takes the policies away and lifts the halts that are about a place, or about one in it, and nothing else. The sequence is
// that of the last of them; 0: there was nothing.
func (h *Handler) endRules(ctx context.Context, o events.OrganizationID, s events.SpaceID, m eventlog.Meta) (ended events.Sequence, err error) {
	policies, err := h.policies.Decide(ctx, derived(m, "policies"), func(all rules.State) ([]events.Event, error) {
		return rules.DeleteIn(all, o, s), nil
	})
	if err != nil {
		return 0, err
	}
	halts, err := h.halts.Decide(ctx, derived(m, "halts"), func(all halt.State) ([]events.Event, error) {
		return halt.LiftIn(all, o, s, m.Actor, m.Time), nil
	})
	if err != nil {
		return 0, err
	}
	if policies.Duplicate || policies.Commit.Sequence > 0 {
		ended = policies.Position.Sequence
	}
	if halts.Duplicate || halts.Commit.Sequence > 0 {
		ended = max(ended, halts.Position.Sequence)
	}
	return ended, nil
}
