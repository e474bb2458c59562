package projections

import (
	"context"

	"slipway/events"
)

// PackageState is Cloud Foundry's state of a package.
type PackageState string

// The states of a package.
const (
	PackageAwaitingUpload PackageState = "AWAITING_UPLOAD"
	PackageReady          PackageState = "READY"
)

// Package is what a droplet is built of.
type Package struct {
	GUID      events.PackageID
	App       events.AppID
	Type      string // bits or docker
	State     PackageState
	Image     string // for docker
	SHA256    string // of the zip, hex; empty before it is there
	SizeBytes int64
	Metadata  events.Metadata
	Stamp
}

var packages = view[events.PackageID, Package]{
	table: "packages", kind: "package",
	key:      func(p *Package) events.PackageID { return p.GUID },
	stamp:    func(p *Package) *Stamp { return &p.Stamp },
	metadata: func(p *Package) *events.Metadata { return &p.Metadata },
	columns: func(p *Package) []column {
		return []column{
			{"guid", &p.GUID}, {"app", &p.App}, {"type", &p.Type}, {"state", &p.State}, {"image", &p.Image},
			{"sha256", &p.SHA256}, {"size_bytes", &p.SizeBytes},
		}
	},
}.ready()

// packageCreated folds the event of a package, whose history is its own: as with a droplet, one without its app is not
// shown, and that is no anomaly.
func (f *fold) packageCreated(m moment, e events.PackageCreated) error {
	if f.apps.get(e.App) == nil {
		return nil
	}
	p := Package{
		GUID: e.Package, App: e.App, Type: e.PackageType, State: PackageAwaitingUpload, Image: e.Image, Metadata: e.Metadata,
		Stamp: m.stamp(),
	}
	if e.PackageType == events.PackageTypeDocker {
		p.State = PackageReady
	}
	return f.packages.add(p)
}

func (f *fold) packageUploaded(m moment, e events.PackageUploaded) error {
	if f.apps.get(e.App) == nil {
		return nil
	}
	return f.packages.change(m, e.Package, func(p *Package) {
		p.State, p.SHA256, p.SizeBytes = PackageReady, e.SHA256, e.SizeBytes
	})
}

// PackageFilter selects packages. Empty fields select all; all that are set must hold.
type PackageFilter struct {
	GUIDs         []events.PackageID
	Apps          []events.AppID
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	States        []PackageState
	Types         []string
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Package reads one package, or gives [ErrNotFound].
func (s *Store) Package(ctx context.Context, id events.PackageID) (Package, error) {
	return packages.get(ctx, s.readers, id)
}

// Packages lists packages.
func (s Sight) Packages(ctx context.Context, f PackageFilter, o Order, p Page) (List[Package], error) {
	var w where
	s.ofApps(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "app", f.Apps)
	w.ofSpaces(f.Spaces)
	w.ofOrganizations(f.Organizations)
	in(&w, "state", f.States)
	in(&w, "type", f.Types)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(packages.table, f.Labels)
	return list(ctx, s.store, packages, w, o.sql(), p)
}
