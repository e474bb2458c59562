package projections_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/projections"
)

// governed are facts about what keeps rollouts, versions and automation of an app back.
func governed(t *rapid.T, app events.AppID, droplet events.DropletID, revision events.RevisionID) []events.Event {
	halt := id[events.HaltID](t, "h")
	policy, rule := id[events.PolicyID](t, "q"), events.PolicyRule{Outcome: events.OutcomeDeny}
	return []events.Event{
		events.PolicyCreated{Policy: policy, Name: "freeze", Rule: rule, Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}}},
		events.PolicyUpdated{Policy: policy, Name: "thaw", Rule: events.PolicyRule{Outcome: events.OutcomeAllow}},
		events.PolicyDeleted{Policy: policy},
		events.HaltDeclared{Halt: halt, Space: "s1", Reason: "incident", By: "ann", At: at(1), Until: at(9)},
		events.HaltLifted{Halt: halt, By: "bob", At: at(2)},
		events.VersionRejected{App: app, Droplet: droplet, Reason: "leaks", By: "ann"},
		events.VersionAccepted{App: app, Droplet: droplet, By: "ann"},
		events.VersionRejected{App: app, Revision: revision, Reason: "leaks", By: "ann"},
		events.VersionAccepted{App: app, Revision: revision, By: "ann"},
		events.AutomationHeld{App: app, Reason: "ann went back", By: "ann", At: at(3)},
		events.AutomationReleased{App: app, By: "ann"},
	}
}

// guids are the rows' in their order.
func guids(rows []projections.Halt) (ids []events.HaltID) {
	for _, h := range rows {
		ids = append(ids, h.GUID)
	}
	return ids
}

func TestHalts(t *testing.T) {
	is := is.New(t)
	l := &log{actor: "ann"}
	declare := func(id events.HaltID, o events.OrganizationID, s events.SpaceID, until time.Time) {
		l.add(events.HaltSubject, events.HaltDeclared{Halt: id, Organization: o, Space: s, Reason: "incident", By: "ann", At: at(1), Until: until})
	}
	l.add(events.OrganizationSubject("o1"), events.OrganizationCreated{Organization: "o1", Name: "acme"},
		events.SpaceCreated{Organization: "o1", Space: "s1", Name: "prod"}, events.SpaceCreated{Organization: "o1", Space: "s2", Name: "dev"})
	declare("everywhere", "", "", time.Time{})
	declare("organization", "o1", "", at(20))
	declare("space", "o1", "s1", at(9))
	declare("other", "o2", "s9", at(20))
	l.add(events.HaltSubject, events.HaltLifted{Halt: "organization", By: "bob", At: at(8)})
	s := applied(t, l)

	for name, c := range map[string]struct {
		sight projections.Sight
		f     projections.HaltFilter
		want  []events.HaltID
	}{
		"all":                    {s.All(), projections.HaltFilter{}, []events.HaltID{"everywhere", "organization", "space", "other"}},
		"of nobody":              {s.Only(nil, nil), projections.HaltFilter{}, []events.HaltID{"everywhere"}},
		"in a space":             {s.Only([]events.SpaceID{"s1"}, nil), projections.HaltFilter{}, []events.HaltID{"everywhere", "organization", "space"}},
		"in another":             {s.Only([]events.SpaceID{"s2"}, nil), projections.HaltFilter{}, []events.HaltID{"everywhere", "organization"}},
		"of an organization":     {s.Only(nil, []events.OrganizationID{"o1"}), projections.HaltFilter{}, []events.HaltID{"everywhere", "organization"}},
		"in force before":        {s.All(), projections.HaltFilter{States: []projections.HaltState{"IN_FORCE"}, Now: at(8)}, []events.HaltID{"everywhere", "space", "other"}},
		"in force at the end":    {s.All(), projections.HaltFilter{States: []projections.HaltState{"IN_FORCE"}, Now: at(9)}, []events.HaltID{"everywhere", "other"}},
		"lifted and over":        {s.All(), projections.HaltFilter{States: []projections.HaltState{"LIFTED", "OVER"}, Now: at(9)}, []events.HaltID{"organization", "space"}},
		"of one space":           {s.All(), projections.HaltFilter{Spaces: []events.SpaceID{"s1"}}, []events.HaltID{"space"}},
		"of guids":               {s.All(), projections.HaltFilter{GUIDs: []events.HaltID{"space"}}, []events.HaltID{"space"}},
		"of an organization's":   {s.All(), projections.HaltFilter{Organizations: []events.OrganizationID{"o2"}}, []events.HaltID{"other"}},
		"created":                {s.All(), projections.HaltFilter{Created: projections.TimeFilter{Equal: []time.Time{at(3)}}}, []events.HaltID{"organization"}},
		"updated":                {s.All(), projections.HaltFilter{Updated: projections.TimeFilter{Equal: []time.Time{at(6)}}}, []events.HaltID{"organization"}},
		"of a state there isn't": {s.All(), projections.HaltFilter{States: []projections.HaltState{"SAD"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			l, err := c.sight.Halts(t.Context(), c.f, projections.Order{}, projections.Page{})
			is.NoErr(err)
			is.Equal(guids(l.Rows), c.want)
		})
	}
	lifted, err := s.Halt(t.Context(), "organization")
	is.NoErr(err)
	is.Equal([]any{lifted.LiftedBy, lifted.LiftedAt, lifted.State(at(30))}, []any{events.Actor("bob"), at(8), projections.HaltLifted})
	space, err := s.Halt(t.Context(), "space")
	is.NoErr(err)
	is.Equal([]any{space.Reason, space.By}, []any{"incident", events.Actor("ann")})
	is.Equal([]any{space.State(at(8)), space.State(at(9))}, []any{projections.HaltInForce, projections.HaltOver})
	everywhere, err := s.Halt(t.Context(), "everywhere")
	is.NoErr(err)
	is.Equal(everywhere.State(at(30)), projections.HaltInForce) // it has no end
}

func TestRejectedVersionsAndHeldAutomation(t *testing.T) {
	is := is.New(t)
	l := deploying()
	l.app(events.VersionRejected{App: "a1", Droplet: "d1", Reason: "leaks", By: "ann"},
		events.VersionRejected{App: "a1", Revision: "r1", Reason: "slow", By: "ann"},
		events.AutomationHeld{App: "a1", Reason: "ann went back", By: "ann", At: at(5)})
	l.app(events.VersionRejected{App: "a2", Droplet: "d2", Reason: "not theirs", By: "eve"}, // of another app's nothing is said
		events.VersionRejected{App: "a2", Revision: "r1", Reason: "not theirs", By: "eve"})
	s := applied(t, l)
	other, err := s.Droplet(t.Context(), "d1")
	is.NoErr(err)
	is.Equal(other.UpdatedAt, at(other.Sequence)) // when it was rejected
	look := func() []string {
		d, err := s.Droplet(t.Context(), "d1")
		is.NoErr(err)
		r, err := s.Revision(t.Context(), "r1")
		is.NoErr(err)
		a, err := s.App(t.Context(), "a1")
		is.NoErr(err)
		return []string{d.Rejected, r.Rejected, a.NoAutomation}
	}
	is.Equal(look(), []string{"leaks", "slow", "ann went back"})
	done := l.app(events.VersionAccepted{App: "a1", Droplet: "d1", By: "ann"}, events.VersionAccepted{App: "a1", Revision: "r1", By: "ann"},
		events.AutomationReleased{App: "a1", By: "ann"})
	is.NoErr(s.Apply(t.Context(), []events.Recorded{done}))
	is.Equal(look(), []string{"", "", ""})
}

// TestGovernanceOfNothing is told as an anomaly, and stops nothing: so is what is there already.
func TestGovernanceOfNothing(t *testing.T) {
	for want, c := range map[string]struct {
		subject events.Subject
		facts   []events.Event
	}{
		"halt h exists already":          {events.HaltSubject, []events.Event{events.HaltDeclared{Halt: "h"}, events.HaltDeclared{Halt: "h"}}},
		"halt x is unknown":              {events.HaltSubject, []events.Event{events.HaltMetadataSet{Halt: "x"}}},
		"halt y is unknown":              {events.HaltSubject, []events.Event{events.HaltLifted{Halt: "y"}}},
		"policy p exists already":        {events.PolicySubject, []events.Event{events.PolicyCreated{Policy: "p"}, events.PolicyCreated{Policy: "p"}}},
		"policy x is unknown":            {events.PolicySubject, []events.Event{events.PolicyUpdated{Policy: "x"}}},
		"policy y is unknown":            {events.PolicySubject, []events.Event{events.PolicyDeleted{Policy: "y"}}},
		"app a is unknown":               {events.AppSubject("a"), []events.Event{events.AutomationHeld{App: "a"}}},
		"app b is unknown":               {events.AppSubject("b"), []events.Event{events.AutomationReleased{App: "b"}}},
		"group j exists already":         {events.GroupSubject("j"), []events.Event{events.GroupCreated{Group: "j"}, events.GroupCreated{Group: "j"}}},
		"group x is unknown":             {events.GroupSubject("x"), []events.Event{events.GroupEnded{Group: "x"}}},
		`app "a" has no deployment "x1"`: {events.AppSubject("a"), []events.Event{events.DeploymentApproved{App: "a", Deployment: "x1"}}},
		`app "a" has no deployment "x2"`: {events.AppSubject("a"), []events.Event{events.DeploymentDenied{App: "a", Deployment: "x2"}}},
		"subscription x is unknown":      {events.SubscriptionSubject("x"), []events.Event{events.SubscriptionDeleted{SubscriptionRef: events.SubscriptionRef{Subscription: "x"}}}},
	} {
		t.Run(want, func(t *testing.T) {
			is := is.New(t)
			l := &log{actor: "ann"}
			l.add(c.subject, c.facts...)
			found, err := applied(t, l).Anomalies(t.Context(), projections.Page{})
			is.NoErr(err)
			is.Equal(len(found.Rows), 1)
			is.Equal(found.Rows[0].Problem, want)
		})
	}
}

// TestAnAnswerToNoRequest is no harm: of a deployment that was not asked for before.
func TestAnAnswerToNoRequest(t *testing.T) {
	is := is.New(t)
	l := deploying()
	l.app(events.DeploymentApproved{App: "a1", Deployment: "x1", By: "bob", Granted: true})
	d, err := applied(t, l).Deployment(t.Context(), "x1")
	is.NoErr(err)
	is.Equal(d.StatusReason, projections.ReasonDeploying) // it goes on
}
