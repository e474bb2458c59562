package commands_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
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
	_, err = commands.Decode("app.create", nil)
	is.NoErr(err) // an empty body counts as {}
}

// FuzzDecode: whatever comes, a command or a refusal, never a panic, and a command survives its own round trip.
func FuzzDecode(f *testing.F) {
	for _, name := range commands.Names() {
		f.Add(name, `{"app":"a","options":{"web_instances":"1e9"},"var":{"A":null}}`)
	}
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
