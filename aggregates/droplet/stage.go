package droplet

import (
	"slipway/aggregates"
	"slipway/events"
)

// ImageCommand stands as the start command of a droplet that is an image and begins what the image itself says. A shell that
// were given it would do nothing.
const ImageCommand = "# the entrypoint of the image"

// Stage is the command to make a droplet of a package, complete at once.
type Stage struct {
	ID      events.DropletID
	App     events.AppID
	Package events.PackageID
	Build   events.BuildID
	Image   string // for docker; then there are no bits
	Upload
}

// StageDroplet makes a droplet that can be deployed. Made again it decides nothing, whatever the bits are called this time:
// the first ones count.
func StageDroplet(s State, c Stage) ([]events.Event, error) {
	if s.ID != "" {
		return nil, nil
	}
	if len(c.ProcessTypes) == 0 {
		return nil, aggregates.Reject("There is no Procfile among the files, and the app has no start command. " +
			"Name one: in a Procfile (web: ./start), as 'command' in the manifest, or with -c.")
	}
	if err := checkTypes(c.ProcessTypes); err != nil {
		return nil, err
	}
	created := events.DropletCreated{
		Droplet: c.ID, App: c.App, ProcessTypes: c.ProcessTypes, Image: c.Image, Package: c.Package, Build: c.Build,
	}
	if c.Image != "" {
		return []events.Event{created}, nil
	}
	return []events.Event{created, events.DropletUploaded{
		Droplet: c.ID, App: c.App, Bits: c.Bits, SHA256: c.SHA256, SizeBytes: c.SizeBytes, ProcessTypes: c.ProcessTypes,
	}}, nil
}
