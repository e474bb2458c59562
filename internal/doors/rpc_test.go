package doors

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// errorsIn reads an answer's error body.
func errorsIn(t testing.TB, m *nats.Msg) []cferror.Error {
	t.Helper()
	var body struct{ Errors []cferror.Error }
	is.New(t).NoErr(json.Unmarshal(m.Data, &body)) // an error has a body in Cloud Foundry's form
	return body.Errors
}

func TestBadRequests(t *testing.T) {
	r := newRig(t)
	open(t, r.config())
	long := strings.Repeat("x", events.MaxIDLength+1)
	for name, tt := range map[string]struct {
		command, id, body string
		status, code      int
		detail            string
	}{
		"no JSON":                 {"app.create", "", "{", 400, 1001, "parse error"},
		"an array":                {"app.create", "", "[]", 400, 1001, "parse error"},
		"more than an object":     {"app.create", "", `{"name":"a"} {}`, 400, 1001, "parse error"},
		"no UTF-8":                {"app.create", "", "{\"name\":\"\xff\"}", 400, 1001, "parse error"},
		"too large":               {"app.create", "", `{"name":"` + strings.Repeat("x", commands.MaxBody) + `"}`, 400, 1001, "parse error"},
		"an unknown field":        {"app.create", "", `{"nom":"a"}`, 422, 10008, "Unknown field(s): 'nom'"},
		"a wrong type":            {"app.create", "", `{"name":1}`, 422, 10008, "Name must be a string"},
		"nothing":                 {"app.create", "", "", 422, 10008, "Name can't be blank"},
		"a wildcard for an app":   {"app.start", "", `{"app":"*"}`, 404, 10010, "App not found"},
		"everything for an app":   {"app.start", "", `{"app":">"}`, 404, 10010, "App not found"},
		"a subject for an app":    {"app.start", "", `{"app":"a.b c"}`, 404, 10010, "App not found"},
		"a line break in an app":  {"app.start", "", `{"app":"a\r\nPUB x 0"}`, 404, 10010, "App not found"},
		"an unknown deployment":   {"deployment.cancel", "", `{"deployment":"nope"}`, 404, 10010, "Deployment not found"},
		"an absurd count":         {"process.scale", "", `{"app":"a","type":"web","instances":1e400}`, 422, 10008, "must be an integer"},
		"a negative in flight":    {"deployment.create", "", `{"app":"a","options":{"max_in_flight":-1}}`, 422, 10008, "Max in flight"},
		"an id with a dot":        {"app.create", "a.b", `{"name":"a"}`, 422, 10008, "command id"},
		"an id with a wildcard":   {"app.create", "*", `{"name":"a"}`, 422, 10008, "command id"},
		"an id that is too long":  {"app.create", long, `{"name":"a"}`, 422, 10008, "command id"},
		"an id that is not UTF-8": {"app.create", "\xff", `{"name":"a"}`, 422, 10008, "command id"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := r.request(t, tt.command, tt.id, tt.body)
			is.Equal(m.Header.Get(micro.ErrorCodeHeader), strconv.Itoa(tt.status))
			faults := errorsIn(t, m)
			is.Equal(len(faults), 1)
			is.Equal(faults[0].Code, tt.code)
			is.True(strings.Contains(faults[0].Detail, tt.detail))                // the detail says what is wrong
			is.True(strings.HasPrefix(m.Header.Get(micro.ErrorHeader), "CF-"))    // the text too
			is.True(strings.Contains(m.Header.Get(micro.ErrorHeader), tt.detail)) // in full
			is.True(len(m.Header.Get(HeaderCommand)) > 0 || tt.id == "\xff")      // and whose answer it is
			is.True(len(m.Header.Get(HeaderCommand)) <= events.MaxIDLength+1)     // cut short
		})
	}
	is.New(t).Equal(len(r.history(t)), 0) // nothing is left behind
}

// TestFaults holds what becomes of errors that are no refusals, and that a panic ends a request and nothing else.
func TestFaults(t *testing.T) {
	r := newRig(t)
	cfg := r.config()
	var mu sync.Mutex
	var fault error
	set := func(err error) { mu.Lock(); fault = err; mu.Unlock() }
	cfg.Handler = handlerFunc(func(context.Context, commands.Command, commands.Caller) (commands.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if fault == nil {
			panic("a bug")
		}
		return commands.Result{}, fault
	})
	open(t, cfg)
	for name, tt := range map[string]struct {
		err    error
		status string
	}{
		"no log":       {eventlog.ErrUnavailable, "503"},
		"lost races":   {eventlog.ErrConflict, "503"},
		"out of time":  {context.DeadlineExceeded, "503"},
		"corrupt":      {&eventlog.CorruptError{Problem: "secret"}, "500"},
		"a fault":      {errors.New("secret"), "500"},
		"a panic":      {nil, "500"},
		"somebody was": {&aggregates.RejectedError{Code: aggregates.CodeConflict, Message: "first"}, "409"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			set(tt.err)
			m := r.request(t, "app.create", "", `{"name":"a"}`)
			is.Equal(m.Header.Get(micro.ErrorCodeHeader), tt.status)
			is.True(!strings.Contains(string(m.Data), "secret")) // what is inside stays inside
		})
	}
}

// TestResultThatCannotBeShown: a command that was carried out is never reported as if it had not been.
func TestResultThatCannotBeShown(t *testing.T) {
	r := newRig(t)
	cfg := r.config()
	var mu sync.Mutex
	var fault error
	cfg.Present = func(context.Context, auth.Identity, commands.Result) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return nil, fault
	}
	open(t, cfg)
	t.Run("the read model lags", func(t *testing.T) {
		is := is.New(t)
		fault = context.DeadlineExceeded
		m := r.request(t, "app.create", "one", `{"name":"one"}`)
		is.Equal(m.Header.Get(micro.ErrorCodeHeader), "503")
		detail := errorsIn(t, m)[0].Detail
		is.True(strings.Contains(detail, "was carried out"))  // it says so
		is.True(strings.Contains(detail, "Nats-Msg-Id: one")) // and how to see the result
	})
	t.Run("the resource is gone", func(t *testing.T) {
		is := is.New(t)
		fault = nil
		id := events.DeriveID("one", "app", 0)
		m := r.request(t, "app.delete", "two", `{"app":"`+id+`"}`)
		is.Equal(m.Header.Get(micro.ErrorCodeHeader), "")
		is.Equal(string(m.Data), `{"guid":"`+id+`"}`) // what was deleted
	})
	t.Run("the resource is somebody else's", func(t *testing.T) {
		is := is.New(t)
		fault = aggregates.NotFound("App")
		m := r.request(t, "app.create", "one", `{"name":"one"}`)
		is.Equal(m.Header.Get(micro.ErrorCodeHeader), "404")
		is.True(!strings.Contains(string(m.Data), events.DeriveID("one", "app", 0)))
	})
}

func TestTraceAndNewID(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	open(t, r.config())
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, given := range []string{traceparent, "00-\x01", strings.Repeat("0", 4096)} {
		m := &nats.Msg{Subject: asAnn("rpc.app.create"), Header: nats.Header{"traceparent": {given}}, Data: []byte(`{"name":"a` + events.NewID() + `"}`)}
		answer, err := r.nc.RequestMsg(m, patience)
		is.NoErr(err)
		is.Equal(answer.Header.Get(micro.ErrorCodeHeader), "") // a broken trace does not break the command
		is.True(events.ValidID(answer.Header.Get(HeaderCommand)))
	}
	for i, c := range r.history(t) {
		if i < 3 {
			is.Equal(c.Trace, traceparent) // the claim, the app and its route carry it
		} else {
			is.Equal(c.Trace, "") // what is no trace context is left out
		}
	}
}

// TestMicroService holds what `nats micro ls`, `info` and `stats` show.
func TestMicroService(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	open(t, r.config())
	r.request(t, "app.create", "", `{"name":"a"}`)
	r.request(t, "app.create", "", `{`)

	m, err := r.nc.Request("$SRV.INFO."+Service, nil, patience)
	is.NoErr(err)
	var info micro.Info
	is.NoErr(json.Unmarshal(m.Data, &info))
	is.Equal(len(info.Endpoints), len(commands.Names())+len(commands.Questions())) // an endpoint for each
	is.Equal(info.Endpoints[0].Subject, "rpc.by.*.app.assign-droplet")
	is.Equal(info.Endpoints[0].Metadata["request"], "rpc.app.assign-droplet") // what a client asks
	is.Equal(info.Endpoints[0].QueueGroup, queueGroup)

	requests, faults := 0, 0
	eventually(t, "both requests are counted", func() bool {
		requests, faults = 0, 0
		for _, s := range r.stats(t) {
			for _, e := range s.Endpoints {
				requests, faults = requests+e.NumRequests, faults+e.NumErrors
			}
		}
		return requests == 2
	})
	is.Equal(faults, 1)
	is.Equal(len(r.stats(t)), instances)
}

// stats asks all instances of the service.
func (r *rig) stats(t testing.TB) []micro.Stats {
	t.Helper()
	is := is.New(t)
	inbox, err := r.nc.SubscribeSync(r.nc.NewRespInbox())
	is.NoErr(err)
	defer inbox.Unsubscribe() //nolint:errcheck // the test is over then
	is.NoErr(r.nc.PublishRequest("$SRV.STATS."+Service, inbox.Subject, nil))
	all := make([]micro.Stats, instances)
	for i := range all {
		m, err := inbox.NextMsg(patience)
		is.NoErr(err)
		is.NoErr(json.Unmarshal(m.Data, &all[i]))
	}
	return all
}

// TestShutdownAnswersWhatRuns: a request that runs is finished and answered; the door closes after it.
func TestShutdownAnswersWhatRuns(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	cfg := r.config()
	running, release := make(chan struct{}, 1), make(chan struct{})
	var finished atomic.Bool
	cfg.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
		running <- struct{}{}
		<-release
		defer finished.Store(true)
		return r.handler.Handle(ctx, c, by)
	})
	closeDoors := open(t, cfg)
	answers := make(chan *nats.Msg, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { answers <- r.request(t, "app.create", "", `{"name":"a"}`) })
	<-running
	wg.Go(func() {
		closeDoors()
		if !finished.Load() {
			t.Error("the doors were closed while a command was being carried out")
		}
	})
	eventually(t, "the service is gone", func() bool {
		_, err := r.nc.Request("$SRV.PING."+Service, nil, time.Second)
		return errors.Is(err, nats.ErrNoResponders)
	})
	select {
	case <-answers:
		t.Fatal("answered before it was done")
	default:
	}
	close(release)
	is.Equal((<-answers).Header.Get(micro.ErrorCodeHeader), "") // what ran was finished and answered
	wg.Wait()
	is.Equal(len(r.history(t)), 3) // name, app, route
}

func TestGate(t *testing.T) {
	is := is.New(t)
	var g gate
	is.True(g.enter())
	closed := make(chan struct{})
	go func() { g.close(); close(closed) }()
	eventually(t, "nobody may enter", func() bool {
		if g.enter() {
			g.leave()
			return false
		}
		return true
	})
	select {
	case <-closed:
		t.Fatal("closed while somebody was inside")
	default:
	}
	g.leave()
	<-closed
}
