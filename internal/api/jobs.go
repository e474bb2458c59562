package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// accepted tells a client where the job is that it expects: Cloud Foundry does such things in the background. Here they
// are done when they are answered.
func (a *API) accepted(c echo.Context, operation, id string) {
	c.Response().Header().Set("Location", a.base(c).JobLink(operation, id).Href)
}

// ended is how and when an operation ended.
type ended struct {
	of       access.Thing // whoever may see it may see its job
	at       time.Time
	sequence events.Sequence
	errors   []cferror.Error // none: well
}

// job says how an operation ended, if it has.
func (a *API) job(c echo.Context) error {
	operation, id, ok := resource.SplitJobID(c.Param("guid"))
	if !ok {
		return aggregates.NotFound(string(kindJob))
	}
	look, ok := map[string]func(context.Context, string) (ended, error){
		resource.OperationAppDelete: a.appDeleted, resource.OperationDropletUpload: a.dropletUploaded,
		resource.OperationApplyManifest: a.manifestApplied,
	}[operation]
	if !ok {
		look = a.deletion(resource.Deletion(operation))
	}
	e, err := look(c.Request().Context(), id)
	if err != nil {
		return missing(kindJob, err)
	}
	if err := a.see(c, auth.Read, e.of, kindJob); err != nil {
		return err
	}
	standsAt(c, e.sequence)
	return answer(c, http.StatusOK, a.base(c).Job(operation, id, e.at, e.errors...))
}

// dropletUploaded looks at the droplet.
func (a *API) dropletUploaded(ctx context.Context, id string) (ended, error) {
	d, err := a.Store.Droplet(ctx, events.DropletID(id))
	if err == nil && d.State != projections.DropletStaged {
		err = projections.ErrNotFound
	}
	return ended{of: thing(commands.KindDroplet, id), at: d.UpdatedAt, sequence: d.Sequence}, err
}

// deletion looks for the event that a thing is gone.
func (a *API) deletion(kind events.Type) func(context.Context, string) (ended, error) {
	return func(ctx context.Context, id string) (ended, error) {
		e, err := a.Store.Deletion(ctx, kind, id)
		if err != nil {
			return ended{}, err
		}
		of, err := deleted(e, id)
		return ended{of: of, at: e.Time, sequence: e.Sequence}, err
	}
}

// deleted is what an event says is gone, or of a quota the organization whose it was: of the quota itself nothing is left.
func deleted(e projections.HistoryEvent, id string) (access.Thing, error) {
	switch e.Type {
	case events.TypeSpaceDeleted:
		return thing(commands.KindSpace, id), nil
	case events.TypeRouteDeleted:
		return thing(commands.KindRoute, id), nil
	case events.TypeOrganizationDeleted:
		return thing(commands.KindOrganization, id), nil
	}
	var quota events.QuotaDeleted
	if err := json.Unmarshal([]byte(e.Data), &quota); err != nil {
		return access.Thing{}, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return thing(commands.KindOrganization, quota.Organization), nil
}

// appDeleted looks in the history of the app.
func (a *API) appDeleted(ctx context.Context, id string) (ended, error) {
	deleted, err := a.Store.History(ctx, projections.HistoryFilter{
		App: events.AppID(id), Types: []events.Type{events.TypeAppDeleted},
	}, projections.Order{}, projections.Page{Number: 1, PerPage: 1})
	if err != nil {
		return ended{}, err
	}
	if len(deleted.Rows) == 0 {
		return ended{}, projections.ErrNotFound
	}
	return ended{of: thing(commands.KindApp, id), at: deleted.Rows[0].Time, sequence: deleted.Rows[0].Sequence}, nil
}

// manifestApplied looks for the record of the manifest: the only event of the command of that id.
func (a *API) manifestApplied(ctx context.Context, id string) (ended, error) {
	recorded, err := a.Store.Event(ctx, events.Commit{CommandID: events.CommandID(id)}.EventID(0))
	if err != nil {
		return ended{}, err
	}
	if recorded.Type != events.TypeManifestApplied && recorded.Type != events.TypeManifestFailed {
		return ended{}, projections.ErrNotFound
	}
	var outcome events.ManifestFailed // one that did not fail tells no more of these than the space
	if err := json.Unmarshal([]byte(recorded.Data), &outcome); err != nil {
		return ended{}, fmt.Errorf("event %s: %w", recorded.ID, err)
	}
	e := ended{of: thing(commands.KindSpace, outcome.Space), at: recorded.Time, sequence: recorded.Sequence}
	if recorded.Type == events.TypeManifestFailed {
		e.errors = []cferror.Error{cferror.Titled(outcome.Code).With("%s", outcome.Message)}
	}
	return e, nil
}
