package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/internal/resource"
	"slipway/internal/updater"
	"slipway/projections"
)

const server = "http://127.0.0.1:8080"

// world is a whole Slipway in one process, with an app, its current droplet and the last deployment made.
type world struct {
	t   *testing.T
	is  *is.I
	log *eventlog.Memory
	api *api.API

	driver         *sim.Driver
	agent, updater *part

	mu    sync.Mutex
	lives map[events.DropletID][]sim.Life // of the instances of a droplet, by index; the last one is that of all further

	apps       int      // made so far
	limits     int      // quotas made so far
	app        string   // the one that is spoken of
	types      string   // process types of its droplets, JSON
	droplets   []string // in order of creation; the first is what the app began with
	deployment string
	strategy   string // the stored one that is used
	answer     *httptest.ResponseRecorder
	kept       string   // the process that a cancel must keep
	worker     []string // instances that a row has seen
}

// Lives of instances.
var (
	ready  = sim.Life{}                                                // routable at once
	never  = sim.Life{NeverHealthy: true}                              // STARTING for as long as a row looks
	broken = sim.Life{StartError: errors.New("no such start command")} // CRASHED at once, again and again
)

// after is an instance that becomes routable so long after its start.
func after(d time.Duration) sim.Life { return sim.Life{HealthyAfter: d} }

// emptyReadModels makes the file that each world begins with: to make its tables again for each takes longer than most rows.
func emptyReadModels(t *testing.T) []byte {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "empty.db")
	store, err := projections.Open(t.Context(), path)
	is.NoErr(err)
	is.NoErr(store.Close())
	file, err := os.ReadFile(path)
	is.NoErr(err)
	return file
}

// newWorld is called inside a bubble.
func newWorld(t *testing.T, readModels []byte) *world {
	quiet := slog.New(slog.DiscardHandler)
	w := &world{
		t: t, is: is.New(t), log: eventlog.NewMemory(events.NewRegistry()), lives: map[events.DropletID][]sim.Life{},
	}
	path := filepath.Join(t.TempDir(), "read.db")
	w.is.NoErr(os.WriteFile(path, readModels, 0o600))
	store, err := projections.Open(t.Context(), path)
	w.is.NoErr(err)
	t.Cleanup(func() { w.is.NoErr(store.Close()) })
	finder := resource.Finder{Reader: resource.Reader{Store: store}, Log: w.log}
	handler := commands.NewHandler(w.log, nil, finder, bits{droplets.NewMemory(1 << 20)}, quiet)
	w.is.NoErr(handler.Bootstrap(t.Context()))
	w.api = api.New(api.Config{
		Auth: admin{}, Commands: handler, Store: store, Log: w.log, Apps: commands.Apps(w.log, nil), Logger: quiet,
	})
	t.Cleanup(w.api.Close)
	w.driver = sim.New(w.life)
	w.begins((&projector.Runner{Log: w.log, Store: store, Logger: quiet}).Run)
	w.updater = w.begins(func(ctx context.Context) error {
		return updater.New(w.log, eventlog.NewMemoryTimers(), commands.Apps(w.log, nil), w.quota(commands.NewQuotas(w.log, nil, finder)), quiet).Run(ctx)
	})
	w.agent = w.begins(func(ctx context.Context) error {
		a, err := agent.New(agent.Config{
			ID: "agent-1", Driver: w.driver, Source: agent.Apps{Log: w.log, Apps: commands.Apps(w.log, nil)}, Log: w.log,
		})
		w.is.NoErr(err)
		return a.Run(ctx)
	})
	return w
}

func (w *world) quota(quotas *commands.Quotas) updater.Quotas {
	return func(ctx context.Context, s app.State) (app.Quota, error) {
		return quotas.Of(ctx, s.Organization, s.Space)
	}
}

// bits takes anything for the bits of a droplet: the sim driver unpacks none.
type bits struct{ *droplets.Memory }

func (bits) Inspect(context.Context, string) (map[string]string, error) { return nil, nil }

// life chooses what becomes of an instance by its droplet and index.
func (w *world) life(s driver.Spec, _ int) sim.Life {
	w.mu.Lock()
	defer w.mu.Unlock()
	lives := w.lives[s.Droplet]
	if s.Type != events.ProcessTypeWeb || len(lives) == 0 {
		return ready
	}
	return lives[min(s.Index, len(lives)-1)]
}

// script sets the lives of the instances of a droplet that start from now on.
func (w *world) script(droplet string, lives ...sim.Life) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives[events.DropletID(droplet)] = lives
}

// part is one of the programs, which can be ended and begun again.
type part struct {
	run  func(context.Context) error
	stop func() // ends it and waits for its end
	w    *world
}

// begins lets a part work until the row ends.
func (w *world) begins(run func(context.Context) error) *part {
	p := &part{run: run, w: w}
	p.start()
	w.t.Cleanup(func() { p.stop() })
	return p
}

func (p *part) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.w.t.Errorf("a part ended: %v", err)
		}
	})
	synctest.Wait()
}

// call sends a request and waits until all parts are at rest again.
func (w *world) call(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, server+path, strings.NewReader(body))
	switch {
	case strings.HasSuffix(path, "/upload"):
		r.Header.Set("Content-Type", "application/gzip")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	got := httptest.NewRecorder()
	w.api.ServeHTTP(got, r)
	synctest.Wait()
	return got
}

// must sends a request that is to be answered with this status, and reads the answer.
func (w *world) must(status int, method, path, body string) map[string]any {
	w.t.Helper()
	got := w.call(method, path, body)
	if got.Code != status {
		w.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.Code, got.Body, status)
	}
	return w.object(got)
}

func (w *world) get(path string) map[string]any {
	w.t.Helper()
	return w.must(200, "GET", path, "")
}

func (w *world) object(got *httptest.ResponseRecorder) map[string]any {
	w.t.Helper()
	if got.Body.Len() == 0 {
		return nil
	}
	var v map[string]any
	if err := json.NewDecoder(strings.NewReader(got.Body.String())).Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		w.t.Fatalf("%v in %s", err, got.Body)
	}
	return v
}

// at digs in an answer: at(v, "status", "value"), at(v, "resources", 0, "guid"). What is not there is nil.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func text(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}

func number(v any, path ...any) int {
	n, _ := at(v, path...).(float64)
	return int(n)
}

func all(v any, path ...any) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// makes creates a droplet of the app, with bits.
func (w *world) makes() string {
	w.t.Helper()
	id := text(w.must(201, "POST", "/v3/droplets", fmt.Sprintf(`{"relationships":%s,"process_types":%s}`, w.ofApp(), w.types)), "guid")
	w.must(202, "POST", "/v3/droplets/"+id+"/upload", "bits")
	w.droplets = append(w.droplets, id)
	return id
}

func (w *world) ofApp() string { return `{"app":{"data":{"guid":"` + w.app + `"}}}` }

// last is the newest droplet.
func (w *world) last() string { return w.droplets[len(w.droplets)-1] }

// alive counts the web instances of a droplet that are there, routable or not.
func (w *world) alive(droplet string) int {
	n := 0
	for _, s := range w.driver.Alive() {
		if s.Type == events.ProcessTypeWeb && string(s.Droplet) == droplet {
			n++
		}
	}
	return n
}

// admin lets everybody in as the admin.
type admin struct{}

func (admin) Verify(context.Context, []string) (auth.Identity, error) {
	return auth.Identity{UserID: "admin", UserName: "admin", Scopes: auth.Scopes{auth.ScopeAdmin}}, nil
}
