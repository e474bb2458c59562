package conformance_test

import "fmt"

// model are the cases of 4.10: the rules behind a deployment, seen from outside.
var model = []row{
	{217, started(1), deploys(`{}`, never), func(w *world) { w.is.Equal(at(w.shown(), "status", "canary"), nil) }},
	{218, started(1), canaries(`{}`, never), current(1)},
	{219, deploying, nil, progressing(true)},
	{219, prepaused, nil, progressing(true)},
	{219, paused, nil, progressing(true)},
	{219, canceling, nil, progressing(false)},
	{219, deployed, nil, progressing(false)},
	{219, canceled, nil, progressing(false)},
	{221, deploying, nil, continuable(false)},
	{221, prepaused, nil, continuable(false)},
	{221, paused, nil, continuable(true)},
	{221, canceling, nil, continuable(false)},
	{221, deployed, nil, continuable(false)},
	{221, canceled, nil, continuable(false)},
	{223, started(1), deploys(`{"web_instances":10}`), webSizes(10)},
	{223, started(1), deploys(`{"web_instances":null}`), webSizes(1)},
	{224, started(10), canaries(quick(steps(20, 40))), pauses(10, "2+9", "4+7")},
	{226, started(5), canaries(quick(steps(20, 40))), pauses(5, "1+5", "2+4")},
	{228, started(3), canaries(quick(steps(1))), pauses(3, "1+3")},
	{229, started(1), canaries(quick(steps(1, 20, 40, 80, 100))), pauses(1, "1+1", "1+1", "1+1", "1+1", "1+0")},
	{230, started(10), canaries(quick(`{}`)), pauses(10, "1+10")},
	{232, started(100), canaries(quick(`{"web_instances":10,` + fiveSteps[1:])), pauses(10, fiveStepsOfTen...)},
	{233, started(10), canaries(quick(`{"web_instances":100,` + fiveSteps[1:])), pauses(100, fiveStepsOfTen...)},
	{235, do(started(10), canaries(quick(fiveSteps)), continues, continues), nil, do(current(3), sizes(6, 5))},
	{236, do(started(10), canaries(quick(steps(20, 40)))), nil, do(current(1), sizes(9, 2))},
	{236, do(started(10), canaries(quick(steps(20, 40)))), continues, do(current(2), sizes(7, 4))},
}

var (
	deploying = do(started(1), deploys(`{}`, never), inState("DEPLOYING"))
	prepaused = do(started(1), canaries(`{}`, never), inState("PREPAUSED"))
	paused    = do(started(1), canaries(`{}`), inState("PAUSED"))
	canceling = do(deploying, rests, cancels, inState("CANCELING"))
	deployed  = do(started(1), deploys(`{}`), inState("DEPLOYED"))
	canceled  = do(deploying, cancels, inState("CANCELED"))
)

// progressing expects whether the deployment blocks a change of the web process.
func progressing(want bool) act {
	return func(w *world) {
		got := w.call("POST", "/v3/apps/"+w.app+"/processes/web/actions/scale", `{"instances":2}`)
		w.is.Equal(got.Code == 422, want)
	}
}

// continuable expects whether there is something to continue.
func continuable(want bool) act {
	return func(w *world) { w.is.Equal(at(w.shown(), "links", "continue") != nil, want) }
}

var (
	fiveSteps      = steps(1, 25, 50, 99, 100)
	fiveStepsOfTen = []string{"1+10", "3+8", "5+6", "10+1", "10+0"}
)

// quick is options with all instances in flight at once.
func quick(options string) string {
	if options == `{}` {
		return `{"max_in_flight":1000}`
	}
	return `{"max_in_flight":1000,` + options[1:]
}

// pauses expects the pauses of a canary, as "new+old" instances, and that it ends with so many.
func pauses(end int, want ...string) act {
	return func(w *world) {
		for i, pause := range want {
			inState("PAUSED")(w)
			current(i + 1)(w)
			fresh := number(w.get("/v3/processes/"+w.fresh()), "instances")
			old := -fresh
			for _, p := range w.webs() {
				old += number(p, "instances")
			}
			w.is.Equal(fmt.Sprintf("%d+%d", fresh, old), pause)
			continues(w)
		}
		inState("DEPLOYED")(w)
		webSizes(end)(w)
	}
}
