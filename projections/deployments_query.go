package projections

import (
	"context"
	"slices"

	"slipway/events"
)

// DeploymentFilter selects deployments. Empty fields select all; all that are set must hold.
type DeploymentFilter struct {
	GUIDs         []events.DeploymentID
	Apps          []events.AppID
	States        []DeploymentState // a state that does not exist selects nothing
	StatusValues  []string
	StatusReasons []string
	Created       TimeFilter
	Updated       TimeFilter
	Groups        []events.GroupID
	Labels        []LabelRequirement
}

// Deployment reads one deployment, or gives [ErrNotFound].
func (s *Store) Deployment(ctx context.Context, id events.DeploymentID) (Deployment, error) {
	d, err := deployments.get(ctx, s.readers, id)
	if err != nil {
		return d, err
	}
	rows := []Deployment{d}
	err = s.withoutRevisions(ctx, rows)
	return rows[0], err
}

// withoutRevisions takes the revision from deployments of apps whose revisions feature is off now. It comes back when the feature
// is switched on again (reference 2.2).
func (s *Store) withoutRevisions(ctx context.Context, rows []Deployment) error {
	var owners []events.AppID
	for _, d := range rows {
		if d.Revision != "" {
			owners = append(owners, d.App)
		}
	}
	slices.Sort(owners)
	if owners = slices.Compact(owners); len(owners) == 0 {
		return nil
	}
	var w where
	in(&w, "guid", owners)
	w.add("no_revisions")
	off, err := apps.find(ctx, s.readers, w.sql(), w.args...)
	if err != nil {
		return err
	}
	for i, d := range rows {
		if slices.ContainsFunc(off, func(a App) bool { return a.GUID == d.App }) {
			rows[i].Revision, rows[i].RevisionNumber = "", 0
		}
	}
	return nil
}

// Deployments lists deployments, by default in order of creation.
func (s Sight) Deployments(ctx context.Context, f DeploymentFilter, o Order, p Page) (List[Deployment], error) {
	var w where
	s.ofApps(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "app", f.Apps)
	in(&w, "state", f.States)
	in(&w, "status_value", f.StatusValues)
	in(&w, "status_reason", f.StatusReasons)
	in(&w, "deployment_group", f.Groups)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(deployments.table, f.Labels)
	l, err := list(ctx, s.store, deployments, w, o.sql(), p)
	if err != nil {
		return l, err
	}
	return l, s.store.withoutRevisions(ctx, l.Rows)
}

// AppOfDeployment finds the app of a deployment, also when both are deleted; or it gives [ErrNotFound].
func (s *Store) AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error) {
	if id == "" { // most events belong to none
		return "", ErrNotFound
	}
	e, err := history.one(ctx, s.readers, history.sql.all+" WHERE deployment = ? ORDER BY sequence, idx LIMIT 1", id)
	return e.App, err
}
