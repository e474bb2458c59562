package conformance_test

// continued are the cases of 4.9.
var continued = []row{
	{209, do(started(10), canaries(tenThenForty), continues, inState("PAUSED"), current(2), rests), continues,
		do(inState("DEPLOYING"), status("ACTIVE/DEPLOYING"), current(2))},
	{210, do(started(10), canaries(tenThenForty), inState("PAUSED"), current(1), rests), continues,
		do(inState("PREPAUSED"), status("ACTIVE/DEPLOYING"), current(2))},
	{212, do(started(1), canaries(`{}`, never), inState("PREPAUSED")), steers("continue"),
		refused("Cannot continue a deployment with status: ACTIVE and reason: DEPLOYING")},
	{213, do(started(1), deploys(`{}`, never), inState("DEPLOYING")), steers("continue"),
		refused("Cannot continue a deployment with status: ACTIVE and reason: DEPLOYING")},
	{214, do(started(1), deploys(`{}`, never), rests, cancels, inState("CANCELING")), steers("continue"),
		refused("Cannot continue a deployment with status: ACTIVE and reason: CANCELING")},
	{215, do(started(1), deploys(`{}`), inState("DEPLOYED")), steers("continue"),
		refused("Cannot continue a deployment with status: FINALIZED and reason: DEPLOYED")},
	{216, do(started(1), deploys(`{}`, never), cancels, inState("CANCELED")), steers("continue"),
		refused("Cannot continue a deployment with status: FINALIZED and reason: CANCELED")},
}

var tenThenForty = `{"max_in_flight":100,` + steps(10, 40)[1:]

// current expects the step that a canary is shown to be at.
func current(step int) act {
	return func(w *world) { w.is.Equal(number(w.shown(), "status", "canary", "steps", "current"), step) }
}
