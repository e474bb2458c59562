package api

import "encoding/json"

// The guids that examples name.
const (
	exampleApp     = "01K9M2D4R6T8V0X2Z4B6D8F0H2"
	exampleDroplet = "01K9M2F7W1Y3A5C7E9G1J3K5M7"
	exampleSpace   = "01K9M1Z0N2Q4S6V8X0Z2B4D6F8"
)

const (
	exampleOfApp     = `"app":{"data":{"guid":"` + exampleApp + `"}}`
	exampleInSpace   = `"relationships":{"space":{"data":{"guid":"` + exampleSpace + `"}}}`
	exampleRollout   = `{"relationships":{` + exampleOfApp + `},"droplet":{"guid":"` + exampleDroplet + `"},"strategy":"rolling"}`
	exampleOfMembers = `{"relationships":{` + exampleOfApp + `},"droplet":{"guid":"` + exampleDroplet + `"},"strategy":"canary","wave":1}`
)

// examples are bodies that are not refused, by the operations they are sent to. Tests send each of them.
var examples = map[string]json.RawMessage{
	"createDeployment": json.RawMessage(`{"relationships":{` + exampleOfApp + `},"droplet":{"guid":"` + exampleDroplet + `"},"strategy":"canary",` +
		`"options":{"max_in_flight":1,"bake_in_seconds":300,"canary":{"steps":[{"instance_weight":25,"pause":{"seconds":600,"then":"continue"}},` +
		`{"instance_weight":50}]}},"metadata":{"labels":{"release":"2026-01"}}}`),
	"planDeployment":     json.RawMessage(`{` + exampleRollout[1:len(exampleRollout)-1] + `,"simulate":{"start_time_in_seconds":2.5,"failure":{"kind":"crash","step":1}}}`),
	"updateDeployment":   json.RawMessage(`{"metadata":{"labels":{"release":"2026-01","draft":null},"annotations":{"ticket":"OPS-42"}}}`),
	"cancelDeployment":   json.RawMessage(`{}`),
	"continueDeployment": json.RawMessage(`{"expected_step":1}`),
	"rollBackDeployment": json.RawMessage(`{}`),

	"createDeploymentGroup":   json.RawMessage(`{"name":"january","members":[` + exampleOfMembers + `],"metadata":{"labels":{"release":"2026-01"}}}`),
	"evaluateDeploymentGroup": json.RawMessage(`{"members":[` + exampleOfMembers + `]}`),
	"updateDeploymentGroup":   json.RawMessage(`{"metadata":{"labels":{"release":"2026-01"}}}`),

	"approveDeployment": json.RawMessage(`{"comment":"looks good"}`),
	"denyDeployment":    json.RawMessage(`{"comment":"not on a Friday"}`),
	"rejectDroplet":     json.RawMessage(`{"reason":"it loses orders"}`),
	"rejectRevision":    json.RawMessage(`{"reason":"it loses orders"}`),

	"declareHalt": json.RawMessage(`{"reason":"incident 42","duration_in_seconds":3600,"metadata":{"labels":{"incident":"42"}},` + exampleInSpace + `}`),
	"updateHalt":  json.RawMessage(`{"metadata":{"annotations":{"review":"https://wiki.example.com/42"}}}`),

	"createPolicy": json.RawMessage(`{"name":"two pairs of eyes","rule":{"condition":"space.name != 'lab' && strategy.name != 'canary'",` +
		`"outcome":"require_approval","reason":"it goes to everybody at once","approval":{"needed":1,"approvers":["space_manager","admin"],` +
		`"expires_in_seconds":3600,"self_approval":true,"manual_start":true}},` + exampleInSpace + `}`),
	"evaluatePolicies": json.RawMessage(exampleRollout),
	"updatePolicy": json.RawMessage(`{"name":"office hours","rule":{"outcome":"hold","app_labels":{"tier":"front"},"window":{` +
		`"rule":"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9","duration_in_seconds":28800,"time_zone":"Europe/Berlin","applies":"outside"}}}`),

	"signalApp": json.RawMessage(`{"name":"errors","firing":true,"value":0.07,"message":"7 % of requests fail","since":"2026-01-02T15:04:05Z"}`),
	"receiveAlerts": json.RawMessage(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"slow","app_guid":"` + exampleApp + `"},` +
		`"annotations":{"summary":"it is slow"},"startsAt":"2026-01-02T15:04:05Z"}]}`),

	"createSubscription": json.RawMessage(`{"name":"chat","url":"https://hooks.example.com/slipway","types":["deployment.*","halt.declared"],` +
		exampleInSpace + `}`),
	"updateSubscription": json.RawMessage(`{"content_mode":"binary","metadata":{"labels":{"team":"payments"}}}`),
}
