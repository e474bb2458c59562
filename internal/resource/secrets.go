package resource

import (
	"encoding/json"
	"slices"
)

// private stands for what whoever asks may not read (Cloud Foundry's text; for lists it is [hidden]).
const private = "[PRIVATE DATA HIDDEN]"

// Secretive is a resource with parts that not everybody may read who may see it: start commands, which may hold passwords, and
// environment variables of the past.
type Secretive interface {
	// WithoutSecrets is the resource with those parts hidden.
	WithoutSecrets() any
}

// WithoutSecrets implements [Secretive].
func (p Process) WithoutSecrets() any {
	p.Command = private
	return p
}

// WithoutSecrets implements [Secretive].
func (d Droplet) WithoutSecrets() any {
	d.ExecutionMetadata, d.ProcessTypes = private, map[string]string{"redacted_message": private}
	return d
}

// WithoutSecrets implements [Secretive].
func (r Revision) WithoutSecrets() any {
	processes := map[string]RevisionProcess{}
	for name, p := range r.Processes {
		if p.Command != nil {
			p.Command = new(private)
		}
		processes[name] = p
	}
	r.Processes = processes
	return r
}

// secretData are the keys of events' data that hold start commands and environment variables, at whatever depth.
var secretData = []string{"command", "commands", "environment", "process_types"}

// WithoutSecrets implements [Secretive].
func (e Event) WithoutSecrets() any {
	var data map[string]json.RawMessage
	if json.Unmarshal(e.Data, &data) != nil {
		e.Data = json.RawMessage(`{}`)
		return e
	}
	e.Data = hideIn(data)
	return e
}

// hideIn hides the secrets in an object, and in the objects inside: an event may hold another fact whole. Numbers stay as they
// were written.
func hideIn(data map[string]json.RawMessage) json.RawMessage {
	for key, value := range data {
		var inner map[string]json.RawMessage
		switch {
		case slices.Contains(secretData, key):
			data[key] = json.RawMessage(`"` + private + `"`)
		case json.Unmarshal(value, &inner) == nil && inner != nil:
			data[key] = hideIn(inner)
		}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return text
}
