package projector_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

// renamed writes an organization that is renamed, with a space that is, an app and a route in it, and a quota of everybody's.
func (w *writer) renamed() {
	o, a, r := events.OrganizationSubject("o1"), events.AppSubject("a1"), events.RouteSubject("r1")
	w.add(o, events.OrganizationCreated{Organization: "o1", Name: "acme"})
	w.add(o, events.SpaceCreated{Space: "s1", Organization: "o1", Name: "prod"})
	w.add(a, events.AppCreated{App: "a1", Name: "hello", Space: "s1", Organization: "o1"})
	w.add(r, events.RouteCreated{Route: "r1", Space: "s1", Organization: "o1", URL: "hello.localhost"})
	w.add(o, events.OrganizationUpdated{Organization: "o1", Name: "emca"})
	w.add(a, events.AppStarted{App: "a1"})
	w.add(events.HaltSubject, events.HaltDeclared{Halt: "h1", Organization: "o1", Space: "s1", Reason: "incident"})
	w.add(events.HaltSubject, events.HaltDeclared{Halt: "h2", Reason: "incident"})
	w.add(events.PolicySubject, events.PolicyCreated{Policy: "y1", Organization: "o1", Name: "freeze"})
	w.add(events.ManifestSubject("c1"), events.ManifestApplied{Command: "c1", Organization: "o1", Space: "s1"})
	w.add(o, events.SpaceUpdated{Space: "s1", Organization: "o1", Name: "live"})
	w.add(r, events.RouteDestinationsSet{Route: "r1"})
	w.add(events.QuotaSubject("q1"), events.QuotaCreated{Quota: "q1", Name: "small"})
	w.add(events.HaltSubject, events.HaltLifted{Halt: "h2"}, events.HaltLifted{Halt: "h1"})
	w.add(events.PolicySubject, events.PolicyDeleted{Policy: "y1"})
	w.add(o, events.SpaceDeleted{Space: "s1", Organization: "o1"}, events.OrganizationDeleted{Organization: "o1"})
	w.add(a, events.AppDeleted{App: "a1"})
}

// TestNamesAreThoseOfTheMoment holds that a subject says how things were called when the event was decided, wherever in
// the log the feed begins to work.
func TestNamesAreThoseOfTheMoment(t *testing.T) {
	want := []string{
		"rollouts.acme.=.=.organization.created", "rollouts.acme.prod.=.space.created", "rollouts.acme.prod.hello.app.created",
		"rollouts.acme.prod.=.route.created", "rollouts.emca.=.=.organization.updated", "rollouts.emca.prod.hello.app.started",
		"rollouts.emca.prod.=.halt.declared", "rollouts.=.=.=.halt.declared", "rollouts.emca.=.=.policy.created", "rollouts.emca.prod.=.manifest.applied",
		"rollouts.emca.live.=.space.updated", "rollouts.emca.live.=.route.destinations-set", "rollouts.=.=.=.quota.created",
		"rollouts.=.=.=.halt.lifted", "rollouts.emca.live.=.halt.lifted", "rollouts.emca.=.=.policy.deleted",
		"rollouts.emca.live.=.space.deleted", "rollouts.emca.=.=.organization.deleted", "rollouts.emca.live.hello.app.deleted",
	}
	var whole []eventlog.FeedMessage
	for begin := range len(want) {
		synctest.Test(t, func(t *testing.T) {
			is := is.New(t)
			log := eventlog.NewMemory(events.NewRegistry())
			newWriter(t, log).renamed()
			ctx, cancel := context.WithCancel(t.Context())
			stream := &fakeFeed{messages: slices.Clone(whole[:min(begin, len(whole))]), grown: func(n int) {
				if n == len(want) {
					cancel()
				}
			}}
			is.NoErr(feedOf(log, stream).Run(ctx))
			is.Equal(stream.subjects(), want)
			whole = stream.messages
		})
	}
	is.New(t).Equal(whole[3].Header["ce-route"], []string{"r1"}) // ids stand beside the names
}
