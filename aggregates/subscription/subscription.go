// Package subscription is the rule book of subscriptions: who wants which events sent where, and what becomes of each delivery.
// How a delivery travels is for package internal/notify.
//
// Invariants, each with a law in laws_test.go:
//
//  1. What is subscribed to is known: a type that nothing ever happens by is refused, and so is a URL that leads nowhere.
//  2. An event that was not taken is sent again, later each time, until it is taken or given up; it is given up no earlier than
//     a day after it happened.
//  3. The same command decides nothing the second time.
//  4. A deleted subscription stays deleted, and records nothing more.
//
// Decisions and [Evolve] are pure.
package subscription

import (
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

// Overlap is how long deliveries are signed with the secret before the newest too, so that a receiver can change it at its leisure.
const Overlap = 24 * time.Hour

// Kind is what error texts call a subscription.
const Kind = "Subscription"

// State is a subscription folded from its events. The zero State does not exist.
type State struct {
	events.SubscriptionRef
	Settings
	Generation int       // of its secret
	Rotated    time.Time // when the secret was made; zero: with the subscription
	Began      time.Time // what happened before is not sent
	Deleted    bool
	Trouble    *Trouble // what its receiver does not take; nil: it takes everything
}

// Settings are what can be changed of a subscription.
type Settings struct {
	Name        string
	URL         string
	Types       []string
	ContentMode string
	Active      bool
	Metadata    events.Metadata
}

// Trouble is the delivery that is not taken.
type Trouble struct {
	Delivery events.Delivery
	Attempts int       // how often it was sent; 0 where the one before it was given up
	Since    time.Time // nothing was taken since then
	Next     time.Time // when it is sent again; zero: at once
}

// Exists says whether the subscription has been created and not deleted.
func (s State) Exists() bool { return s.Subscription != "" && !s.Deleted }

// Evolve folds one event into the subscription. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.SubscriptionCreated:
		return State{
			SubscriptionRef: e.SubscriptionRef, Began: e.At, Generation: e.Generation,
			Settings: Settings{e.Name, e.URL, e.Types, e.ContentMode, e.Active, e.Metadata},
		}
	case events.SubscriptionUpdated:
		s.Settings = Settings{e.Name, e.URL, e.Types, e.ContentMode, e.Active, e.Metadata}
		if s.Trouble != nil { // the change may be the cure: what waits is sent at once
			s.Trouble = &Trouble{Delivery: s.Trouble.Delivery, Attempts: s.Trouble.Attempts, Since: s.Trouble.Since}
		}
	case events.SubscriptionSecretRotated:
		s.Generation, s.Rotated = e.Generation, e.At
	case events.SubscriptionDelivered:
		s.Trouble = nil
	case events.SubscriptionDeliveryFailed:
		s.Trouble = &Trouble{Delivery: e.Delivery, Attempts: e.Attempt, Since: e.Since, Next: e.Next}
	case events.SubscriptionDeadLettered:
		s.Trouble = &Trouble{Since: e.Since}
	case events.SubscriptionDisabled:
		s.Active, s.Trouble = false, nil
	case events.SubscriptionDeleted:
		s.Deleted, s.Trouble = true, nil
	}
	return s
}

// Creation is the command to create a subscription to what happens in a space, in an organization, or with neither everywhere.
type Creation struct {
	events.SubscriptionRef
	Settings
	Now time.Time
}

// Create brings forth a subscription.
func Create(s State, c Creation) ([]events.Event, error) {
	if s.Subscription != "" {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return []events.Event{events.SubscriptionCreated{
		SubscriptionRef: c.SubscriptionRef, Name: c.Name, URL: c.URL, Types: c.Types, ContentMode: c.ContentMode, Active: c.Active,
		Metadata: c.Metadata, At: c.Now, Generation: 1,
	}}, nil
}

// Change is the command to change a subscription. What is nil stays.
type Change struct {
	Name        *string
	URL         *string
	Types       []string
	ContentMode *string
	Active      *bool
	Metadata    aggregates.MetadataPatch
}

func (c Change) on(s Settings) Settings {
	set(&s.Name, c.Name)
	set(&s.URL, c.URL)
	set(&s.ContentMode, c.ContentMode)
	set(&s.Active, c.Active)
	if c.Types != nil {
		s.Types = c.Types
	}
	s.Metadata = c.Metadata.On(s.Metadata)
	return s
}

func set[V any](into *V, given *V) {
	if given != nil {
		*into = *given
	}
}

// Update changes a subscription. A change to nothing new is recorded where deliveries fail: it sends them again at once.
func Update(s State, c Change) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound(Kind)
	}
	next := c.on(s.Settings)
	if err := next.check(); err != nil {
		return nil, err
	}
	if next.equal(s.Settings) && s.Trouble == nil {
		return nil, nil
	}
	return []events.Event{events.SubscriptionUpdated{
		SubscriptionRef: s.SubscriptionRef, Name: next.Name, URL: next.URL, Types: next.Types, ContentMode: next.ContentMode,
		Active: next.Active, Metadata: next.Metadata,
	}}, nil
}

func (s Settings) equal(o Settings) bool {
	return s.Name == o.Name && s.URL == o.URL && slices.Equal(s.Types, o.Types) && s.ContentMode == o.ContentMode && s.Active == o.Active &&
		s.Metadata.Equal(o.Metadata)
}

// Rotate gives a subscription a new secret. The one before is good for a day more.
func Rotate(s State, now time.Time) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound(Kind)
	}
	return []events.Event{events.SubscriptionSecretRotated{SubscriptionRef: s.SubscriptionRef, Generation: s.Generation + 1, At: now}}, nil
}

// Test sends an event to the subscription that is for it alone.
func Test(s State) ([]events.Event, error) {
	switch {
	case !s.Exists():
		return nil, aggregates.NotFound(Kind)
	case !s.Active:
		return nil, aggregates.Reject("The subscription is not active, so a test would wait: make it active first")
	}
	return []events.Event{events.SubscriptionTested{SubscriptionRef: s.SubscriptionRef}}, nil
}

// Delete removes a subscription. One that is gone is not deleted again.
func Delete(s State) ([]events.Event, error) {
	if s.Subscription == "" {
		return nil, aggregates.NotFound(Kind)
	}
	if s.Deleted {
		return nil, nil
	}
	return []events.Event{events.SubscriptionDeleted{SubscriptionRef: s.SubscriptionRef}}, nil
}

// check refuses settings that no subscription can have, with all that is wrong.
func (s Settings) check() error {
	if err := s.faults(); err != nil {
		return err
	}
	return app.CheckMetadata(s.Metadata)
}
