// Package droplet is the rule book of a droplet: an immutable build artifact of one app. It waits for its bits, gets them
// once, and never changes again.
package droplet

import (
	"slipway/aggregates"
	"slipway/events"
)

// State is a droplet folded from its events; the zero State does not exist.
type State struct {
	ID           events.DropletID  `json:"id"`
	App          events.AppID      `json:"app"`
	ProcessTypes map[string]string `json:"process_types,omitempty"` // type to start command
	Image        string            `json:"image,omitempty"`         // what it is instead of bits
	Staged       bool              `json:"staged"`                  // its bits are stored, or it is an image
	Bits         string            `json:"bits,omitempty"`          // name of the object that holds them
	SHA256       string            `json:"sha256,omitempty"`
	SizeBytes    int64             `json:"size_bytes,omitempty"`
}

// Evolve folds one event into the state. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.DropletCreated:
		return State{ID: e.Droplet, App: e.App, ProcessTypes: e.ProcessTypes, Image: e.Image, Staged: e.Image != ""}
	case events.DropletUploaded:
		s.Staged, s.Bits, s.SHA256, s.SizeBytes, s.ProcessTypes = true, e.Bits, e.SHA256, e.SizeBytes, e.ProcessTypes
	}
	return s
}

// Bounds of a droplet's process types.
const (
	maxProcessTypes = 50
	maxTypeLength   = 255
	maxCommand      = 4096
)

// Create makes a droplet that waits for its bits. processTypes may be empty: a Procfile among the bits names them then.
func Create(s State, id events.DropletID, app events.AppID, processTypes map[string]string) ([]events.Event, error) {
	if s.ID != "" {
		return nil, nil // this command made it
	}
	if err := checkTypes(processTypes); err != nil {
		return nil, err
	}
	return []events.Event{events.DropletCreated{Droplet: id, App: app, ProcessTypes: processTypes}}, nil
}

// Upload is the command that follows the storing of the bits.
type Upload struct {
	Bits         string
	SHA256       string
	SizeBytes    int64
	ProcessTypes map[string]string // from the Procfile among the bits; those of the creation come first
}

// CheckUpload refuses bits for a droplet that has them, before any byte is read.
func CheckUpload(s State) error {
	if s.ID == "" {
		return aggregates.NotFound("Droplet")
	}
	if s.Staged {
		return aggregates.Reject("Droplet may be uploaded only once. Create a new droplet to upload bits.")
	}
	return nil
}

// Store makes the droplet STAGED. The same bits stored again decide nothing.
func Store(s State, c Upload) ([]events.Event, error) {
	if s.Staged && s.Bits == c.Bits {
		return nil, nil
	}
	if err := CheckUpload(s); err != nil {
		return nil, err
	}
	types := s.ProcessTypes
	if len(types) == 0 {
		types = c.ProcessTypes
	}
	if err := checkTypes(types); err != nil {
		return nil, err
	}
	return []events.Event{events.DropletUploaded{
		Droplet: s.ID, App: s.App, Bits: c.Bits, SHA256: c.SHA256, SizeBytes: c.SizeBytes, ProcessTypes: types,
	}}, nil
}

func checkTypes(types map[string]string) error {
	if len(types) > maxProcessTypes {
		return aggregates.Reject("Process types: at most %d are allowed", maxProcessTypes)
	}
	for name, command := range types {
		if !events.ValidID(name) || len(name) > maxTypeLength {
			return aggregates.Reject("Process type '%.64q' must be 1 to 64 letters, digits, '_' or '-'", name)
		}
		if command == "" || len(command) > maxCommand {
			return aggregates.Reject("Process type '%s' needs a start command of at most %d characters", name, maxCommand)
		}
	}
	return nil
}
