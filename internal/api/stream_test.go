package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
)

// sent is one event of a stream.
type sent struct{ id, name, data string }

// next reads the next event of a stream; ok is false at its end. Comments and the retry time are passed over.
func next(r *bufio.Reader) (e sent, ok bool) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return e, false
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case key == "id":
			e.id = value
		case key == "event":
			e.name = value
		case key == "data":
			e.data = value
		case line == "\n" && e.name != "":
			return e, true
		}
	}
}

func all(t testing.TB, body string) []sent {
	t.Helper()
	var events []sent
	for r := bufio.NewReader(strings.NewReader(body)); ; {
		e, ok := next(r)
		if !ok {
			return events
		}
		events = append(events, e)
	}
}

func ids(events []sent) []string {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.id)
	}
	return ids
}

func TestStreamIsTheHistory(t *testing.T) {
	is := is.New(t)
	w, _, deployments := eventful(t)
	for _, id := range deployments {
		got := w.call("GET", "/v3/deployments/"+id+"/stream", "")
		is.Equal(got.Header().Get("Content-Type"), "text/event-stream")
		stream := all(t, got.Body.String())
		l := w.must(200, "GET", "/v3/deployments/"+id+"/events?per_page=5000", "")
		listed := at(l, "resources").([]any)
		is.Equal(len(stream), len(listed)+1) // all of it, and its end
		for i, e := range listed {
			is.Equal(stream[i].id, text(e, "sequence")+"-"+jsonNumber(at(e, "index")))
			is.Equal(stream[i].name, text(e, "type"))
			is.Equal(any(object(t, []byte(stream[i].data))), e) // the same CloudEvent
		}
		is.Equal(stream[len(listed)].name, "end")
		is.Equal(stream[len(listed)].id, "") // so that the last id stays that of the last event
	}
}

func jsonNumber(v any) string { return strconv.Itoa(int(v.(float64))) }

// TestStreamResumesAnywhere cuts at every event.
func TestStreamResumesAnywhere(t *testing.T) {
	is := is.New(t)
	w, _, deployments := eventful(t)
	for _, id := range deployments {
		path := "/v3/deployments/" + id + "/stream"
		whole := ids(all(t, w.call("GET", path, "").Body.String()))
		last := len(whole) - 2 // the end has no id
		for i := range last {
			rest := ids(all(t, w.call("GET", path, "", "Last-Event-ID", whole[i]).Body.String()))
			is.Equal(rest, whole[i+1:]) // no gap, nothing twice
			rest = ids(all(t, w.call("GET", path+"?last_event_id="+whole[i], "").Body.String()))
			is.Equal(rest, whole[i+1:])
		}
		got := w.call("GET", path, "", "Last-Event-ID", whole[last])
		is.Equal(got.Code, http.StatusNoContent) // a browser does not come back after this
	}
}

// TestLiveStreamCutAfterEveryEvent follows a rollout over real connections, each cut after one event.
func TestLiveStreamCutAfterEveryEvent(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	srv := serve(t, w.api)
	app := w.app("hello")
	w.deploy(app, w.droplet(app), `{"web_instances":3}`)
	id := w.deploy(app, w.droplet(app), `{}`)
	w.agent()
	var seen []string
	for lastID, name := "", ""; name != "end"; {
		ctx, cut := context.WithTimeout(t.Context(), patience)
		body := open(t, ctx, srv.URL+"/v3/deployments/"+id+"/stream", lastID)
		e, ok := next(body)
		cut()
		is.True(ok) // an event comes
		seen = append(seen, e.id)
		name = e.name
		if e.id != "" {
			lastID = e.id
		}
		if name == "deployment.deployed" {
			break // who comes back now is told to stay away
		}
	}
	is.Equal(seen, ids(all(t, w.call("GET", "/v3/deployments/"+id+"/stream", "").Body.String()))[:len(seen)])
	is.Equal(w.status(id), "FINALIZED/DEPLOYED")
}

// TestLiveStream follows a rollout over one connection, from before it moves to its end.
func TestLiveStream(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	srv := serve(t, w.api)
	id := w.ongoing()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body := open(t, ctx, srv.URL+"/v3/deployments/"+id+"/stream", "")
	e, ok := next(body)
	is.True(ok)
	live := []sent{e}
	w.agent() // now it moves
	for e.name != "end" {
		e, ok = next(body)
		is.True(ok) // it goes on to its end
		live = append(live, e)
	}
	_, ok = next(body)
	is.True(!ok) // and not beyond
	is.Equal(live, all(t, w.call("GET", "/v3/deployments/"+id+"/stream", "").Body.String()))
}

// TestStreamEndsThoughTheEndComesMeanwhile: between the look whether it is over and the read, with no commit afterwards.
func TestStreamEndsThoughTheEndComesMeanwhile(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	id := w.ongoing()
	w.api.StreamMeanwhile("/meanwhile/:guid", func() {
		w.must(200, "POST", "/v3/deployments/"+id+"/actions/cancel", "")
		w.until("it is over", func() bool { return w.status(id) == "FINALIZED/CANCELED" })
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body := open(t, ctx, serve(t, w.api).URL+"/meanwhile/"+id, "")
	for e, ok := next(body); e.name != "end"; e, ok = next(body) {
		is.True(ok) // it comes to its end
	}
}

// TestLongStream has more events than are read at once.
func TestLongStream(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	id := w.ongoing()
	app := events.AppID(text(w.must(200, "GET", "/v3/deployments/"+id, ""), "relationships", "app", "data", "guid"))
	const reports = 450
	for range reports {
		w.report(events.InstanceUnready{InstanceRef: ref(app, events.ProcessID(app), 0), Reason: "busy"})
	}
	w.caughtUp()
	w.must(200, "POST", "/v3/deployments/"+id+"/actions/cancel", "")
	w.until("it is over", func() bool { return w.status(id) == "FINALIZED/CANCELED" })
	stream := all(t, w.call("GET", "/v3/deployments/"+id+"/stream", "").Body.String())
	unready := slices.DeleteFunc(slices.Clone(stream), func(e sent) bool { return e.name != "instance.unready" })
	is.Equal(len(unready), reports)
	is.Equal(len(slices.Compact(ids(stream))), len(stream)) // nothing twice
}

func TestStreamSaysThatItIsAlive(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	quick := api.New(api.Config{Auth: admin{}, Store: w.store, Log: w.log, Logger: quiet, KeepAlive: time.Millisecond})
	srv := serve(t, quick)
	body := open(t, t.Context(), srv.URL+"/v3/deployments/"+w.ongoing()+"/stream", "")
	for {
		line, err := body.ReadString('\n')
		is.NoErr(err)
		if line == ": still here\n" {
			return
		}
	}
}

func TestCloseEndsStreams(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	srv := serve(t, w.api)
	path := "/v3/deployments/" + w.ongoing() + "/stream"
	body := open(t, t.Context(), srv.URL+path, "")
	_, ok := next(body)
	is.True(ok) // it is open
	w.api.Close()
	for ok {
		_, ok = next(body)
	}
	got := w.call("GET", path, "")
	is.Equal(got.Code, 503) // no stream begins any more
	is.Equal(got.Header().Get("Retry-After"), "1")
}

// TestServerShutsDownWithOpenStreams holds that streams do not hold it up.
func TestServerShutsDownWithOpenStreams(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	server := w.api.Server()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = server
	srv.Start()
	body := open(t, t.Context(), srv.URL+"/v3/deployments/"+w.ongoing()+"/stream", "")
	_, ok := next(body)
	is.True(ok)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	is.NoErr(server.Shutdown(ctx))
}

func TestStreamRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.ongoing()
	for name, tt := range map[string]struct {
		path   string
		status int
	}{
		"unknown deployment": {"/v3/deployments/nobody/stream", 404},
		"no event's id":      {"/v3/deployments/" + id + "/stream?last_event_id=7", 400},
		"a negative id":      {"/v3/deployments/" + id + "/stream?last_event_id=-7-1", 400},
		"another form":       {"/v3/deployments/" + id + "/stream?last_event_id=07-1", 400},
		"beyond all numbers": {"/v3/deployments/" + id + "/stream?last_event_id=99999999999999999999-0", 400},
		"an unknown key":     {"/v3/deployments/" + id + "/stream?from=1", 400},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(w.call("GET", tt.path, "").Code, tt.status)
		})
	}
}

// ongoing is a deployment that waits for instances.
func (w *world) ongoing() string {
	app := w.app("ongoing")
	w.deploy(app, w.droplet(app), `{"web_instances":1}`)
	return w.deploy(app, w.droplet(app), `{}`)
}

// serve runs the API on a real connection, with streams ended first.
func serve(t testing.TB, a *api.API) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	t.Cleanup(a.Close)
	return srv
}

func open(t testing.TB, ctx context.Context, url, lastID string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, answer.Status)
	}
	return bufio.NewReader(answer.Body)
}
