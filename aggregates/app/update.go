package app

import (
	"regexp"

	"slipway/aggregates"
	"slipway/events"
)

// UpdateApp changes the app's labels and annotations.
func UpdateApp(s State, patch aggregates.MetadataPatch) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	next := patch.On(s.Metadata)
	if err := CheckMetadata(next); err != nil {
		return nil, err
	}
	if aggregates.SameMetadata(next, s.Metadata) {
		return nil, nil
	}
	return []events.Event{events.AppUpdated{App: s.ID, Metadata: next}}, nil
}

// processType is what a process may be called: what a Procfile may name.
var processType = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CreateProcess gives the app a process of a type that no droplet has named yet: a manifest may say its size and command
// before the droplet comes. The newest of the type counts, so where there is one nothing is created.
func CreateProcess(s State, id events.CommandID, kind string) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if !processType.MatchString(kind) {
		return nil, aggregates.Reject("Process type must be 1 to 64 letters, digits, '_' or '-'")
	}
	if _, there := s.ProcessOfType(kind); there {
		return nil, nil
	}
	process := events.ProcessID(events.DeriveID(id, "process/"+kind, 0))
	return []events.Event{firstProcess(s.ID, process, kind, s.Types[s.Droplet][kind], s.Droplet)}, nil
}
