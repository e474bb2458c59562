package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/policy"
	"slipway/events"
)

// monday is a Monday at noon in Berlin, in winter.
var monday = time.Date(2026, 1, 12, 11, 0, 0, 0, time.UTC)

func request() Request {
	return Request{
		App:          App{GUID: "a1", Name: "payments", Labels: map[string]string{"tier": "critical"}, State: "STARTED", Instances: 4},
		Space:        Place{GUID: "s1", Name: "prod"},
		Organization: Place{GUID: "o1", Name: "acme"},
		Droplet:      Droplet{GUID: "d1", SizeBytes: 1 << 20},
		Strategy:     Strategy{Name: "canary", Options: events.DeploymentOptions{MaxInFlight: 3, Bake: 600, CanaryWeights: []int{20}}},
		Actor:        Actor{Name: "user/ann", Roles: []string{"space_developer"}},
		Now:          monday,
		Last:         []Past{{GUID: "x1", Status: "FINALIZED", Reason: "ROLLED_BACK", Droplet: "d1", By: "client/ci", EndedAt: &monday}},
	}
}

// asked is what one rule says of the request; nil: nothing.
func asked(t *testing.T, rule events.PolicyRule, r Request) *events.PolicyVerdict {
	t.Helper()
	j, err := set{prepare(policy.Policy{ID: "p", Name: "rule", Rule: rule})}.judge(r)
	is.New(t).NoErr(err)
	if len(j.Verdicts) == 0 {
		return nil
	}
	return &j.Verdicts[0]
}

func TestConditions(t *testing.T) {
	for condition, want := range map[string]bool{
		"":                     true,
		"space.name == 'prod'": true,
		"space.name == 'dev'":  false,
		"organization.name == 'acme' && app.name.startsWith('pay')":                          true,
		"app.labels.tier == 'critical'":                                                      true,
		"'team' in app.labels":                                                               false,
		"has(app.annotations.contact)":                                                       false,
		"actor.roles.exists(app, app.startsWith('space_'))":                                  true, // an app of its own
		"[{'x': 1}].exists(app, app.x == 1)":                                                 true,
		"app.instances % 2 == 0 && strategy.options.canary_weights[0] + 1 == 21":             true, // they are whole numbers
		"droplet.size_in_bytes > 1024":                                                       true,
		"revision.guid == ''":                                                                true,
		"strategy.name == 'canary' && strategy.options.max_in_flight >= 3":                   true,
		"strategy.options.bake_in_seconds < 300":                                             false,
		"actor.name == 'user/ann' && !actor.automation":                                      true,
		"'space_manager' in actor.roles":                                                     false,
		"now.getDayOfWeek('Europe/Berlin') == 1":                                             true,
		"now.getHours('Europe/Berlin') >= 12":                                                true,
		"last_deployments.exists(d, d.droplet == droplet.guid && d.reason == 'ROLLED_BACK')": true,
		"now - timestamp(last_deployments[0].ended_at) < duration('1h')":                     true,
	} {
		t.Run(condition, func(t *testing.T) {
			is := is.New(t)
			rule := events.PolicyRule{Condition: condition, Outcome: events.OutcomeDeny, Reason: "so it is"}
			is.NoErr(Check(rule, monday))
			v := asked(t, rule, request())
			is.Equal(v != nil, want)
			if want {
				is.Equal(v.Reason, "so it is")
			}
		})
	}
}

// TestAConditionThatFailsDenies, whatever the policy would have said.
func TestAConditionThatFailsDenies(t *testing.T) {
	for condition, want := range map[string]string{
		"app.labels.team == 'pay'":      "its condition cannot be evaluated: no such key: team",
		"last_deployments[70].by == ''": "its condition cannot be evaluated: index out of bounds: 70",
		"app.name":                      "its condition cannot be evaluated: it gives string, not true or false",
		"last_deployments.all(a, " + strings.Repeat("last_deployments.all(a, ", 6) + "a.by == ''" + strings.Repeat(")", 7): "its condition cannot be evaluated: operation cancelled: actual cost limit exceeded",
	} {
		t.Run(condition, func(t *testing.T) {
			is := is.New(t)
			r := request()
			for range 9 {
				r.Last = append(r.Last, Past{})
			}
			for i := range r.Last {
				r.Last[i].By = ""
			}
			rule := events.PolicyRule{Condition: condition, Outcome: events.OutcomeAllow}
			is.NoErr(Check(rule, monday)) // nothing is wrong with it by itself
			v := asked(t, rule, r)
			is.True(v != nil)
			is.Equal([]string{v.Outcome, v.Reason}, []string{events.OutcomeDeny, want})
		})
	}
}

func TestConditionsThatAreNone(t *testing.T) {
	for condition, want := range map[string]string{
		"space.name = 'prod'":       "Rule condition is no CEL expression: line 1, column 12: Syntax error: token recognition error at: '= '",
		"spaces.name":               "Rule condition is no CEL expression: line 1, column 1: undeclared reference to 'spaces' (did you mean 'space'?)",
		"app.nam == 'pay'":          "Rule condition names app.nam (line 1, column 4), which there is not: app has guid, name, labels, annotations, state, instances, current_droplet",
		"true &&\n has(actor.role)": "Rule condition names actor.role (line 2, column 5), which there is not: actor has name, roles, automation",
		"last_deployments.exists(d, d.state == 'DEPLOYED')": "Rule condition names d.state (line 1, column 29), which there is not: " +
			"an earlier deployment has guid, status, reason, droplet, strategy, by, created_at, ended_at",
		"last_deployments[0].state == 'DEPLOYED'": "Rule condition names last_deployments[...].state (line 1, column 20), which there is not: " +
			"an earlier deployment has guid, status, reason, droplet, strategy, by, created_at, ended_at",
		"true &&\n1 + 'a' == 2": "Rule condition is no CEL expression: line 2, column 3: found no matching overload for '_+_' applied to '(int, string)'",
		"1 + 1":                 "Rule condition must be true or false, it is of type int",
	} {
		t.Run(condition, func(t *testing.T) {
			is := is.New(t)
			err := Check(events.PolicyRule{Condition: condition, Outcome: events.OutcomeDeny}, monday)
			is.True(err != nil)
			is.Equal(err.Error(), want)
		})
	}
}

// office is open from 9 to 17 on workdays, in Berlin.
func office(applies string) *events.PolicyWindow {
	return &events.PolicyWindow{
		Rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9", Start: "2025-01-01T00:00:00", Seconds: 8 * 3600, Zone: "Europe/Berlin", Applies: applies,
	}
}

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	is.New(t).NoErr(err)
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	is.New(t).NoErr(err)
	return at.UTC()
}

func TestWindows(t *testing.T) {
	for name, c := range map[string]struct{ applies, now, until string }{ // until: empty where nothing is held
		"in the office":                {events.WindowOutside, "2026-01-12 12:00", ""},
		"in the evening":               {events.WindowOutside, "2026-01-12 20:00", "2026-01-13 09:00"},
		"on Friday evening":            {events.WindowOutside, "2026-01-16 17:00", "2026-01-19 09:00"},
		"when it opens":                {events.WindowOutside, "2026-01-12 09:00", ""},
		"just before":                  {events.WindowOutside, "2026-01-12 08:59", "2026-01-12 09:00"},
		"in summer the clock is other": {events.WindowOutside, "2026-07-13 08:00", "2026-07-13 09:00"},
		"held inside":                  {events.WindowInside, "2026-01-12 12:00", "2026-01-12 17:00"},
		"not held outside":             {events.WindowInside, "2026-01-12 17:00", ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			rule := events.PolicyRule{Outcome: events.OutcomeHold, Window: office(c.applies)}
			is.NoErr(Check(rule, monday))
			r := request()
			r.Now = berlin(t, c.now)
			v := asked(t, rule, r)
			if c.until == "" {
				is.Equal(v, nil)
				return
			}
			is.True(v != nil)
			is.Equal(v.Until, berlin(t, c.until))
		})
	}
}

// TestSeveralWindows: what is held begins when none of them holds it, not when the last of those of today does not.
func TestSeveralWindows(t *testing.T) {
	is := is.New(t)
	freeze := &events.PolicyWindow{
		Rule: "FREQ=DAILY;COUNT=1", Start: "2026-01-12T00:00:00", Seconds: 3*24*3600 + 18*3600, Zone: "Europe/Berlin", Applies: events.WindowInside,
	}
	s := set{
		prepare(policy.Policy{ID: "office", Rule: events.PolicyRule{Outcome: events.OutcomeHold, Window: office(events.WindowOutside)}}),
		prepare(policy.Policy{ID: "freeze", Rule: events.PolicyRule{Outcome: events.OutcomeHold, Window: freeze}}),
	}
	r := request()
	r.Now = berlin(t, "2026-01-12 20:00") // the freeze ends on Thursday at 18:00, when nobody is in the office
	j, err := s.judge(r)
	is.NoErr(err)
	is.Equal(len(j.Verdicts), 2)
	for _, v := range j.Verdicts {
		is.Equal(v.Until, berlin(t, "2026-01-16 09:00"))
	}
}

// TestHeldForEver is denied: it would wait silently.
func TestHeldForEver(t *testing.T) {
	is := is.New(t)
	always := &events.PolicyWindow{Rule: "FREQ=DAILY", Start: "2026-01-01T00:00:00", Seconds: 24 * 3600, Zone: "UTC", Applies: events.WindowInside}
	v := asked(t, events.PolicyRule{Outcome: events.OutcomeHold, Window: always}, request())
	is.Equal([]string{v.Outcome, v.Reason}, []string{events.OutcomeDeny, "it would be held for ever"})
	once := &events.PolicyWindow{Rule: "FREQ=DAILY;COUNT=1", Start: "2026-01-01T00:00:00", Seconds: 60, Zone: "UTC", Applies: events.WindowOutside}
	v = asked(t, events.PolicyRule{Outcome: events.OutcomeHold, Window: once}, request())
	is.Equal([]string{v.Outcome, v.Reason}, []string{events.OutcomeDeny, "it would be held for ever"})
}

func TestWindowsThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*events.PolicyWindow)
		want   string
	}{
		"zone unnamed":   {func(w *events.PolicyWindow) { w.Zone = "" }, "Rule window time zone must be one of the IANA's, such as 'Europe/Berlin' or 'UTC'"},
		"zone of a host": {func(w *events.PolicyWindow) { w.Zone = "Local" }, "Rule window time zone must be one of the IANA's, such as 'Europe/Berlin' or 'UTC'"},
		"a long rule":    {func(w *events.PolicyWindow) { w.Rule += ";BYMINUTE=0" + strings.Repeat(",0", 300) }, "Rule window rule must be a recurrence rule (RFC 5545) such as 'FREQ=WEEKLY;BYDAY=MO,TU'"},
		"no zone":        {func(w *events.PolicyWindow) { w.Zone = "Middle/Earth" }, "Rule window time zone must be one of the IANA's, such as 'Europe/Berlin' or 'UTC'"},
		"no start":       {func(w *events.PolicyWindow) { w.Start = "9 o'clock" }, "Rule window start must be a time such as '2026-01-05T09:00:00'"},
		"too long ago":   {func(w *events.PolicyWindow) { w.Start = "1999-01-05T09:00:00" }, "Rule window start must be at most ten years ago"},
		"no rule":        {func(w *events.PolicyWindow) { w.Rule = "on Mondays" }, "Rule window rule must be a recurrence rule (RFC 5545) such as 'FREQ=WEEKLY;BYDAY=MO,TU'"},
		"too often":      {func(w *events.PolicyWindow) { w.Rule = "FREQ=SECONDLY" }, "Rule window rule must recur DAILY, WEEKLY, MONTHLY or YEARLY"},
		"never again":    {func(w *events.PolicyWindow) { w.Rule = "FREQ=DAILY;COUNT=2" }, "Rule window never opens: look at its rule and start"},
		"never anywhere": {func(w *events.PolicyWindow) { w.Rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }, "Rule window never opens: look at its rule and start"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := office(events.WindowInside)
			c.change(w)
			err := Check(events.PolicyRule{Outcome: events.OutcomeHold, Window: w}, monday)
			is.True(err != nil)
			is.Equal(err.Error(), c.want)
		})
	}
}

func TestApproval(t *testing.T) {
	is := is.New(t)
	rule := events.PolicyRule{Outcome: events.OutcomeApproval, Approval: &events.PolicyApproval{
		Needed: 2, Approvers: []string{"space_manager"}, Expires: 60, SelfApproval: true, ManualStart: true,
	}}
	is.Equal(*asked(t, rule, request()), events.PolicyVerdict{
		Policy: "p", Name: "rule", Outcome: events.OutcomeApproval, Needed: 2, Approvers: []string{"space_manager"},
		SelfApproval: true, ManualStart: true, Expires: monday.Add(time.Minute),
	})
}

// TestAnApprovalWithoutAnEnd can come at any time.
func TestAnApprovalWithoutAnEnd(t *testing.T) {
	rule := events.PolicyRule{Outcome: events.OutcomeApproval, Approval: &events.PolicyApproval{Needed: 1, Approvers: []string{"admin"}}}
	is.New(t).True(asked(t, rule, request()).Expires.IsZero())
}

// TestABrokenPolicyDenies, and says which it is and what is wrong with it, in so many words and no more.
func TestABrokenPolicyDenies(t *testing.T) {
	is := is.New(t)
	rule := events.PolicyRule{Outcome: events.OutcomeAllow, Window: &events.PolicyWindow{Zone: "Middle/Earth"}}
	is.Equal(*asked(t, rule, request()), events.PolicyVerdict{
		Policy: "p", Name: "rule", Outcome: events.OutcomeDeny,
		Reason: "it cannot be asked: Rule window time zone must be one of the IANA's, such as 'Europe/Berlin' or 'UTC'",
	})
	long := events.PolicyRule{Outcome: events.OutcomeAllow, Condition: strings.Repeat("x", maxReason)}
	is.Equal(len(asked(t, long, request()).Reason), maxReason)
	elsewhere := policy.Policy{Organization: "o2", Rule: rule}
	j, err := set{prepare(elsewhere)}.judge(request())
	is.NoErr(err)
	is.Equal(len(j.Verdicts), 0) // it denies nobody else
}

// TestNothingIsNull where a condition expects a map or a list.
func TestNothingIsNull(t *testing.T) {
	rule := events.PolicyRule{Outcome: events.OutcomeDeny, Reason: "so it is", Condition: "app.labels.size() + app.annotations.size() + " +
		"space.labels.size() + organization.labels.size() + actor.roles.size() + last_deployments.size() == 0"}
	is.New(t).Equal(asked(t, rule, Request{Now: monday}).Reason, "so it is")
}

// TestWindowsThatMayBe: open for ever, closed now, monthly, or open again before they close.
func TestWindowsThatMayBe(t *testing.T) {
	is := is.New(t)
	hold := func(w events.PolicyWindow, now string) *events.PolicyVerdict {
		w.Zone, w.Applies = "Europe/Berlin", events.WindowInside
		rule := events.PolicyRule{Outcome: events.OutcomeHold, Window: &w}
		is.NoErr(Check(rule, berlin(t, now)))
		r := request()
		r.Now = berlin(t, now)
		return asked(t, rule, r)
	}
	const day = 24 * 3600
	is.Equal(hold(events.PolicyWindow{Rule: "FREQ=DAILY", Start: "2026-01-01T00:00:00", Seconds: day + 3600}, "2026-01-12 12:00").Outcome, events.OutcomeDeny)
	monthly := events.PolicyWindow{Rule: "FREQ=MONTHLY", Start: "2026-01-31T00:00:00", Seconds: day}
	is.Equal(hold(monthly, "2026-01-12 12:00"), nil)
	is.Equal(hold(monthly, "2026-01-31 12:00").Until, berlin(t, "2026-02-01 00:00"))
	thrice := events.PolicyWindow{Rule: "RRULE:FREQ=DAILY;COUNT=3", Start: "2026-01-12T00:00:00", Seconds: day + 3600}
	is.Equal(hold(thrice, "2026-01-12 12:00").Until, berlin(t, "2026-01-15 01:00"))
	old := events.PolicyWindow{Rule: "FREQ=YEARLY", Start: "2016-01-06T00:00:00", Seconds: day}
	is.Equal(hold(old, "2026-01-12 12:00"), nil) // ten years and a few days of leap years
}

func TestScope(t *testing.T) {
	for name, c := range map[string]struct {
		policy policy.Policy
		want   bool
	}{
		"everywhere":           {policy.Policy{}, true},
		"its organization":     {policy.Policy{Organization: "o1"}, true},
		"another organization": {policy.Policy{Organization: "o2"}, false},
		"its space":            {policy.Policy{Organization: "o1", Space: "s1"}, true},
		"another space":        {policy.Policy{Organization: "o1", Space: "s2"}, false},
		"its labels":           {policy.Policy{Rule: events.PolicyRule{AppLabels: map[string]string{"tier": "critical"}}}, true},
		"a label without text": {policy.Policy{Rule: events.PolicyRule{AppLabels: map[string]string{"team": ""}}}, false},
		"other labels":         {policy.Policy{Rule: events.PolicyRule{AppLabels: map[string]string{"tier": "critical", "team": "pay"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c.policy.Rule.Outcome = events.OutcomeDeny
			j, err := set{prepare(c.policy)}.judge(request())
			is.NoErr(err)
			is.Equal(len(j.Verdicts) > 0, c.want)
		})
	}
}

// TestWhatIsKeptIsWhatWasSeen, bounded, and without secrets.
func TestWhatIsKeptIsWhatWasSeen(t *testing.T) {
	is := is.New(t)
	j, err := set{prepare(policy.Policy{Rule: events.PolicyRule{Outcome: events.OutcomeAllow}})}.judge(request())
	is.NoErr(err)
	var kept map[string]any
	is.NoErr(json.Unmarshal(j.Context, &kept))
	variables, _, err := request().seen()
	is.NoErr(err)
	is.Equal(len(kept), len(variables))
	for name := range variables {
		_, there := kept[name]
		is.True(there)
	}
	r := request()
	r.Revision.Description = strings.Repeat("x", maxContext)
	_, _, err = r.seen()
	is.True(err != nil && strings.HasPrefix(err.Error(), "The request is too large for policies to judge it"))
}

// BenchmarkJudge measures how long 20 policies take to judge a request: a window and conditions of usual size. It prints the
// slowest of the requests too.
func BenchmarkJudge(b *testing.B) {
	var s set
	for i := range 20 {
		rule := events.PolicyRule{
			Outcome: events.OutcomeAllow, Window: office(events.WindowInside),
			Condition: fmt.Sprintf(`space.name == "prod" && app.labels.tier in ["critical", "t%d"] && !actor.automation &&
				last_deployments.filter(d, d.reason == "ROLLED_BACK").size() < 3 && now.getHours("Europe/Berlin") < 22`, i),
		}
		if i%4 == 0 {
			rule.Outcome, rule.Window = events.OutcomeHold, office(events.WindowOutside)
		}
		s = append(s, prepare(policy.Policy{ID: events.PolicyID(fmt.Sprint(i)), Rule: rule}))
	}
	var took []time.Duration
	for b.Loop() {
		r := request()
		r.Now = monday.Add(time.Duration(len(took)) * time.Minute)
		began := time.Now()
		if _, err := s.judge(r); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
