package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/resource"
	"slipway/projections"
)

// accepted tells a client where the job is that it expects: Cloud Foundry does such things in the background. Here they
// are done when they are answered.
func (a *API) accepted(c echo.Context, operation, id string) {
	c.Response().Header().Set("Location", a.base(c).JobLink(operation, id).Href)
}

// job says that an operation is done, if it is.
func (a *API) job(c echo.Context) error {
	operation, id, ok := resource.SplitJobID(c.Param("guid"))
	if !ok {
		return aggregates.NotFound(string(kindJob))
	}
	done, seq, err := a.doneAt(c, operation, id)
	if err != nil {
		return missing(kindJob, err)
	}
	standsAt(c, seq)
	return answer(c, http.StatusOK, a.base(c).Job(operation, id, done))
}

// doneAt looks in the history of the app, or at the droplet, when the operation was done.
func (a *API) doneAt(c echo.Context, operation, id string) (time.Time, events.Sequence, error) {
	ctx := c.Request().Context()
	if operation == resource.OperationDropletUpload {
		d, err := a.Store.Droplet(ctx, events.DropletID(id))
		if err == nil && d.State != projections.DropletStaged {
			err = projections.ErrNotFound
		}
		return d.UpdatedAt, d.Sequence, err
	}
	if kind := resource.Deletion(operation); kind != "" {
		e, err := a.Store.Deletion(ctx, kind, id)
		return e.Time, e.Sequence, err
	}
	deleted, err := a.Store.History(ctx, projections.HistoryFilter{
		App: events.AppID(id), Types: []events.Type{events.TypeAppDeleted},
	}, projections.Page{Number: 1, PerPage: 1})
	if err != nil {
		return time.Time{}, 0, err
	}
	if len(deleted.Rows) == 0 {
		return time.Time{}, 0, projections.ErrNotFound
	}
	return deleted.Rows[0].Time, deleted.Rows[0].Sequence, nil
}
