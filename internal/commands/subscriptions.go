package commands

import (
	"context"
	"errors"

	"slipway/aggregates"
	"slipway/aggregates/space"
	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

// The catalogue of subscriptions.
type (
	// CreateSubscription has events of a space sent to a URL, of an organization, or with neither of the whole installation.
	CreateSubscription struct {
		Called       string                `json:"name"`
		Organization events.OrganizationID `json:"organization,omitempty"`
		Space        events.SpaceID        `json:"space,omitempty"`
		URL          string                `json:"url"`
		Types        []string              `json:"types"`
		ContentMode  string                `json:"content_mode,omitempty"` // structured, the default, or binary
		Active       *bool                 `json:"active,omitempty"`       // default: true
		Metadata     events.Metadata       `json:"metadata,omitzero"`
	}
	// UpdateSubscription changes a subscription; what waits is sent at once.
	UpdateSubscription struct {
		Subscription events.SubscriptionID    `json:"subscription"`
		Called       *string                  `json:"name,omitempty"`
		URL          *string                  `json:"url,omitempty"`
		Types        []string                 `json:"types,omitempty"`
		ContentMode  *string                  `json:"content_mode,omitempty"`
		Active       *bool                    `json:"active,omitempty"`
		Metadata     aggregates.MetadataPatch `json:"metadata,omitzero"`
	}
	// RotateSubscription makes a new secret, which its answer alone shows.
	RotateSubscription struct {
		Subscription events.SubscriptionID `json:"subscription"`
	}
	// TestSubscription sends a test event.
	TestSubscription struct {
		Subscription events.SubscriptionID `json:"subscription"`
	}
	// DeleteSubscription deletes a subscription, and what waits for it.
	DeleteSubscription struct {
		Subscription events.SubscriptionID `json:"subscription"`
	}
)

func (CreateSubscription) Name() string { return "subscription.create" }
func (UpdateSubscription) Name() string { return "subscription.update" }
func (RotateSubscription) Name() string { return "subscription.rotate-secret" }
func (TestSubscription) Name() string   { return "subscription.test" }
func (DeleteSubscription) Name() string { return "subscription.delete" }

// Subscriptions is the repository of subscriptions, for whoever decides about them or delivers to them.
func Subscriptions(log eventlog.Log) *eventlog.Repository[subscription.State] {
	return eventlog.NewRepository(log, events.AggregateSubscription, subscription.Evolve, nil, 0)
}

// CountsSubscriptions says how many subscriptions listen to a space, to an organization as a whole, or with neither to everything.
type CountsSubscriptions interface {
	CountSubscriptions(ctx context.Context, o events.OrganizationID, s events.SpaceID) (int, error)
}

func (h *Handler) updateSubscription(ctx context.Context, c UpdateSubscription, m eventlog.Meta) (Result, error) {
	change := subscription.Change{
		Name: c.Called, URL: c.URL, Types: c.Types, ContentMode: c.ContentMode, Active: c.Active, Metadata: c.Metadata,
	}
	return h.onSubscription(ctx, c.Subscription, m, func(s subscription.State) ([]events.Event, error) { return subscription.Update(s, change) })
}

func (h *Handler) rotateSubscription(ctx context.Context, c RotateSubscription, m eventlog.Meta) (Result, error) {
	result, err := h.onSubscription(ctx, c.Subscription, m, func(s subscription.State) ([]events.Event, error) {
		return subscription.Rotate(s, m.Time)
	})
	result.Secret = !result.Duplicate
	return result, err
}

func (h *Handler) testSubscription(ctx context.Context, c TestSubscription, m eventlog.Meta) (Result, error) {
	return h.onSubscription(ctx, c.Subscription, m, subscription.Test)
}

func (h *Handler) deleteSubscription(ctx context.Context, c DeleteSubscription, m eventlog.Meta) (Result, error) {
	return h.onSubscription(ctx, c.Subscription, m, subscription.Delete)
}

func (h *Handler) onSubscription(ctx context.Context, id events.SubscriptionID, m eventlog.Meta,
	decide func(subscription.State) ([]events.Event, error),
) (Result, error) {
	out, err := h.subscriptions.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindSubscription, string(id), out), nil
}

func (h *Handler) createSubscription(ctx context.Context, c CreateSubscription, m eventlog.Meta) (Result, error) {
	ref, err := h.listener(ctx, c)
	if err != nil {
		return Result{}, err
	}
	ref.Subscription = events.SubscriptionID(events.DeriveID(m.CommandID, "subscription", 0))
	create := subscription.Creation{SubscriptionRef: ref, Now: m.Time, Settings: subscription.Settings{
		Name: c.Called, URL: c.URL, Types: c.Types, ContentMode: c.ContentMode, Active: c.Active == nil || *c.Active, Metadata: c.Metadata,
	}}
	if create.ContentMode == "" {
		create.ContentMode = events.ContentStructured
	}
	if _, err := subscription.Create(subscription.State{}, create); err != nil {
		return Result{}, err // before anybody waits
	}
	end, err := h.creating.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	result, err := h.onSubscription(ctx, ref.Subscription, m, func(s subscription.State) ([]events.Event, error) {
		n, err := h.finder.CountSubscriptions(ctx, ref.Organization, ref.Space)
		if err != nil {
			return nil, err
		}
		if n >= subscription.MaxInScope {
			return nil, aggregates.Reject("There are %d subscriptions to this already, the most there can be: delete one first", n)
		}
		return subscription.Create(s, create)
	})
	if err != nil {
		return Result{}, err
	}
	result.Secret = !result.Duplicate
	return h.settle(ctx, Home{ref.Organization, ref.Space}, result, m)
}

// listener says what a new subscription listens to, if that is there.
func (h *Handler) listener(ctx context.Context, c CreateSubscription) (ref events.SubscriptionRef, err error) {
	ref = events.SubscriptionRef{Organization: c.Organization, Space: c.Space}
	if c.Space != "" {
		ref.Organization, err = h.finder.OrganizationOfSpace(ctx, c.Space)
		if errors.Is(err, ErrUnknown) || err == nil && c.Organization != "" && c.Organization != ref.Organization {
			err = InvalidSpace()
		}
		return ref, err
	}
	if c.Organization == "" {
		return ref, nil
	}
	agg, err := h.places.organizations.Load(ctx, string(c.Organization))
	if err != nil {
		return ref, err
	}
	if _, err := space.ApplyQuota(agg.State, ""); err != nil { // which asks whether it exists
		return ref, InvalidOrganization()
	}
	return ref, nil
}
