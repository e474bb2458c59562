package projections

import (
	"context"

	"slipway/aggregates/pack"
	"slipway/events"
)

// Build is the making of one droplet of one package.
type Build struct {
	GUID     events.BuildID
	App      events.AppID
	Package  events.PackageID
	Droplet  events.DropletID // the one it makes, which is there once it is STAGED
	Image    string           // of a docker package
	State    pack.Phase
	Error    string       // why it failed
	Actor    events.Actor // who asked for it
	Metadata events.Metadata
	Stamp
}

var builds = view[events.BuildID, Build]{
	table: "builds", kind: "build",
	key:      func(b *Build) events.BuildID { return b.GUID },
	stamp:    func(b *Build) *Stamp { return &b.Stamp },
	metadata: func(b *Build) *events.Metadata { return &b.Metadata },
	columns: func(b *Build) []column {
		return []column{
			{"guid", &b.GUID}, {"app", &b.App}, {"package", &b.Package}, {"droplet", &b.Droplet}, {"image", &b.Image},
			{"state", &b.State}, {"error", &b.Error}, {"actor", &b.Actor},
		}
	},
}.ready()

// buildCreated folds the event of a build, whose history is its own: see packageCreated.
func (f *fold) buildCreated(m moment, e events.BuildCreated) error {
	if f.apps.get(e.App) == nil {
		return nil
	}
	return f.builds.add(Build{
		GUID: e.Build, App: e.App, Package: e.Package, Droplet: e.Droplet, Image: e.Image, State: pack.Staging, Actor: m.actor,
		Metadata: e.Metadata, Stamp: m.stamp(),
	})
}

func (f *fold) buildEnded(m moment, app events.AppID, id events.BuildID, state pack.Phase, why string) error {
	if f.apps.get(app) == nil {
		return nil
	}
	return f.builds.change(m, id, func(b *Build) { b.State, b.Error = state, why })
}

// BuildFilter selects builds. Empty fields select all; all that are set must hold.
type BuildFilter struct {
	GUIDs         []events.BuildID
	Apps          []events.AppID
	Packages      []events.PackageID
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	States        []pack.Phase
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Build reads one build, or gives [ErrNotFound].
func (s *Store) Build(ctx context.Context, id events.BuildID) (Build, error) {
	return builds.get(ctx, s.readers, id)
}

// Builds lists builds.
func (s Sight) Builds(ctx context.Context, f BuildFilter, o Order, p Page) (List[Build], error) {
	var w where
	s.ofApps(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "app", f.Apps)
	in(&w, "package", f.Packages)
	w.ofSpaces(f.Spaces)
	w.ofOrganizations(f.Organizations)
	in(&w, "state", f.States)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(builds.table, f.Labels)
	return list(ctx, s.store, builds, w, o.sql(), p)
}
