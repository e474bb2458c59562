package projections

import (
	"context"

	"slipway/events"
)

// Revision is a numbered snapshot of what an app runs.
type Revision struct {
	GUID        events.RevisionID
	App         events.AppID
	Number      int // 1..9999, then 1 again
	Droplet     events.DropletID
	Environment map[string]string
	Commands    map[string]string // process type to custom start command; only types that have one
	Types       []string          // all process types, sorted
	Description string
	Deployment  events.DeploymentID // the one that made it; empty where none did
	Rejected    string              // why it must not be deployed; empty: it may
	Stamp
}

var revisions = view[events.RevisionID, Revision]{
	table: "revisions", kind: "revision",
	key:   func(r *Revision) events.RevisionID { return r.GUID },
	stamp: func(r *Revision) *Stamp { return &r.Stamp },
	columns: func(r *Revision) []column {
		return []column{
			{"guid", &r.GUID}, {"app", &r.App}, {"number", &r.Number}, {"droplet", &r.Droplet},
			{"environment", asJSON(&r.Environment)}, {"commands", asJSON(&r.Commands)}, {"types", asJSON(&r.Types)},
			{"description", &r.Description}, {"deployment", &r.Deployment}, {"rejected", &r.Rejected},
		}
	},
}.ready()

// revisionCreated adds a revision. Numbers begin again at 1 after 9999; the revision that had the number is gone then, as
// in Cloud Foundry.
func (f *fold) revisionCreated(m moment, e events.RevisionCreated) error {
	if f.apps.get(e.App) == nil {
		return f.apps.unknown(e.App)
	}
	err := f.revisions.add(Revision{
		GUID: e.Revision, App: e.App, Number: e.Number, Droplet: e.Droplet, Environment: e.Environment, Commands: e.Commands,
		Types: e.Types, Description: e.Description, Deployment: e.Deployment, Stamp: m.stamp(),
	})
	if err == nil {
		f.revisions.removeIf(func(r *Revision) bool { return r.App == e.App && r.Number == e.Number && r.GUID != e.Revision })
	}
	return err
}

// RevisionFilter selects revisions. Empty fields select all; all that are set must hold.
type RevisionFilter struct {
	Apps     []events.AppID
	Numbers  []int
	Deployed bool // those of the processes of started apps: two of an app while a deployment goes on
}

// Revision reads one revision, or gives [ErrNotFound].
func (s *Store) Revision(ctx context.Context, id events.RevisionID) (Revision, error) {
	return revisions.get(ctx, s.readers, id)
}

// Revisions lists revisions.
func (s Sight) Revisions(ctx context.Context, f RevisionFilter, o Order, p Page) (List[Revision], error) {
	var w where
	s.ofApps(&w)
	in(&w, "app", f.Apps)
	in(&w, "number", f.Numbers)
	if f.Deployed {
		w.add("guid IN (SELECT p.revision FROM processes p JOIN apps a ON a.guid = p.app WHERE p.app = revisions.app AND a.state = ?)", AppStarted)
	}
	return list(ctx, s.store, revisions, w, o.sql(), p)
}
