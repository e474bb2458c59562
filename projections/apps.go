package projections

import (
	"context"

	"slipway/events"
)

// AppState is what the user wants of an app: Cloud Foundry's state.
type AppState string

// The states of an app.
const (
	AppStarted AppState = "STARTED"
	AppStopped AppState = "STOPPED"
)

// App is an app that exists. A deleted one is gone from here; its history stays.
type App struct {
	GUID         events.AppID
	Name         string
	Space        events.SpaceID
	Organization events.OrganizationID
	State        AppState
	Droplet      events.DropletID    // the current one; empty before the first
	Deployment   events.DeploymentID // the one that is going on; empty without one
	Lifecycle    string              // docker; empty: buildpack
	NoRevisions  bool                // its feature "revisions" is off
	NoAutomation string              // why automation may not deploy it; empty: it may
	Environment  map[string]string
	Metadata     events.Metadata
	Stamp
}

var apps = view[events.AppID, App]{
	table: "apps", kind: "app",
	key:      func(a *App) events.AppID { return a.GUID },
	stamp:    func(a *App) *Stamp { return &a.Stamp },
	metadata: func(a *App) *events.Metadata { return &a.Metadata },
	columns: func(a *App) []column {
		return []column{
			{"guid", &a.GUID}, {"name", &a.Name}, {"space", &a.Space}, {"organization", &a.Organization},
			{"state", &a.State}, {"droplet", &a.Droplet}, {"deployment", &a.Deployment},
			{"lifecycle", &a.Lifecycle}, {"no_revisions", &a.NoRevisions}, {"no_automation", &a.NoAutomation},
			{"environment", asJSON(&a.Environment)},
		}
	},
}.ready()

func (f *fold) appCreated(m moment, e events.AppCreated) error {
	return f.apps.add(App{
		GUID: e.App, Name: e.Name, Space: e.Space, Organization: e.Organization, State: AppStopped,
		Environment: e.Environment, Metadata: e.Metadata, Lifecycle: e.Lifecycle, Stamp: m.stamp(),
	})
}

func (f *fold) appFeatureSet(m moment, e events.AppFeatureSet) error {
	return f.apps.change(m, e.App, func(a *App) {
		if e.Name == events.FeatureRevisions {
			a.NoRevisions = !e.Enabled
		}
	})
}

// appDeleted takes the app and all that belongs to it out of every view but the history.
func (f *fold) appDeleted(e events.AppDeleted) error {
	if err := f.apps.drop(e.App); err != nil {
		return err
	}
	f.processes.removeIf(func(p *Process) bool { return p.App == e.App })
	f.instances.removeIf(func(i *Instance) bool { return i.App == e.App })
	f.droplets.removeIf(func(d *Droplet) bool { return d.App == e.App })
	f.packages.removeIf(func(p *Package) bool { return p.App == e.App })
	f.builds.removeIf(func(b *Build) bool { return b.App == e.App })
	f.revisions.removeIf(func(r *Revision) bool { return r.App == e.App })
	f.deployments.removeIf(func(d *Deployment) bool { return d.App == e.App })
	f.destinations.removeIf(func(d *Destination) bool { return d.App == e.App })
	return nil
}

// AppFilter selects apps. Empty fields select all; all that are set must hold.
type AppFilter struct {
	GUIDs  []events.AppID
	Names  []string
	Spaces []events.SpaceID

	Organizations []events.OrganizationID
	Lifecycles    []string // docker; empty: buildpack

	Created TimeFilter
	Updated TimeFilter
	Labels  []LabelRequirement
}

// App reads one app, or gives [ErrNotFound].
func (s *Store) App(ctx context.Context, id events.AppID) (App, error) {
	return apps.get(ctx, s.readers, id)
}

// AppByName reads the app that has the name in the space, or gives [ErrNotFound].
func (s *Store) AppByName(ctx context.Context, space events.SpaceID, name string) (App, error) {
	const tail = " WHERE name = ? AND space = ? ORDER BY created_sequence, created_index LIMIT 1"
	return apps.one(ctx, s.readers, apps.sql.all+tail, name, space)
}

// Apps lists apps.
func (s Sight) Apps(ctx context.Context, f AppFilter, o Order, p Page) (List[App], error) {
	var w where
	s.inSpaces(&w, "space")
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	in(&w, "space", f.Spaces)
	in(&w, "organization", f.Organizations)
	in(&w, "lifecycle", f.Lifecycles)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(apps.table, f.Labels)
	return list(ctx, s.store, apps, w, o.sql(), p)
}
