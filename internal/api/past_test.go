package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/projections"
	"slipway/projections/storetest"
)

// eventful is a world whose app has been through all a deployment can come to, and what it has made.
func eventful(t testing.TB) (w *world, app string, deployments []string) {
	t.Helper()
	w = newWorld(t)
	app = w.app("hello")
	deploy := func(options string) string {
		id := w.deploy(app, w.droplet(app), options)
		deployments = append(deployments, id)
		return id
	}
	process := func(id string) events.ProcessID {
		return events.ProcessID(text(w.must(200, "GET", "/v3/deployments/"+id, ""), "new_processes", 0, "guid"))
	}
	owner := events.AppID(app)
	deploy(`{"web_instances":3}`)
	w.running(owner, events.ProcessID(app), 3, 0)

	second := deploy(`{"max_in_flight":2}`)
	w.report(events.InstanceCrashed{InstanceRef: ref(owner, process(second), 0), Reason: "exit status 1", Crashes: 1})
	w.running(owner, process(second), 2, 0)
	w.until("the second has grown", func() bool { // an agent starts no instance before it is asked for
		return at(w.must(200, "GET", "/v3/processes/"+string(process(second)), ""), "instances") == 3.0
	})
	w.running(owner, process(second), 3, 0)
	w.until("the second is deployed", func() bool { return w.status(second) == "FINALIZED/DEPLOYED" })

	third := deploy(`{}`)
	w.running(owner, process(third), 1, 0)
	w.report(events.InstanceUnready{InstanceRef: ref(owner, process(third), 0), Reason: "busy"})
	fourth := deploy(`{"max_in_flight":3}`)
	w.running(owner, process(fourth), 1, 0)
	w.must(200, "POST", "/v3/deployments/"+fourth+"/actions/cancel", "")
	w.until("the fourth is canceled", func() bool { return w.status(fourth) == "FINALIZED/CANCELED" })

	deploy(`{}`)
	w.must(202, "DELETE", "/v3/apps/"+app, "")
	w.caughtUp()
	return w, app, deployments
}

// history is all commits of the log.
func (w *world) history() []events.Recorded {
	w.t.Helper()
	var all []events.Recorded
	err := w.log.Replay(w.t.Context(), eventlog.Query{}, func(c events.Recorded) error {
		all = append(all, c)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// spread writes the history of a world anew with an hour between commits, so that every time in an answer tells which
// commit it comes from.
func (w *world) spread() (*eventlog.Memory, []events.Recorded) {
	w.t.Helper()
	log, ctx := eventlog.NewMemory(events.NewRegistry()), w.t.Context()
	newest := map[events.Subject]events.Recorded{}
	var all []events.Recorded
	for _, c := range w.history() {
		before := newest[c.Subject]
		c.Time = start.Add(time.Duration(c.Sequence) * time.Hour)
		write := func() (events.Recorded, error) { return log.Report(ctx, c.Commit) }
		if c.Version > 0 {
			c.Previous = before.Hash
			write = func() (events.Recorded, error) { return log.Append(ctx, c.Commit, before.Sequence) }
		}
		written, err := write()
		if err != nil {
			w.t.Fatal(err)
		}
		newest[c.Subject] = written
		all = append(all, written)
	}
	return log, all
}

// TestPastEqualsWhatWasSeenThen replays a log into an API, commit by commit, and asks another, which has all of it, for the
// past: both give the same answer for every deployment, whether asked by sequence or by time.
func TestPastEqualsWhatWasSeenThen(t *testing.T) {
	is := is.New(t)
	w, _, deployments := eventful(t)
	log, history := w.spread()
	over := func(store *projections.Store) *api.API {
		return api.New(api.Config{Auth: admin{}, Store: store, Log: log, Apps: commands.Apps(log, nil), Logger: quiet, Now: func() time.Time {
			return history[len(history)-1].Time
		}})
	}
	store, growing := storetest.Open(t), storetest.Open(t)
	is.NoErr(store.Apply(t.Context(), history))
	now, then := over(store), over(growing)
	shown := 0
	for _, c := range history {
		is.NoErr(growing.Apply(t.Context(), []events.Recorded{c}))
		for _, id := range deployments {
			live := call(then, "GET", "/v3/deployments/"+id, "")
			for _, moment := range []string{fmt.Sprint(c.Sequence), c.Time.Format(time.RFC3339Nano)} {
				past := call(now, "GET", "/v3/deployments/"+id+"?at="+moment, "")
				is.Equal(past.Code, live.Code) // there, or not there yet, or not any more
				if live.Code != 200 {
					continue
				}
				shown++
				v := object(t, past.Body.Bytes())
				delete(v, "as_of")
				is.Equal(v, object(t, live.Body.Bytes()))                                                  // the same to the last key
				is.Equal(past.Header().Get("X-Slipway-Sequence"), live.Header().Get("X-Slipway-Sequence")) // as of the same commit
			}
		}
	}
	is.True(shown > 100) // most of history had something to show
}

func TestPastByTime(t *testing.T) {
	is := is.New(t)
	w, _, deployments := eventful(t)
	id := deployments[1]
	var created, ended events.Recorded
	for _, c := range w.history() {
		for _, e := range c.Events {
			switch e := e.(type) {
			case events.DeploymentCreated:
				if string(e.Deployment) == id {
					created = c
				}
			case events.DeploymentDeployed:
				if string(e.Deployment) == id {
					ended = c
				}
			}
		}
	}
	ask := func(at time.Time) map[string]any {
		got := w.call("GET", "/v3/deployments/"+id+"?at="+url.QueryEscape(at.Format(time.RFC3339Nano)), "")
		return object(t, got.Body.Bytes())
	}
	is.Equal(text(ask(created.Time.Add(-time.Nanosecond)), "errors", 0, "detail"), "Deployment not found")
	is.Equal(text(ask(created.Time), "status", "reason"), "DEPLOYING")
	is.Equal(text(ask(ended.Time.Add(-time.Nanosecond)), "status", "reason"), "DEPLOYING")
	is.Equal(text(ask(ended.Time), "status", "reason"), "DEPLOYED")
	is.Equal(text(ask(ended.Time.In(time.FixedZone("", 3600))), "status", "reason"), "DEPLOYED") // in any zone
}

func TestPastShowsTheAppAsItWas(t *testing.T) {
	is := is.New(t)
	w, app, deployments := eventful(t)
	var crash events.Sequence
	for _, c := range w.history() {
		if _, ok := c.Events[0].(events.InstanceCrashed); ok {
			crash = c.Sequence
		}
	}
	v := w.must(200, "GET", fmt.Sprintf("/v3/deployments/%s?at=%d", deployments[1], crash), "")
	is.Equal(keys(at(v, "as_of")), []string{"app_state", "current_droplet", "processes", "sequence", "time"})
	is.Equal(text(v, "as_of", "app_state"), "STARTED")
	is.Equal(at(v, "as_of", "current_droplet"), at(v, "droplet"))
	old, fresh := at(v, "as_of", "processes", 0), at(v, "as_of", "processes", 1)
	is.Equal(text(old, "guid"), app)
	is.Equal(at(old, "instances"), 3.0) // none was taken away
	is.Equal(at(old, "process_instances", 2), map[string]any{"index": 2.0, "state": "RUNNING", "routable": true})
	is.Equal(at(fresh, "process_instances", 0), map[string]any{"index": 0.0, "state": "CRASHED", "routable": false})
	is.Equal(at(fresh, "process_instances", 1), map[string]any{"index": 1.0, "state": "DOWN", "routable": false})
}

// TestOnlyDeploymentsHaveAPast: nobody is shown as of some time what is as of now.
func TestOnlyDeploymentsHaveAPast(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v3/deployment_groups/g", "/v3/halts/h", "/v3/policies/p", "/v3/subscriptions/s"} {
		got := w.call("GET", path+"?at=2026-01-01T00:00:00Z", "")
		refused(t, got, 400, 10005, "CF-BadQueryParameter", "The query parameter is invalid: Unknown query parameter(s): 'at'. There are none here.")
	}
}

func TestPastRefusesNonsense(t *testing.T) {
	w, _, deployments := eventful(t)
	newest, _ := w.log.Newest(t.Context())
	const form = "At must be a sequence of the event log, from 1, or a time such as 2026-01-31T23:59:59Z"
	for at, want := range map[string]string{
		"":                              form,
		"0":                             form,
		"-1":                            form,
		"1.5":                           form,
		"yesterday":                     form,
		"2026-01-01":                    form,
		"99999999999999999999999":       form,
		fmt.Sprint(newest + 1):          fmt.Sprintf("At has not come yet: the event log stands at %d", newest),
		"9999-01-01T00:00:00Z":          "",
		"18446744073709551615":          fmt.Sprintf("At has not come yet: the event log stands at %d", newest),
		"2026-01-01T00:00:00Z&unknown=": "Unknown query parameter(s): 'unknown'. Valid parameters are: 'at'",
	} {
		t.Run(at, func(t *testing.T) {
			is := is.New(t)
			got := w.call("GET", "/v3/deployments/"+deployments[0]+"?at="+at, "")
			is.Equal(got.Code, 400)
			if want != "" {
				is.Equal(text(object(t, got.Body.Bytes()), "errors", 0, "detail"), "The query parameter is invalid: "+want)
			}
		})
	}
}
