package projections_test

import (
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/projections"
)

// places are facts about few organizations, spaces, quotas and routes; the first five bring some forth.
func places(t *rapid.T, app events.AppID, labels map[string]string) []events.Event {
	organization, space := id[events.OrganizationID](t, "o"), id[events.SpaceID](t, "s")
	quota, route := id[events.QuotaID](t, "q"), id[events.RouteID](t, "u")
	metadata := events.Metadata{Labels: labels}
	to := []events.Destination{{ID: "t1", App: app, ProcessType: "web"}, {ID: "t2", App: "a2", ProcessType: "web"}}
	return []events.Event{
		events.OrganizationCreated{Organization: organization, Name: string(organization), Metadata: metadata},
		events.SpaceCreated{Space: space, Organization: organization, Name: string(space), Metadata: metadata},
		events.QuotaCreated{Quota: quota, Organization: organization, Name: string(quota)},
		events.RouteCreated{Route: route, Space: space, Organization: organization, URL: string(route), Metadata: metadata},
		events.DomainCreated{Domain: "localhost", Name: "localhost"},
		events.QuotaCreated{Quota: quota, Name: string(quota)},
		events.OrganizationUpdated{Organization: organization, Name: "other", Metadata: metadata},
		events.OrganizationDeleted{Organization: organization},
		events.SpaceUpdated{Space: space, Organization: organization, Name: "other", Metadata: metadata},
		events.SpaceDeleted{Space: space, Organization: organization},
		events.QuotaUpdated{Quota: quota, Name: "other"},
		events.QuotaDeleted{Quota: quota},
		events.QuotaApplied{Quota: quota, Organization: organization},
		events.QuotaApplied{Quota: quota, Organization: organization, Space: space},
		events.RouteUpdated{Route: route, Metadata: metadata},
		events.RouteDestinationsSet{Route: route, Destinations: to[:rapid.IntRange(0, 2).Draw(t, "destinations")]},
		events.RouteDeleted{Route: route},
		events.NameTaken{Scope: events.ScopeOrganizations, Name: "other", Holder: string(organization)},
		events.NameFreed{Scope: events.ScopeOrganizations, Name: "other", Holder: string(organization)},
	}
}

// settled is two organizations, three spaces, quotas, and two routes to the app a1 of running.
func settled() *log {
	l := running()
	l.add(events.OrganizationSubject("o1"),
		events.OrganizationCreated{Organization: "o1", Name: "beta"},
		events.SpaceCreated{Space: "s1", Organization: "o1", Name: "prod", Metadata: events.Metadata{Labels: map[string]string{"env": "prod"}}},
		events.SpaceCreated{Space: "s2", Organization: "o1", Name: "test"},
		events.QuotaCreated{Quota: "q1", Organization: "o1", Name: "small", Limits: events.QuotaLimits{Instances: new(4)}},
		events.QuotaApplied{Quota: "q1", Organization: "o1", Space: "s1"},
	)
	l.add(events.QuotaSubject("q2"), events.QuotaCreated{Quota: "q2", Name: "large"})
	l.add(events.OrganizationSubject("o2"),
		events.OrganizationCreated{Organization: "o2", Name: "acme"},
		events.SpaceCreated{Space: "s3", Organization: "o2", Name: "prod"},
		events.QuotaApplied{Quota: "q2", Organization: "o2"},
	)
	l.add(events.DomainSubject("localhost"), events.DomainCreated{Domain: "localhost", Name: "localhost"})
	l.add(events.RouteSubject("u1"),
		events.RouteCreated{Route: "u1", Space: "default", Organization: "default", Domain: "localhost", Host: "hello", URL: "hello.localhost"})
	l.add(events.RouteSubject("u1"), events.RouteDestinationsSet{Route: "u1", Destinations: []events.Destination{
		{ID: "t1", App: "a1", ProcessType: "web"}, {ID: "t2", App: "gone", ProcessType: "web"},
	}})
	l.add(events.RouteSubject("u2"),
		events.RouteCreated{Route: "u2", Space: "s1", Organization: "o1", Domain: "localhost", Host: "other", URL: "other.localhost"})
	return l
}

func TestPlaceLists(t *testing.T) {
	s, ctx := applied(t, settled()), t.Context()
	byName, all := projections.Order{By: projections.ByName}, projections.Page{}
	t.Run("organizations by name", func(t *testing.T) {
		is := is.New(t)
		l, err := s.All().Organizations(ctx, projections.OrganizationFilter{}, byName, all)
		is.NoErr(err)
		is.Equal([]string{l.Rows[0].Name, l.Rows[1].Name}, []string{"acme", "beta"})
		l, err = s.All().Organizations(ctx, projections.OrganizationFilter{Quotas: []events.QuotaID{"q2"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 1) // only acme has it
		l, err = s.All().Organizations(ctx, projections.OrganizationFilter{Names: []string{"beta"}, GUIDs: []events.OrganizationID{"o1"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Rows[0].GUID, events.OrganizationID("o1"))
	})
	t.Run("spaces", func(t *testing.T) {
		is := is.New(t)
		l, err := s.All().Spaces(ctx, projections.SpaceFilter{Names: []string{"prod"}, Organizations: []events.OrganizationID{"o1"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 1)
		is.Equal(l.Rows[0], projections.Space{
			GUID: "s1", Name: "prod", Organization: "o1", Quota: "q1", Metadata: events.Metadata{Labels: map[string]string{"env": "prod"}},
			Stamp: projections.Stamp{CreatedAt: at(5), UpdatedAt: at(5), Created: projections.Place{Sequence: 5, Index: 1}, Sequence: 5},
		})
		l, err = s.All().Spaces(ctx, projections.SpaceFilter{Labels: []projections.LabelRequirement{{Key: "env", Operator: projections.LabelAbsent}}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 2)
	})
	t.Run("quotas of each kind", func(t *testing.T) {
		is := is.New(t)
		l, err := s.All().Quotas(ctx, projections.QuotaFilter{}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 1)
		is.Equal(l.Rows[0].GUID, events.QuotaID("q2"))
		l, err = s.All().Quotas(ctx, projections.QuotaFilter{Organizations: []events.OrganizationID{"o1"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 0) // beta has none
		l, err = s.All().Quotas(ctx, projections.QuotaFilter{OfSpaces: true, Organizations: []events.OrganizationID{"o1"}, Spaces: []events.SpaceID{"s1"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 1)
		is.Equal(*l.Rows[0].Limits.Instances, 4)
		l, err = s.All().Quotas(ctx, projections.QuotaFilter{OfSpaces: true, Spaces: []events.SpaceID{"s2"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 0) // s2 has none
	})
	t.Run("routes", func(t *testing.T) {
		is := is.New(t)
		l, err := s.All().Routes(ctx, projections.RouteFilter{Apps: []events.AppID{"a1"}}, projections.Order{}, all)
		is.NoErr(err)
		is.Equal(l.Total, 1)
		is.Equal(l.Rows[0].URL, "hello.localhost")
		to, err := s.Destinations(ctx, "u1", "u2")
		is.NoErr(err)
		is.Equal(len(to["u1"]), 1) // not the app that is gone
		is.Equal(to["u1"][0].App, events.AppID("a1"))
		l, err = s.All().Routes(ctx, projections.RouteFilter{
			Hosts: []string{"other"}, Domains: []events.DomainID{"localhost"}, Spaces: []events.SpaceID{"s1"}, Organizations: []events.OrganizationID{"o1"},
		}, projections.Order{}, all)
		is.NoErr(err)
		is.Equal(l.Total, 1)
	})
	t.Run("domains", func(t *testing.T) {
		is := is.New(t)
		l, err := s.All().Domains(ctx, projections.DomainFilter{AvailableTo: "o1"}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 1) // everybody's
		l, err = s.All().Domains(ctx, projections.DomainFilter{Organizations: []events.OrganizationID{"o1"}}, byName, all)
		is.NoErr(err)
		is.Equal(l.Total, 0) // it owns none
	})
}

func TestUsage(t *testing.T) {
	is := is.New(t)
	l := settled()
	l.app(events.ProcessScaled{App: "a1", Process: "p1", From: 2, Instances: 3, MemoryMB: 100, LogRate: 10})
	l.app(events.ProcessCreated{App: "a1", Process: "p2", ProcessType: "worker", Instances: 2, MemoryMB: 50, LogRate: -1})
	l.add(events.AppSubject("a2"),
		events.AppCreated{App: "a2", Name: "idle", Space: "default", Organization: "default"},
		events.ProcessCreated{App: "a2", Process: "p3", ProcessType: "web", Instances: 9, MemoryMB: 9, LogRate: 9})
	s := applied(t, l)
	want := projections.Usage{Instances: 5, MemoryMB: 400, LogRate: 30, Unlimited: 2, Routes: 1}
	u, err := s.Usage(t.Context(), "default")
	is.NoErr(err)
	is.Equal(u, want) // the stopped app uses nothing
	u, err = s.SpaceUsage(t.Context(), "default")
	is.NoErr(err)
	is.Equal(u, want)
	u, err = s.SpaceUsage(t.Context(), "s1")
	is.NoErr(err)
	is.Equal(u, projections.Usage{Routes: 1}) // nothing runs there
}

func TestPlacesChangeAndGo(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	l := settled()
	s := applied(t, l)
	from := len(l.commits)
	l.add(events.OrganizationSubject("o1"), events.SpaceUpdated{Space: "s1", Organization: "o1", Name: "live"})
	l.add(events.OrganizationSubject("o1"), events.QuotaDeleted{Quota: "q1", Organization: "o1"})
	l.add(events.OrganizationSubject("o1"), events.SpaceDeleted{Space: "s2", Organization: "o1"})
	l.add(events.QuotaSubject("q2"), events.QuotaUpdated{Quota: "q2", Name: "larger", Limits: events.QuotaLimits{Routes: new(1)}})
	l.add(events.OrganizationSubject("o2"), events.OrganizationUpdated{Organization: "o2", Name: "emca"})
	l.add(events.RouteSubject("u2"), events.RouteDeleted{Route: "u2"})
	l.add(events.RouteSubject("u1"), events.RouteUpdated{Route: "u1", Metadata: events.Metadata{Labels: map[string]string{"a": "b"}}})
	l.app(events.AppDeleted{App: "a1"})
	is.NoErr(s.Apply(ctx, l.commits[from:])) // so that rows must be read back
	p, err := s.Space(ctx, "s1")
	is.NoErr(err)
	is.Equal([]any{p.Name, p.Quota, p.UpdatedAt}, []any{"live", events.QuotaID(""), at(13)})
	_, err = s.Space(ctx, "s2")
	is.Equal(err, projections.ErrNotFound)
	_, err = s.Quota(ctx, "q1")
	is.Equal(err, projections.ErrNotFound)
	q, err := s.Quota(ctx, "q2")
	is.NoErr(err)
	is.Equal([]any{q.Name, *q.Limits.Routes}, []any{"larger", 1})
	o, err := s.Organization(ctx, "o2")
	is.NoErr(err)
	is.Equal(o.Name, "emca")
	_, err = s.Route(ctx, "u2")
	is.Equal(err, projections.ErrNotFound)
	to, err := s.Destinations(ctx, "u1")
	is.NoErr(err)
	is.Equal(len(to), 0) // its app is gone
	d, err := s.Domain(ctx, "localhost")
	is.NoErr(err)
	is.Equal(d.Name, "localhost")
	found, err := s.Anomalies(ctx, projections.Page{})
	is.NoErr(err)
	is.Equal(found.Rows, []projections.Anomaly{})
}

// TestForsaken: places that are gone though something is still said to be there, each once; a halt that was lifted is nowhere.
func TestForsaken(t *testing.T) {
	is := is.New(t)
	l := settled()
	l.add(events.OrganizationSubject("default"), events.OrganizationCreated{Organization: "default", Name: "default"},
		events.SpaceCreated{Space: "default", Organization: "default", Name: "default"})
	l.add(events.AppSubject("a2"), events.AppCreated{App: "a2", Name: "left", Space: "s1", Organization: "o1"})
	l.add(events.RouteSubject("u9"), events.RouteCreated{Route: "u9", Space: "s1", Organization: "o1", URL: "left.localhost"})
	l.add(events.SubscriptionSubject("w1"), events.SubscriptionCreated{
		SubscriptionRef: events.SubscriptionRef{Subscription: "w1", Organization: "o2"}, Name: "n", URL: "https://hooks.test", Types: []string{"*"},
	})
	l.add(events.PolicySubject, events.PolicyCreated{Policy: "y1", Name: "n", Organization: "o2", Space: "s3", Rule: events.PolicyRule{Outcome: "deny"}},
		events.PolicyCreated{Policy: "y2", Name: "everywhere", Rule: events.PolicyRule{Outcome: "deny"}})
	l.add(events.HaltSubject, events.HaltDeclared{Halt: "h1", Organization: "o1", Space: "s2", Reason: "r"}, events.HaltLifted{Halt: "h1", By: "user/ann"},
		events.HaltDeclared{Halt: "h2", Organization: "o1", Space: "s1", Reason: "r"})
	s := applied(t, l)
	none, err := s.Forsaken(t.Context())
	is.NoErr(err)
	is.Equal(len(none), 0) // all of it is where it says
	l.add(events.OrganizationSubject("o1"), events.SpaceDeleted{Space: "s1", Organization: "o1"}, events.SpaceDeleted{Space: "s2", Organization: "o1"})
	l.add(events.OrganizationSubject("o2"), events.SpaceDeleted{Space: "s3", Organization: "o2"}, events.OrganizationDeleted{Organization: "o2"})
	gone, err := applied(t, l).Forsaken(t.Context())
	is.NoErr(err)
	is.Equal(gone, []projections.Home{{Organization: "o1", Space: "s1"}, {Organization: "o2"}, {Organization: "o2", Space: "s3"}})
}
