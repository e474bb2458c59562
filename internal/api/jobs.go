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
	"slipway/internal/cferror"
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
	standsAt(c, e.sequence)
	return answer(c, http.StatusOK, a.base(c).Job(operation, id, e.at, e.errors...))
}

// dropletUploaded looks at the droplet.
func (a *API) dropletUploaded(ctx context.Context, id string) (ended, error) {
	d, err := a.Store.Droplet(ctx, events.DropletID(id))
	if err == nil && d.State != projections.DropletStaged {
		err = projections.ErrNotFound
	}
	return ended{at: d.UpdatedAt, sequence: d.Sequence}, err
}

// deletion looks for the event that a thing is gone.
func (a *API) deletion(kind events.Type) func(context.Context, string) (ended, error) {
	return func(ctx context.Context, id string) (ended, error) {
		e, err := a.Store.Deletion(ctx, kind, id)
		return ended{at: e.Time, sequence: e.Sequence}, err
	}
}

// appDeleted looks in the history of the app.
func (a *API) appDeleted(ctx context.Context, id string) (ended, error) {
	deleted, err := a.Store.History(ctx, projections.HistoryFilter{
		App: events.AppID(id), Types: []events.Type{events.TypeAppDeleted},
	}, projections.Page{Number: 1, PerPage: 1})
	if err != nil {
		return ended{}, err
	}
	if len(deleted.Rows) == 0 {
		return ended{}, projections.ErrNotFound
	}
	return ended{at: deleted.Rows[0].Time, sequence: deleted.Rows[0].Sequence}, nil
}

// manifestApplied looks for the record of the manifest: the only event of the command of that id.
func (a *API) manifestApplied(ctx context.Context, id string) (ended, error) {
	recorded, err := a.Store.Event(ctx, events.Commit{CommandID: events.CommandID(id)}.EventID(0))
	if err != nil {
		return ended{}, err
	}
	e := ended{at: recorded.Time, sequence: recorded.Sequence}
	switch recorded.Type {
	case events.TypeManifestApplied:
		return e, nil
	case events.TypeManifestFailed:
		var failed events.ManifestFailed
		if err := json.Unmarshal([]byte(recorded.Data), &failed); err != nil {
			return e, fmt.Errorf("event %s: %w", recorded.ID, err)
		}
		e.errors = []cferror.Error{cferror.Titled(failed.Code).With("%s", failed.Message)}
		return e, nil
	}
	return e, projections.ErrNotFound
}
