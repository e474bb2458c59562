package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestWatch follows a canary to its end over connections that are cut in the middle of events, while the API is away for a moment.
func TestWatch(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	deployment := w.deploys(app, "canary", false)
	w.cuts.Store(2)
	watched := w.begins("watch", "hello") // its newest deployment
	w.shows(watched, "PAUSED, step 1 of 1  paused until somebody continues: slipway continue %s --step 1 --api %s", deployment, w.url)
	w.until("both cuts were made", func() bool { return w.cut.Load() == 2 })
	w.away.Store(true)
	w.shows(watched, "no answer since ")
	w.away.Store(false)
	_, err := w.slipway("continue", deployment, "--step", "2")
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "409 Conflict")) // not the step that it is at
	text, err := w.slipway("continue", deployment, "--step", "1")
	is.NoErr(err)
	is.True(strings.Contains(text, "slipway watch "+deployment))
	is.NoErr(w.ends(watched)) // exit 0
	t.Logf("%s", watched)
	lines := strings.Split(strings.TrimSpace(watched.String()), "\n")
	last := lines[len(lines)-1]
	is.True(strings.Contains(last, "▓▓     0+2    DEPLOYED"))
	is.True(!strings.ContainsAny(watched.String(), "\x1b\r")) // no control codes
	for i := range lines[1:] {
		is.True(lines[i][10:] != lines[i+1][10:]) // one line for each change
	}
}

// TestWatchSaysHowItEnded: what is not deployed is a failure with its reason, also when it is over before.
func TestWatchSaysHowItEnded(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	deployment := w.deploys(app, "rolling", true)
	watched := w.begins("watch", deployment)
	w.shows(watched, "░░·    2+0    DEPLOYING  new instances start")
	_, err := w.slipway("cancel", "hello")
	is.NoErr(err)
	want := "deployment " + deployment + " of hello ended as CANCELED"
	err = w.ends(watched)
	is.True(err != nil)
	is.Equal(err.Error(), want)
	_, err = w.slipway("watch", deployment)
	is.True(err != nil)
	is.Equal(err.Error(), want)
}

// TestWatchIsOnlyALook: Ctrl-C leaves the rollout alone and says so.
func TestWatchIsOnlyALook(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	deployment := w.deploys(w.app("hello"), "rolling", true)
	watched := w.begins("watch", deployment)
	w.shows(watched, "DEPLOYING")
	watched.stop()
	err := w.ends(watched)
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "the rollout goes on: slipway watch "+deployment))
	is.Equal(w.reason(deployment), "DEPLOYING")
}

// TestWatchAnApproval: who must agree, and what they type.
func TestWatchAnApproval(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	is.NoErr(w.api.Call(t.Context(), http.MethodPost, "/v3/policies", map[string]any{"name": "two pairs of eyes", "rule": map[string]any{
		"outcome": "require_approval", "reason": "it matters",
		"approval": map[string]any{"needed": 1, "approvers": []string{"admin"}, "self_approval": true, "manual_start": true},
	}}, nil))
	deployment := w.deploys(app, "rolling", false)
	watched := w.begins("watch", deployment)
	w.shows(watched, "waits for approval by admin: 0 of 1, policy two pairs of eyes (it matters): slipway approve %s", deployment)
	_, err := w.slipway("approve", deployment, "--comment", "looks good")
	is.NoErr(err)
	w.shows(watched, "approved; waits until somebody starts it: slipway start %s", deployment)
	_, err = w.slipway("start", deployment)
	is.NoErr(err)
	is.NoErr(w.ends(watched))

	denied := w.deploys(app, "rolling", false)
	_, err = w.slipway("deny", denied, "--comment", "not on a Friday")
	is.NoErr(err)
	_, err = w.slipway("watch", denied)
	is.True(err != nil)
	is.True(strings.HasSuffix(err.Error(), "ended as CREATING_APPROVAL_DENIED: denied by user/admin: not on a Friday"))
}

// TestWatchAGroup shows each member, and why it waits, over a connection that is cut, and ends with the last of them.
func TestWatchAGroup(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	one, two := w.app("one"), w.app("two")
	member := func(app string, wave int, strategy string) any {
		return map[string]any{"wave": wave, "strategy": strategy, "relationships": map[string]any{"app": to(app)}}
	}
	grouped := func(members ...any) (guid string) {
		var made struct{ GUID string }
		is.NoErr(w.api.Call(t.Context(), http.MethodPost, "/v3/deployment_groups", map[string]any{"name": "release 42", "members": members}, &made))
		return made.GUID
	}
	w.cuts.Store(1)
	group := grouped(member(one, 1, "canary"), member(two, 2, "rolling"))
	watched := w.begins("watch", group)
	w.shows(watched, "two  PENDING: begins when wave 1 is deployed")
	w.shows(watched, "release 42  RUNNING: 1 PAUSED, 1 PENDING")
	var first struct {
		Resources []struct{ GUID string }
	}
	is.NoErr(w.api.Call(t.Context(), http.MethodGet, "/v3/deployments?group_guids="+group, nil, &first))
	w.shows(watched, "PAUSED, step 1 of 1  paused until somebody continues: slipway continue %s --step 1", first.Resources[0].GUID)
	_, err := w.slipway("continue", first.Resources[0].GUID)
	is.NoErr(err)
	is.NoErr(w.ends(watched)) // exit 0
	lines := strings.Split(strings.TrimSpace(watched.String()), "\n")
	is.True(strings.HasSuffix(lines[len(lines)-1], "release 42  FINALIZED: 2 DEPLOYED"))
	is.True(!strings.ContainsAny(watched.String(), "\x1b\r")) // no control codes

	group = grouped(member(one, 1, "canary"), member(two, 2, "rolling"))
	watched = w.begins("watch", group)
	w.shows(watched, "release 42  RUNNING: 1 PAUSED, 1 PENDING")
	_, err = w.slipway("cancel", "one")
	is.NoErr(err)
	err = w.ends(watched)
	is.True(err != nil)
	is.True(strings.HasPrefix(err.Error(), "group "+group+" ended as "))
	is.True(strings.Contains(err.Error(), "; one: CANCELED; two: SKIPPED: wave 1 did not end well"))

	watched = w.begins("watch", grouped(member(one, 1, "canary")))
	w.shows(watched, "PAUSED")
	watched.stop()
	err = w.ends(watched)
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "and the group goes on: slipway watch "))
}
