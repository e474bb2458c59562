package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/client"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
	"slipway/internal/groups"
	"slipway/internal/updater"
)

// patience bounds every wait of these tests: long beside what is waited for, so that only a fault reaches it.
const patience = 60 * time.Second

// world is a whole Slipway in this process, behind real connections that can be cut. Instances of droplets run at once, but those
// of the droplets in stuck never.
type world struct {
	t     *testing.T
	url   string
	api   *client.Client
	stuck sync.Map
	away  atomic.Bool  // every request is answered 503
	cuts  atomic.Int32 // how many streams are still to be cut, each after some bytes
	cut   atomic.Int32 // how many were
}

func newWorld(t *testing.T) *world {
	t.Helper()
	is, quiet := is.New(t), slog.New(slog.DiscardHandler)
	w := &world{t: t}
	s := apitest.New(t, apitest.Parts{Bits: bits{commandstest.NewBits()}, API: api.Config{Patience: patience}})
	is.NoErr(s.Handler.Bootstrap(t.Context()))
	apps := commands.Apps(s.Log, nil)
	agent, err := agent.New(agent.Config{ID: "agent-1", Driver: sim.New(w.life), Source: agent.Apps{Log: s.Log, Apps: apps}, Log: s.Log})
	is.NoErr(err)
	apitest.Run(t, updater.New(s.Log, eventlog.NewMemoryTimers(), apps, nil, quiet).Run)
	apitest.Run(t, agent.Run)
	apitest.Run(t, groups.New(s.Log, apps, s.Handler, quiet).Run)
	server := httptest.NewServer(w.unreliable(s.API))
	t.Cleanup(server.Close)
	w.url, w.api = server.URL, client.WithToken(server.URL, "anything")
	return w
}

func (w *world) life(s driver.Spec, _ int) sim.Life {
	_, stuck := w.stuck.Load(string(s.Droplet))
	return sim.Life{NeverHealthy: stuck}
}

// bits finds a web process in every droplet.
type bits struct{ *commandstest.Bits }

func (bits) Inspect(context.Context, string) (map[string]string, error) {
	return map[string]string{"web": "./web"}, nil
}

// unreliable cuts streams and refuses requests, as long as the test wants it.
func (w *world) unreliable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.away.Load() {
			out.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/stream") && w.cuts.Add(-1) >= 0 {
			w.cut.Add(1)
			out = &cutting{ResponseWriter: out, left: 700} // in the middle of an event
		}
		next.ServeHTTP(out, r)
	})
}

// cutting cuts the connection after some bytes.
type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(b []byte) (int, error) {
	if len(b) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		c.Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

func (c *cutting) Flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }

// app makes an app that runs with two instances.
func (w *world) app(name string) (guid string) {
	w.t.Helper()
	is := is.New(w.t)
	guid, err := w.api.App(w.t.Context(), name)
	is.NoErr(err)
	first, err := w.api.Deploy(w.t.Context(), guid, w.droplet(guid), map[string]any{"web_instances": 2})
	is.NoErr(err)
	w.until("the app runs", func() bool { return w.reason(first) == "DEPLOYED" })
	return guid
}

func (w *world) droplet(app string) string {
	w.t.Helper()
	droplet, err := w.api.Droplet(w.t.Context(), app, []byte("bits"))
	is.New(w.t).NoErr(err)
	return droplet
}

// deploys begins a rollout whose instances run, or never do.
func (w *world) deploys(app, strategy string, stuck bool) (deployment string) {
	w.t.Helper()
	droplet := w.droplet(app)
	if stuck {
		w.stuck.Store(droplet, true)
	}
	deployment, err := w.api.DeployAs(w.t.Context(), strategy, app, droplet, map[string]any{})
	is.New(w.t).NoErr(err)
	return deployment
}

func (w *world) reason(deployment string) string {
	w.t.Helper()
	var d struct{ Status struct{ Reason string } }
	is.New(w.t).NoErr(w.api.Call(w.t.Context(), http.MethodGet, "/v3/deployments/"+deployment, nil, &d))
	return d.Status.Reason
}

func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			w.t.Fatalf("after %v not yet: %s", patience, what)
		}
	}
}

// slipway runs a command to its end, and gives what it prints. GUID in what an operator types is always whole.
func (w *world) slipway(arguments ...string) (string, error) {
	var out, log bytes.Buffer
	err := run(w.t.Context(), append(arguments, "--api", w.url, "--token", "anything"), &out, &log)
	return out.String(), err
}

// running is a command that goes on.
type running struct {
	mu   sync.Mutex
	text bytes.Buffer
	stop context.CancelFunc
	done chan error
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *running) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// begins runs a command until it ends or is stopped.
func (w *world) begins(arguments ...string) *running {
	ctx, cancel := context.WithCancel(w.t.Context())
	r := &running{stop: cancel, done: make(chan error, 1)}
	go func() {
		r.done <- run(ctx, append(arguments, "--api", w.url, "--token", "anything"), r, &bytes.Buffer{})
	}()
	w.t.Cleanup(cancel)
	return r
}

// shows waits until it has printed a text.
func (w *world) shows(r *running, format string, args ...any) {
	w.t.Helper()
	text := fmt.Sprintf(format, args...)
	w.until(text, func() bool { return strings.Contains(r.String(), text) })
}

func (w *world) ends(r *running) error {
	w.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		w.t.Fatalf("it does not end:\n%s", r)
		return nil
	}
}
