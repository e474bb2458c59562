package conformance_test

import (
	"fmt"
	"testing/synctest"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver/sim"
)

// do does several things one after the other.
func do(acts ...act) act {
	return func(w *world) {
		for _, a := range acts {
			a(w)
		}
	}
}

const webOnly = `{"web":"./web"}`

// created is an app with a current droplet, STOPPED, of so many web instances.
func created(instances int) act { return createdOf(webOnly, instances) }

// createdOf is such an app with these process types in its droplets.
func createdOf(processTypes string, instances int) act {
	return func(w *world) {
		bare(w)
		w.types = processTypes
		w.must(200, "PATCH", "/v3/apps/"+w.app+"/relationships/current_droplet", `{"data":{"guid":"`+w.makes()+`"}}`)
		scaled("web", instances)(w)
	}
}

// bare is an app without any droplet. It is the one that is spoken of from now on.
func bare(w *world) {
	w.apps, w.types = w.apps+1, webOnly
	w.app = text(w.must(201, "POST", "/v3/apps", fmt.Sprintf(`{"name":"app-%d"}`, w.apps)), "guid")
}

// started is such an app with all its instances running.
func started(instances int) act { return startedOf(webOnly, instances) }

func startedOf(processTypes string, instances int) act {
	return do(createdOf(processTypes, instances), acts("start"))
}

// acts asks for an action on the app: start, stop or restart.
func acts(action string) act {
	return func(w *world) { w.must(200, "POST", "/v3/apps/"+w.app+"/actions/"+action, "") }
}

func scaled(processType string, instances int) act {
	return func(w *world) {
		w.must(202, "POST", "/v3/apps/"+w.app+"/processes/"+processType+"/actions/scale", fmt.Sprintf(`{"instances":%d}`, instances))
	}
}

// sized sets something else of the web process.
func sized(body string) act {
	return func(w *world) { w.must(202, "POST", "/v3/apps/"+w.app+"/processes/web/actions/scale", body) }
}

// deploys rolls out a new droplet with these options (JSON); the instances of the new version live so, by index.
func deploys(options string, lives ...sim.Life) act {
	return deploysAs("rolling", options, lives...)
}

// canaries is deploys with the strategy canary.
func canaries(options string, lives ...sim.Life) act { return deploysAs("canary", options, lives...) }

func deploysAs(strategy, options string, lives ...sim.Life) act {
	return func(w *world) {
		w.t.Helper()
		w.script(w.makes(), lives...)
		requests(`"droplet":{"guid":"` + w.last() + `"},"strategy":"` + strategy + `","options":` + options)(w)
		w.accepted()
	}
}

// requests asks for a deployment of the app with these fields of the body.
func requests(fields string) act {
	return func(w *world) {
		body := `{"relationships":` + w.ofApp()
		if fields != "" {
			body += "," + fields
		}
		w.answer = w.call("POST", "/v3/deployments", body+"}")
		if w.answer.Code == 201 {
			w.deployment = text(w.object(w.answer), "guid")
		}
	}
}

// accepted requires that the last deployment was created, and gives it as it was answered.
func (w *world) accepted() map[string]any {
	w.t.Helper()
	if w.answer.Code != 201 {
		w.t.Fatalf("answered %d %s", w.answer.Code, w.answer.Body)
	}
	return w.object(w.answer)
}

// steers asks for an action on the last deployment: continue or cancel.
func steers(action string) act {
	return func(w *world) { w.answer = w.call("POST", "/v3/deployments/"+w.deployment+"/actions/"+action, "") }
}

var (
	continues = do(steers("continue"), answered(200, ""))
	cancels   = do(steers("cancel"), answered(200, ""))
)

// rests lets the updater do nothing until it moves again.
func rests(w *world) { w.updater.stop() }
func moves(w *world) { w.updater.start() }

// passes lets time pass.
func passes(d time.Duration) act {
	return func(*world) {
		time.Sleep(d) // virtual: the bubble's clock moves when all parts wait
		synctest.Wait()
	}
}

// tells reports on an instance of a process in the agent's stead: what the sim driver cannot show.
func (w *world) tells(process string, index int, report func(events.InstanceRef) events.InstanceEvent) {
	w.t.Helper()
	stats := w.get("/v3/processes/" + process + "/stats")
	e := report(events.InstanceRef{
		App: events.AppID(w.app), Process: events.ProcessID(process), ProcessType: "web", Index: index, Agent: "agent-1",
		Instance: events.InstanceID(text(stats, "resources", index, "instance_guid")),
	})
	w.report(e)
}

func (w *world) report(e events.InstanceEvent) {
	_, err := w.log.Report(w.t.Context(), events.Commit{
		Subject: events.InstanceSubject(e.Ref().Process), CommandID: events.CommandID(events.NewID()), Actor: "agent/agent-1",
		Cause: "agent", Time: time.Now().UTC(), Events: []events.Event{e},
	})
	w.is.NoErr(err)
	synctest.Wait()
}

// vanish leaves instances of the new version without a report: DOWN.
func vanish(indexes ...int) act {
	return func(w *world) {
		for _, i := range indexes {
			w.tells(w.fresh(), i, func(r events.InstanceRef) events.InstanceEvent {
				return events.InstanceStopped{InstanceRef: r, Reason: "the host is gone"}
			})
		}
	}
}

// unready makes instances of the new version RUNNING, but not routable.
func unready(indexes ...int) act {
	return func(w *world) {
		for _, i := range indexes {
			w.tells(w.fresh(), i, func(r events.InstanceRef) events.InstanceEvent {
				return events.InstanceUnready{InstanceRef: r, Reason: "busy"}
			})
		}
	}
}

// fresh is the process that the last deployment made.
func (w *world) fresh() string {
	w.t.Helper()
	return text(w.shown(), "new_processes", 0, "guid")
}

// shown is the last deployment as it is now.
func (w *world) shown() map[string]any {
	w.t.Helper()
	return w.get("/v3/deployments/" + w.deployment)
}

// webs are the web processes, oldest first.
func (w *world) webs() []any {
	w.t.Helper()
	return all(w.get("/v3/apps/"+w.app+"/processes?types=web"), "resources")
}

// sizes expects how many instances all old web processes together and the new one shall have.
func sizes(old, fresh int) act {
	return func(w *world) {
		w.t.Helper()
		gotOld, gotFresh, process := 0, 0, w.fresh()
		for _, p := range w.webs() {
			if text(p, "guid") == process {
				gotFresh = number(p, "instances")
			} else {
				gotOld += number(p, "instances")
			}
		}
		w.is.Equal([]int{gotOld, gotFresh}, []int{old, fresh}) // old and new
	}
}

// webSizes expects the desired instances of each web process, oldest first.
func webSizes(want ...int) act {
	return func(w *world) {
		w.t.Helper()
		var got []int
		for _, p := range w.webs() {
			got = append(got, number(p, "instances"))
		}
		w.is.Equal(got, want) // instances of the web processes, oldest first
	}
}

// status expects value and reason of the last deployment.
func status(want string) act {
	return func(w *world) {
		w.t.Helper()
		v := w.shown()
		w.is.Equal(text(v, "status", "value")+"/"+text(v, "status", "reason"), want) // status
	}
}

// inState expects the internal state of the last deployment, which lists can be filtered by.
func inState(want string) act {
	return func(w *world) {
		w.t.Helper()
		l := w.get("/v3/deployments?guids=" + w.deployment + "&states=" + want)
		w.is.Equal(number(l, "pagination", "total_results"), 1) // in the state
	}
}

// answered expects status and body of the last answer.
func answered(code int, body string) act {
	return func(w *world) {
		w.t.Helper()
		w.is.Equal(fmt.Sprint(w.answer.Code, " ", w.answer.Body), fmt.Sprint(code, " ", body)) // the answer
	}
}

// refused expects that the last request was refused with this text.
func refused(detail string) act {
	return func(w *world) {
		w.t.Helper()
		w.is.Equal(w.answer.Code, 422)                                      // refused
		w.is.Equal(text(w.object(w.answer), "errors", 0, "detail"), detail) // for this reason
	}
}
