package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Domain is a domain (reference 2.4).
type Domain struct {
	Stamp
	Name               string              `json:"name"`
	Internal           bool                `json:"internal"`            // never
	RouterGroup        *string             `json:"router_group"`        // always null: there is one router
	SupportedProtocols []string            `json:"supported_protocols"` // http
	Metadata           Metadata            `json:"metadata"`
	Relationships      DomainRelationships `json:"relationships"`
	Links              Links               `json:"links"`
}

// DomainRelationships is whose a domain is.
type DomainRelationships struct {
	Organization ToOne  `json:"organization"`
	Shared       ToMany `json:"shared_organizations"` // never any
}

// Domain presents a domain.
func (b Base) Domain(d projections.Domain) Domain {
	links := Links{"self": b.link("v3", "domains", string(d.GUID))}
	if d.Organization != "" {
		links["organization"] = b.link("v3", "organizations", string(d.Organization))
	}
	return Domain{
		Stamp: stamp(d.GUID, d.Stamp), Name: d.Name, SupportedProtocols: []string{"http"}, Metadata: metadata(events.Metadata{}),
		Relationships: DomainRelationships{Organization: toOne(d.Organization), Shared: toMany[string](nil)}, Links: links,
	}
}

// Route is a route (reference 2.4). Paths, ports and options are always empty: routes are told apart by host name alone.
type Route struct {
	Stamp
	Protocol      string             `json:"protocol"`
	Host          string             `json:"host"`
	Path          string             `json:"path"`
	Port          *int               `json:"port"`
	URL           string             `json:"url"`
	Destinations  []Destination      `json:"destinations"`
	Options       struct{}           `json:"options"`
	Metadata      Metadata           `json:"metadata"`
	Relationships RouteRelationships `json:"relationships"`
	Links         Links              `json:"links"`
}

// RouteRelationships is where a route belongs.
type RouteRelationships struct {
	Space  ToOne `json:"space"`
	Domain ToOne `json:"domain"`
}

// Destination is where a route leads. The port is null: each instance has its own.
type Destination struct {
	Stamp
	App      DestinationApp `json:"app"`
	Weight   *int           `json:"weight"`
	Port     *int           `json:"port"`
	Protocol string         `json:"protocol"`
}

// DestinationApp is an app and which of its processes.
type DestinationApp struct {
	GUID    string `json:"guid"`
	Process struct {
		Type string `json:"type"`
	} `json:"process"`
}

// Route presents a route.
func (b Base) Route(r projections.Route, to []projections.Destination) Route {
	id := string(r.GUID)
	return Route{
		Stamp: stamp(r.GUID, r.Stamp), Protocol: "http", Host: r.Host, URL: r.URL, Destinations: Each(to, destination),
		Metadata: metadata(r.Metadata), Relationships: RouteRelationships{Space: toOne(r.Space), Domain: toOne(r.Domain)},
		Links: Links{
			"self": b.link("v3", "routes", id), "space": b.link("v3", "spaces", string(r.Space)),
			"destinations": b.link("v3", "routes", id, "destinations"), "domain": b.link("v3", "domains", string(r.Domain)),
		},
	}
}

func destination(d projections.Destination) Destination {
	shown := Destination{Stamp: stamp(d.GUID, d.Stamp), App: DestinationApp{GUID: string(d.App)}, Protocol: "http1"}
	shown.App.Process.Type = d.ProcessType
	return shown
}

// Destinations is where a route leads, as a resource of its own.
type Destinations struct {
	Destinations []Destination `json:"destinations"`
	Links        Links         `json:"links"`
}

// DestinationsOf presents where a route leads.
func (b Base) DestinationsOf(r projections.Route, to []projections.Destination) Destinations {
	id := string(r.GUID)
	return Destinations{Destinations: Each(to, destination), Links: Links{
		"self": b.link("v3", "routes", id, "destinations"), "route": b.link("v3", "routes", id),
	}}
}
