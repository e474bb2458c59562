package projections

import (
	"context"

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
	Labels        []LabelRequirement
}

// Deployment reads one deployment, or gives [ErrNotFound].
func (s *Store) Deployment(ctx context.Context, id events.DeploymentID) (Deployment, error) {
	return deployments.get(ctx, s.readers, id)
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
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(deployments.table, f.Labels)
	return list(ctx, s.store, deployments, w, o.sql(), p)
}

// AppOfDeployment finds the app of a deployment, also when both are deleted; or it gives [ErrNotFound].
func (s *Store) AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error) {
	e, err := history.one(ctx, s.readers, history.sql.all+" WHERE deployment = ? ORDER BY sequence, idx LIMIT 1", id)
	return e.App, err
}
