package commands_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
)

// gatecrashed is a log in which something else happens right before a commit that has an event of a type, once.
type gatecrashed struct {
	*eventlog.Memory
	before  events.Type
	happens func()
	fails   atomic.Pointer[events.Type] // a commit that has an event of it is refused, once
}

func (l *gatecrashed) failOnce(with events.Type) { l.fails.Store(&with) }

func (l *gatecrashed) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	if l.happens != nil && has(c.Events, l.before) {
		happens := l.happens
		l.happens = nil
		happens()
	}
	if with := l.fails.Load(); with != nil && has(c.Events, *with) {
		l.fails.Store(nil)
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return l.Memory.Append(ctx, c, last)
}

func has(all []events.Event, t events.Type) bool {
	return slices.ContainsFunc(all, func(e events.Event) bool { return e.Type() == t })
}

// newcomer is something that comes to be in a place, with how it begins and how it ends.
type newcomer struct {
	begins, ends events.Type
	create       func(events.OrganizationID, events.SpaceID) commands.Command
}

func newcomers() map[string]newcomer {
	return map[string]newcomer{
		"a policy": {events.TypePolicyCreated, events.TypePolicyDeleted, func(o events.OrganizationID, s events.SpaceID) commands.Command {
			return commands.CreatePolicy{Organization: o, Space: s, Called: "freeze", Rule: events.PolicyRule{Outcome: events.OutcomeDeny}}
		}},
		"a halt": {events.TypeHaltDeclared, events.TypeHaltLifted, func(o events.OrganizationID, s events.SpaceID) commands.Command {
			return commands.DeclareHalt{Organization: o, Space: s, Reason: "incident"}
		}},
		"a subscription": {events.TypeSubscriptionCreated, events.TypeSubscriptionDeleted, func(o events.OrganizationID, s events.SpaceID) commands.Command {
			return commands.CreateSubscription{Organization: o, Space: s, Called: "chat", URL: "https://hooks.test", Types: []string{"*"}}
		}},
		"an app": {events.TypeAppCreated, events.TypeAppDeleted, func(_ events.OrganizationID, s events.SpaceID) commands.Command {
			return commands.CreateApp{AppName: "hello", Space: s}
		}},
		"a route": {events.TypeRouteCreated, events.TypeRouteDeleted, func(_ events.OrganizationID, s events.SpaceID) commands.Command {
			return commands.CreateRoute{Space: s, Host: strings.ToLower(string(s))}
		}},
	}
}

// vanishing is a place that somebody deletes through another process, right before something comes to be there.
type vanishing struct {
	*rig
	space events.SpaceID
	log   *gatecrashed
}

func newVanishing(t *testing.T, n newcomer, gone func(commands.CreateSpace, commands.Result) commands.Command) vanishing {
	t.Helper()
	log := &gatecrashed{Memory: eventlog.NewMemory(events.NewRegistry()), before: n.begins}
	quiet := slog.New(slog.DiscardHandler)
	over := func(l eventlog.Log) *rig {
		return &rig{log: &faultyLog{Memory: log.Memory}, handler: commands.NewHandler(l, nil, commandstest.Finder{Log: l}, commandstest.NewBits(), quiet)}
	}
	v := vanishing{rig: over(log), log: log}
	is.New(t).NoErr(v.handler.Bootstrap(t.Context()))
	organization := v.must(t, "organization", commands.CreateOrganization{Called: "acme"})
	made := commands.CreateSpace{Organization: events.OrganizationID(organization.ID), Called: "prod"}
	space := v.must(t, "space", made)
	v.space = events.SpaceID(space.ID)
	other := over(log.Memory)
	log.happens = func() { other.must(t, "gone", gone(made, space)) }
	return v
}

func deleteSpace(_ commands.CreateSpace, made commands.Result) commands.Command {
	return commands.DeleteSpace{Space: events.SpaceID(made.ID)}
}

func deleteOrganization(c commands.CreateSpace, _ commands.Result) commands.Command {
	return commands.DeleteOrganization{Organization: c.Organization}
}

// TestNothingStaysWhereNoPlaceIs forces the interleaving: a place is deleted, with all that is there, between the look at it and the
// commit of something new in it. That goes too, and who asked for it is told as if they had come later, however often they ask.
func TestNothingStaysWhereNoPlaceIs(t *testing.T) {
	for what, n := range newcomers() {
		for where, gone := range map[string]func(commands.CreateSpace, commands.Result) commands.Command{
			"a space that is deleted": deleteSpace, "a space whose organization is deleted": deleteOrganization,
		} {
			t.Run(what+" in "+where, func(t *testing.T) {
				is := is.New(t)
				v := newVanishing(t, n, gone)
				for range 2 { // the second one as who has lost the answer
					_, err := v.do("create", n.create("", v.space))
					is.Equal(refusal(err), "Invalid space. Ensure that the space exists and you have access to it.")
					v.ended(t, n)
				}
			})
		}
	}
	for what, n := range newcomers() {
		if what == "an app" || what == "a route" { // they are in spaces
			continue
		}
		t.Run(what+" in an organization that is deleted", func(t *testing.T) {
			is := is.New(t)
			v := newVanishing(t, n, deleteOrganization)
			_, err := v.do("create", n.create(events.OrganizationID(events.DeriveID("organization", "organization", 0)), ""))
			is.Equal(refusal(err), "Invalid organization. Ensure the organization exists and you have access to it.")
			v.ended(t, n)
		})
	}
}

// ended: what came to be has ended, once.
func (v vanishing) ended(t *testing.T, n newcomer) {
	t.Helper()
	is, all := is.New(t), v.types(t)
	is.Equal(count(all, n.begins), 1)
	for _, other := range newcomers() { // and what it brought along
		is.Equal(count(all, other.begins), count(all, other.ends))
	}
	is.True(slices.Index(all, events.TypeSpaceDeleted) < slices.Index(all, n.begins)) // in this order
}

func count(all []events.Type, t events.Type) (n int) {
	for _, other := range all {
		if other == t {
			n++
		}
	}
	return n
}

// TestWhatACrashStrandsIsTidied: whoever made something in a place that was being deleted was killed before they looked again. What is
// left goes at the next start, and nothing else does.
func TestWhatACrashStrandsIsTidied(t *testing.T) {
	for what, n := range newcomers() {
		t.Run(what, func(t *testing.T) {
			is := is.New(t)
			v := newVanishing(t, n, deleteSpace)
			vanish := v.log.happens
			v.log.happens = nil
			v.must(t, "stays", n.create("", "default"))
			v.log.happens = vanish
			killed, err := v.killed(t, n.create("", v.space), n.begins)
			is.True(killed)
			is.True(err != nil)
			is.Equal(v.alive(t, n), 2) // the one that stays, and the one that is stranded

			tidied, err := v.handler.Tidy(t.Context())
			is.NoErr(err)
			is.Equal(tidied, 1) // in one place
			is.Equal(v.alive(t, n), 1)
			before := len(v.types(t))
			tidied, err = v.handler.Tidy(t.Context())
			is.NoErr(err)
			is.Equal(tidied, 0)
			is.Equal(len(v.types(t)), before) // nothing is left to do
		})
	}
}

// TestADeletionThatBreaksOffIsCompleted, though nobody sends it again.
func TestADeletionThatBreaksOffIsCompleted(t *testing.T) {
	for what, n := range newcomers() {
		t.Run(what, func(t *testing.T) {
			is := is.New(t)
			v := newVanishing(t, n, deleteSpace)
			v.log.happens = nil
			v.must(t, "stays", n.create("", "default"))
			v.must(t, "goes", n.create("", v.space))
			killed, err := v.killed(t, commands.DeleteSpace{Space: v.space}, events.TypeSpaceDeleted)
			is.True(killed)
			is.True(err != nil)
			is.Equal(v.alive(t, n), 2)
			_, err = v.handler.Tidy(t.Context())
			is.NoErr(err)
			is.Equal(v.alive(t, n), 1)
		})
	}
}

// TestKeepTidy: what could not be finished is finished once the log can be reached again, by a process that was not killed.
func TestKeepTidy(t *testing.T) {
	is := is.New(t)
	n := newcomers()["a policy"]
	v := newVanishing(t, n, deleteSpace)
	v.log.happens = nil
	ctx, cancel := context.WithCancel(t.Context())
	var kept sync.WaitGroup
	kept.Go(func() { v.handler.KeepTidy(ctx) })
	defer kept.Wait()
	defer cancel()
	v.must(t, "goes", n.create("", v.space))
	v.log.failOnce(events.TypePolicyDeleted)
	_, err := v.do("delete", commands.DeleteSpace{Space: v.space})
	is.True(errors.Is(err, eventlog.ErrUnavailable))
	is.NoErr(v.log.Follow(ctx, eventlog.Query{}, func(batch []events.Recorded) error {
		for _, c := range batch {
			if has(c.Events, n.ends) {
				cancel() // it is gone
			}
		}
		return nil
	}))
	is.Equal(v.alive(t, n), 0)
}

// alive is how many have begun and not ended.
func (v vanishing) alive(t *testing.T, n newcomer) int {
	all := v.types(t)
	return count(all, n.begins) - count(all, n.ends)
}

// killed lets a command be carried out by a process that dies once a commit with an event of a type stands.
func (v vanishing) killed(t *testing.T, c commands.Command, with events.Type) (killed bool, err error) {
	log := &dying{gatecrashed: v.log, with: with}
	handler := commands.NewHandler(log, nil, commandstest.Finder{Log: log}, commandstest.NewBits(), slog.New(slog.DiscardHandler))
	_, err = handler.Handle(t.Context(), c, commands.Caller{CommandID: "killed", Actor: "tester", Door: "test"})
	return log.dead, err
}

// dying is a log that nobody reaches any more once a commit with an event of a type is in it.
type dying struct {
	*gatecrashed
	with events.Type
	dead bool
}

func (l *dying) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	if l.dead {
		return events.Recorded{}, io.ErrClosedPipe
	}
	got, err := l.gatecrashed.Append(ctx, c, last)
	l.dead = has(c.Events, l.with)
	return got, err
}

func (l *dying) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if l.dead {
		return 0, io.ErrClosedPipe
	}
	return l.gatecrashed.Last(ctx, s)
}

func (l *dying) NewestOf(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if l.dead {
		return 0, io.ErrClosedPipe
	}
	return l.gatecrashed.NewestOf(ctx, s)
}
