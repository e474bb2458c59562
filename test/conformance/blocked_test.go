package conformance_test

// blocked are the cases of 4.14: what a deployment in flight forbids.
var blocked = []row{
	{289, deploying, scales("web"), refused("Cannot scale this process while a deployment is in flight.")},
	{289, deploying, func(w *world) {
		w.answer = w.call("POST", "/v3/processes/"+w.fresh()+"/actions/scale", `{"instances":4}`)
	}, refused("Cannot scale this process while a deployment is in flight.")},
	{290, do(startedOf(`{"web":"./web","worker":"./work"}`, 1), deploys(`{}`, never)), scales("worker"), func(w *world) {
		w.is.Equal(w.answer.Code, 202)
		w.is.Equal(number(w.object(w.answer), "instances"), 4)
	}},
	{291, deploying, func(w *world) {
		w.answer = w.call("PATCH", "/v3/processes/"+w.app, `{"command":"./other"}`)
	}, refused("Cannot update this process while a deployment is in flight.")},
}

// scales asks for 4 instances of a type, whatever comes of it.
func scales(processType string) act {
	return func(w *world) {
		w.answer = w.call("POST", "/v3/apps/"+w.app+"/processes/"+processType+"/actions/scale", `{"instances":4}`)
	}
}
