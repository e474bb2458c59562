package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// base is what links of an answer begin with. Headers in which a proxy would tell how it was called are not believed:
// anybody can send them. Who runs one gives BaseURL.
func (a *API) base(c echo.Context) resource.Base {
	if a.BaseURL != "" {
		return resource.Base(a.BaseURL)
	}
	scheme := "http"
	if c.IsTLS() {
		scheme = "https"
	}
	return resource.Base(scheme + "://" + c.Request().Host) // guarded has checked the host
}

// answer sends v as JSON. "&&" of a start command stays readable.
func answer(c echo.Context, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	send(c, status, b.Bytes())
	return nil
}

// send writes an answer with a JSON body; to HEAD, all of it but the body.
func send(c echo.Context, status int, body []byte) {
	w := c.Response()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if c.Request().Method != http.MethodHead {
		deliver(w, body)
	}
}

// portion is how much of an answer is written at once, in bytes: less than anybody needs [writeTimeout] for.
const portion = 64 << 10

// deliver writes a body to whoever reads it. It gives up where they have gone or do not read, and then there is nobody to tell.
func deliver(w http.ResponseWriter, body []byte) {
	connection := http.NewResponseController(w)
	// A connection that has no deadlines, as in tests, needs none.
	defer func() { _ = connection.SetWriteDeadline(time.Time{}) }()
	for part := range slices.Chunk(body, portion) {
		_ = connection.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := w.Write(part); err != nil {
			return
		}
	}
	_ = connection.Flush() // what is left goes while its deadline stands
}

// standsAt names the sequence that the answer shows.
func standsAt(c echo.Context, seq events.Sequence) {
	c.Response().Header().Set(headerSequence, strconv.FormatUint(uint64(seq), 10))
}

// one answers with a single resource.
func one(c echo.Context, s projections.Stamp, v any) error {
	standsAt(c, s.Sequence)
	return answer(c, http.StatusOK, v)
}

// allow answers for a command that the caller may not send.
func (a *API) allow(c echo.Context, command commands.Command) error {
	c.Set(judged, true)
	ctx := c.Request().Context()
	return a.gate.Allow(ctx, auth.FromContext(ctx), command)
}

// carryOut hands a command to the handler, and returns once its effect can be read.
func (a *API) carryOut(c echo.Context, command commands.Command) (commands.Result, error) {
	by, err := a.callerOf(c)
	if err != nil {
		return commands.Result{}, err
	}
	if err := a.allow(c, command); err != nil {
		return commands.Result{}, err
	}
	result, err := a.Commands.Handle(c.Request().Context(), command, by)
	if err != nil {
		return commands.Result{}, err
	}
	standsAt(c, result.Sequence)
	return result, a.reader.Await(c.Request().Context(), result.Sequence)
}

// shown carries out a command and answers with the resource it was about.
func (a *API) shown(c echo.Context, status int, command commands.Command) error {
	result, err := a.carryOut(c, command)
	if err != nil {
		return err
	}
	return a.result(c, status, result)
}

// result answers with the resource that a command was about. It asks once more whether the caller may see it: under the id of
// somebody else's command it is theirs.
func (a *API) result(c echo.Context, status int, result commands.Result) error {
	v, err := a.reader.Load(c.Request().Context(), a.base(c), result)
	if err != nil {
		return err
	}
	about := thing(result.Kind, result.ID)
	if err := a.see(c, auth.Read, about, result.Kind); err != nil {
		return err
	}
	if v, err = a.discreet(c, about, v); err != nil {
		return err
	}
	return answer(c, status, v)
}
