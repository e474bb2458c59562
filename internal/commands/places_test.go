package commands_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

func TestBootstrapHappensOnce(t *testing.T) {
	is := is.New(t)
	r := newRig()
	var all sync.WaitGroup
	for range 4 { // several processes start at once
		all.Go(func() {
			if err := r.handler.Bootstrap(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	is.Equal(r.types(t), []events.Type{"domain.created", "name.taken", "organization.created", "space.created"})
	r.must(t, "rename", commands.UpdateOrganization{Organization: "default", Called: new("home")})
	r.must(t, "delete", commands.DeleteSpace{Space: "default"})
	before := len(r.types(t))
	is.NoErr(r.handler.Bootstrap(t.Context()))
	is.Equal(len(r.types(t)), before) // what somebody renamed or deleted stays so
	_, err := r.do("app", commands.CreateApp{AppName: "x"})
	is.Equal(refusal(err), "Invalid space. Ensure that the space exists and you have access to it.")
}

// TestABrokenOffCommandIsCompleted lets fail each append of a command in turn and sends it again.
func TestABrokenOffCommandIsCompleted(t *testing.T) {
	for name, c := range map[string]struct {
		given   []commands.Command
		command func(ids []string) commands.Command
	}{
		"create an organization": {nil, func([]string) commands.Command { return commands.CreateOrganization{Called: "acme"} }},
		"rename an organization": {[]commands.Command{commands.CreateOrganization{Called: "acme"}}, func(ids []string) commands.Command {
			return commands.UpdateOrganization{Organization: events.OrganizationID(ids[0]), Called: new("emca")}
		}},
		"create a quota for one": {[]commands.Command{commands.CreateOrganization{Called: "acme"}}, func(ids []string) commands.Command {
			return commands.CreateQuota{Called: "small", Organizations: []events.OrganizationID{events.OrganizationID(ids[0])}}
		}},
		"delete a space with an app": {[]commands.Command{
			commands.CreateApp{AppName: "hello"}, commands.CreateApp{AppName: "other"},
		}, func([]string) commands.Command { return commands.DeleteSpace{Space: "default"} }},
		"delete a space with rules": {[]commands.Command{
			commands.CreatePolicy{Space: "default", Called: "freeze", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}},
			commands.DeclareHalt{Space: "default", Reason: "incident"},
			commands.CreateSubscription{Space: "default", Called: "chat", URL: "https://hooks.test", Types: []string{"*"}},
		}, func([]string) commands.Command { return commands.DeleteSpace{Space: "default"} }},
		"create an app": {nil, func([]string) commands.Command { return commands.CreateApp{AppName: "hello"} }},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			whole, _ := carriedOut(t, c.given, c.command, 0)
			is.True(len(whole) > 0)
			slices.Sort(whole)
			for failing := 1; ; failing++ {
				got, failed := carriedOut(t, c.given, c.command, failing)
				if !failed {
					break
				}
				slices.Sort(got)
				is.Equal(got, whole) // the same facts, whichever append failed first
			}
		})
	}
}

// TestNoPlaceIsNotEveryPlace: a command that names no place, as `nats req rpc.space.delete '{}'` sends it, deletes nothing.
func TestNoPlaceIsNotEveryPlace(t *testing.T) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	r.must(t, "app", commands.CreateApp{AppName: "hello"})
	before := r.types(t)
	_, err := r.do("space", commands.DeleteSpace{})
	is.Equal(refusal(err), "Space not found")
	_, err = r.do("organization", commands.DeleteOrganization{})
	is.Equal(refusal(err), "Organization not found")
	is.Equal(r.types(t), before) // nothing is gone
}

// TestTheIDOfAnotherCommandDeletesNothing: under it the place stands, so what is in it stays.
func TestTheIDOfAnotherCommandDeletesNothing(t *testing.T) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	r.must(t, "app", commands.CreateApp{AppName: "hello"})
	r.must(t, "label", commands.UpdateOrganization{Organization: "default", Called: new("home")})
	before := r.types(t)
	for _, c := range []commands.Command{commands.DeleteSpace{Space: "default"}, commands.DeleteOrganization{Organization: "default"}} {
		_, err := r.do("label", c)
		is.Equal(refusal(err), "The command id 'label' was used for something else. Send the command with another id.")
	}
	is.Equal(r.types(t), before) // nothing is gone
}

// TestRulesGoLast: what a freeze or a halt holds in a space does not begin because the space is deleted.
func TestRulesGoLast(t *testing.T) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	r.must(t, "app", commands.CreateApp{AppName: "hello"})
	r.must(t, "freeze", commands.CreatePolicy{Space: "default", Called: "freeze", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}})
	r.must(t, "halt", commands.DeclareHalt{Space: "default", Reason: "incident"})
	r.must(t, "space", commands.DeleteSpace{Space: "default"})
	all := r.types(t)
	gone := slices.Index(all, events.TypeAppDeleted)
	is.True(gone >= 0)
	is.True(gone < slices.Index(all, events.TypePolicyDeleted))
	is.True(gone < slices.Index(all, events.TypeHaltLifted))
}

// TestADeletionThatFailsAgainIsNotRefused: whoever is refused does not send it again, and the rest would stay.
func TestADeletionThatFailsAgainIsNotRefused(t *testing.T) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	r.must(t, "freeze", commands.CreatePolicy{Space: "default", Called: "freeze", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}})
	for _, failing := range []int{2, 1} { // the space is deleted the first time, the policy is not in either
		r.log.failAt(failing)
		_, err := r.do("space", commands.DeleteSpace{Space: "default"})
		var refused *aggregates.RejectedError
		is.True(errors.Is(err, eventlog.ErrUnavailable))
		is.True(!errors.As(err, &refused))
	}
	r.must(t, "space", commands.DeleteSpace{Space: "default"})
	is.True(slices.Contains(r.types(t), events.TypePolicyDeleted))
}

// carriedOut gives the facts of a command that is sent until it is carried out, where its n-th append fails once.
func carriedOut(t *testing.T, given []commands.Command, command func([]string) commands.Command, n int) (facts []events.Type, failed bool) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	var ids []string
	for i, g := range given {
		ids = append(ids, r.must(t, "given-"+string(rune('a'+i)), g).ID)
	}
	before := len(r.types(t))
	r.log.failAt(n)
	for range 3 {
		_, err := r.do("it", command(ids))
		if err == nil {
			break
		}
		is.True(errors.Is(err, eventlog.ErrUnavailable)) // nothing but the fault
	}
	// What is only tidied up may be left: the next claim on a name heals it, and a route of a dead app leads nowhere.
	tidy := []events.Type{"name.freed", "name.released", "route.deleted"}
	facts = slices.DeleteFunc(r.types(t)[before:], func(t events.Type) bool { return slices.Contains(tidy, t) })
	return facts, r.log.failed()
}

func TestQuotaFacts(t *testing.T) {
	is := is.New(t)
	r := newRig()
	is.NoErr(r.handler.Bootstrap(t.Context()))
	asked := 0
	usage := usageFunc(func() (app.Usage, app.Usage) {
		asked++
		return app.Usage{Instances: 3}, app.Usage{Instances: 2}
	})
	quotas := commands.NewQuotas(r.log, nil, usage)
	facts, err := quotas.Of(t.Context(), "default", "default")
	is.NoErr(err)
	is.Equal([]any{facts.Organization.Name, facts.Space.Name, facts.Check(app.UsageOf(1e6, 1e6, -1)), asked}, []any{"default", "default", "", 0}) // no quota, no question

	organization := r.must(t, "q1", commands.CreateQuota{Called: "a", Limits: events.QuotaLimits{Instances: new(4)}, Organizations: []events.OrganizationID{"default"}})
	r.must(t, "q2", commands.CreateQuota{Organization: "default", Called: "b", Limits: events.QuotaLimits{Instances: new(2)}, Spaces: []events.SpaceID{"default"}})
	facts, err = quotas.Of(t.Context(), "default", "default")
	is.NoErr(err)
	is.Equal(facts.Check(app.UsageOf(2, 1, 1)), "app_instance_limit app_instance_limit_exceeded, app_instance_limit space_app_instance_limit_exceeded")
	is.Equal(facts.Check(app.UsageOf(1, 1, 1)), "app_instance_limit space_app_instance_limit_exceeded")
	is.Equal(asked, 1)

	_, err = r.do("no", commands.DeleteQuota{Quota: events.QuotaID(organization.ID)})
	is.Equal(refusal(err), "This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting.")
	_, err = r.do("none", commands.ApplyQuota{Quota: "nobody"})
	is.Equal(refusal(err), "Quota not found")
}

type usageFunc func() (app.Usage, app.Usage)

func (f usageFunc) Usage(context.Context, events.OrganizationID, events.SpaceID) (app.Usage, app.Usage, error) {
	organization, space := f()
	return organization, space, nil
}

func TestNoRouteIsAskedFor(t *testing.T) {
	is := is.New(t)
	r := newRig()
	r.must(t, "a", commands.CreateApp{AppName: "hello", NoRoute: true})
	is.Equal(r.types(t), []events.Type{"name.claimed", "app.created", "process.created"})
	r.must(t, "b", commands.CreateApp{AppName: "日本"}) // its name makes no host
	is.True(!slices.Contains(r.types(t), "route.created"))
}
