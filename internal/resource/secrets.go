package resource

import "encoding/json"

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

// secretData are the keys of events' data that hold start commands and environment variables.
var secretData = []string{"command", "commands", "environment", "process_types"}

// WithoutSecrets implements [Secretive].
func (e Event) WithoutSecrets() any {
	var data map[string]json.RawMessage
	if json.Unmarshal(e.Data, &data) != nil {
		e.Data = json.RawMessage(`{}`)
		return e
	}
	for _, key := range secretData {
		if _, there := data[key]; there {
			data[key] = json.RawMessage(`"` + private + `"`)
		}
	}
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte(`{}`)
	}
	e.Data = text
	return e
}
