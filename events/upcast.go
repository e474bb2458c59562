package events

import "encoding/json"

// deploymentCreatedV1: in version 1 max_in_flight stood beside the other fields, 1 where it was absent; since version 2 it
// is one of the options, as in Cloud Foundry's API.
func deploymentCreatedV1(data json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	inFlight := fields["max_in_flight"]
	if inFlight == nil || string(inFlight) == "null" {
		inFlight = json.RawMessage("1") // what was meant where nothing was said
	}
	delete(fields, "max_in_flight")
	options, err := json.Marshal(map[string]json.RawMessage{"max_in_flight": inFlight})
	if err != nil {
		return nil, err
	}
	fields["options"] = options
	return json.Marshal(fields)
}
