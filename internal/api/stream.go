package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/projections"
)

const (
	// streamPage is how many events are read at once for a stream.
	streamPage = 200
	// writeTimeout is how long a reader may not read before it is cut off; it can come back where it was.
	writeTimeout = 30 * time.Second
	// reconnectMS is how long a browser waits before it comes back, in milliseconds.
	reconnectMS = 1000
)

// streamEvents sends the history of a thing as server-sent events, as it happens. Each has the id
// "<sequence>-<index>" and its type as name. A reader that was cut off names the last id it saw, in the header
// Last-Event-ID or as ?last_event_id=, and goes on after it.
//
// Before each thing that is sent the reader is asked for anew: a stream ends with its token, and with the role that let it in.
//
// After its last event comes `event: end`, and the stream ends. Who comes back after that gets 204, which
// tells a browser's EventSource to stay away.
func (a *API) streamEvents(of toldOf) echo.HandlerFunc {
	return func(c echo.Context) error {
		q := parseQuery(c.Request().URL.RawQuery, "last_event_id")
		after := q.lastEvent(c.Request().Header)
		if err := q.err(); err != nil {
			return err
		}
		t := of(a, c.Param("guid"))
		if err := a.tells(c, t); err != nil {
			return err
		}
		t.filter.After = after
		return a.stream(c, t)
	}
}

func (a *API) stream(c echo.Context, t told) error {
	ctx, leave, err := a.streams.enter(c.Request().Context())
	if err != nil {
		return err
	}
	defer leave()
	s := &stream{api: a, out: newEventWriter(c), told: t}
	began := c.Request()
	s.admit = func() (err error) {
		if err = a.identify(c, began); err != nil {
			return err
		}
		if err = a.see(c, auth.Read, t.about, t.about.Kind); err != nil {
			return err
		}
		s.show, err = a.showEvents(c, t.about)
		return err
	}
	err = s.run(ctx)
	if ctx.Err() != nil || s.out.broken {
		return nil // the reader has gone, or the server goes
	}
	return err
}

// lastEvent is the place of the last event that the reader saw.
func (q *query) lastEvent(h http.Header) (p projections.Place) {
	text := h.Get("Last-Event-ID")
	if text == "" {
		text = q.given["last_event_id"]
	}
	if text == "" {
		return p
	}
	p, err := parsePlace(text)
	if err != nil {
		q.fault("Last event id must be one that a stream has sent: <sequence>-<index>")
	}
	return p
}

// placeID is a place as the id of an event in a stream.
func placeID(p projections.Place) string {
	return strconv.FormatUint(uint64(p.Sequence), 10) + "-" + strconv.Itoa(p.Index)
}

var errNoPlace = errors.New("not the id of an event in a stream")

func parsePlace(text string) (projections.Place, error) {
	first, second, _ := strings.Cut(text, "-")
	sequence, err := strconv.ParseUint(first, 10, 63) // a database's integer
	index, err2 := strconv.ParseUint(second, 10, 31)
	p := projections.Place{Sequence: events.Sequence(sequence), Index: int(index)}
	if err != nil || err2 != nil || placeID(p) != text {
		return projections.Place{}, errNoPlace
	}
	return p, nil
}

// stream is one reader of a thing's history. filter.After is the last event that the reader has.
type stream struct {
	told
	api   *API
	out   *eventWriter
	admit func() error // says whether the reader may still see it, and renews show
	show  func(projections.HistoryEvent) any
}

func (s *stream) run(ctx context.Context) error {
	for {
		// Whether it is over is looked up before the history is read, so that nothing comes after what is read then. What is waited for
		// is whatever comes after that look: else the end, if it comes between the two, is told by the next commit only.
		at, err := s.api.Store.Checkpoint(ctx)
		if err != nil {
			return err
		}
		over, err := s.over(ctx)
		if err != nil {
			return err
		}
		l, err := s.api.Store.History(ctx, s.filter, projections.Order{}, projections.Page{Number: 1, PerPage: streamPage})
		if err != nil {
			return err
		}
		if over && l.Total == 0 && !s.out.begun {
			return s.out.nothing()
		}
		if len(l.Rows) > 0 {
			if err := s.admit(); err != nil {
				return err
			}
		}
		if err := s.send(l.Rows); err != nil {
			return err
		}
		switch {
		case s.out.head:
			return nil
		case len(l.Rows) < l.Total:
		case over:
			return s.out.event("", "end", s.end)
		default:
			if err := s.wait(ctx, at+1); err != nil {
				return err
			}
		}
	}
}

func (s *stream) send(rows []projections.HistoryEvent) error {
	if err := s.out.begin(); err != nil {
		return err
	}
	for _, e := range rows {
		if err := s.out.event(placeID(e.Place), string(e.Type), s.show(e)); err != nil {
			return err
		}
		s.filter.After = e.Place
	}
	return nil
}

// wait waits for a commit, and says now and then that it is alive.
func (s *stream) wait(ctx context.Context, seq events.Sequence) error {
	for {
		bounded, cancel := context.WithTimeout(ctx, s.api.KeepAlive)
		err := s.api.Store.Wait(bounded, seq)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := s.admit(); err != nil {
			return err
		}
		if err := s.out.write(": still here\n\n"); err != nil {
			return err
		}
	}
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w          *echo.Response
	connection *http.ResponseController
	head       bool // of a HEAD request: headers only
	begun      bool
	broken     bool // the reader has gone
}

func newEventWriter(c echo.Context) *eventWriter {
	return &eventWriter{
		w: c.Response(), connection: http.NewResponseController(c.Response()), head: c.Request().Method == http.MethodHead,
	}
}

// nothing says that no event will ever come.
func (w *eventWriter) nothing() error {
	w.w.WriteHeader(http.StatusNoContent)
	return nil
}

// begin sends the headers, once.
func (w *eventWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	w.w.Header().Set("Content-Type", "text/event-stream")
	w.w.Header().Set("X-Accel-Buffering", "no") // a proxy that collects events would hold them back
	w.w.WriteHeader(http.StatusOK)
	return w.write(fmt.Sprintf("retry: %d\n\n", reconnectMS))
}

func (w *eventWriter) event(id, name string, data any) error {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: ", name)
	enc := json.NewEncoder(&b) // one line: JSON has no line breaks of its own
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return err
	}
	b.WriteByte('\n')
	return w.write(b.String())
}

func (w *eventWriter) write(text string) error {
	if w.head {
		return nil
	}
	// A connection that has no deadlines, as in tests, needs none.
	_ = w.connection.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := w.w.Write([]byte(text))
	if err == nil {
		err = w.connection.Flush()
	}
	w.broken = err != nil
	return err
}
