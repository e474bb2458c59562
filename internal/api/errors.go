package api

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// failed answers a request that went wrong. It is the one place where errors become HTTP; package cferror has the table. On
// the paths of AWS AppConfig they become what its clients know: see asException.
func (a *API) failed(err error, c echo.Context) {
	if ofAppConfig(c.Request().URL.Path) {
		a.failedAsAWS(c, err)
		return
	}
	shown := shownAs(err)
	a.log(c, shown.Status, err)
	if c.Response().Committed {
		return
	}
	if shown.Status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "1")
	}
	send(c, shown.Status, cferror.Body(shown))
}

// shownAs adds to the table what only HTTP knows.
func shownAs(err error) cferror.Error {
	var routing *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &routing):
		return cferror.NotFound // Cloud Foundry answers a wrong method like an unknown path
	case errors.As(err, &tooLarge):
		return cferror.RequestTooLarge.With("The request body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, resource.ErrBehind):
		return cferror.ServiceUnavailable.With("The request was carried out, but it does not show yet. " +
			"Sending it again with the same " + headerIdempotencyKey + " is safe; the header " + headerCommand + " has it.")
	}
	return cferror.From(err)
}

// log tells of what a person should know: faults of the server's, not of the client's.
func (a *API) log(c echo.Context, status int, err error) {
	ctx := c.Request().Context()
	level := slog.LevelDebug
	switch {
	case status == http.StatusServiceUnavailable && ctx.Err() == nil:
		level = slog.LevelWarn
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request().Method), slog.String("path", c.Path()), slog.Int("status", status),
		slog.String("command", c.Response().Header().Get(headerCommand)), slog.Any("err", err),
	}
	var panicked *panicError
	if errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	a.Logger.LogAttrs(ctx, level, "request failed", attrs...)
}

// missing turns a read model's "not found" into a refusal that names the kind.
func missing(kind commands.Kind, err error) error {
	if errors.Is(err, projections.ErrNotFound) {
		return aggregates.NotFound(string(kind))
	}
	return err
}

// kindJob is of a resource that no command is about.
const kindJob commands.Kind = "Job"
