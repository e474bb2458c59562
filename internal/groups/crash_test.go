package groups_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// errKilled is what a manager hears that is killed before or after its command was carried out.
var errKilled = errors.New("killed")

// killer carries out commands until the n-th, and then kills who sends it: before it is carried out, or after.
type killer struct {
	*commands.Handler
	left  atomic.Int64
	after bool
	kill  context.CancelFunc
}

func kills(h *commands.Handler, at int64, after bool, kill context.CancelFunc) *killer {
	k := &killer{Handler: h, after: after, kill: kill}
	k.left.Store(at)
	return k
}

func (k *killer) Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
	if k.left.Add(-1) != 0 {
		return k.Handler.Handle(ctx, c, by)
	}
	if k.after {
		_, _ = k.Handler.Handle(ctx, c, by)
	}
	k.kill()
	return commands.Result{}, errKilled
}

// TestKilledAtEachCommand: a manager is ended before, or after, each single command that it sends, and another one started.
func TestKilledAtEachCommand(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after %v", after), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				s := w.subjects("a", "b", "c")
				id := w.group(s[0].member(canary), s[1].member(canary), s[2].member(wave(2, canary)))
				directed := 0
				for range 40 {
					ctx, kill := context.WithCancel(t.Context())
					stop := w.managerOver(kills(w.handler, 1, after, kill))
					<-ctx.Done()
					stop()
					if !after { // or it never gets on
						stop = w.managerOver(kills(w.handler, 2, false, func() {}))
						w.passes(time.Millisecond)
						stop()
					}
					if line := w.stands(id); directed == 0 && line == "RUNNING: PAUSED PAUSED PENDING" {
						w.direct(id, "continue")
						directed++
					} else if line == "RUNNING: DEPLOYED DEPLOYED PAUSED" {
						break
					}
				}
				w.manager()
				is.Equal(w.stands(id), "RUNNING: DEPLOYED DEPLOYED PAUSED")
				w.direct(id, "continue")
				is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED")
				is.True(once(w.created())) // nothing is doubled
				is.Equal(len(w.created()), 3)
				v := w.must(200, "GET", paths+"/"+id, "")
				for n := range 3 {
					is.Equal(text(v, "members", n, "error"), "") // nor is anybody told twice
				}
			})
		})
	}
}

// stopsAfter ends the manager's context once it has written its n-th commit about the group.
func (w *world) stopsAfter(id string, n int) bool {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	stop := w.manager()
	defer stop()
	seen := 0
	err := w.log.Follow(ctx, eventlog.Query{Filters: []string{string(events.GroupSubject(events.GroupID(id)))}}, func(batch []events.Recorded) error {
		for _, c := range batch {
			if c.Actor == events.ActorGroups {
				if seen++; seen == n {
					stop()
					cancel()
				}
			}
		}
		return nil
	})
	return err == nil && seen >= n
}

// TestKilledAfterEachCommit: a manager is ended after every single commit of the group, and another one started.
func TestKilledAfterEachCommit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(""), s[1].member(wave(2, "")), s[2].member(wave(3, "")))
		kills := 0
		for w.stopsAfter(id, kills+1) {
			if kills++; kills > 50 {
				t.Fatal("it does not end")
			}
		}
		is.True(kills >= 4) // it begins, three members end
		w.manager()
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED")
		is.True(once(w.created()))
	})
}

// TestSeveralManagersAreHarmless: three of them do what one does.
func TestSeveralManagersAreHarmless(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		for range 3 {
			w.manager()
		}
		s := w.subjects("a", "b", "c", "d")
		id := w.group(s[0].member(canary), s[1].member(canary), s[2].member(wave(2, canary)), s[3].member(wave(2, "")))
		w.direct(id, "continue")
		is.Equal(w.stands(id), "RUNNING: DEPLOYED DEPLOYED PAUSED DEPLOYED")
		w.direct(id, "finalize")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED DEPLOYED")
		is.True(once(w.created()))
	})
}

// TestStartedLate: what happened while nobody ran is made up for.
func TestStartedLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		s := w.subjects("a", "b")
		id := w.group(s[0].member(""), s[1].member(wave(2, "")))
		is.Equal(w.stands(id), "PENDING: PENDING PENDING")
		is.True(len(w.cannot(id, "cancel")) > 0) // PENDING is not RUNNING
		w.manager()
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
	})
}

// TestTheSameRequestTwice makes one group.
func TestTheSameRequestTwice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a")
		once := w.must(201, "POST", paths, body(s[0].member(canary)), "Idempotency-Key", "release-42")
		twice := w.must(201, "POST", paths, body(s[0].member(canary)), "Idempotency-Key", "release-42")
		is.Equal(text(once, "guid"), text(twice, "guid"))
		is.Equal(w.created(), map[string]int{s[0].app: 1})
	})
}

// stubborn refuses to roll one app's deployment back.
type stubborn struct {
	*commands.Handler
	deployment events.DeploymentID
}

func (h stubborn) Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
	if back, ok := c.(commands.RollBackDeployment); ok && back.Deployment == h.deployment {
		return commands.Result{}, fmt.Errorf("%s: %w", c.Name(), aggregates.Reject("I stay"))
	}
	return h.Handler.Handle(ctx, c, by)
}

// TestARefusalIsTheMembersOwn: it stands beside the member, and undoes nothing for the others.
func TestARefusalIsTheMembersOwn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		s := w.subjects("a", "b")
		stop := w.manager()
		id := w.group(s[0].member(canary), s[1].member(canary))
		stop()
		w.managerOver(stubborn{w.handler, events.DeploymentID(w.deployment(id, 0))})
		w.direct(id, "rollback")
		is.Equal(w.stands(id), "RUNNING: PAUSED ROLLED_BACK")
		v := w.must(200, "GET", paths+"/"+id, "")
		is.Equal(text(v, "members", 0, "error"), "I stay")
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/cancel", "")
		is.Equal(w.stands(id), string(group.StatusCanceled)+": CANCELED ROLLED_BACK")
	})
}
