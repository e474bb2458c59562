package projections

import (
	"context"

	"slipway/events"
)

// Domain is a domain that routes can be made under.
type Domain struct {
	GUID         events.DomainID
	Name         string
	Organization events.OrganizationID // whose it is; empty: everybody's
	Stamp
}

var domains = view[events.DomainID, Domain]{
	table: "domains", kind: "domain",
	key:   func(d *Domain) events.DomainID { return d.GUID },
	stamp: func(d *Domain) *Stamp { return &d.Stamp },
	columns: func(d *Domain) []column {
		return []column{{"guid", &d.GUID}, {"name", &d.Name}, {"organization", &d.Organization}}
	},
}.ready()

// Route is a host name under which requests reach apps.
type Route struct {
	GUID         events.RouteID
	Space        events.SpaceID
	Organization events.OrganizationID
	Domain       events.DomainID
	Host         string
	URL          string
	Metadata     events.Metadata
	Stamp
}

var routes = view[events.RouteID, Route]{
	table: "routes", kind: "route",
	key:      func(r *Route) events.RouteID { return r.GUID },
	stamp:    func(r *Route) *Stamp { return &r.Stamp },
	metadata: func(r *Route) *events.Metadata { return &r.Metadata },
	columns: func(r *Route) []column {
		return []column{
			{"guid", &r.GUID}, {"space", &r.Space}, {"organization", &r.Organization}, {"domain", &r.Domain},
			{"host", &r.Host}, {"url", &r.URL},
		}
	},
}.ready()

type destinationKey struct {
	route events.RouteID
	guid  string
}

// Destination is where a route leads: the instances of an app's processes of one type.
type Destination struct {
	Route       events.RouteID
	GUID        string
	App         events.AppID
	ProcessType string
	Stamp
}

var destinations = view[destinationKey, Destination]{
	table: "destinations", keys: 2,
	key:   func(d *Destination) destinationKey { return destinationKey{d.Route, d.GUID} },
	where: func(k destinationKey) []any { return []any{k.route, k.guid} },
	stamp: func(d *Destination) *Stamp { return &d.Stamp },
	columns: func(d *Destination) []column {
		return []column{
			{"route", &d.Route}, {"guid", &d.GUID}, {"app", &d.App}, {"process_type", &d.ProcessType},
		}
	},
}.ready()

func (f *fold) routeCreated(m moment, e events.RouteCreated) error {
	return f.routes.add(Route{
		GUID: e.Route, Space: e.Space, Organization: e.Organization, Domain: e.Domain, Host: e.Host, URL: e.URL,
		Metadata: e.Metadata, Stamp: m.stamp(),
	})
}

// destinationsSet replaces the destinations of a route. One that stays keeps its time of creation. One whose app has been
// deleted meanwhile is not shown: apps and routes have histories of their own, so that is no anomaly.
func (f *fold) destinationsSet(m moment, e events.RouteDestinationsSet) error {
	known := map[string]Destination{}
	for _, c := range f.destinations.rows {
		if c.row != nil && c.row.Route == e.Route {
			known[c.row.GUID] = *c.row
		}
	}
	return f.routes.change(m, e.Route, func(r *Route) {
		f.destinations.removeIf(func(d *Destination) bool { return d.Route == e.Route })
		for i, d := range e.Destinations {
			row, stays := known[d.ID]
			if !stays {
				row = Destination{Route: e.Route, GUID: d.ID, Stamp: m.stamp()}
				row.Created.Index += i // so that they keep their order
			}
			row.App, row.ProcessType = d.App, d.ProcessType
			if f.apps.get(d.App) != nil {
				f.destinations.put(row)
			}
		}
	})
}

func (f *fold) routeDeleted(e events.RouteDeleted) error {
	f.destinations.removeIf(func(d *Destination) bool { return d.Route == e.Route })
	return f.routes.drop(e.Route)
}

// DomainFilter selects domains. Empty fields select all; all that are set must hold.
type DomainFilter struct {
	GUIDs         []events.DomainID
	Names         []string
	Organizations []events.OrganizationID // that own it
	AvailableTo   events.OrganizationID   // that own it, or for which it is there as for everybody
	Created       TimeFilter
	Updated       TimeFilter
}

// Domain reads one domain, or gives [ErrNotFound].
func (s *Store) Domain(ctx context.Context, id events.DomainID) (Domain, error) {
	return domains.get(ctx, s.readers, id)
}

// Domains lists domains.
func (s Sight) Domains(ctx context.Context, f DomainFilter, o Order, p Page) (List[Domain], error) {
	var w where
	if !s.all {
		w.add("(organization = '' OR "+among("organization")+")", s.organizations)
	}
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "organization", f.Organizations)
	if f.AvailableTo != "" {
		w.add("organization IN ('', ?)", f.AvailableTo)
	}
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	return list(ctx, s.store, domains, w, o.sql(), p)
}

// RouteFilter selects routes. Empty fields select all; all that are set must hold.
type RouteFilter struct {
	GUIDs         []events.RouteID
	Hosts         []string
	Domains       []events.DomainID
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	Apps          []events.AppID // that it leads to
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Route reads one route, or gives [ErrNotFound].
func (s *Store) Route(ctx context.Context, id events.RouteID) (Route, error) {
	return routes.get(ctx, s.readers, id)
}

// Routes lists routes.
func (s Sight) Routes(ctx context.Context, f RouteFilter, o Order, p Page) (List[Route], error) {
	var w where
	s.inSpaces(&w, "space")
	in(&w, "guid", f.GUIDs)
	in(&w, "host", f.Hosts)
	in(&w, "domain", f.Domains)
	in(&w, "space", f.Spaces)
	in(&w, "organization", f.Organizations)
	if len(f.Apps) > 0 {
		var leading where
		in(&leading, "app", f.Apps)
		w.add("guid IN (SELECT route FROM destinations "+leading.sql()+")", leading.args...)
	}
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(routes.table, f.Labels)
	return list(ctx, s.store, routes, w, o.sql(), p)
}

// Destinations reads where routes lead, in the order in which they were added.
func (s *Store) Destinations(ctx context.Context, of ...events.RouteID) (map[events.RouteID][]Destination, error) {
	found := map[events.RouteID][]Destination{}
	if len(of) == 0 {
		return found, nil
	}
	var w where
	in(&w, "route", of)
	rows, err := destinations.find(ctx, s.readers, w.sql()+" ORDER BY created_sequence, created_index, guid", w.args...)
	for _, d := range rows {
		found[d.Route] = append(found[d.Route], d)
	}
	return found, err
}
