package commands

import (
	"context"
	"errors"
	"fmt"

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
// After a crash the same command goes on, and [Handler.KeepTidy].
func (h *Handler) deleteOrganization(ctx context.Context, c DeleteOrganization, m eventlog.Meta) (Result, error) {
	out, err := h.places.organizations.Decide(ctx, string(c.Organization), m, space.DeleteOrganization)
	if err == nil && out.State.Exists() {
		err = usedBefore(m)
	}
	if err != nil {
		return Result{}, err
	}
	h.freeName(ctx, events.ScopeOrganizations, out.State.Name, string(c.Organization), m)
	left, err := h.deleteContents(ctx, c.Organization, "", m)
	if err != nil {
		h.strand()
		return Result{}, err
	}
	return resultOf(KindOrganization, string(c.Organization), out).and(left), nil
}

// deleteSpace deletes the space first, so that nothing new comes to live in it, and then all that lives there or is about it. After
// a crash the same command goes on, and sent once more it has the same answer: where a space was is known when it has gone.
func (h *Handler) deleteSpace(ctx context.Context, c DeleteSpace, m eventlog.Meta) (Result, error) {
	if c.Space == "" { // to what lists the contents of a place it would mean every place
		return Result{}, aggregates.NotFound(string(KindSpace))
	}
	organization, err := h.finder.OrganizationOfSpace(ctx, c.Space)
	gone := errors.Is(err, ErrUnknown)
	if gone {
		organization, err = h.finder.OrganizationOfDeletedSpace(ctx, c.Space)
	}
	if err != nil {
		return Result{}, notFound(err, KindSpace)
	}
	out, err := h.places.organizations.Decide(ctx, string(organization), m, func(s space.State) ([]events.Event, error) {
		return space.DeleteSpace(s, c.Space), nil
	})
	if _, there := out.State.Space(c.Space); there && err == nil {
		err = usedBefore(m)
	}
	if err != nil {
		return Result{}, err
	}
	left, err := h.deleteContents(ctx, "", c.Space, m)
	if err == nil && gone && !out.Duplicate && left == 0 {
		return Result{}, aggregates.NotFound(string(KindSpace)) // another command has deleted it, and all of it
	}
	if err != nil {
		h.strand()
		return Result{}, err
	}
	return resultOf(KindSpace, string(c.Space), out).and(left), nil
}

// usedBefore refuses a deletion that did not take place, since its id was that of another command: what is in the place must stay.
func usedBefore(m eventlog.Meta) error {
	return &aggregates.RejectedError{
		Code: aggregates.CodeConflict, Message: fmt.Sprintf("The command id '%s' was used for something else. Send the command with another id.", m.CommandID),
	}
}

// deleteContents deletes all apps, routes and subscriptions of a space, or of a whole organization, and at last what governs it
// alone: nothing that a freeze or a halt holds there begins because that goes. The sequence is that of the last commit; 0: there was
// nothing.
func (h *Handler) deleteContents(ctx context.Context, o events.OrganizationID, s events.SpaceID, m eventlog.Meta) (last events.Sequence, err error) {
	all, err := h.finder.Contents(ctx, o, s)
	if err != nil {
		return 0, err
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
			return 0, err
		}
		last = max(last, gone.Sequence)
	}
	ended, err := h.endRules(ctx, o, s, m)
	return max(last, ended), err
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
