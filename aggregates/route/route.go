// Package route is the rule book of a route: a host name under which requests reach apps. Its id is derived from the host
// name, so a name can have only one owner, without any claim (docs/adr/0011).
package route

import (
	"regexp"
	"slices"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// State is a route folded from its events. A deleted route has no state: it may be created anew.
type State struct {
	ID           events.RouteID        `json:"id,omitempty"`
	Space        events.SpaceID        `json:"space,omitempty"`
	Organization events.OrganizationID `json:"organization,omitempty"`
	URL          string                `json:"url,omitempty"`
	App          events.AppID          `json:"app,omitempty"` // it was made together with, and goes with
	Metadata     events.Metadata       `json:"metadata,omitzero"`
	Destinations []events.Destination  `json:"destinations,omitempty"`
}

// Exists says whether the route is there.
func (s State) Exists() bool { return s.ID != "" }

// Evolve folds one event into the state. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.RouteCreated:
		return State{
			ID: e.Route, Space: e.Space, Organization: e.Organization, URL: e.URL, App: e.App, Metadata: e.Metadata,
		}
	case events.RouteUpdated:
		s.Metadata = e.Metadata
	case events.RouteDestinationsSet:
		s.Destinations = e.Destinations
	case events.RouteDeleted:
		return State{}
	}
	return s
}

// Domain is a domain that a route is made under.
type Domain struct {
	ID           events.DomainID
	Name         string
	Organization events.OrganizationID // whose it is; empty: everybody's
}

// EvolveDomain folds one event into a domain. It is total.
func EvolveDomain(d Domain, e events.Event) Domain {
	if e, ok := e.(events.DomainCreated); ok {
		return Domain{ID: e.Domain, Name: e.Name, Organization: e.Organization}
	}
	return d
}

// Bounds of a route.
const (
	maxLabel        = 63 // of a host, as of every DNS label
	maxURL          = 253
	maxDestinations = 100 // Cloud Foundry's
)

var (
	hostBytes  = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)
	domainForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	typeForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// CreateDomain makes routes under a name possible.
func CreateDomain(d Domain, name string, of events.OrganizationID) ([]events.Event, error) {
	if d.ID != "" {
		return nil, &aggregates.RejectedError{
			Code:    aggregates.CodeUnprocessable,
			Message: "The domain name \"" + d.Name + "\" is already in use",
		}
	}
	if len(name) > maxURL || !domainForm.MatchString(name) {
		return nil, aggregates.Reject("Name does not comply with RFC 1035 standards: lower-case letters, digits and '-', separated by dots")
	}
	return []events.Event{events.DomainCreated{Domain: events.DomainIDOf(name), Name: name, Organization: of}}, nil
}

// Create is the command to make a route.
type Create struct {
	Space            events.SpaceID
	Organization     events.OrganizationID
	OrganizationName string // for people
	Domain           Domain
	Host             string
	App              events.AppID // it is made together with; empty: none
	Metadata         events.Metadata
}

// URL is the host name of the route: what it is made of, in lower case.
func (c Create) URL() string {
	if c.Host == "" {
		return c.Domain.Name
	}
	return strings.ToLower(c.Host) + "." + c.Domain.Name
}

// CreateRoute makes a route that leads nowhere yet. The texts are Cloud Foundry's.
func CreateRoute(s State, c Create) ([]events.Event, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if s.Exists() {
		if c.Host == "" {
			return nil, aggregates.Reject("Route already exists for domain '%s'.", c.Domain.Name)
		}
		return nil, aggregates.Reject("Route already exists with host '%s' for domain '%s'.", c.Host, c.Domain.Name)
	}
	return []events.Event{events.RouteCreated{
		Route: events.RouteIDOf(c.URL()), Space: c.Space, Organization: c.Organization, Domain: c.Domain.ID, Host: strings.ToLower(c.Host),
		URL: c.URL(), App: c.App, Metadata: c.Metadata,
	}}, nil
}

// Check refuses a route that cannot be.
func (c Create) Check() error {
	switch {
	case c.Domain.ID == "":
		return aggregates.Reject("Invalid domain. Ensure that the domain exists and you have access to it.")
	case c.Domain.Organization != "" && c.Domain.Organization != c.Organization:
		return aggregates.Reject("Invalid domain. Domain '%s' is not available in organization '%s'.", c.Domain.Name, c.OrganizationName)
	case len(c.Host) > maxLabel:
		return aggregates.Reject("Host is too long (maximum is %d characters)", maxLabel)
	case !hostBytes.MatchString(c.Host):
		return aggregates.Reject("Host must contain only alphanumeric characters, \"_\", or \"-\"")
	case c.Host == "" && c.Domain.Organization == "":
		return aggregates.Reject("Missing host. Routes in shared domains must have a host defined.")
	case len(c.URL()) > maxURL:
		return aggregates.Reject("Host combined with domain name must be no more than %d characters.", maxURL)
	}
	return nil
}

// Update changes the route's metadata.
func Update(s State, p aggregates.MetadataPatch) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("Route")
	}
	next := p.On(s.Metadata)
	if aggregates.SameMetadata(next, s.Metadata) {
		return nil, nil
	}
	return []events.Event{events.RouteUpdated{Route: s.ID, Metadata: next}}, nil
}

// SetDestinations says where the route leads: to these and nowhere else. One that is there keeps its id.
func SetDestinations(s State, id events.CommandID, to []events.Destination) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("Route")
	}
	next := make([]events.Destination, 0, len(to))
	for i, d := range to {
		if d.ProcessType == "" {
			d.ProcessType = events.ProcessTypeWeb
		}
		if !typeForm.MatchString(d.ProcessType) {
			return nil, aggregates.Reject("Destinations[%d]: process type must be 1 to 64 letters, digits, '_' or '-'", i)
		}
		if slices.ContainsFunc(next, same(d)) {
			continue // named twice, it is there once
		}
		d.ID = events.DeriveID(id, "destination", i)
		if at := slices.IndexFunc(s.Destinations, same(d)); at >= 0 {
			d.ID = s.Destinations[at].ID
		}
		next = append(next, d)
	}
	if len(next) > maxDestinations {
		return nil, aggregates.Reject("Routes can be mapped to at most %d destinations.", maxDestinations)
	}
	if slices.Equal(next, s.Destinations) {
		return nil, nil
	}
	return []events.Event{events.RouteDestinationsSet{Route: s.ID, Destinations: next}}, nil
}

// AddDestinations lets the route lead to these too.
func AddDestinations(s State, id events.CommandID, more []events.Destination) ([]events.Event, error) {
	return SetDestinations(s, id, slices.Concat(s.Destinations, more))
}

// RemoveDestination lets the route lead there no more.
func RemoveDestination(s State, destination string) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("Route")
	}
	rest := slices.DeleteFunc(slices.Clone(s.Destinations), func(d events.Destination) bool { return d.ID == destination })
	if len(rest) == len(s.Destinations) {
		return nil, aggregates.Reject("Unable to unmap route from destination. Ensure the route has a destination with this guid.")
	}
	return []events.Event{events.RouteDestinationsSet{Route: s.ID, Destinations: rest}}, nil
}

// Delete removes the route. One that has gone already is no error.
func Delete(s State) []events.Event {
	if !s.Exists() {
		return nil
	}
	return []events.Event{events.RouteDeleted{Route: s.ID}}
}

// Abandon is what becomes of a route when an app is deleted: the app is no destination any more, and the route that was made
// together with it goes, unless it leads elsewhere too.
func Abandon(s State, app events.AppID) []events.Event {
	rest := slices.DeleteFunc(slices.Clone(s.Destinations), func(d events.Destination) bool { return d.App == app })
	switch {
	case s.Exists() && s.App == app && len(rest) == 0:
		return Delete(s)
	case len(rest) < len(s.Destinations):
		return []events.Event{events.RouteDestinationsSet{Route: s.ID, Destinations: rest}}
	}
	return nil
}

// DefaultHost makes a host of an app's name, as the cf CLI does: lower case, blanks and underscores become hyphens, other
// characters that no host may have go. It is empty where nothing is left of the name.
func DefaultHost(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			b.WriteRune(r)
		case r == ' ', r == '_':
			b.WriteByte('-')
		}
	}
	host := strings.Trim(b.String(), "-")
	return strings.TrimRight(host[:min(len(host), maxLabel)], "-")
}

// same finds the destination that leads to the same instances.
func same(d events.Destination) func(events.Destination) bool {
	return func(other events.Destination) bool { return other.App == d.App && other.ProcessType == d.ProcessType }
}
