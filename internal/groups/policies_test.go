package groups_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

// Who asks, for the header.
var (
	ann = []string{"Authorization", "ann@default"}
	eve = []string{"Authorization", "eve@default/space_supporter"}
	bob = []string{"Authorization", "bob@default/space_manager"}
	ci  = []string{"Authorization", "ci@default/robot"}
)

// policy makes one over the apps that a condition holds for; rule is JSON that begins with a comma.
func (w *world) policy(condition, rule string) {
	w.t.Helper()
	w.must(201, "POST", "/v3/policies", fmt.Sprintf(`{"name":"p","rule":{"condition":%q%s}}`, condition, rule))
}

const (
	denies = `,"outcome":"deny","reason":"not so"`
	asks   = `,"outcome":"require_approval","approval":{"needed":1,"approvers":["space_manager"]}`
)

// groupBy makes a group as somebody.
func (w *world) groupBy(who []string, members ...string) (id string) {
	w.t.Helper()
	return text(w.must(201, "POST", paths, body(members...), who...), "guid")
}

func (w *world) answers(who []string, id string, n int, verb string) {
	w.t.Helper()
	w.must(200, "POST", "/v3/deployments/"+w.deployment(id, n)+"/actions/"+verb, `{"comment":"so be it"}`, who...)
}

// TestAnAppIsDeletedThatWaits ends its member like any other, though its deployment never began.
func TestAnAppIsDeletedThatWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		w.policy(`app.name == "b"`, asks)
		id := w.groupBy(ann, s[0].member(""), s[1].member(""), s[2].member(wave(2, "")))
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL PENDING")
		w.must(202, "DELETE", "/v3/apps/"+s[1].app, "")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DELETED SKIPPED")
	})
}

// TestAMemberWaitsForPeople: alone, and keeps the next wave waiting; approved it goes on like the others, denied nothing follows.
func TestAMemberWaitsForPeople(t *testing.T) {
	for name, c := range map[string]struct {
		then func(w *world, id string)
		want string
		why  string
	}{
		"approved": {func(w *world, id string) { w.answers(bob, id, 1, "approve") }, "FINALIZED: DEPLOYED DEPLOYED DEPLOYED", ""},
		"denied": {func(w *world, id string) {
			w.answers(bob, id, 1, "deny")
		}, "FINALIZED: DEPLOYED CREATING_APPROVAL_DENIED SKIPPED", "denied by user/bob: so be it"},
		"denied without a word": {func(w *world, id string) {
			w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/deny", "", bob...)
		}, "FINALIZED: DEPLOYED CREATING_APPROVAL_DENIED SKIPPED", "denied by user/bob"},
		"taken back": {func(w *world, id string) {
			w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/cancel", "", ann...)
		}, "FINALIZED: DEPLOYED CANCELED SKIPPED", "taken back by user/ann"},
		"rolled back": {func(w *world, id string) {
			w.direct(id, "rollback")
		}, "CANCELED: DEPLOYED CANCELED SKIPPED", "taken back by user/admin"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				w.manager()
				s := w.subjects("a", "b", "c")
				w.policy(`app.name == "b"`, asks)
				id := w.groupBy(ann, s[0].member(""), s[1].member(""), s[2].member(wave(2, "")))
				is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL PENDING")
				w.passes(time.Hour)
				is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL PENDING")
				why := text(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "stuck")
				is.True(strings.HasPrefix(why, "waits for approval: policy ")) // with nobody having looked at the deployment
				named := fmt.Sprintf("deployment %s of app %s is CREATING_APPROVAL", w.deployment(id, 1), s[1].called())
				is.True(strings.Contains(w.cannot(id, "cancel"), named))
				is.True(strings.Contains(w.cannot(id, "finalize"), named))
				no := w.refused(403, "POST", "/v3/deployments/"+w.deployment(id, 1)+"/actions/approve", "", ann...)
				is.True(strings.Contains(no, "only space_manager may"))
				c.then(w, id)
				is.Equal(w.stands(id), c.want)
				is.Equal(w.why(id, 1), c.why) // it ended so
			})
		})
	}
}

// TestContinueWithApprovalsOpen: who pauses goes on, who waits for people waits on.
func TestContinueWithApprovalsOpen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		w.policy(`app.name == "b"`, asks)
		id := w.groupBy(ann, s[0].member(canary), s[1].member(canary))
		is.Equal(w.stands(id), "RUNNING: PAUSED CREATING_APPROVAL")
		w.direct(id, "continue")
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL")
		w.answers(bob, id, 1, "approve")
		is.Equal(w.stands(id), "RUNNING: DEPLOYED PAUSED") // it begins at its first step, whatever the others were told
		w.direct(id, "continue")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
	})
}

// TestPoliciesSeeWhoAsked: of a member of any wave they see the roles that who asked for the group had where its app lives.
func TestPoliciesSeeWhoAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		w.policy(`app.name == "b" && !("space_developer" in actor.roles)`, denies)
		for _, c := range []struct {
			who  []string
			want string
		}{{ann, "DEPLOYED"}, {eve, "CREATING_APPROVAL_DENIED"}} {
			id := w.groupBy(c.who, s[0].member(""), s[1].member(""))
			is.Equal(w.stands(id), "FINALIZED: DEPLOYED "+c.want)
			id = w.groupBy(c.who, s[0].member(""), s[1].member(wave(2, "")))
			is.Equal(w.stands(id), "FINALIZED: DEPLOYED "+c.want)
		}
	})
}

// TestAMemberThatAWindowHolds begins when it opens, and its wave with it.
func TestAMemberThatAWindowHolds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		opens := time.Now().UTC().Add(3 * time.Hour).Truncate(time.Second)
		w.policy(`app.name == "b"`, fmt.Sprintf(`,"outcome":"hold","window":{"rule":"FREQ=DAILY","start":%q,"time_zone":"UTC",`+
			`"duration_in_seconds":3600,"applies":"outside"}`, opens.Format("2006-01-02T15:04:05")))
		id := w.group(s[0].member(""), s[1].member(wave(2, "")))
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL")
		v := w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 1), "")
		is.Equal(text(v, "status", "held_until"), opens.Format(time.RFC3339))
		w.passes(3 * time.Hour)
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
	})
}

// TestAPolicyDeniesMembers: the group is made, as a single deployment would be, and each member stands for itself.
func TestAPolicyDeniesMembers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		w.policy(`app.name != "a"`, denies)
		id := w.group(s[0].member(""), s[1].member(""))
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED CREATING_APPROVAL_DENIED")
		d := w.must(200, "GET", "/v3/deployments/"+w.deployment(id, 1), "")
		is.Equal(text(d, "approval", "denied", "comment"), "policy p denies it: not so")
		is.Equal(w.why(id, 1), "policy p denies it: not so")
		id = w.group(s[1].member(""), s[2].member(""))
		is.Equal(w.stands(id), "CREATING_APPROVAL_DENIED: CREATING_APPROVAL_DENIED CREATING_APPROVAL_DENIED")
	})
}

// TestEvaluateAGroup says of each member what would come out, and writes nothing.
func TestEvaluateAGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		s, foreign := w.subjects("a", "b", "c"), w.elsewhere("dev")
		w.policy(`app.name == "b"`, asks)
		w.policy(`app.name == "c" && !("space_developer" in actor.roles)`, denies)
		before, _ := w.log.Newest(t.Context())
		evaluate := func(who []string, members ...string) string {
			v := w.must(200, "POST", paths+"/evaluate", body(members...), who...)
			line := text(v, "outcome") + ":"
			for n := range members {
				is.Equal(at(v, "members", n, "context", "app", "guid"), at(v, "members", n, "app", "guid")) // what conditions see
				is.Equal(at(v, "members", n, "context", "app", "name"), at(v, "members", n, "app", "name"))
				line += fmt.Sprint(" ", text(v, "members", n, "outcome"), at(v, "members", n, "wave"))
			}
			return line
		}
		is.Equal(evaluate(ann, s[0].member("")), "allow: allow1")
		is.Equal(evaluate(ann, s[0].member(""), s[1].member(wave(2, "")), s[2].member(wave(3, ""))), "require_approval: allow1 require_approval2 allow3")
		is.Equal(evaluate(eve, s[1].member(""), s[2].member(wave(2, ""))), "deny: require_approval1 deny2")
		is.Equal(w.refused(422, "POST", paths+"/evaluate", `{}`), "Members must have at least one deployment")
		const noApp = "Members 2: Unable to use app. Ensure that the app exists and you have access to it."
		is.Equal(w.refused(422, "POST", paths+"/evaluate", body(s[0].member(""), foreign.member("")), ann...), noApp)
		after, _ := w.log.Newest(t.Context())
		is.Equal(before, after)
	})
}

// TestAutomationAsksForAGroup: policies see that it does, in every wave; and after a rollback by hand it may not.
func TestAutomationAsksForAGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b")
		w.policy(`actor.automation && app.name == "b"`, asks)
		id := w.groupBy(ci, s[0].member(""), s[1].member(wave(2, "")))
		is.Equal(w.stands(id), "RUNNING: DEPLOYED CREATING_APPROVAL")
		w.answers(bob, id, 1, "approve")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")

		id = w.groupBy(ci, s[0].member(canary), s[1].member(wave(2, "")))
		other := text(w.must(201, "POST", "/v3/deployments", s[1].member(canary), ann...), "guid")
		w.must(200, "POST", "/v3/deployments/"+other+"/actions/rollback", "", ann...)
		w.direct(id, "continue")
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED FAILED")
		held := "Automation may not deploy this app: user/ann went back to an earlier version by hand. " +
			"A person has to let it first (POST /v3/apps/" + s[1].app + "/actions/release_automation)."
		is.Equal(text(w.must(200, "GET", paths+"/"+id, ""), "members", 1, "reason"), held)
		is.Equal(w.refused(422, "POST", paths, body(s[1].member("")), ci...), "Members 1: "+held)
		is.Equal(w.stands(w.groupBy(ann, s[1].member(""))), "FINALIZED: DEPLOYED") // people may
	})
}

// TestWhoTakesAGroupBack: after a person automation is held, whoever had asked for the group; after automation it is not.
func TestWhoTakesAGroupBack(t *testing.T) {
	for _, c := range []struct {
		name       string
		made, back []string
		held       bool
	}{
		{"automation its own", ci, ci, false}, {"automation a person's", ann, ci, false},
		{"a person automation's", ci, ann, true}, {"a person their own", ann, ann, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				w.manager()
				s := w.subjects("a")
				id := w.groupBy(c.made, s[0].member(canary))
				w.must(200, "POST", paths+"/"+id+"/actions/rollback", "", c.back...)
				is.Equal(w.stands(id), "CANCELED: ROLLED_BACK")
				is.Equal(at(w.must(200, "GET", "/v3/apps/"+s[0].app, ""), "automation_held") != nil, c.held)
			})
		})
	}
}
