package groups_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/halts"
)

// halts declares a halt of everything, or with more JSON that begins with a comma of a part of it.
func (w *world) halts(more string) (id string) {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/halts", `{"reason":"incident"`+more+`}`), "guid")
}

func (w *world) lifts(halt string) {
	w.t.Helper()
	w.must(200, "POST", "/v3/halts/"+halt+"/actions/lift", "")
}

func inSpace(space string) string {
	return `,"relationships":{"space":{"data":{"guid":"` + space + `"}}}`
}

// TestAWaveThatComesDuringAHalt: what it halts waits, says why and until when, and begins at once when it is over; the others begin.
func TestAWaveThatComesDuringAHalt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s, other := w.subjects("a", "b"), w.elsewhere("dev")
		id := w.group(s[0].member(canary), other.member(wave(2, "")), s[1].member(wave(2, "")))
		halt := w.halts(`,"duration_in_seconds":3600` + inSpace(other.space))
		w.direct(id, "continue")
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL DEPLOYED")
		why := text(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "stuck")
		waiting := w.must(200, "GET", "/v3/deployments?status_reasons=CREATING_APPROVAL&group_guids="+id, "")
		is.Equal(at(waiting, "pagination", "total_results"), 1.0)
		status := at(waiting, "resources", 0, "status")
		is.Equal(text(status, "halt", "guid"), halt)
		is.Equal(text(status, "halt", "reason"), "incident")
		is.Equal(text(status, "halt", "declared_by"), "user/admin")
		until := text(status, "halt", "until")
		is.True(until != "")
		is.Equal(text(status, "details", "error"), fmt.Sprintf("rollouts are halted by user/admin until %s: incident", until))
		is.Equal(why, text(status, "details", "error"))
		refused := w.refused(422, "POST", "/v3/deployments", other.member(""))
		is.Equal(refused, "Cannot deploy: "+why) // who asks for one now is told no
		is.Equal(w.refused(422, "POST", paths, body(other.member(""))), "Members 1: Cannot deploy: "+why)
		w.passes(10 * time.Minute)
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL DEPLOYED")
		w.lifts(halt)
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED")
		is.Equal(at(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "stuck"), nil)
		is.True(once(w.created()))
	})
}

// TestAHaltThatEndsByItself lets the wave begin in that moment.
func TestAHaltThatEndsByItself(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		other := w.elsewhere("dev")
		id := w.group(s[0].member(canary), other.member(wave(2, "")))
		w.halts(`,"duration_in_seconds":3600` + inSpace(other.space))
		w.direct(id, "continue")
		w.passes(59 * time.Minute)
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL")
		w.passes(time.Minute)
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
	})
}

// TestAHaltHoldsWhoPauses: to continue is refused, with why, and nothing is left of it; after the lift they go on when they are told.
func TestAHaltHoldsWhoPauses(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		id := w.group(s[0].member(canary), s[1].member(canary))
		halt := w.halts("")
		no := w.cannot(id, "continue")
		is.True(strings.HasPrefix(no, "Cannot continue the deployment group: deployment "+w.deployment(id, 0)+" of app a ("))
		is.True(strings.HasSuffix(no, " is PAUSED: rollouts are halted by user/admin: incident"))
		w.lifts(halt)
		w.passes(settling)
		is.Equal(w.stands(id), "RUNNING: PAUSED PAUSED") // what was refused is not done later
		w.direct(id, "continue")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
	})
}

// TestAWaitingWaveIsSteered: cancel names it, rollback takes it back with all others, and a cancel of it alone skips what comes after.
func TestAWaitingWaveIsSteered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s, other := w.subjects("a", "b"), w.elsewhere("dev")
		id := w.group(s[0].member(canary), other.member(wave(2, "")), s[1].member(wave(2, canary)))
		halt := w.halts(inSpace(other.space))
		w.direct(id, "continue")
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL PAUSED")
		named := fmt.Sprintf("deployment %s of app %s is CREATING_APPROVAL", w.deployment(id, 1), other.called())
		is.True(strings.HasSuffix(w.cannot(id, "cancel"), named))
		is.True(strings.HasSuffix(w.cannot(id, "finalize"), named))
		w.direct(id, "rollback")
		is.Equal(w.stands(id), "CANCELED: DEPLOYED CANCELED ROLLED_BACK")
		w.lifts(halt)
		is.Equal(w.created()[other.app], 0) // it never begins

		id = w.group(s[0].member(canary), other.member(wave(2, "")), s[1].member(wave(3, "")))
		w.halts(inSpace(other.space))
		w.direct(id, "continue")
		const no = "Cannot continue a deployment with status: ACTIVE and reason: CREATING_APPROVAL"
		is.Equal(w.refused(422, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/continue", ""), no)
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/cancel", "")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED CANCELED SKIPPED")
	})
}

// between carries out commands, and lets something happen before the first that creates a deployment, and after it.
type between struct {
	*commands.Handler
	before, after func()
	once          sync.Once
}

func (b *between) Handle(ctx context.Context, c commands.Command, by commands.Caller) (result commands.Result, err error) {
	first := false
	if _, creates := c.(commands.CreateDeployment); creates {
		b.once.Do(func() { first = true })
	}
	if first {
		b.before()
	}
	result, err = b.Handler.Handle(ctx, c, by)
	if first {
		b.after()
	}
	return result, err
}

// TestAHaltMeanwhile: it comes, or goes, at the worst of moments, and the member is there, says that it waits, and begins once.
func TestAHaltMeanwhile(t *testing.T) {
	type moments struct{ started, looked, created func(*world) }
	nothing := func(*world) {}
	for name, c := range map[string]struct {
		at   moments
		want string
	}{
		"declared when the member has started on record":  {moments{declares, nothing, nothing}, "CREATING_APPROVAL"},
		"declared when the command has looked for halts":  {moments{nothing, declares, nothing}, "DEPLOYING"},
		"declared when the deployment is created":         {moments{nothing, nothing, declares}, "DEPLOYING"},
		"lifted when the command has looked for halts":    {moments{declares, liftsAll, nothing}, ""},
		"lifted when the deployment is created and waits": {moments{declares, nothing, liftsAll}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				s := w.subjects("a")
				w.must(201, "POST", "/v3/policies", `{"name":"p","rule":{"condition":"last_deployments.size() >= 0","outcome":"allow"}}`)
				w.never(s[0].droplet) // so that it can be seen on its way
				happens := func() { c.at.looked(w) }
				w.managerOver(&between{
					Handler: w.handler, after: func() { c.at.created(w) },
					before: func() { c.at.started(w); w.interrupt(happens) },
				})
				id := w.group(s[0].member(""))
				d := w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 0), "")
				is.Equal(text(d, "status", "reason"), cmp.Or(c.want, "DEPLOYING"))
				is.Equal(at(d, "status", "halt") != nil, c.want != "")
				liftsAll(w)
				w.passes(settling)
				d = w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 0), "")
				is.Equal(text(d, "status", "reason"), "DEPLOYING")
				is.Equal(at(d, "status", "halt"), nil)
				is.True(once(w.created()))
			})
		})
	}
}

// declares and liftsAll are commands, for where a request would wait for what waits for it.
func declares(w *world) { w.does(commands.DeclareHalt{Reason: "incident"}) }

func liftsAll(w *world) {
	all, err := halts.New(w.log).Load(w.t.Context())
	w.try(err)
	for _, h := range all.State.Halts {
		w.does(commands.LiftHalt{Halt: h.Halt})
	}
}

func (w *world) does(c commands.Command) {
	w.t.Helper()
	_, err := w.handler.Handle(w.t.Context(), c, commands.Caller{CommandID: events.CommandID(events.NewID()), Actor: "user/admin"})
	w.try(err)
}
