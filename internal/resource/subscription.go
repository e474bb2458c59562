package resource

import (
	"net/url"

	"slipway/projections"
)

// Subscription is who wants which events, and how deliveries go: Slipway's own, in Cloud Foundry's form.
type Subscription struct {
	Stamp
	Name          string                    `json:"name"`
	URL           string                    `json:"url"`              // where events go; its path is hidden from lists, and from whoever may not write there
	Types         []string                  `json:"types"`            // of events, or their beginnings: deployment.*
	ContentMode   string                    `json:"content_mode"`     // structured or binary, of CloudEvents
	Active        bool                      `json:"active"`           // events are sent; otherwise they wait
	Secret        string                    `json:"secret,omitempty"` // only in the answer to the command that made it
	Status        SubscriptionStatus        `json:"status"`           // how deliveries go
	Relationships SubscriptionRelationships `json:"relationships"`
	Metadata      Metadata                  `json:"metadata"`
	Links         Links                     `json:"links"`
}

// The states of deliveries.
const (
	DeliveryOK       = "OK"       // everything is taken
	DeliveryFailing  = "FAILING"  // an event is not taken, and is sent again
	DeliveryInactive = "INACTIVE" // nothing is sent; what happens waits
	DeliveryDisabled = "DISABLED" // INACTIVE, because the receiver said that it is gone
)

// SubscriptionStatus is how deliveries go. What is null is not so.
type SubscriptionStatus struct {
	Value         string           `json:"value"`           // how it is
	Reason        *string          `json:"reason"`          // what went wrong last
	FailingSince  *Time            `json:"failing_since"`   // when the event was refused first
	Attempts      int              `json:"attempts"`        // at the event that is not taken
	LastAttemptAt *Time            `json:"last_attempt_at"` // when it was sent last
	NextAttemptAt *Time            `json:"next_attempt_at"` // when it is sent again
	Event         *DeliveryPending `json:"event"`           // that is not taken
	DeadLetters   int              `json:"dead_letters"`    // events that were given up
	DeliveredAt   *Time            `json:"delivered_at"`    // when one was taken after others had failed, or a test
}

// DeliveryPending names an event that waits for its receiver.
type DeliveryPending struct {
	ID   string `json:"id"`   // the header webhook-id
	Type string `json:"type"` // the event's
}

// SubscriptionRelationships is what a subscription listens to; without any it is everything.
type SubscriptionRelationships struct {
	Organization ToOne `json:"organization"`
	Space        ToOne `json:"space"`
}

// Subscription presents a subscription.
func (b Base) Subscription(s projections.Subscription) Subscription {
	id := string(s.GUID)
	links := Links{
		"self":          b.link("v3", "subscriptions", id),
		"test":          b.link("v3", "subscriptions", id, "actions", "test").by("POST"),
		"rotate_secret": b.link("v3", "subscriptions", id, "actions", "rotate_secret").by("POST"),
	}
	if s.Organization != "" {
		links["organization"] = b.link("v3", "organizations", string(s.Organization))
	}
	if s.Space != "" {
		links["space"] = b.link("v3", "spaces", string(s.Space))
	}
	return Subscription{
		Stamp: stamp(s.GUID, s.Stamp), Name: s.Name, URL: s.URL, Types: s.Types, ContentMode: s.ContentMode, Active: s.Active,
		Status:        deliveryStatus(s),
		Relationships: SubscriptionRelationships{Organization: toOne(s.Organization), Space: toOne(s.Space)},
		Metadata:      metadata(s.Metadata), Links: links,
	}
}

func deliveryStatus(s projections.Subscription) SubscriptionStatus {
	d := s.State
	status := SubscriptionStatus{Value: DeliveryOK, DeadLetters: d.DeadLetters}
	if d.Delivered != nil {
		status.DeliveredAt = new(Time(*d.Delivered))
	}
	if f := d.Failing; f != nil {
		status.Value, status.Reason, status.Attempts = DeliveryFailing, &f.Reason, f.Attempts
		status.FailingSince, status.LastAttemptAt = new(Time(f.Since)), new(Time(f.At))
		status.Event = &DeliveryPending{f.Delivery.ID, f.Delivery.Type}
		if !f.Next.IsZero() {
			status.NextAttemptAt = new(Time(f.Next))
		}
	}
	switch {
	case d.Disabled != "":
		status.Value, status.Reason = DeliveryDisabled, &d.Disabled
	case !s.Active:
		status.Value, status.NextAttemptAt = DeliveryInactive, nil
	}
	return status
}

// WithoutSecrets implements [Secretive]: many receivers take whatever comes to a URL that only they know.
func (s Subscription) WithoutSecrets() any {
	s.Secret = ""
	if u, err := url.Parse(s.URL); err == nil {
		s.URL = u.Scheme + "://" + u.Host + "/" + hidden
	}
	return s
}
