package conformance_test

import (
	"slices"
	"time"
)

// read are the cases of 4.11: what is shown, and lists.
var read = []row{
	{237, sixDeployments, nil, func(w *world) {
		l := w.get("/v3/deployments?per_page=2")
		w.is.Equal(at(l, "pagination"), map[string]any{
			"total_results": 6.0, "total_pages": 3.0, "previous": nil,
			"first": map[string]any{"href": server + "/v3/deployments?page=1&per_page=2"},
			"last":  map[string]any{"href": server + "/v3/deployments?page=3&per_page=2"},
			"next":  map[string]any{"href": server + "/v3/deployments?page=2&per_page=2"},
		})
		w.is.Equal(guids(l), guids(w.get("/v3/deployments"))[:2]) // the oldest first
	}},
	{238, sixDeployments, nil, func(w *world) {
		l := all(w.get("/v3/deployments?status_values=FINALIZED"), "resources")
		var reasons []string
		for _, d := range l {
			reasons = append(reasons, text(d, "status", "reason"))
			w.is.Equal(at(d, "links", "cancel"), nil)
		}
		slices.Sort(reasons)
		w.is.Equal(reasons, []string{"CANCELED", "DEPLOYED", "SUPERSEDED"})
	}},
	{240, sixDeployments, nil, func(w *world) {
		var strategies []string
		for _, d := range all(w.get("/v3/deployments?states=DEPLOYING"), "resources") {
			strategies = append(strategies, text(d, "strategy"))
		}
		slices.Sort(strategies)
		w.is.Equal(strategies, []string{"canary", "rolling"})
	}},
	{241, do(started(1), requests(`"metadata":{"labels":{"release":"stable"}}`), requests(`"metadata":{"labels":{"release":"edge"}}`), requests("")),
		nil, func(w *world) {
			l := w.get("/v3/deployments?label_selector=release=stable")
			w.is.Equal(len(guids(l)), 1)
			w.is.Equal(text(l, "resources", 0, "metadata", "labels", "release"), "stable")
		}},
	{246, do(started(1), deploys(`{}`, broken)), nil, func(w *world) {
		unhealthy(w)
		got := w.call("GET", "/v3/deployments?app_guids="+w.app, "")
		w.is.True(got.Header().Get("X-Cf-Warnings") != "") // the same for the user's eyes
		mends(ready)(w)
		errorIs(nil)(w)
		got = w.call("GET", "/v3/deployments?app_guids="+w.app, "")
		w.is.Equal(got.Header().Get("X-Cf-Warnings"), "")
	}},
	{250, do(started(1), deploys(`{}`, never)), nil, func(w *world) {
		l := w.get("/v3/deployments?app_guids=" + w.app + ",other&states=DEPLOYING,PAUSED&status_values=ACTIVE,FINALIZED" +
			"&status_reasons=DEPLOYING,PAUSED&order_by=-updated_at&page=1&per_page=7&label_selector=!release")
		w.is.Equal(guids(l), []string{w.deployment})
		w.is.Equal(len(guids(w.get("/v3/deployments?status_reasons="))), 0) // one empty value: every deployment has a reason
	}},
	{255, do(started(1), deploys(`{}`, never)), nil, func(w *world) {
		before, process := w.deployment, w.fresh()
		deploys(`{}`)(w)
		w.is.Equal(w.call("GET", "/v3/processes/"+process, "").Code, 404) // it is gone
		v := w.get("/v3/deployments/" + before)
		w.is.Equal(at(v, "new_processes"), []any{map[string]any{"guid": process, "type": "web"}})
	}},
	{259, deploying, nil, cancelable(true)},
	{259, prepaused, nil, cancelable(true)},
	{259, paused, nil, cancelable(true)},
	{259, canceling, nil, cancelable(true)},
	{259, deployed, nil, cancelable(false)},
	{259, canceled, nil, cancelable(false)},
}

// sixDeployments are one of each kind: DEPLOYED, CANCELED, SUPERSEDED, and on their way a rolling one, a canary one that
// was continued, and one that is paused.
var sixDeployments = do(
	deployed, passes(time.Second), canceled, passes(time.Second), deploying, passes(time.Second), deploys(`{}`, never), passes(time.Second),
	started(2), canaries(`{}`, ready, never), continues, inState("DEPLOYING"), passes(time.Second), paused,
)

func guids(list any) []string {
	var found []string
	for _, r := range all(list, "resources") {
		found = append(found, text(r, "guid"))
	}
	return found
}

func cancelable(want bool) act {
	return func(w *world) { w.is.Equal(at(w.shown(), "links", "cancel") != nil, want) }
}
