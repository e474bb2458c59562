package conformance_test

// auditEvents are the cases of 4.2, 4.8 and 4.9 that ask what is written down of who did what.
var auditEvents = []row{
	{69, started(1), deploys(`{"max_in_flight":2}`, never), func(w *world) {
		data := audited(w, "audit.app.deployment.create")
		w.is.Equal(text(data, "droplet_guid"), w.last())
		w.is.Equal(text(data, "deployment_guid"), w.deployment)
		kind, given := data["type"]
		w.is.True(given && kind == nil) // no rollback
		w.is.Equal(text(data, "revision_guid"), text(newest(w), "guid"))
		w.is.Equal(text(data, "strategy"), "rolling")
		w.is.Equal(number(data, "request", "options", "max_in_flight"), 2)
		w.is.Equal(text(data, "request", "droplet", "guid"), w.last())
	}},
	{198, do(deploying, rests), cancels, ofTheNewDroplet("audit.app.deployment.cancel")},
	{198, do(prepaused, rests), cancels, ofTheNewDroplet("audit.app.deployment.cancel")},
	{198, do(paused, rests), cancels, ofTheNewDroplet("audit.app.deployment.cancel")},
	{211, paused, continues, ofTheNewDroplet("audit.app.deployment.continue")},
}

// audited is the data of the only audit event of a type on the app.
func audited(w *world, kind string) map[string]any {
	l := w.get("/v3/audit_events?types=" + kind + "&target_guids=" + w.app)
	w.is.Equal(number(l, "pagination", "total_results"), 1)
	w.is.Equal(text(l, "resources", 0, "target", "type"), "app")
	data, _ := at(l, "resources", 0, "data").(map[string]any)
	return data
}

func ofTheNewDroplet(kind string) act {
	return func(w *world) {
		w.is.Equal(audited(w, kind), map[string]any{"droplet_guid": w.last(), "deployment_guid": w.deployment})
	}
}
