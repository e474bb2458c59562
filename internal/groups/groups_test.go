package groups_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

const (
	canary   = `,"strategy":"canary"`
	baking   = `,"strategy":"all-at-once","options":{"bake_in_seconds":60}`
	rollback = `,"options":{"on_failure":"rollback","progress_deadline_in_seconds":60}`
)

func wave(n int, more string) string { return fmt.Sprintf(`,"wave":%d%s`, n, more) }

// TestMembersAreIndependent: each has a strategy of its own, and the group follows them.
func TestMembersAreIndependent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(""), s[1].member(canary), s[2].member(baking))
		is.Equal(w.stands(id), "RUNNING: DEPLOYED PAUSED BAKING")
		w.passes(61 * time.Second)
		is.Equal(w.stands(id), "RUNNING: DEPLOYED PAUSED DEPLOYED") // not over before the last one is
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/continue", "")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED")
		v := w.must(200, "GET", paths+"/"+id, "")
		is.Equal(at(v, "status", "counts"), map[string]any{"DEPLOYED": 3.0})
		is.Equal(at(v, "status", "last_directive"), nil)

		members := w.must(200, "GET", "/v3/deployments?group_guids="+id, "")
		is.Equal(at(members, "pagination", "total_results"), 3.0)
		is.Equal(text(members, "resources", 1, "strategy"), "canary")
		is.Equal(text(members, "resources", 1, "relationships", "deployment_group", "data", "guid"), id)
	})
}

// TestALateContinuePassesNoPause: the group is told to go on, and before that is carried out somebody has led a member past its pause: it
// stays at the next one, and says that somebody else was first.
func TestALateContinuePassesNoPause(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		stop := w.manager()
		s := w.subjects("a")
		id := w.group(s[0].member(`,"strategy":"canary","options":{"web_instances":2,"canary":{"steps":[{"instance_weight":1},{"instance_weight":50}]}}`))
		is.Equal(w.stands(id), "RUNNING: PAUSED")
		stop()
		w.direct(id, "continue")
		step := func() any {
			return at(w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 0), ""), "status", "canary", "steps", "current")
		}
		is.Equal(step(), 1.0)
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/continue", "")
		w.passes(settling)
		is.Equal(step(), 2.0)
		w.manager()
		w.passes(settling)
		is.Equal(step(), 2.0) // nobody has said that it may pass this one
		is.Equal(w.stands(id), "RUNNING: PAUSED")
		is.Equal(text(w.must(200, "GET", paths+"/"+id, ""), "members", 0, "error"),
			"Cannot continue the deployment at step 1: it is at step 2, continued by user/admin")
	})
}

// TestOneMemberAlone: a single one is canceled, or rolled back, at any time.
func TestOneMemberAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(canary), s[1].member(canary), s[2].member(canary))
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/cancel", "")
		is.Equal(w.stands(id), "RUNNING: CANCELED PAUSED PAUSED")
		w.direct(id, "finalize")
		is.Equal(w.stands(id), "FINALIZED: CANCELED DEPLOYED DEPLOYED")
		id = w.group(s[1].member(canary), s[2].member(canary))
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/rollback", "")
		w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/cancel", "")
		is.Equal(w.stands(id), "FINALIZED: ROLLED_BACK CANCELED") // nobody canceled the group
	})
}

func TestCancelOnlyWhileAllRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		id := w.group(s[0].member(canary), s[1].member(""))
		is.Equal(w.cannot(id, "cancel"), fmt.Sprintf("Cannot cancel the deployment group: every member must be RUNNING, and "+
			"deployment %s of app %s is DEPLOYED", w.deployment(id, 1), s[1].called()))
		id = w.group(s[0].member(canary), s[1].member(canary))
		w.direct(id, "cancel")
		is.Equal(w.stands(id), "CANCELED: CANCELED CANCELED")
		is.Equal(w.cannot(id, "cancel"), "Cannot cancel a deployment group with status: CANCELED")
		v := w.must(200, "GET", paths+"/"+id, "")
		is.Equal(text(v, "status", "last_directive", "directive"), "cancel")
		is.Equal(text(v, "status", "last_directive", "by"), "user/admin")
	})
}

func TestRollBackUnlessFinalizing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(""), s[1].member(canary), s[2].member(wave(2, "")))
		is.Equal(w.stands(id), "RUNNING: DEPLOYED PAUSED PENDING")
		w.direct(id, "rollback")
		is.Equal(w.stands(id), "CANCELED: DEPLOYED ROLLED_BACK SKIPPED") // who has ended stays
		is.Equal(text(w.must(200, "GET", paths+"/"+id, ""), "members", 2, "reason"), "the group was rolled back before")

		id = w.group(s[0].member(baking), s[1].member(baking))
		w.direct(id, "finalize")
		is.Equal(w.stands(id), "FINALIZING: BAKING BAKING")
		is.Equal(w.cannot(id, "rollback"), "Cannot roll back a deployment group with status: FINALIZING")
		is.Equal(w.cannot(id, "cancel"), "Cannot cancel a deployment group with status: FINALIZING")
		w.direct(id, "finalize") // again: it decides nothing
		w.passes(61 * time.Second)
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
		is.Equal(w.cannot(id, "rollback"), "Cannot roll back a deployment group with status: FINALIZED")
	})
}

const threeSteps = `,"strategy":"canary","options":{"canary":{"steps":[{"instance_weight":20},{"instance_weight":50},{"instance_weight":80}]}}`

// TestContinueAllAtOnce: each goes one step on; finalize takes them past all.
func TestContinueAllAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		id := w.group(s[0].member(threeSteps), s[1].member(canary))
		w.direct(id, "continue")
		is.Equal(w.stands(id), "RUNNING: PAUSED DEPLOYED")
		of := w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 0), "")
		is.Equal(at(of, "status", "canary", "steps", "current"), 2.0) // one step, not more
		w.direct(id, "finalize")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")

		id = w.group(s[0].member(baking))
		is.Equal(w.cannot(id, "continue"), fmt.Sprintf("Cannot continue the deployment group: no member is paused at a step, and "+
			"deployment %s of app %s is BAKING", w.deployment(id, 0), s[0].called()))
	})
}

// TestWaves: a wave begins when the one before is done and healthy, bake and all.
func TestWaves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(wave(3, "")), s[1].member(wave(1, baking)), s[2].member(wave(2, canary)))
		is.Equal(w.stands(id), "RUNNING: PENDING BAKING PENDING")
		shown := w.must(200, "GET", paths+"/"+id, "")
		is.Equal(at(shown, "members", 0, "app"), map[string]any{"guid": s[0].app, "name": "a"})
		is.Equal(at(shown, "members", 0, "deployment"), map[string]any{"guid": nil}) // there is none yet that could be read
		w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 1), "")
		is.Equal(w.cannot(id, "cancel"), fmt.Sprintf("Cannot cancel the deployment group: every member must be RUNNING, and "+
			"app %s is PENDING, app %s is PENDING", s[0].called(), s[2].called()))
		w.passes(59 * time.Second)
		is.Equal(w.stands(id), "RUNNING: PENDING BAKING PENDING")
		w.passes(2 * time.Second)
		is.Equal(w.stands(id), "RUNNING: PENDING DEPLOYED PAUSED")
		w.direct(id, "continue")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED DEPLOYED")
		is.Equal(w.types(id), []events.Type{
			"group.created", "group.member-started", "group.member-ended", "group.member-started", "group.directed", "group.member-directed",
			"group.member-ended", "group.member-started", "group.member-ended", "group.ended",
		})
	})
}

// TestAFailedWaveStopsTheNext: what comes after it never begins, and says why.
func TestAFailedWaveStopsTheNext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		w.never(s[0].droplet)
		id := w.group(s[0].member(rollback), s[1].member(wave(2, "")), s[2].member(wave(3, "")))
		is.Equal(w.stands(id), "RUNNING: DEPLOYING PENDING PENDING")
		w.passes(10 * time.Minute)
		is.Equal(w.stands(id), "FINALIZED: ROLLED_BACK SKIPPED SKIPPED")
		is.Equal(w.deployment(id, 2), "")                                                 // nor will there ever be one
		is.Equal(w.why(id, 0), "no progress for 1m0s: 0 of 2 new instances are routable") // what its deployment says
		v := w.must(200, "GET", paths+"/"+id, "")
		is.Equal(text(v, "members", 2, "reason"), fmt.Sprintf("wave 1 did not end well: deployment %s of app %s is ROLLED_BACK", w.deployment(id, 0), s[0].called()))
		is.Equal(w.created(), map[string]int{s[0].app: 1})
	})
}

// TestAMemberThatCannotBeCreated fails alone, in the words of its refusal; it stops what comes after it.
func TestAMemberThatCannotBeCreated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(canary), s[1].member(wave(2, "")), s[2].member(wave(3, "")))
		w.must(202, "DELETE", "/v3/apps/"+s[1].app, "")
		w.direct(id, "continue")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED FAILED SKIPPED")
		is.Equal(text(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "reason"), "Unable to use app. Ensure that the app exists and you have access to it.")
	})
}

// TestAnAppThatIsDeleted, or deployed to by somebody else, ends its member.
func TestAnAppThatIsDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		id := w.group(s[0].member(canary), s[1].member(canary), s[2].member(wave(2, "")))
		w.must(202, "DELETE", "/v3/apps/"+s[0].app, "")
		is.Equal(w.stands(id), "RUNNING: DELETED PAUSED SKIPPED")
		newer := text(w.must(201, "POST", "/v3/deployments", s[1].member("")), "guid")
		is.Equal(w.stands(id), "FINALIZED: DELETED SUPERSEDED SKIPPED")
		superseded := at(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "reason")
		is.Equal(superseded, "deployment "+newer+" goes on in its place")
	})
}

// TestAStoppedAppIsSimplyStarted: its deployment is over at once, and so is its wave.
func TestAStoppedApp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		w.must(200, "POST", "/v3/apps/"+s[0].app+"/actions/stop", "")
		id := w.group(s[0].member(""), s[1].member(wave(2, "")))
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
		w.must(200, "POST", "/v3/apps/"+s[1].app+"/actions/stop", "")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DELETED") // the seed's: the one that served
	})
}

// TestRefusedAsAWhole: one member that would be refused is enough, and nothing is left behind.
func TestRefusedAsAWhole(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		elsewhere := subject{app: s[0].app, droplet: s[1].droplet}
		const noApp = "Unable to use app. Ensure that the app exists and you have access to it."
		before, _ := w.log.Newest(t.Context())
		for body, want := range map[string]string{
			`{}`:             "Members must have at least one deployment",
			`{"members":[]}`: "Members must have at least one deployment",
			`{"members":3}`:  "Members must be an array",
			`{"name":7,"members":[` + s[0].member("") + `]}`:                     "Name must be a string",
			`{"zoo":1,"members":[` + s[0].member("") + `]}`:                      "Unknown field(s): 'zoo'",
			body(s[0].member(""), s[0].member(wave(2, ""))):                      "Members 1 and 2 are of the same app: the later one would supersede the other",
			body(s[0].member(wave(0, ""))):                                       "Members 1 wave must be an integer between 1 and 100",
			body(s[0].member(""), s[1].member(`,"wave":"x","strategy":"magic"`)): "Members 2: Wave must be an integer, Strategy 'magic' is not a supported deployment strategy",
			body(s[0].member(`,"options":{"max_in_flight":0}`), s[1].member(`,"options":3`)): "Members 1: Max in flight must be an integer greater than 0, " +
				"Members 2: Options must be an object",
			body(s[0].member(""), subject{app: "nobody", droplet: s[1].droplet}.member("")): "Members 2: " + noApp,
			body(s[1].member(""), elsewhere.member("")):                                     "Members 2: Unable to assign current droplet. Ensure the droplet exists and belongs to this app.",
			`{"members":[` + s[0].member("") + `],"metadata":{"labels":{"a b":"c"}}}`:       "Metadata label key error: 'a b' contains invalid characters",
		} {
			is.Equal(w.refused(422, "POST", paths, body), want)
		}
		after, _ := w.log.Newest(t.Context())
		is.Equal(before, after) // nothing was written
	})
}

// TestWhoMay: whoever may not deploy one of the apps may not make the group, and whoever may not see one sees no group.
func TestWhoMay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		foreign := w.elsewhere("dev")

		mine := text(w.must(201, "POST", paths, body(s[0].member(canary)), ann...), "guid")
		const noApp = "Members 2: Unable to use app. Ensure that the app exists and you have access to it."
		is.Equal(w.refused(422, "POST", paths, body(s[1].member(""), foreign.member("")), ann...), noApp)
		both := w.group(s[1].member(canary), foreign.member(""))
		is.Equal(w.refused(404, "GET", paths+"/"+both, "", ann...), "Deployment group not found")
		is.Equal(w.refused(404, "POST", paths+"/"+both+"/actions/rollback", "", ann...), "Deployment group not found")
		is.Equal(w.refused(404, "PATCH", paths+"/"+both, `{}`, ann...), "Deployment group not found")
		seen := w.must(200, "GET", paths, "", ann...)
		is.Equal(at(seen, "pagination", "total_results"), 1.0)
		is.Equal(text(seen, "resources", 0, "guid"), mine)
		is.Equal(text(seen, "resources", 0, "created_by"), "user/ann")
		is.Equal(at(w.must(200, "GET", paths, ""), "pagination", "total_results"), 2.0)

		w.must(200, "POST", paths+"/"+mine+"/actions/cancel", "", ann...)
		is.Equal(w.stands(mine), "CANCELED: CANCELED")
		by := map[events.Actor]bool{}
		w.each(func(c events.Recorded, e events.Event) {
			if d, ok := e.(events.DeploymentCanceling); ok && string(d.App) == s[0].app {
				by[c.Actor] = true
			}
		})
		is.Equal(by, map[events.Actor]bool{"user/ann": true}) // members are told in the name of who asked
	})
}

// TestListsAndMetadata: filters, order and labels in Cloud Foundry's way.
func TestListsAndMetadata(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		first := text(w.must(201, "POST", paths, `{"name":"one","metadata":{"labels":{"team":"pay"}},"members":[`+s[0].member("")+`]}`), "guid")
		w.passes(time.Second)
		second := text(w.must(201, "POST", paths, `{"name":"two","members":[`+s[1].member(canary)+`]}`), "guid")
		for query, want := range map[string]string{
			"":                                "one two",
			"?order_by=-created_at":           "two one",
			"?names=two":                      "two",
			"?guids=" + first:                 "one",
			"?app_guids=" + s[1].app:          "two",
			"?status_values=FINALIZED,FAILED": "one",
			"?label_selector=team":            "one",
			"?per_page=1&page=2":              "two",
		} {
			var names []string
			rows, _ := at(w.must(200, "GET", paths+query, ""), "resources").([]any)
			for _, r := range rows {
				names = append(names, text(r, "name"))
			}
			is.Equal(strings.Join(names, " "), want)
		}
		is.True(strings.HasPrefix(w.refused(400, "GET", paths+"?x=1", ""), "The query parameter is invalid: Unknown query parameter(s): 'x'"))
		is.True(strings.Contains(w.refused(400, "GET", paths+"?status_values=", ""), "Status values can only be: 'PENDING'"))
		v := w.must(200, "PATCH", paths+"/"+second, `{"metadata":{"labels":{"team":"shop"},"annotations":{"why":"so"}}}`)
		is.Equal(text(v, "metadata", "labels", "team"), "shop")
		is.Equal(text(w.must(200, "GET", paths+"?label_selector=team=shop", ""), "resources", 0, "guid"), second)
		is.Equal(w.refused(404, "GET", paths+"/nobody", ""), "Deployment group not found")
	})
}
