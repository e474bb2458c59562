package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/cferror"
)

const (
	// readyTimeout bounds a look at log and read models: who asks, asks again in seconds.
	readyTimeout = 2 * time.Second
	// maxLag is how many commits the read models may be behind: about what a projector catches up with in a second. Beyond
	// it, answers would wait longer than clients do.
	maxLag = 5000
)

// liveness is the answer of a process that lives.
type liveness struct {
	Status string `json:"status"` // ok
}

// readiness is the answer of a server that can serve.
type readiness struct {
	Status string          `json:"status"`         // ready
	Newest events.Sequence `json:"newest"`         // the last sequence of the event log
	At     events.Sequence `json:"read_models_at"` // the sequence that the read models have
	Lag    events.Sequence `json:"lag"`            // how many commits they are behind
}

// healthy says that the process answers.
func (a *API) healthy(c echo.Context) error {
	return answer(c, http.StatusOK, liveness{"ok"})
}

// ready says whether requests can be served: log and read models answer, and the latter are not far behind.
func (a *API) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	at, err := a.Store.Checkpoint(ctx)
	if err != nil {
		return cferror.ServiceUnavailable.With("The read models do not answer")
	}
	newest, err := a.Log.Newest(ctx)
	if err != nil {
		return cferror.ServiceUnavailable.With("The event log does not answer")
	}
	lag := newest - min(at, newest)
	if lag > maxLag {
		return cferror.ServiceUnavailable.With("The read models are %d commits behind the event log", lag)
	}
	standsAt(c, at)
	return answer(c, http.StatusOK, readiness{"ready", newest, at, lag})
}
