package api

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
)

// Headers of requests and answers.
const (
	headerIdempotencyKey = "Idempotency-Key"       // of a request: the id of its command
	headerCommand        = "X-Slipway-Command"     // of an answer: the id of the command that was carried out
	headerInvocation     = "Amz-Sdk-Invocation-Id" // of a request of AWS's SDKs: the same for each attempt at one thing
	headerSequence       = "X-Slipway-Sequence"    // of an answer: where in the log what it shows stands; see ?at=
)

// callerOf says who sends a command under which id.
func (a *API) callerOf(c echo.Context) (commands.Caller, error) {
	header := c.Request().Header
	id, chosen := events.NewID(), true
	if given := header.Values(headerIdempotencyKey); len(given) > 0 {
		id = given[0]
		if len(given) > 1 || !events.ValidID(id) {
			return commands.Caller{}, cferror.UnprocessableEntity.With(
				"%s must be given once and be 1 to %d letters, digits, '_' or '-'", headerIdempotencyKey, events.MaxIDLength)
		}
	} else if attempt := header.Get(headerInvocation); ofAppConfig(c.Request().URL.Path) && events.ValidID(attempt) {
		id = attempt
	} else {
		chosen = false
	}
	c.Response().Header().Set(headerCommand, id)
	by := a.caller(c, events.CommandID(id))
	by.Chosen = chosen
	return by, nil
}

// caller is who sends a command under this id.
func (a *API) caller(c echo.Context, id events.CommandID) commands.Caller {
	i := auth.FromContext(c.Request().Context())
	return commands.Caller{
		CommandID: id, Actor: i.Actor(), Door: "http", Trace: traceOf(c.Request().Header), Automation: i.Automation, Roles: a.gate.RolesOf(i),
	}
}

var (
	traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	b3Trace     = regexp.MustCompile(`^([0-9a-f]{16}|[0-9a-f]{32})$`)
	b3Span      = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// traceOf is the trace of a request as a W3C traceparent: as given, or made of the B3 headers that Cloud Foundry's clients
// send. What is neither is no trace; tracing must not make a request fail.
func traceOf(h http.Header) string {
	if t := h.Get("traceparent"); traceparent.MatchString(t) {
		return t
	}
	trace, span := h.Get("X-B3-TraceId"), h.Get("X-B3-SpanId")
	if !b3Trace.MatchString(trace) || !b3Span.MatchString(span) {
		return ""
	}
	return "00-" + strings.Repeat("0", 32-len(trace)) + trace + "-" + span + "-01"
}
