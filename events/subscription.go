package events

import "time"

// How an event travels to a subscriber over HTTP, by CloudEvents' names (HTTP protocol binding 1.0).
const (
	ContentStructured = "structured" // all of it in the body, as application/cloudevents+json: so the signature covers all of it
	ContentBinary     = "binary"     // its data in the body, its attributes in headers
)

// SubscriptionRef says which subscription an event is about, and what that listens to.
type SubscriptionRef struct {
	Subscription SubscriptionID `json:"subscription"`
	Organization OrganizationID `json:"organization,omitempty"` // it hears what happens there; empty: everywhere
	Space        SpaceID        `json:"space,omitempty"`        // it hears what happens in this space alone
}

// Subject of an event about a subscription is the subscription's id.
func (r SubscriptionRef) Subject() string { return string(r.Subscription) }

// Ref says which subscription the event is about.
func (r SubscriptionRef) Ref() SubscriptionRef { return r }

// SubscriptionCreated: somebody wants events sent to a URL, from this moment on.
type SubscriptionCreated struct {
	SubscriptionRef
	Name        string    `json:"name"`                // for people
	URL         string    `json:"url"`                 // http or https; each event is POSTed there
	Types       []string  `json:"types"`               // of events: names, things with ".*", or "*" for all
	ContentMode string    `json:"content_mode"`        // structured or binary
	Active      bool      `json:"active"`              // false: what happens waits
	Metadata    Metadata  `json:"metadata,omitzero"`   // labels and annotations
	At          time.Time `json:"at"`                  // what happened before is not sent
	Generation  int       `json:"generation,omitzero"` // of the secret that deliveries are signed with, from 1; the secret stands nowhere
}

// SubscriptionUpdated: these are the subscription's settings now. What waits is sent by them, and at once.
type SubscriptionUpdated struct {
	SubscriptionRef
	Name        string   `json:"name"`              // for people
	URL         string   `json:"url"`               // http or https; each event is POSTed there
	Types       []string `json:"types"`             // of events: names, things with ".*", or "*" for all
	ContentMode string   `json:"content_mode"`      // structured or binary
	Active      bool     `json:"active"`            // false: what happens waits
	Metadata    Metadata `json:"metadata,omitzero"` // labels and annotations
}

// SubscriptionSecretRotated: deliveries are signed with another secret, and for a while with the one before too.
type SubscriptionSecretRotated struct {
	SubscriptionRef
	Generation int       `json:"generation"` // of the secret
	At         time.Time `json:"at"`         // when it was made
}

// SubscriptionTested: somebody wants to see a delivery. This event is sent to the subscription, whatever types it is for.
type SubscriptionTested struct {
	SubscriptionRef
}

// SubscriptionDelivered: the receiver has taken an event after others had failed, or a test.
type SubscriptionDelivered struct {
	SubscriptionRef
	Delivery Delivery  `json:"delivery"`
	At       time.Time `json:"at"` // when it was taken
}

// SubscriptionDeliveryFailed: the receiver has not taken an event. It is sent again; those behind it wait.
type SubscriptionDeliveryFailed struct {
	SubscriptionRef
	Delivery Delivery  `json:"delivery"`
	Attempt  int       `json:"attempt"` // how often it was sent, from 1
	Reason   string    `json:"reason"`  // what went wrong
	Since    time.Time `json:"since"`   // nothing was taken since then
	At       time.Time `json:"at"`      // when it was sent
	Next     time.Time `json:"next"`    // when it is sent again
}

// SubscriptionDeadLettered: an event is not sent any more. It is kept as a dead letter; those behind it go on.
type SubscriptionDeadLettered struct {
	SubscriptionRef
	Delivery Delivery  `json:"delivery"`
	Attempts int       `json:"attempts"` // how often it was sent
	Reason   string    `json:"reason"`   // what went wrong last
	Since    time.Time `json:"since"`    // nothing was taken since then
	At       time.Time `json:"at"`       // when it was given up
}

// SubscriptionDisabled: the receiver has said that it is gone. Nothing is sent until somebody makes the subscription active.
type SubscriptionDisabled struct {
	SubscriptionRef
	Delivery Delivery  `json:"delivery"` // which it did not take; it waits
	Reason   string    `json:"reason"`   // what the receiver answered
	At       time.Time `json:"at"`       // when
}

// SubscriptionDeleted: the subscription is gone, and what waited for its receiver with it.
type SubscriptionDeleted struct {
	SubscriptionRef
}

// Delivery names an event on its way to a receiver.
type Delivery struct {
	ID   string `json:"id"`   // where it stands in the log, "<sequence>-<index>": the header webhook-id
	Type string `json:"type"` // of the event
}

func (SubscriptionCreated) Type() Type        { return TypeSubscriptionCreated }
func (SubscriptionUpdated) Type() Type        { return TypeSubscriptionUpdated }
func (SubscriptionSecretRotated) Type() Type  { return TypeSubscriptionSecretRotated }
func (SubscriptionTested) Type() Type         { return TypeSubscriptionTested }
func (SubscriptionDelivered) Type() Type      { return TypeSubscriptionDelivered }
func (SubscriptionDeliveryFailed) Type() Type { return TypeSubscriptionDeliveryFailed }
func (SubscriptionDeadLettered) Type() Type   { return TypeSubscriptionDeadLettered }
func (SubscriptionDisabled) Type() Type       { return TypeSubscriptionDisabled }
func (SubscriptionDeleted) Type() Type        { return TypeSubscriptionDeleted }

// SubscriptionEvent is an event about a subscription.
type SubscriptionEvent interface {
	Event
	Ref() SubscriptionRef
}
