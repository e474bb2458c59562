package api_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

// planned is the body of a request for a plan.
func planned(app, droplet, options, more string) string {
	return strings.TrimSuffix(deployment(app, droplet, options), "}") + more + "}"
}

// TestPlan: a plan says what the deployment then does, and writes nothing.
func TestPlan(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":4}`)
	next := w.droplet(app)
	before, _ := w.log.Newest(t.Context())
	v := w.must(200, "POST", "/v3/deployments/plan", planned(app, next, `{"max_in_flight":2}`, `,"simulate":{"start_time_in_seconds":2.5}`))
	after, _ := w.log.Newest(t.Context())
	is.Equal(after, before) // nothing is written
	is.Equal(text(v, "app", "guid"), app)
	is.Equal(text(v, "outcome"), "DEPLOYED")
	is.Equal(at(v, "finished_after_in_seconds"), 5.0)
	is.Equal(at(v, "floor"), 4.0)
	is.Equal(at(v, "lowest_capacity"), map[string]any{"after_in_seconds": 0.0, "old": 4.0, "new": 0.0, "desired": 6.0})
	is.Equal(at(v, "peak"), map[string]any{"after_in_seconds": 0.0, "instances": 6.0, "memory_in_mb": 6144.0})
	is.Equal(at(v, "options"), map[string]any{"max_in_flight": 2.0, "progress_deadline_in_seconds": 600.0}) // what was left out, too
	is.Equal(at(v, "simulate"), map[string]any{"start_time_in_seconds": 2.5})
	is.Equal(at(v, "steps", 0, "reached_after_in_seconds"), 5.0)
	is.Equal(text(v, "steps", 0, "failures", 0, "kind"), "crash")
	is.Equal(text(v, "steps", 0, "failures", 0, "outcome"), "WAITING") // a plain rollout does not go back by itself
	is.Equal(at(v, "steps", 0, "failures", 0, "old_alone_after_in_seconds"), nil)

	w.agent()
	id := w.deploy(app, next, `{"max_in_flight":2}`)
	w.until("it is deployed", func() bool { return w.status(id) == "FINALIZED/"+text(v, "outcome") }) // as foreseen
}

// TestPlanWithFailure: what the guard does is told of the failure that is asked for, alone.
func TestPlanWithFailure(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":4}`)
	v := w.must(200, "POST", "/v3/deployments/plan", planned(app, w.droplet(app), `{"breaker":{"crashes":1}}`,
		`,"simulate":{"start_time_in_seconds":7,"failure":{"kind":"crash","step":1}}`))
	is.Equal(text(v, "outcome"), "ROLLED_BACK")
	is.Equal(at(v, "serves_alone_after_in_seconds"), 7.0)
	is.Equal(at(v, "steps", 0, "failures"), []any{})
}

func TestPlanPauses(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":2}`)
	canary := planned(app, w.droplet(app), `{}`, `,"strategy":"canary"`)
	v := w.must(200, "POST", "/v3/deployments/plan", canary)
	is.Equal(text(v, "outcome"), "WAITING")
	is.Equal(text(v, "waits_for"), "somebody to continue or to cancel it, at step 1")
	is.Equal(at(v, "finished_after_in_seconds"), nil)
	is.Equal(at(v, "simulate", "start_time_in_seconds"), 10.0) // said, since nobody gave it
	v = w.must(200, "POST", "/v3/deployments/plan", strings.TrimSuffix(canary, "}")+`,"simulate":{"continue_after_in_seconds":60}}`)
	is.Equal(text(v, "outcome"), "DEPLOYED")
	is.Equal(at(v, "steps", 1, "begins_after_in_seconds"), 70.0)
}

// TestPlanIsRefusedAsTheDeploymentWouldBe: same words, same status.
func TestPlanIsRefusedAsTheDeploymentWouldBe(t *testing.T) {
	w := newWorld(t)
	if err := w.commands.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	app := w.app("hello")
	d := w.droplet(app)
	quota := text(w.must(201, "POST", "/v3/organization_quotas",
		`{"name":"small","apps":{"total_memory_in_mb":1024},"relationships":{"organizations":{"data":[{"guid":"default"}]}}}`), "guid")
	if quota == "" {
		t.Fatal("no quota")
	}
	for name, body := range map[string]string{
		"no app":                `{}`,
		"unknown app":           deployment("nobody", d, `{}`),
		"unknown droplet":       deployment(app, "nothing", `{}`),
		"unknown strategy":      planned(app, d, `{}`, `,"strategy":"sideways"`),
		"options":               deployment(app, d, `{"max_in_flight":0}`),
		"unknown key":           planned(app, d, `{}`, `,"colour":1`),
		"over the quota":        deployment(app, d, `{"web_instances":3}`),
		"no such strategy":      `{"relationships":{"app":{"data":{"guid":"` + app + `"}},"deployment_strategy":{"data":{"guid":"abcdefg"}}},"droplet":{"guid":"` + d + `"}}`,
		"no JSON":               `{`,
		"several faults":        `{"strategy":"sideways","options":{"max_in_flight":0},"droplet":{"guid":""}}`,
		"both kinds of version": `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"a"},"revision":{"guid":"b"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, want := w.call("POST", "/v3/deployments/plan", body), w.call("POST", "/v3/deployments", body)
			is.True(want.Code >= 400) // given
			is.Equal(got.Code, want.Code)
			is.Equal(got.Body.String(), want.Body.String())
		})
	}
}

func TestPlanRefusesAssumptions(t *testing.T) {
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":1}`)
	for simulate, want := range map[string]string{
		`{"start_time_in_seconds":-1}`:          "Simulate start time in seconds must be between 0 and 86400",
		`{"spread_in_seconds":1e9}`:             "Simulate spread in seconds must be between 0 and 86400",
		`{"continue_after_in_seconds":-0.5}`:    "Simulate continue after in seconds must be between 0 and 86400",
		`{"failure":{"kind":"flood","step":1}}`: "Simulate failure must have a kind, one of 'crash', 'never_starts', 'check', 'alarm', and a step, from 1",
		`{"failure":{"kind":"crash"}}`:          "Simulate failure must have a kind, one of 'crash', 'never_starts', 'check', 'alarm', and a step, from 1",
		`{"start_time_in_seconds":"long"}`:      "Simulate start time in seconds must be a number",
		`{"weather":"bad"}`:                     "Unknown field(s): 'weather'",
		`{"seed":-1}`:                           "Simulate seed must be a uint64",
		`7`:                                     "Simulate must be an object",
	} {
		t.Run(simulate, func(t *testing.T) {
			is := is.New(t)
			got := w.must(422, "POST", "/v3/deployments/plan", planned(app, w.droplet(app), `{}`, `,"simulate":`+simulate))
			is.Equal(text(got, "errors", 0, "detail"), want)
		})
	}
}

// TestPlanTooLarge: a request cannot keep the server busy for long.
func TestPlanTooLarge(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":1}`)
	got := w.must(422, "POST", "/v3/deployments/plan", planned(app, w.droplet(app), `{"web_instances":10000}`, ""))
	is.True(strings.HasPrefix(text(got, "errors", 0, "detail"), "Unable to simulate: the rollout is too large"))
}
