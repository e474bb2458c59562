package commands_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
)

func TestDecodeRefusesInWords(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100_000)
	for _, test := range []struct{ name, command, body, want string }{
		{"not JSON", "app.create", `{"name":`, "Request invalid due to parse error: invalid request body"},
		{"array", "app.create", `[]`, "Request invalid due to parse error: invalid request body"},
		{"text", "app.create", `"x"`, "Request invalid due to parse error: invalid request body"},
		{"two objects", "app.create", `{} {}`, "Request invalid due to parse error: invalid request body"},
		{"invalid UTF-8", "app.create", "{\"name\":\"\xff\"}", "Request invalid due to parse error: invalid request body"},
		{"deep", "app.create", deep, "Request invalid due to parse error: invalid request body"},
		{"huge", "app.create", `{"name":"` + strings.Repeat("x", commands.MaxBody) + `"}`, "Request invalid due to parse error: invalid request body"},
		{"unknown field", "app.start", `{"app":"a","x":1}`, "Unknown field(s): 'x'"},
		{"wrong type", "app.create", `{"name":5}`, "Name must be a string"},
		{"instances in words", "process.scale", `{"process":"p","instances":"many"}`, "Instances must be an integer"},
		{"instances with a fraction", "process.scale", `{"process":"p","instances":1.5}`, "Instances must be an integer"},
		{"options", "deployment.create", `{"app":"a","options":"foo"}`, "Options must be an object"},
		{"several faults", "deployment.create", `{"options":{"max_in_flight":0,"web_instances":-1,"foo":1}}`,
			"Max in flight must be an integer greater than 0, Web instances must be greater than or equal to 0, Options has unsupported key(s): foo"},
		{"keys in their order", "deployment.create", `{"options":{"foo":1,"baz":2,"canary":{"z":1,"a":2}}}`,
			"Options canary has unsupported key(s): z, a, Options has unsupported key(s): foo, baz"},
		{"max in flight 1.5", "deployment.create", `{"options":{"max_in_flight":1.5}}`, "Max in flight must be an integer greater than 0"},
		{"max in flight text", "deployment.create", `{"options":{"max_in_flight":"5"}}`, "Max in flight must be an integer greater than 0"},
		{"web instances text", "deployment.create", `{"options":{"web_instances":"x"}}`, "Web instances is not a number"},
		{"web instances 1.5", "deployment.create", `{"options":{"web_instances":1.5}}`, "Web instances must be an integer"},
		{"web instances huge", "deployment.create", `{"options":{"web_instances":2147483648}}`, "Web instances must be less than or equal to 2147483647"},
		{"web instances beyond memory", "deployment.create", `{"options":{"web_instances":1e999999999}}`, "Web instances must be less than or equal to 2147483647"},
		{"memory of almost nothing", "deployment.create", `{"options":{"memory_in_mb":"1e-999999999"}}`, "Memory in mb must be greater than 0"},
		{"memory 0", "deployment.create", `{"options":{"memory_in_mb":0}}`, "Memory in mb must be greater than 0"},
		{"disk x", "deployment.create", `{"options":{"disk_in_mb":[]}}`, "Disk in mb is not a number"},
		{"log rate", "deployment.create", `{"options":{"log_rate_limit_in_bytes_per_second":-2}}`,
			"Log rate limit in bytes per second must be greater than or equal to -1"},
		{"canary steps text", "deployment.create", `{"options":{"canary":{"steps":"foo"}}}`, "Options canary steps must be an array of objects"},
		{"canary steps mixed", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":1},"foo"]}}}`, "Options canary steps must be an array of objects"},
		{"canary step key", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":1,"foo":1}]}}}`, "Options canary steps has unsupported key(s): foo"},
		{"canary step empty", "deployment.create", `{"options":{"canary":{"steps":[{}]}}}`,
			`Options canary steps missing key: "instance_weight", Options canary steps instance weight must be an Integer between 1-100 (inclusive)`},
		{"canary weight text", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":"10"}]}}}`,
			"Options canary steps instance weight must be an Integer between 1-100 (inclusive)"},
		{"canary weight 25.0", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":25.0}]}}}`,
			"Options canary steps instance weight must be an Integer between 1-100 (inclusive)"},
		{"canary weights 75,25", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":75},{"instance_weight":25}]}}}`,
			"Options canary steps instance weight must be sorted in ascending order"},
		{"canary text", "deployment.create", `{"options":{"canary":"x"}}`, "Options canary must be an object"},
		{"times that are none", "deployment.create", `{"options":{"bake_in_seconds":-1,"progress_deadline_in_seconds":0,"startup_timeout_in_seconds":86401}}`,
			"Bake in seconds must be greater than or equal to 0, Progress deadline in seconds must be greater than 0, " +
				"Startup timeout in seconds must be less than or equal to 86400"},
		{"on failure", "deployment.create", `{"options":{"on_failure":"explode","fast":"yes","ignore_alarms":1}}`,
			"On failure must be 'rollback', 'hold' or 'cancel', Fast must be a boolean, Ignore alarms must be a boolean"},
		{"breaker text", "deployment.create", `{"options":{"breaker":5}}`, "Options breaker must be an object"},
		{"breaker of nothing", "deployment.create", `{"options":{"breaker":{"crashes":null}}}`, `Options breaker must have "crashes" or "percent"`},
		{"breaker", "deployment.create", `{"options":{"breaker":{"crashes":0,"percent":101,"limit":1}}}`,
			"Options breaker crashes must be greater than 0, Options breaker percent must be less than or equal to 100, Options breaker has unsupported key(s): limit"},
		{"pause text", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":1,"pause":5}]}}}`, "Options canary steps pause must be an object"},
		{"pauses", "deployment.create", `{"options":{"canary":{"steps":[{"instance_weight":1,"pause":{"seconds":0,"then":"go"}},
			{"instance_weight":2,"pause":{"seconds":0,"then":"go","x":1}},{"instance_weight":2,"pause":{"seconds":1}}]}}}`,
			"Options canary steps pause seconds must be greater than 0, Options canary steps pause then must be 'continue', 'cancel' or 'hold', " +
				`Options canary steps pause has unsupported key(s): x, Options canary steps pause must have "seconds" and "then"`},
		{"checks text", "deployment.create", `{"options":{"checks":"x"}}`, "Options checks must be an array of objects"},
		{"checks of texts", "deployment.create", `{"options":{"checks":["x"]}}`, "Options checks must be an array of objects"},
		{"check", "deployment.create", `{"options":{"checks":[{"name":1,"type":2,"interval_in_seconds":0,"dry_run":"x","kind":3},{"name":1}]}}`,
			"Options checks name must be a string, Options checks type must be a string, Options checks interval in seconds must be greater than 0, " +
				"Options checks dry run must be a boolean, Options checks has unsupported key(s): kind"},
		{"unknown command", "deployment.explode", `{}`, "Unknown command 'deployment.explode'. Known are: " + strings.Join(commands.Names(), ", ")},
	} {
		t.Run(test.name, func(t *testing.T) {
			is := is.New(t)
			_, err := commands.Decode(test.command, []byte(test.body))
			is.Equal(refusal(err), test.want)
		})
	}
}

func TestDecodeAccepts(t *testing.T) {
	is := is.New(t)
	c, err := commands.Decode("deployment.create", []byte(`{"app":"a","strategy":null,"options":{
		"max_in_flight":null,"web_instances":"5","memory_in_mb":5.0,"disk_in_mb":1e3,"canary":null}}`))
	is.NoErr(err)
	d := c.(commands.CreateDeployment)
	is.Equal(*d.Options.WebInstances, 5) // a numeric string passes, as in Cloud Foundry
	is.Equal(*d.Options.MemoryMB, 5)
	is.Equal(*d.Options.DiskMB, 1000)
	is.Equal(d.Options.MaxInFlight, 0) // null is absent
	is.Equal(d.Options.Guard, events.Guard{})
	_, err = commands.Decode("app.create", nil)
	is.NoErr(err) // an empty body counts as {}
}

// everyOption has each option that there is.
const everyOption = `{"max_in_flight":2,"web_instances":4,"memory_in_mb":64,"disk_in_mb":128,"log_rate_limit_in_bytes_per_second":-1,` +
	`"canary":{"steps":[{"instance_weight":10},{"instance_weight":20,"pause":{"seconds":300,"then":"hold"}},{"instance_weight":50}]},` +
	`"bake_in_seconds":60,"on_failure":"hold","fast":true,"progress_deadline_in_seconds":120,"startup_timeout_in_seconds":30,` +
	`"breaker":{"crashes":5,"percent":50},"ignore_alarms":true,"checks":[{"name":"errors","type":"prometheus","url":"http://127.0.0.1:9090",` +
	`"query":"up","pass_when":"\u003c= 0.01","fail_when":"\u003e 0.1","on_empty":"pass","on_nan":"fail","interval_in_seconds":5,` +
	`"timeout_in_seconds":3,"failure_limit":2,"dry_run":true}]}`

func TestEveryOptionIsReadAndWritten(t *testing.T) {
	is := is.New(t)
	c, err := commands.Decode("deployment.create", []byte(`{"app":"a","strategy":"canary","options":`+everyOption+`}`))
	is.NoErr(err)
	create := c.(commands.CreateDeployment)
	is.NoErr(create.Check())
	is.Equal(create.Options.DeploymentOptions, events.DeploymentOptions{
		MaxInFlight: 2, WebInstances: new(4), MemoryMB: new(64), DiskMB: new(128), LogRate: new(int64(-1)),
		CanaryWeights: []int{10, 20, 50}, CanaryPauses: []events.Pause{{}, {Seconds: 300, Then: "hold"}}, Bake: 60,
		Guard: events.Guard{
			OnFailure: "hold", Fast: true, ProgressDeadline: 120, StartupTimeout: 30, CrashLimit: 5, CrashPercent: 50, IgnoreAlarms: true,
			Checks: []events.Check{{
				Name: "errors", Kind: "prometheus", URL: "http://127.0.0.1:9090", Query: "up", PassWhen: "<= 0.01", FailWhen: "> 0.1",
				OnEmpty: "pass", OnNaN: "fail", Interval: 5, Timeout: 3, FailureLimit: 2, DryRun: true,
			}},
		},
	})
	written, err := json.Marshal(create.Options)
	is.NoErr(err)
	is.Equal(string(written), everyOption)
	written, err = json.Marshal(commands.OptionsOf(create.Options.DeploymentOptions))
	is.NoErr(err)
	is.Equal(string(written), everyOption) // as a deployment shows them: they can be sent again
}

// TestCheckRefusesInWords: what is wrong with a request whose form is right.
func TestCheckRefusesInWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"strategy":"purple","options":{"canary":{}},"droplet":"d","revision":"r"}`: "Strategy 'purple' is not a supported deployment strategy, " +
			"Droplet Cannot set both fields 'droplet' and 'revision', Options canary are only valid for Canary deployments",
		`{"strategy":"linear"}`: "Strategy 'linear' is not a supported deployment strategy",
		`{"options":{"checks":[{"name":"a","type":"http","url":"ftp://x"}]}}`:                          "Options check 'a' url must be an http or https URL without a user",
		`{"options":{"checks":[{"name":"a","type":"ping","url":"http://x"}]}}`:                         "Options check 'a' type must be 'prometheus' or 'http'",
		`{"strategy":"linear","deployment_strategy":"1225qzk"}`:                                        "",
		`{"strategy":"all-at-once","options":{"bake_in_seconds":60,"on_failure":"hold"}}`:              "",
		`{"strategy":"blue-green","options":{"checks":[{"name":"a","type":"http","url":"http://x"}]}}`: "",
	} {
		t.Run(body, func(t *testing.T) {
			is := is.New(t)
			c, err := commands.Decode("deployment.create", []byte(body))
			is.NoErr(err)
			got := ""
			if err := c.(commands.CreateDeployment).Check(); err != nil {
				got = refusal(err)
			}
			is.Equal(got, want)
		})
	}
}

// FuzzDecode: whatever comes, a command or a refusal, never a panic, and a command survives its own round trip.
func FuzzDecode(f *testing.F) {
	for _, name := range commands.Names() {
		f.Add(name, `{"app":"a","options":{"web_instances":"1e9"},"var":{"A":null}}`)
	}
	f.Add("deployment.create", `{"options":`+everyOption+`}`)
	f.Fuzz(func(t *testing.T, name, body string) {
		c, err := commands.Decode(name, []byte(body))
		if err != nil {
			if rejected := new(aggregates.RejectedError); !errors.As(err, &rejected) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := commands.Decode(name, again); err != nil && !strings.Contains(err.Error(), "max_in_flight") && !strings.Contains(err.Error(), "Max in flight") {
			t.Fatalf("%s does not survive its round trip: %v", again, err)
		}
	})
}
