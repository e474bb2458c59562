package conformance_test

import "fmt"

// message are the cases of 4.5: what a request may say. Each is sent for an app that runs.
var message = []row{
	{101, started(1), sends(
		said{`"strategy":"rolling"`, ""}, said{`"strategy":"canary"`, ""}, said{`"strategy":null`, ""},
	), nil},
	{102, started(1), sends(
		said{``, ""}, said{`"options":null`, ""}, said{`"options":{}`, ""}, said{`"options":"foo"`, "Options must be an object"},
	), nil},
	{105, started(1), sends(
		said{`"options":{"memory_in_mb":"x"}`, "Memory in mb is not a number"},
		said{`"options":{"memory_in_mb":-1}`, "Memory in mb must be greater than 0"},
		said{`"options":{"memory_in_mb":0}`, "Memory in mb must be greater than 0"},
		said{`"options":{"memory_in_mb":2}`, ""},
	), nil},
	{107, started(1), sends(
		said{`"options":{"log_rate_limit_in_bytes_per_second":"x"}`, "Log rate limit in bytes per second is not a number"},
		said{`"options":{"log_rate_limit_in_bytes_per_second":-2}`, "Log rate limit in bytes per second must be greater than or equal to -1"},
		said{`"options":{"log_rate_limit_in_bytes_per_second":-1}`, ""},
		said{`"options":{"log_rate_limit_in_bytes_per_second":0}`, ""},
		said{`"options":{"log_rate_limit_in_bytes_per_second":2}`, ""},
	), nil},
	{108, started(1), sends(
		said{canaryOptions(`null`), ""}, said{canaryOptions(`{}`), ""}, said{canaryOptions(`"foo"`), "Options canary must be an object"},
	), nil},
	{110, started(1), sends(said{`"options":{"foo":1,"baz":2}`, "Options has unsupported key(s): foo, baz"}), nil},
	{111, started(1), sends(
		said{canarySteps(`"foo"`), "Options canary steps must be an array of objects"},
		said{canarySteps(`[]`), ""}, said{canarySteps(`null`), ""},
		said{canarySteps(`[{"instance_weight":1},"foo"]`), "Options canary steps must be an array of objects"},
	), nil},
	{112, started(1), sends(
		said{canarySteps(`[{"instance_weight":1,"foo":2}]`), "Options canary steps has unsupported key(s): foo"},
	), nil},
	{113, started(1), sends(said{`"strategy":"canary","options":` + steps(1, 2, 50, 99, 100), ""}), nil},
	{114, started(1), sends(said{`"strategy":"canary","options":` + steps(10, 10, 50, 50), ""}), nil},
	{115, started(1), sends(
		said{canarySteps(`[{"instance_weight":1},{}]`), missingWeight}, said{canarySteps(`[{}]`), missingWeight},
	), nil},
	{116, started(1), sends(
		said{canarySteps(`[{"instance_weight":"foo"}]`), wrongWeight}, said{canarySteps(`[{"instance_weight":0}]`), wrongWeight},
		said{canarySteps(`[{"instance_weight":-5}]`), wrongWeight}, said{canarySteps(`[{"instance_weight":101}]`), wrongWeight},
		said{canarySteps(`[{"instance_weight":25.0}]`), wrongWeight},
	), nil},
	{117, started(1), sends(
		said{`"strategy":"canary","options":` + steps(75, 25), "Options canary steps instance weight must be sorted in ascending order"},
	), nil},
	{119, started(1), sends(said{`"x":1`, "Unknown field(s): 'x'"}), nil},
}

const (
	wrongWeight   = "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"
	missingWeight = `Options canary steps missing key: "instance_weight", ` + wrongWeight
)

func canaryOptions(canary string) string {
	return `"strategy":"canary","options":{"canary":` + canary + `}`
}
func canarySteps(steps string) string { return canaryOptions(`{"steps":` + steps + `}`) }

// said are fields of a request and the text it is refused with; none: it is accepted.
type said struct{ fields, refusal string }

// sends sends one request after the other. What is refused leaves nothing behind.
func sends(requested ...said) act {
	return func(w *world) {
		w.t.Helper()
		made := 0
		for _, s := range requested {
			requests(s.fields)(w)
			got := fmt.Sprint(w.answer.Code, " ", text(w.object(w.answer), "errors", 0, "detail"))
			want := "422 " + s.refusal
			if s.refusal == "" {
				want, made = "201 ", made+1
			}
			w.is.Equal(s.fields+": "+got, s.fields+": "+want)
			w.is.Equal(number(w.get("/v3/deployments"), "pagination", "total_results"), made) // deployments there are
		}
	}
}
