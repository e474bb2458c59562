package projections_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// TestListsOfPolicies: each filter leaves out what it says, and nobody sees what is about places they do not see.
func TestListsOfPolicies(t *testing.T) {
	is := is.New(t)
	l := &log{actor: "ann"}
	create := func(id events.PolicyID, o events.OrganizationID, s events.SpaceID, outcome, team string) {
		l.add(events.PolicySubject, events.PolicyCreated{
			Policy: id, Name: "the " + string(id), Organization: o, Space: s, Rule: events.PolicyRule{Outcome: outcome},
			Metadata: events.Metadata{Labels: map[string]string{"team": team}},
		})
	}
	l.add(events.OrganizationSubject("o1"), events.OrganizationCreated{Organization: "o1", Name: "acme"},
		events.SpaceCreated{Organization: "o1", Space: "s1", Name: "prod"}, events.SpaceCreated{Organization: "o1", Space: "s2", Name: "dev"})
	create("everywhere", "", "", events.OutcomeAllow, "pay")    // at(2)
	create("organization", "o1", "", events.OutcomeDeny, "pay") // at(3)
	create("space", "o1", "s1", events.OutcomeDeny, "ops")      // at(4)
	create("other", "o2", "s9", events.OutcomeAllow, "ops")     // at(5)
	l.add(events.PolicySubject, events.PolicyUpdated{Policy: "everywhere", Name: "the changed", Rule: events.PolicyRule{Outcome: events.OutcomeAllow, Reason: "anew"},
		Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}}}) // at(6)
	s := applied(t, l)
	type filter = projections.PolicyFilter
	all := s.All()
	for name, c := range map[string]struct {
		sight projections.Sight
		f     filter
		want  []events.PolicyID
	}{
		"all":                {all, filter{}, []events.PolicyID{"everywhere", "organization", "space", "other"}},
		"of nobody":          {s.Only(nil, nil), filter{}, []events.PolicyID{"everywhere"}},
		"in a space":         {s.Only([]events.SpaceID{"s1"}, nil), filter{}, []events.PolicyID{"everywhere", "organization", "space"}},
		"in another":         {s.Only([]events.SpaceID{"s2"}, nil), filter{}, []events.PolicyID{"everywhere", "organization"}},
		"of an organization": {s.Only(nil, []events.OrganizationID{"o1"}), filter{}, []events.PolicyID{"everywhere", "organization"}},
		"guids":              {all, filter{GUIDs: []events.PolicyID{"space", "other"}}, []events.PolicyID{"space", "other"}},
		"names":              {all, filter{Names: []string{"the space"}}, []events.PolicyID{"space"}},
		"organizations":      {all, filter{Organizations: []events.OrganizationID{"o1"}}, []events.PolicyID{"organization", "space"}},
		"spaces":             {all, filter{Spaces: []events.SpaceID{"s9"}}, []events.PolicyID{"other"}},
		"outcomes":           {all, filter{Outcomes: []string{events.OutcomeDeny}}, []events.PolicyID{"organization", "space"}},
		"created":            {all, filter{Created: projections.TimeFilter{Equal: []time.Time{at(3)}}}, []events.PolicyID{"organization"}},
		"updated":            {all, filter{Updated: projections.TimeFilter{Equal: []time.Time{at(6)}}}, []events.PolicyID{"everywhere"}},
		"labels": {all, filter{Labels: []projections.LabelRequirement{{Key: "team", Operator: projections.LabelIn, Values: []string{"ops"}}}},
			[]events.PolicyID{"space", "other"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			found, err := c.sight.Policies(t.Context(), c.f, projections.Order{}, projections.Page{})
			is.NoErr(err)
			var ids []events.PolicyID
			for _, p := range found.Rows {
				ids = append(ids, p.GUID)
			}
			is.Equal(ids, c.want)
			is.Equal(found.Total, len(c.want))
		})
	}
	p, err := s.Policy(t.Context(), "space")
	is.NoErr(err)
	is.Equal([]any{p.Name, p.Organization, p.Space, p.Rule.Outcome, p.Metadata.Labels["team"]},
		[]any{"the space", events.OrganizationID("o1"), events.SpaceID("s1"), events.OutcomeDeny, "ops"})
	changed, err := s.Policy(t.Context(), "everywhere")
	is.NoErr(err)
	is.Equal([]string{changed.Name, changed.Rule.Reason}, []string{"the changed", "anew"})
	is.NoErr(s.Apply(t.Context(), []events.Recorded{l.add(events.PolicySubject, events.PolicyDeleted{Policy: "space"})}))
	_, err = s.Policy(t.Context(), "space")
	is.Equal(err, projections.ErrNotFound)
}
