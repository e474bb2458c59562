package projections

import (
	"context"
	"time"

	"slipway/events"
)

// Subscription is a subscription that exists.
type Subscription struct {
	GUID         events.SubscriptionID
	Name         string
	Organization events.OrganizationID // what it listens to; empty: everywhere
	Space        events.SpaceID        // this space alone; empty: all of the organization
	URL          string
	Types        []string
	ContentMode  string
	Active       bool
	Generation   int // of the secret that its deliveries are signed with
	State        DeliveryState
	Metadata     events.Metadata
	Stamp
}

// DeliveryState is how deliveries to a subscription go.
type DeliveryState struct {
	Failing     *Failing   `json:"failing,omitempty"`     // nil: its receiver takes everything
	Disabled    string     `json:"disabled,omitempty"`    // what its receiver said before it was made inactive
	DeadLetters int        `json:"dead_letters,omitzero"` // events that were given up
	Delivered   *time.Time `json:"delivered,omitempty"`   // when an event was taken after others had failed, or a test
}

// Failing is a delivery that is not taken.
type Failing struct {
	Delivery events.Delivery `json:"delivery"`
	Attempts int             `json:"attempts"`
	Reason   string          `json:"reason"`
	Since    time.Time       `json:"since"`
	At       time.Time       `json:"at"`            // of the last attempt
	Next     time.Time       `json:"next,omitzero"` // zero: at once
}

var subscriptions = view[events.SubscriptionID, Subscription]{
	table: "subscriptions", kind: "subscription",
	key:      func(s *Subscription) events.SubscriptionID { return s.GUID },
	stamp:    func(s *Subscription) *Stamp { return &s.Stamp },
	metadata: func(s *Subscription) *events.Metadata { return &s.Metadata },
	columns: func(s *Subscription) []column {
		return []column{
			{"guid", &s.GUID}, {"name", &s.Name}, {"organization", &s.Organization}, {"space", &s.Space}, {"url", &s.URL},
			{"types", asJSON(&s.Types)}, {"content_mode", &s.ContentMode}, {"active", &s.Active}, {"generation", &s.Generation},
			{"state", asJSON(&s.State)},
		}
	},
}.ready()

// subscription folds an event about a subscription.
func (f *fold) subscription(m moment, e events.SubscriptionEvent) error {
	ref := e.Ref()
	if e, ok := e.(events.SubscriptionCreated); ok {
		return f.subscriptions.add(Subscription{
			GUID: ref.Subscription, Name: e.Name, Organization: ref.Organization, Space: ref.Space, URL: e.URL, Types: e.Types,
			ContentMode: e.ContentMode, Active: e.Active, Generation: e.Generation, Metadata: e.Metadata, Stamp: m.stamp(),
		})
	}
	s := f.subscriptions.edit(ref.Subscription)
	if s == nil {
		return f.subscriptions.unknown(ref.Subscription)
	}
	s.Sequence = m.Sequence
	switch e := e.(type) {
	case events.SubscriptionUpdated:
		s.updated(e)
		s.touch(m)
	case events.SubscriptionSecretRotated:
		s.Generation = e.Generation
		s.touch(m)
	case events.SubscriptionDeleted:
		f.subscriptions.remove(ref.Subscription)
	default:
		s.State.fold(e)
		s.Active = s.Active && s.State.Disabled == ""
	}
	return nil
}

func (s *Subscription) updated(e events.SubscriptionUpdated) {
	s.Name, s.URL, s.Types, s.ContentMode, s.Active, s.Metadata = e.Name, e.URL, e.Types, e.ContentMode, e.Active, e.Metadata
	s.State.Disabled = ""
	if s.State.Failing != nil {
		s.State.Failing.Next = time.Time{}
	}
}

// fold takes in what became of a delivery.
func (d *DeliveryState) fold(e events.Event) {
	switch e := e.(type) {
	case events.SubscriptionDelivered:
		d.Failing, d.Delivered = nil, &e.At
	case events.SubscriptionDeliveryFailed:
		d.Failing = &Failing{Delivery: e.Delivery, Attempts: e.Attempt, Reason: e.Reason, Since: e.Since, At: e.At, Next: e.Next}
	case events.SubscriptionDeadLettered:
		d.DeadLetters++
		d.Failing = &Failing{Delivery: e.Delivery, Attempts: e.Attempts, Reason: e.Reason, Since: e.Since, At: e.At}
	case events.SubscriptionDisabled:
		d.Failing, d.Disabled = nil, e.Reason
	}
}

// SubscriptionFilter selects subscriptions. Empty fields select all; all that are set must hold.
type SubscriptionFilter struct {
	GUIDs         []events.SubscriptionID
	Names         []string
	Organizations []events.OrganizationID
	Spaces        []events.SpaceID
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Subscription reads one subscription, or gives [ErrNotFound].
func (s *Store) Subscription(ctx context.Context, id events.SubscriptionID) (Subscription, error) {
	return subscriptions.get(ctx, s.readers, id)
}

// CountSubscriptions says how many subscriptions listen to a space, to an organization where no space is named, or with neither to
// everything. It reads by subscriptions_by_scope.
func (s *Store) CountSubscriptions(ctx context.Context, o events.OrganizationID, space events.SpaceID) (int, error) {
	var w where
	w.add("organization = ?", o)
	w.add("space = ?", space)
	l, err := list(ctx, s, subscriptions, w, Order{}.sql(), Page{Number: 1, PerPage: 1})
	return l.Total, err
}

// Subscriptions lists subscriptions: of a sight of some places, those to these spaces and to these organizations as a whole.
func (s Sight) Subscriptions(ctx context.Context, f SubscriptionFilter, o Order, p Page) (List[Subscription], error) {
	var w where
	if !s.all {
		w.add("("+among("space")+" OR space = '' AND "+among("organization")+")", s.spaces, s.organizations)
	}
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "organization", f.Organizations)
	in(&w, "space", f.Spaces)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(subscriptions.table, f.Labels)
	return list(ctx, s.store, subscriptions, w, o.sql(), p)
}
