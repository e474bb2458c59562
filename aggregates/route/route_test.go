package route_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates"
	"slipway/aggregates/route"
	"slipway/events"
)

var (
	localhost = route.Domain{ID: "localhost", Name: "localhost"}
	mine      = route.Domain{ID: "d1", Name: "example.org", Organization: "o1"}
)

func create(host string, d route.Domain) route.Create {
	return route.Create{Space: "s1", Organization: "o1", OrganizationName: "acme", Domain: d, Host: host}
}

// hello is the route hello.localhost to the web instances of a1, made together with it.
func hello(more ...events.Event) route.State {
	var s route.State
	for _, e := range append([]events.Event{
		events.RouteCreated{Route: "r1", Space: "s1", Organization: "o1", Domain: "localhost", Host: "hello", URL: "hello.localhost", App: "a1"},
		events.RouteDestinationsSet{Route: "r1", Destinations: []events.Destination{{ID: "d1", App: "a1", ProcessType: "web"}}},
	}, more...) {
		s = route.Evolve(s, e)
	}
	return s
}

func TestCreate(t *testing.T) {
	for _, c := range []struct {
		name   string
		given  route.State
		create route.Create
		url    string
		reason string
	}{
		{"host", route.State{}, create("Hello", localhost), "hello.localhost", ""},
		{"no host under a domain of one's own", route.State{}, create("", mine), "example.org", ""},
		{"no host under a shared one", route.State{}, create("", localhost), "", "Missing host. Routes in shared domains must have a host defined."},
		{"there already", hello(), create("hello", localhost), "", "Route already exists with host 'hello' for domain 'localhost'."},
		{"there already without host", hello(), create("", mine), "", "Route already exists for domain 'example.org'."},
		{"deleted", hello(events.RouteDeleted{Route: "r1"}), create("hello", localhost), "hello.localhost", ""},
		{"no domain", route.State{}, create("a", route.Domain{}), "", "Invalid domain. Ensure that the domain exists and you have access to it."},
		{"another's domain", route.State{}, create("a", route.Domain{ID: "d", Name: "x.org", Organization: "o2"}), "",
			"Invalid domain. Domain 'x.org' is not available in organization 'acme'."},
		{"a dot", route.State{}, create("a.b", localhost), "", `Host must contain only alphanumeric characters, "_", or "-"`},
		{"a star", route.State{}, create("*", localhost), "", `Host must contain only alphanumeric characters, "_", or "-"`},
		{"long host", route.State{}, create(strings.Repeat("a", 64), localhost), "", "Host is too long (maximum is 63 characters)"},
		{"long name", route.State{}, create("a", route.Domain{ID: "d", Name: strings.Repeat("a.", 126) + "a"}), "",
			"Host combined with domain name must be no more than 253 characters."},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			got, err := route.CreateRoute(c.given, c.create)
			if c.reason != "" {
				is.Equal(err.Error(), c.reason)
				return
			}
			is.NoErr(err)
			is.Equal(got, []events.Event{events.RouteCreated{
				Route: events.RouteIDOf(c.url), Space: "s1", Organization: "o1", Domain: c.create.Domain.ID,
				Host: strings.ToLower(c.create.Host), URL: c.url,
			}})
		})
	}
}

func TestDestinations(t *testing.T) {
	web := events.Destination{ID: "d1", App: "a1", ProcessType: "web"}
	derived := func(n int) string { return events.DeriveID("c1", "destination", n) }
	set := func(d ...events.Destination) []events.Event {
		return []events.Event{events.RouteDestinationsSet{Route: "r1", Destinations: d}}
	}
	for _, c := range []struct {
		name   string
		decide func() ([]events.Event, error)
		want   []events.Event
		reason string
	}{
		{"one more", func() ([]events.Event, error) {
			return route.AddDestinations(hello(), "c1", []events.Destination{{App: "a2"}})
		}, set(web, events.Destination{ID: derived(1), App: "a2", ProcessType: "web"}), ""},
		{"one that is there", func() ([]events.Event, error) {
			return route.AddDestinations(hello(), "c1", []events.Destination{{App: "a1", ProcessType: "web"}})
		}, nil, ""},
		{"others instead", func() ([]events.Event, error) {
			return route.SetDestinations(hello(), "c1", []events.Destination{{App: "a2"}, {App: "a1"}, {App: "a2"}})
		}, set(events.Destination{ID: derived(0), App: "a2", ProcessType: "web"}, web), ""},
		{"none", func() ([]events.Event, error) { return route.SetDestinations(hello(), "c1", nil) }, set([]events.Destination{}...), ""},
		{"a type that cannot be", func() ([]events.Event, error) {
			return route.SetDestinations(hello(), "c1", []events.Destination{{App: "a2", ProcessType: "a b"}})
		}, nil, "Destinations[0]: process type must be 1 to 64 letters, digits, '_' or '-'"},
		{"too many", func() ([]events.Event, error) {
			return route.SetDestinations(hello(), "c1", many(101))
		}, nil, "Routes can be mapped to at most 100 destinations."},
		{"of no route", func() ([]events.Event, error) { return route.SetDestinations(route.State{}, "c1", nil) }, nil, "Route not found"},
		{"one less", func() ([]events.Event, error) { return route.RemoveDestination(hello(), "d1") }, set([]events.Destination{}...), ""},
		{"one that is not there", func() ([]events.Event, error) { return route.RemoveDestination(hello(), "d2") }, nil,
			"Unable to unmap route from destination. Ensure the route has a destination with this guid."},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			got, err := c.decide()
			is.Equal(len(got), len(c.want))
			if len(c.want) == 1 {
				is.Equal(got[0].(events.RouteDestinationsSet).Destinations, append([]events.Destination{}, c.want[0].(events.RouteDestinationsSet).Destinations...))
			}
			is.Equal(err != nil, c.reason != "")
			if err != nil {
				is.Equal(err.Error(), c.reason)
			}
		})
	}
}

func many(n int) []events.Destination {
	all := make([]events.Destination, n)
	for i := range all {
		all[i] = events.Destination{App: events.AppID(strings.Repeat("a", i+1))}
	}
	return all
}

func TestARouteGoesWithItsApp(t *testing.T) {
	both := []events.Destination{{ID: "d1", App: "a1", ProcessType: "web"}, {ID: "d2", App: "a2", ProcessType: "web"}}
	for _, c := range []struct {
		name  string
		given route.State
		app   events.AppID
		want  []events.Event
	}{
		{"its own", hello(), "a1", []events.Event{events.RouteDeleted{Route: "r1"}}},
		{"its own, which leads elsewhere too", hello(events.RouteDestinationsSet{Route: "r1", Destinations: both}), "a1",
			[]events.Event{events.RouteDestinationsSet{Route: "r1", Destinations: both[1:]}}},
		{"another's", hello(events.RouteDestinationsSet{Route: "r1", Destinations: both}), "a2",
			[]events.Event{events.RouteDestinationsSet{Route: "r1", Destinations: both[:1]}}},
		{"nobody's", hello(), "a9", nil},
		{"none", route.State{}, "a1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(route.Abandon(c.given, c.app), c.want)
		})
	}
}

func TestOther(t *testing.T) {
	is := is.New(t)
	got, err := route.Update(hello(), aggregates.MetadataPatch{Labels: map[string]*string{"a": new("b")}})
	is.NoErr(err)
	is.Equal(got, []events.Event{events.RouteUpdated{Route: "r1", Metadata: events.Metadata{Labels: map[string]string{"a": "b"}}}})
	got, err = route.Update(hello(), aggregates.MetadataPatch{Labels: map[string]*string{"a": nil}})
	is.NoErr(err)
	is.Equal(got, nil) // it has none
	is.Equal(route.Delete(route.State{}), nil)
	is.Equal(route.Delete(hello()), []events.Event{events.RouteDeleted{Route: "r1"}})

	made, err := route.CreateDomain(route.Domain{}, "example.org", "o1")
	is.NoErr(err)
	d := route.EvolveDomain(route.Domain{}, made[0])
	is.Equal(d, route.Domain{ID: events.DomainIDOf("example.org"), Name: "example.org", Organization: "o1"})
	_, err = route.CreateDomain(d, "example.org", "o1")
	is.Equal(err.Error(), `The domain name "example.org" is already in use`)
	for _, bad := range []string{"", ".", "a..b", "A.org", "a b", "-a", strings.Repeat("a", 254)} {
		_, err = route.CreateDomain(route.Domain{}, bad, "")
		is.True(err != nil) // no domain can have this name
	}
}

func TestDefaultHosts(t *testing.T) {
	for name, want := range map[string]string{
		"hello": "hello", "Hello World": "hello-world", "a_b": "a-b", "pay.ments": "payments", "-x-": "x", "日本": "", "  ": "",
		strings.Repeat("a", 62) + " b": strings.Repeat("a", 62),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(route.DefaultHost(name), want)
		})
	}
	t.Run("whatever an app is called, its host is none or one that can be", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			host := route.DefaultHost(rapid.String().Draw(t, "name"))
			if host == "" {
				return
			}
			if err := create(host, localhost).Check(); err != nil {
				t.Fatal(err)
			}
		})
	})
}
