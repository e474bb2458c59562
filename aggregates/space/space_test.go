package space_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/space"
	"slipway/events"
)

func fold(given ...events.Event) space.State {
	var s space.State
	for _, e := range given {
		s = space.Evolve(s, e)
	}
	return s
}

// acme is an organization with two spaces and a quota for them, which prod has.
func acme(more ...events.Event) space.State {
	return fold(append([]events.Event{
		events.OrganizationCreated{Organization: "o1", Name: "acme"},
		events.SpaceCreated{Space: "s1", Organization: "o1", Name: "prod", Metadata: labels("env", "prod")},
		events.SpaceCreated{Space: "s2", Organization: "o1", Name: "test"},
		events.QuotaCreated{Quota: "q1", Organization: "o1", Name: "small", Limits: events.QuotaLimits{Instances: new(4)}},
		events.QuotaCreated{Quota: "q2", Organization: "o1", Name: "large"},
		events.QuotaApplied{Quota: "q1", Organization: "o1", Space: "s1"},
	}, more...)...)
}

func labels(key, value string) events.Metadata {
	return events.Metadata{Labels: map[string]string{key: value}}
}

func TestDecisions(t *testing.T) {
	deleted := acme(events.OrganizationDeleted{Organization: "o1"})
	patch := aggregates.MetadataPatch{Labels: map[string]*string{"env": nil, "team": new("pay")}}
	for _, c := range []struct {
		name   string
		decide func() ([]events.Event, error)
		want   []events.Event
		reason string
	}{
		{"create an organization", func() ([]events.Event, error) {
			return space.CreateOrganization(space.State{}, "o1", "acme", labels("a", "b"))
		}, []events.Event{events.OrganizationCreated{Organization: "o1", Name: "acme", Metadata: labels("a", "b")}}, ""},
		{"blank name", func() ([]events.Event, error) {
			return space.CreateOrganization(space.State{}, "o1", " ", events.Metadata{})
		}, nil, "Name can't be blank"},
		{"long name", func() ([]events.Event, error) {
			return space.CreateOrganization(space.State{}, "o1", strings.Repeat("é", 256), events.Metadata{})
		}, nil, "Name is too long (maximum is 255 characters)"},
		{"line break", func() ([]events.Event, error) {
			return space.CreateOrganization(space.State{}, "o1", "a\nb", events.Metadata{})
		}, nil, "Name must not contain control characters or invalid UTF-8"},
		{"rename", func() ([]events.Event, error) {
			return space.UpdateOrganization(acme(), space.Change{Name: new("emca")})
		},
			[]events.Event{events.OrganizationUpdated{Organization: "o1", Name: "emca"}}, ""},
		{"rename to itself", func() ([]events.Event, error) {
			return space.UpdateOrganization(acme(), space.Change{Name: new("acme")})
		}, nil, ""},
		{"update of none", func() ([]events.Event, error) { return space.UpdateOrganization(deleted, space.Change{}) }, nil, "Organization not found"},
		{"delete with all it has", func() ([]events.Event, error) { return space.DeleteOrganization(acme()) }, []events.Event{
			events.SpaceDeleted{Space: "s1", Organization: "o1"}, events.SpaceDeleted{Space: "s2", Organization: "o1"},
			events.QuotaDeleted{Quota: "q1", Organization: "o1"}, events.QuotaDeleted{Quota: "q2", Organization: "o1"},
			events.OrganizationDeleted{Organization: "o1"},
		}, ""},
		{"delete again", func() ([]events.Event, error) { return space.DeleteOrganization(deleted) }, nil, ""},
		{"delete none", func() ([]events.Event, error) { return space.DeleteOrganization(space.State{}) }, nil, "Organization not found"},

		{"create a space", func() ([]events.Event, error) { return space.CreateSpace(acme(), "s3", "qa", events.Metadata{}) },
			[]events.Event{events.SpaceCreated{Space: "s3", Organization: "o1", Name: "qa"}}, ""},
		{"of a name that is there", func() ([]events.Event, error) { return space.CreateSpace(acme(), "s3", "prod", events.Metadata{}) },
			nil, "Name must be unique per organization"},
		{"in no organization", func() ([]events.Event, error) { return space.CreateSpace(deleted, "s3", "qa", events.Metadata{}) },
			nil, "Invalid organization. Ensure the organization exists and you have access to it."},
		{"the same again", func() ([]events.Event, error) { return space.CreateSpace(acme(), "s1", "prod", events.Metadata{}) }, nil, ""},
		{"change a space", func() ([]events.Event, error) {
			return space.UpdateSpace(acme(), "s1", space.Change{Name: new("live"), Metadata: patch})
		}, []events.Event{events.SpaceUpdated{Space: "s1", Organization: "o1", Name: "live", Metadata: labels("team", "pay")}}, ""},
		{"to a name that is there", func() ([]events.Event, error) {
			return space.UpdateSpace(acme(), "s1", space.Change{Name: new("test")})
		}, nil, "Name must be unique per organization"},
		{"no such space", func() ([]events.Event, error) { return space.UpdateSpace(acme(), "s9", space.Change{}) }, nil, "Space not found"},
		{"delete a space", func() ([]events.Event, error) { return space.DeleteSpace(acme(), "s1"), nil },
			[]events.Event{events.SpaceDeleted{Space: "s1", Organization: "o1"}}, ""},
		{"delete it again", func() ([]events.Event, error) { return space.DeleteSpace(acme(), "s9"), nil }, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.decide, c.want, c.reason) })
	}
}

func check(t *testing.T, decide func() ([]events.Event, error), want []events.Event, reason string) {
	is := is.New(t)
	got, err := decide()
	is.Equal(got, want)
	is.Equal(err != nil, reason != "") // refused, or not
	if err != nil {
		is.Equal(err.Error(), reason)
	}
}

func TestSpaceQuotas(t *testing.T) {
	limits := events.QuotaLimits{Instances: new(5)}
	set := func(id events.QuotaID, name string, l *events.QuotaLimits) space.SetQuota {
		c := space.SetQuota{Quota: id, Limits: l}
		if name != "" {
			c.Name = &name
		}
		return c
	}
	for _, c := range []struct {
		name   string
		decide func() ([]events.Event, error)
		want   []events.Event
		reason string
	}{
		{"create", func() ([]events.Event, error) { return space.CreateSpaceQuota(acme(), set("q3", "tiny", &limits)) },
			[]events.Event{events.QuotaCreated{Quota: "q3", Organization: "o1", Name: "tiny", Limits: limits}}, ""},
		{"a name that is there", func() ([]events.Event, error) { return space.CreateSpaceQuota(acme(), set("q3", "small", nil)) },
			nil, "Space Quota 'small' already exists."},
		{"below nothing", func() ([]events.Event, error) {
			return space.CreateSpaceQuota(acme(), set("q3", "tiny", &events.QuotaLimits{MemoryMB: new(-1)}))
		}, nil, "Total memory in mb must be greater than or equal to 0"},
		{"beyond sense", func() ([]events.Event, error) {
			return space.CreateSpaceQuota(acme(), set("q3", "tiny", &events.QuotaLimits{Routes: new(1 << 31)}))
		}, nil, "Total routes must be less than or equal to 2147483647"},
		{"log rate below nothing", func() ([]events.Event, error) {
			return space.CreateSpaceQuota(acme(), set("q3", "tiny", &events.QuotaLimits{LogRate: new(int64(-1))}))
		}, nil, "Log rate limit in bytes per second must be greater than or equal to 0"},
		{"change the limits", func() ([]events.Event, error) { return space.UpdateSpaceQuota(acme(), set("q1", "", &limits)) },
			[]events.Event{events.QuotaUpdated{Quota: "q1", Organization: "o1", Name: "small", Limits: limits}}, ""},
		{"change nothing", func() ([]events.Event, error) {
			return space.UpdateSpaceQuota(acme(), set("q1", "small", &events.QuotaLimits{Instances: new(4)}))
		}, nil, ""},
		{"change none", func() ([]events.Event, error) { return space.UpdateSpaceQuota(acme(), set("q9", "", nil)) }, nil, "Space quota not found"},
		{"apply", func() ([]events.Event, error) { return space.ApplySpaceQuota(acme(), "q2", "s1") },
			[]events.Event{events.QuotaApplied{Quota: "q2", Organization: "o1", Space: "s1"}}, ""},
		{"apply again", func() ([]events.Event, error) { return space.ApplySpaceQuota(acme(), "q1", "s1") }, nil, ""},
		{"apply to no space", func() ([]events.Event, error) { return space.ApplySpaceQuota(acme(), "q1", "s9") }, nil,
			`Spaces with guids ["s9"] do not exist within the organization specified, or you do not have access to them.`},
		{"apply none", func() ([]events.Event, error) { return space.ApplySpaceQuota(acme(), "q9", "s1") }, nil, "Space quota not found"},
		{"take away", func() ([]events.Event, error) { return space.RemoveSpaceQuota(acme(), "q1", "s1") },
			[]events.Event{events.QuotaApplied{Organization: "o1", Space: "s1"}}, ""},
		{"take away what it has not", func() ([]events.Event, error) { return space.RemoveSpaceQuota(acme(), "q2", "s1") }, nil,
			"Unable to remove quota from space with guid 's1'. Ensure the space quota is applied to this space."},
		{"delete", func() ([]events.Event, error) { return space.DeleteSpaceQuota(acme(), "q1"), nil },
			[]events.Event{events.QuotaDeleted{Quota: "q1", Organization: "o1"}}, ""},
		{"of the organization", func() ([]events.Event, error) { return space.ApplyQuota(acme(), "q7") },
			[]events.Event{events.QuotaApplied{Quota: "q7", Organization: "o1"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.decide, c.want, c.reason) })
	}
}

func TestOrganizationQuotas(t *testing.T) {
	is := is.New(t)
	made, err := space.CreateQuota(space.Quota{}, space.SetQuota{Quota: "q1", Name: new("small"), Limits: &events.QuotaLimits{Routes: new(3)}})
	is.NoErr(err)
	is.Equal(made, []events.Event{events.QuotaCreated{Quota: "q1", Name: "small", Limits: events.QuotaLimits{Routes: new(3)}}})
	q := space.EvolveQuota(space.Quota{}, made[0])
	again, err := space.CreateQuota(q, space.SetQuota{Quota: "q1", Name: new("small")})
	is.NoErr(err)
	is.Equal(again, nil) // once
	changed, err := space.UpdateQuota(q, space.SetQuota{Quota: "q1", Limits: &events.QuotaLimits{}})
	is.NoErr(err)
	is.Equal(changed, []events.Event{events.QuotaUpdated{Quota: "q1", Name: "small"}}) // no limits any more
	_, err = space.DeleteQuota(q, true)
	is.Equal(err.Error(), "This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting.")
	gone, err := space.DeleteQuota(q, false)
	is.NoErr(err)
	q = space.EvolveQuota(q, gone[0])
	is.True(!q.Exists())
	gone, err = space.DeleteQuota(q, false)
	is.NoErr(err)
	is.Equal(gone, nil) // once
	_, err = space.UpdateQuota(q, space.SetQuota{Quota: "q1"})
	is.Equal(fmt.Sprint(err), "Organization quota not found")
}

func TestMetadataPatch(t *testing.T) {
	is := is.New(t)
	stands := events.Metadata{Labels: map[string]string{"a": "1", "b": "2"}}
	next := aggregates.MetadataPatch{
		Labels: map[string]*string{"a": nil, "c": new("3")}, Annotations: map[string]*string{"x": new("y"), "z": nil},
	}.On(stands)
	is.Equal(next, events.Metadata{Labels: map[string]string{"b": "2", "c": "3"}, Annotations: map[string]string{"x": "y"}})
	is.Equal(stands.Labels, map[string]string{"a": "1", "b": "2"}) // what it was is as it was
	is.Equal(aggregates.MetadataPatch{}.On(events.Metadata{}), events.Metadata{})
}
