package conformance_test

import "strings"

// revisions are the cases of 4.3 and 4.4: superseding, revisions and roll-back.
var revisions = []row{
	{79, do(started(2), deploys(`{}`, never), rests, cancels, status("ACTIVE/CANCELING")), superseding,
		do(inState("CANCELED"), status("FINALIZED/SUPERSEDED"))},
	{80, do(started(3), canaries(`{}`), status("ACTIVE/PAUSED")), superseding, func(w *world) {
		inState("CANCELED")(w)
		status("FINALIZED/SUPERSEDED")(w)
		w.is.Equal(versions(w), []string{w.last()}) // the canary's version serves no more
		list := w.get("/v3/deployments?order_by=-created_at&app_guids=" + w.app)
		w.is.Equal(text(list, "resources", 0, "status", "reason"), "DEPLOYED")
	}},
	{83, created(1), deploys(`{}`), described("Initial revision.")},
	{84, started(1), deploys(`{}`), described("New droplet deployed.")},
	{86, started(1), requests(""), func(w *world) {
		w.is.Equal(len(revisionsOf(w)), 1)
		w.is.Equal(text(w.get("/v3/processes/"+w.fresh()), "relationships", "revision", "data", "guid"), text(newest(w), "guid"))
	}},
	{87, do(started(1), sets(`{"COLOR":"blue"}`)), requests(""), func(w *world) {
		w.is.Equal(len(revisionsOf(w)), 2)
		described("New environment variables deployed.")(w)
		got := w.get("/v3/revisions/" + text(newest(w), "guid") + "/environment_variables")
		w.is.Equal(at(got, "var"), map[string]any{"COLOR": "blue"})
	}},
	{88, do(started(1), commanded("foo rack")), requests(""), func(w *world) {
		w.is.Equal(len(revisionsOf(w)), 2)
		described("Custom start command added for 'web' process.")(w)
		w.is.Equal(at(newest(w), "processes", "web", "command"), "foo rack")
	}},
	{91, customSecond, rollsBackTo(2), func(w *world) {
		w.is.Equal(text(w.get("/v3/processes/"+w.fresh()), "command"), "bundle exec earlier_app")
	}},
	{92, customSecond, rollsBackTo(2), func(w *world) {
		w.is.True(strings.Contains(text(newest(w), "description"), "Rolled back to revision 2."))
	}},
	{96, customSecond, rollsBackTo(3), do(
		refused("Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision."),
		func(w *world) { w.is.Equal(len(revisionsOf(w)), 3) },
	)},
}

// superseding begins a rolling deployment of another droplet; the one before it stays the one that is looked at.
func superseding(w *world) {
	before := w.deployment
	deploys(`{}`)(w)
	w.deployment = before
}

// versions are the droplets whose web instances run now, each once.
func versions(w *world) []string {
	var found []string
	for _, droplet := range w.droplets {
		if w.alive(droplet) > 0 {
			found = append(found, droplet)
		}
	}
	return found
}

// revisionsOf are the app's revisions, the oldest first.
func revisionsOf(w *world) []any {
	return all(w.get("/v3/apps/"+w.app+"/revisions?per_page=5000"), "resources")
}

// newest is the app's latest revision.
func newest(w *world) any {
	list := revisionsOf(w)
	return list[len(list)-1]
}

func described(want string) act {
	return func(w *world) { w.is.Equal(text(newest(w), "description"), want) } // of the latest revision
}

// sets changes environment variables (JSON).
func sets(variables string) act {
	return func(w *world) {
		w.must(200, "PATCH", "/v3/apps/"+w.app+"/environment_variables", `{"var":`+variables+`}`)
	}
}

// commanded gives web a start command; null is the droplet's.
func commanded(command string) act {
	return func(w *world) {
		w.must(200, "PATCH", "/v3/processes/"+text(w.get("/v3/apps/"+w.app+"/processes/web"), "guid"), `{"command":"`+command+`"}`)
	}
}

// customSecond is an app at revision 3 whose revision 2 had a start command of its own.
var customSecond = do(started(1), commanded("bundle exec earlier_app"), requests(""), commanded("bundle exec later_app"), requests(""))
