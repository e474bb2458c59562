// Package pack is the rule book of packages and builds: what a droplet is built of, and the building. A package of type bits
// waits for its zip, gets it once, and never changes again; one of type docker names an image and is complete at once. A
// build makes one droplet of one package; it ends once, well or badly.
package pack

import (
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// State is a package folded from its events; the zero State does not exist.
type State struct {
	ID    events.PackageID `json:"id"`
	App   events.AppID     `json:"app"`
	Type  string           `json:"type"`
	Image string           `json:"image,omitempty"`
	Bits  string           `json:"bits,omitempty"` // name of the object that holds its zip
}

// Ready says whether the package has all that a build needs.
func (s State) Ready() bool { return s.Image != "" || s.Bits != "" }

// Evolve folds one event into the state. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.PackageCreated:
		return State{ID: e.Package, App: e.App, Type: e.PackageType, Image: e.Image}
	case events.PackageUploaded:
		s.Bits = e.Bits
	}
	return s
}

// maxImage bounds the name of an image, in bytes: a registry's name and a path of 255 each, and a digest.
const maxImage = 640

// Create is the command to create a package.
type Create struct {
	ID       events.PackageID
	App      events.AppID
	Type     string
	Image    string // for docker
	Metadata events.Metadata
}

// CreatePackage makes a package. The same command again decides nothing.
func CreatePackage(s State, c Create) ([]events.Event, error) {
	if s.ID != "" {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return []events.Event{events.PackageCreated{
		Package: c.ID, App: c.App, PackageType: c.Type, Image: c.Image, Metadata: c.Metadata,
	}}, nil
}

func (c Create) check() error {
	switch {
	case c.Type != events.PackageTypeBits && c.Type != events.PackageTypeDocker:
		return aggregates.Reject("Type must be one of 'bits, docker'")
	case c.Type == events.PackageTypeBits && c.Image != "":
		return aggregates.Reject("Data must be empty if provided for bits packages")
	case c.Type == events.PackageTypeDocker && c.Image == "":
		return aggregates.Reject("Image required")
	case len(c.Image) > maxImage || strings.ContainsFunc(c.Image, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '�' }):
		return aggregates.Reject("Image must be the name of an image: at most %d bytes, no blanks", maxImage)
	}
	return nil
}

// Upload is the command that follows the storing of the zip.
type Upload struct {
	Bits      string
	SHA256    string
	SizeBytes int64
}

// CheckUpload refuses a zip for a package that takes none (any more), before any byte is read.
func CheckUpload(s State) error {
	switch {
	case s.ID == "":
		return aggregates.NotFound("Package")
	case s.Type != events.PackageTypeBits:
		return aggregates.Reject("Package type must be bits.")
	case s.Bits != "":
		return aggregates.Reject("Bits may be uploaded only once. Create a new package to upload different bits.")
	}
	return nil
}

// Store makes the package READY. The same zip stored again decides nothing.
func Store(s State, c Upload) ([]events.Event, error) {
	if s.ID != "" && s.Bits == c.Bits {
		return nil, nil
	}
	if err := CheckUpload(s); err != nil {
		return nil, err
	}
	return []events.Event{events.PackageUploaded{
		Package: s.ID, App: s.App, Bits: c.Bits, SHA256: c.SHA256, SizeBytes: c.SizeBytes,
	}}, nil
}
