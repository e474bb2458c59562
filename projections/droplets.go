package projections

import (
	"context"

	"slipway/events"
)

// DropletState is Cloud Foundry's state of a droplet.
type DropletState string

// The states of a droplet.
const (
	DropletAwaitingUpload DropletState = "AWAITING_UPLOAD"
	DropletStaged         DropletState = "STAGED"
)

// Droplet is a build artifact of an app.
type Droplet struct {
	GUID         events.DropletID
	App          events.AppID
	State        DropletState
	ProcessTypes map[string]string // type to start command
	SHA256       string            // of the bits, hex; empty before they are there
	SizeBytes    int64
	Image        string           // what it is instead of bits
	Package      events.PackageID // what it was built of; empty where it was uploaded
	Build        events.BuildID
	Rejected     string // why it must not be deployed; empty: it may
	Stamp
}

var droplets = view[events.DropletID, Droplet]{
	table: "droplets", kind: "droplet",
	key:   func(d *Droplet) events.DropletID { return d.GUID },
	stamp: func(d *Droplet) *Stamp { return &d.Stamp },
	columns: func(d *Droplet) []column {
		return []column{
			{"guid", &d.GUID}, {"app", &d.App}, {"state", &d.State}, {"process_types", asJSON(&d.ProcessTypes)},
			{"sha256", &d.SHA256}, {"size_bytes", &d.SizeBytes}, {"image", &d.Image}, {"package", &d.Package},
			{"build", &d.Build}, {"rejected", &d.Rejected},
		}
	},
}.ready()

// dropletCreated folds the event of a droplet, whose history is its own: an app may be deleted while a droplet is being
// created for it. A droplet without its app is not shown; that is no anomaly.
func (f *fold) dropletCreated(m moment, e events.DropletCreated) error {
	if f.apps.get(e.App) == nil {
		return nil
	}
	d := Droplet{
		GUID: e.Droplet, App: e.App, State: DropletAwaitingUpload, ProcessTypes: e.ProcessTypes, Image: e.Image, Package: e.Package,
		Build: e.Build, Stamp: m.stamp(),
	}
	if e.Image != "" {
		d.State = DropletStaged
	}
	return f.droplets.add(d)
}

func (f *fold) dropletUploaded(m moment, e events.DropletUploaded) error {
	if f.apps.get(e.App) == nil {
		return nil
	}
	return f.droplets.change(m, e.Droplet, func(d *Droplet) {
		d.State, d.SHA256, d.SizeBytes, d.ProcessTypes = DropletStaged, e.SHA256, e.SizeBytes, e.ProcessTypes
	})
}

// DropletFilter selects droplets. Empty fields select all; all that are set must hold.
type DropletFilter struct {
	GUIDs         []events.DropletID
	Apps          []events.AppID
	States        []DropletState
	Packages      []events.PackageID
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
}

// Droplet reads one droplet, or gives [ErrNotFound].
func (s *Store) Droplet(ctx context.Context, id events.DropletID) (Droplet, error) {
	return droplets.get(ctx, s.readers, id)
}

// Droplets lists droplets.
func (s Sight) Droplets(ctx context.Context, f DropletFilter, o Order, p Page) (List[Droplet], error) {
	var w where
	s.ofApps(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "app", f.Apps)
	in(&w, "state", f.States)
	in(&w, "package", f.Packages)
	w.ofSpaces(f.Spaces)
	w.ofOrganizations(f.Organizations)
	return list(ctx, s.store, droplets, w, o.sql(), p)
}
