package group_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/aggregates/plan"
	"slipway/events"
)

// TestWhatIsCreated is what was asked for, up to the limits; the same again decides nothing.
func TestWhatIsCreated(t *testing.T) {
	is := is.New(t)
	home := group.Home{Organization: "acme", Space: "prod"}
	c := group.Creation{
		Group: "g", Name: strings.Repeat("x", 250), Homes: []group.Home{home, home}, By: "client/ci", Automation: true, Now: now,
		Metadata: events.Metadata{Labels: map[string]string{"team": "blue"}}, Schedule: plan.FirstStepLater,
	}
	for i := range 100 {
		c.Members = append(c.Members, events.GroupMember{App: events.AppID(fmt.Sprint(i)), Wave: i + 1})
	}
	decided, err := group.Create(group.State{}, c)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.GroupCreated{
		Group: "g", Name: c.Name, Organization: "acme", Space: "prod", Members: c.Members, Metadata: c.Metadata,
		Schedule: string(plan.FirstStepLater), By: "client/ci", Automation: true, At: now,
	}})
	s := fold(group.State{}, decided...)
	is.Equal([]any{s.Metadata.Labels["team"], s.Schedule, s.By, s.Automation}, []any{"blue", plan.FirstStepLater, c.By, true})
	again, err := group.Create(s, c)
	is.NoErr(err)
	is.Equal(len(again), 0)
	late := c
	late.Members = []events.GroupMember{{App: "a", Wave: 101}}
	is.Equal(late.Check().Error(), "Members 1 wave must be an integer between 1 and 100")
	is.Equal(created(1).Automation, false) // a person asked
	late.Members, late.Automation = []events.GroupMember{{App: "a", Wave: 1}}, false
	decided, err = group.Create(group.State{}, late)
	is.NoErr(err)
	is.Equal(decided[0].(events.GroupCreated).Automation, false)
	c.Metadata.Labels = map[string]string{"-": "no key"}
	is.True(c.Check() != nil) // labels are checked
}

func TestSetMetadata(t *testing.T) {
	is := is.New(t)
	blue, bad := "blue", strings.Repeat("x", 64)
	patch := aggregates.MetadataPatch{Labels: map[string]*string{"team": &blue}}
	_, err := group.SetMetadata(group.State{}, patch)
	is.Equal(err, group.NotFound())
	s := created(1)
	decided, err := group.SetMetadata(s, patch)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.GroupMetadataSet{
		Group: "g", Metadata: events.Metadata{Labels: map[string]string{"team": "blue"}},
	}})
	again, err := group.SetMetadata(fold(s, decided...), patch)
	is.NoErr(err)
	is.Equal(len(again), 0)
	_, err = group.SetMetadata(s, aggregates.MetadataPatch{Labels: map[string]*string{"team": &bad}})
	is.True(err != nil) // too long
}

// TestSee: a deployment is active, waits, has ended, or is not known.
func TestSee(t *testing.T) {
	plan := []events.Step{{Gate: events.GateManual}, {Gate: events.GateManual}, {Gate: events.GateHealthy}}
	on := func(d app.Deployment) app.State {
		d.DeploymentCreated = events.DeploymentCreated{Deployment: "d", Plan: plan}
		return app.State{Deployment: &d}
	}
	asked := app.Request{DeploymentApprovalRequested: events.DeploymentApprovalRequested{Deployment: "d"}}
	for name, c := range map[string]struct {
		of   app.State
		want group.Sighting
		ok   bool
	}{
		"unknown":   {app.State{}, group.Sighting{}, false},
		"another":   {app.State{Deployment: &app.Deployment{}, Ended: []app.Ended{{ID: "e"}}}, group.Sighting{}, false},
		"to a step": {on(app.Deployment{}), group.Sighting{Status: group.Deploying, Step: 1}, true},
		"active":    {on(app.Deployment{Step: 2}), group.Sighting{Status: group.Deploying, Step: 2}, true},
		"at a step": {on(app.Deployment{Step: 1, AtPause: true}), group.Sighting{Status: group.Paused, Step: 2, AtPause: true}, true},
		"halted":    {on(app.Deployment{Step: 1, AtPause: true, Halt: "h", Error: "because"}), group.Sighting{Status: group.Paused, Step: 2, AtPause: true, Halt: "because"}, true},
		"held":      {on(app.Deployment{AtPause: true, Held: true}), group.Sighting{Status: group.Paused, Step: 1}, true},
		"waits":     {app.State{Requests: []app.Request{asked}}, group.Sighting{Status: group.Approval}, true},
		"ended": {
			app.State{Ended: []app.Ended{{ID: "d", Reason: app.ReasonDeployed}, {ID: "e", Reason: app.ReasonCanceled}}},
			group.Sighting{Status: group.Deployed}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, ok := group.See(c.of, "d")
			is.Equal(got, c.want)
			is.Equal(ok, c.ok)
		})
	}
}

// TestDeeds say whom, what, in whose name, and under which id, so that doing one twice does it once.
func TestDeeds(t *testing.T) {
	is := is.New(t)
	s := fold(created(1, 1), started("1"), started("2"))
	is.Equal(group.Due(s, seeing(group.Paused, group.Paused)), nil) // nobody is continued who was not told to be
	create := group.Due(s, seeing("", group.Deploying))
	is.Equal([]any{create[0].Command, create[0].By}, []any{events.CommandID("c1"), events.Actor("user/ann")})
	is.Equal(group.Done(s, create[0], nil, now), nil) // its app tells of it

	both := seeing(group.Paused, group.Paused)
	decided, err := group.Direct(s, both, group.Direction{Directive: "continue", Command: "c", By: "user/bob", Now: now})
	s = fold(s, decided...)
	is.NoErr(err)
	deeds := group.Due(s, both)
	is.Equal(deeds, group.Due(s, both)) // with the same ids
	is.Equal([]any{deeds[1].Member.Deployment, deeds[1].Directive, deeds[1].Step, deeds[1].By},
		[]any{events.DeploymentID("m2"), "continue", 1, events.Actor("user/bob")})
	done := group.Done(s, deeds[0], nil, now)
	is.Equal(done, []events.Event{events.GroupMemberDirected{Group: "g", Deployment: "m1", Command: "c"}})
	is.Equal(len(group.Due(fold(s, done...), both)), 1) // the other is still to be told
	faulty := group.Done(s, deeds[1], errors.New("line is dead"), now)
	is.Equal(faulty[0].(events.GroupMemberDirected).Error, "line is dead")
	gone := fold(s, ended("1", group.Canceled, ""))
	is.Equal(group.Done(gone, create[0], aggregates.Reject("too late"), now), nil)        // it has ended
	is.Equal(group.Done(created(), create[0], aggregates.Reject("a stranger"), now), nil) // it is none of this group's

	s = fold(created(1, 1), started("1"), started("2"), events.GroupDirected{Directive: "finalize", Command: "c"})
	final := group.Due(s, both)
	is.Equal([]any{final[0].Member.Deployment, final[0].Directive}, []any{events.DeploymentID("m1"), "continue"})
	later := both
	later["m1"] = group.Sighting{Status: group.Paused, Step: 2, AtPause: true}
	ids := []events.CommandID{final[0].Command, final[1].Command, group.Due(s, later)[0].Command}
	slices.Sort(ids)
	is.Equal(len(slices.Compact(ids)), 3) // each member, and each step, is another deed
	s = fold(s, ended("1", group.Deployed, ""))
	is.Equal(group.Due(s, later)[0].Member.Deployment, events.DeploymentID("m2")) // who has ended is not continued
}

// TestOrdersOfTwoDirectives: what is done of one leaves the other; to continue changes no course.
func TestOrdersOfTwoDirectives(t *testing.T) {
	is := is.New(t)
	directed := func(what string, command events.CommandID, to ...events.GroupOrder) events.Event {
		return events.GroupDirected{Group: "g", Directive: what, Command: command, Orders: to, By: "user/bob"}
	}
	m1, m2 := events.GroupOrder{Deployment: "m1"}, events.GroupOrder{Deployment: "m2"}
	s := fold(created(1, 1), started("1"), started("2"), directed("cancel", "c", m1, m2), directed("continue", "d", m1))
	is.Equal(s.Status(seeing(group.Canceled, group.Canceled)), group.StatusCanceled)
	s = fold(s, events.GroupMemberDirected{Group: "g", Deployment: "m1", Command: "c"})
	left := []string{}
	for _, o := range s.Orders {
		left = append(left, string(o.Deployment)+" "+o.Directive)
	}
	is.Equal(left, []string{"m2 cancel", "m1 continue"})
	deeds := group.Due(s, seeing(group.Deploying, group.Deploying))
	s = fold(s, group.Done(s, deeds[1], nil, now)...)
	s = fold(s, directed("cancel", "e", m1))
	is.Equal(group.Done(s, deeds[1], nil, now), nil) // it is on record, whatever else m1 was told since
}

// TestNextOfNoGroup decides nothing.
func TestNextOfNoGroup(t *testing.T) {
	is.New(t).Equal(group.Next(group.State{}, nil, now), nil)
}

// TestAFoldLeavesTheStateBeforeAlone: retries hold on to it.
func TestAFoldLeavesTheStateBeforeAlone(t *testing.T) {
	is := is.New(t)
	order := func(n string) events.Event {
		return events.GroupDirected{Group: "g", Directive: "cancel", Command: "c", Orders: []events.GroupOrder{{Deployment: events.DeploymentID(n)}}}
	}
	s := fold(created(1, 1, 1), order("m1"), order("m2"), order("m3"))
	s.Orders = s.Orders[:2:3] // with room behind them
	for _, e := range []events.Event{
		started("1"), ended("1", group.Deployed, ""), order("m1"), events.GroupMemberDirected{Deployment: "m1", Command: "c"},
	} {
		before := fmt.Sprint(s, s.Orders[:3])
		after := group.Evolve(s, e)
		is.Equal(fmt.Sprint(s, s.Orders[:3]), before)
		is.True(!reflect.DeepEqual(after, s)) // something became of the event
	}
}
