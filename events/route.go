package events

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// DefaultDomain is the domain that is there from the first start, and its name: names under it lead to this machine
// without any DNS.
const DefaultDomain DomainID = "localhost"

// DomainCreated: routes can be made under this domain.
type DomainCreated struct {
	Domain       DomainID       `json:"domain"`
	Name         string         `json:"name"`                   // lower case, without a dot at its end
	Organization OrganizationID `json:"organization,omitempty"` // whose it is; absent: everybody's
}

// RouteCreated: requests for this host name can be sent to apps. It leads nowhere yet.
type RouteCreated struct {
	Route        RouteID        `json:"route"` // derived from its URL, so that no two can be the same
	Space        SpaceID        `json:"space"` // it belongs to
	Organization OrganizationID `json:"organization"`
	Domain       DomainID       `json:"domain"`
	Host         string         `json:"host"`          // what stands before the domain; may be empty
	URL          string         `json:"url"`           // the host name: "payments.localhost"
	App          AppID          `json:"app,omitempty"` // the app it was made together with, and goes with
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// RouteUpdated: the route's metadata is now this.
type RouteUpdated struct {
	Route    RouteID  `json:"route"`
	Metadata Metadata `json:"metadata"`
}

// Destination is where a route leads: the web instances of an app, or those of another type.
type Destination struct {
	ID          string `json:"id"` // of the destination
	App         AppID  `json:"app"`
	ProcessType string `json:"process_type"` // web, worker, ...
}

// RouteDestinationsSet: the route leads to these, all of them; requests are spread over all their routable instances.
type RouteDestinationsSet struct {
	Route        RouteID       `json:"route"`
	Destinations []Destination `json:"destinations"` // where requests go; empty: nowhere
}

// RouteDeleted: requests for its host name find nothing.
type RouteDeleted struct {
	Route RouteID `json:"route"`
}

func (DomainCreated) Type() Type        { return TypeDomainCreated }
func (RouteCreated) Type() Type         { return TypeRouteCreated }
func (RouteUpdated) Type() Type         { return TypeRouteUpdated }
func (RouteDestinationsSet) Type() Type { return TypeRouteDestinationsSet }
func (RouteDeleted) Type() Type         { return TypeRouteDeleted }

func (e DomainCreated) Subject() string        { return string(e.Domain) }
func (e RouteCreated) Subject() string         { return string(e.Route) }
func (e RouteUpdated) Subject() string         { return string(e.Route) }
func (e RouteDestinationsSet) Subject() string { return string(e.Route) }
func (e RouteDeleted) Subject() string         { return string(e.Route) }

// RouteIDOf is the id of the route with this host name. Two requests for one name meet in one aggregate, so it cannot be
// given twice (docs/adr/0011).
func RouteIDOf(url string) RouteID {
	sum := sha256.Sum256([]byte("route\x00" + strings.ToLower(url)))
	return RouteID(hex.EncodeToString(sum[:16]))
}

// DomainIDOf is the id of the domain with this name.
func DomainIDOf(name string) DomainID {
	if name == string(DefaultDomain) {
		return DefaultDomain
	}
	sum := sha256.Sum256([]byte("domain\x00" + strings.ToLower(name)))
	return DomainID(hex.EncodeToString(sum[:16]))
}
