package conformance_test

import (
	"slipway/events"
)

// cancel are the cases of 4.8.
var cancel = []row{
	{191, do(started(2), canaries(`{}`), inState("PAUSED"), rests), cancels, wentBack},
	{191, do(started(2), canaries(`{}`, never), inState("PREPAUSED"), rests), cancels, wentBack},
	{193, do(started(1), deploys(`{}`), inState("DEPLOYED")), steers("cancel"),
		refused("Cannot cancel a deployment with status: FINALIZED and reason: DEPLOYED")},
	{194, do(started(1), deploys(`{}`, never), cancels, inState("CANCELED")), steers("cancel"),
		refused("Cannot cancel a deployment with status: FINALIZED and reason: CANCELED")},
	{199, do(started(6), deploys(`{"max_in_flight":2}`, ready, ready, ready, ready, never), sizes(2, 6), rests, cancels, status("ACTIVE/CANCELING")),
		moves, do(inState("CANCELED"), status("FINALIZED/CANCELED"), webSizes(6), func(w *world) {
			w.is.Equal(text(w.webs()[0], "guid"), w.app)
			w.is.Equal(w.alive(w.droplets[0]), 6)
		})},
	// The oldest version no longer runs in these two: if it did, Slipway would go back to it (docs/adr/0006).
	{201, do(started(4), deploys(`{}`, ready, never), keep, canaries(`{}`), inState("PAUSED"), rests, deploys(`{}`, never), oldestCrashes, cancels),
		moves, do(inState("CANCELED"), webSizes(4), keptIsThe)},
	{202, do(started(4), deploys(`{}`, ready, never), keep, deploys(`{}`, never), rests, deploys(`{}`, never), oldestCrashes, cancels),
		moves, do(inState("CANCELED"), webSizes(4), keptIsThe)},
}

// wentBack expects a deployment that has been canceled and is going back.
func wentBack(w *world) {
	inState("CANCELING")(w)
	status("ACTIVE/CANCELING")(w)
	w.is.Equal(currentDroplet(w), w.droplets[0]) // the previous one, at once
	w.is.Equal(cloudFoundryLinks(w.shown()), []string{"app", "cancel", "self"})
}

// keep remembers the process of the last deployment as the one that a cancel must keep.
func keep(w *world) { w.kept = w.fresh() }

func keptIsThe(w *world) { w.is.Equal(text(w.webs()[0], "guid"), w.kept) }

// oldestCrashes lets nothing of the oldest web process run any more.
func oldestCrashes(w *world) {
	for i := range number(w.webs()[0], "instances") {
		w.tells(w.app, i, crash)
	}
}

func crash(r events.InstanceRef) events.InstanceEvent {
	return events.InstanceCrashed{InstanceRef: r, Reason: "exit status 1", Crashes: 1}
}
