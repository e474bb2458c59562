package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
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
	"slipway/internal/api/apitest"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/updater"
)

// world is a whole Slipway in one process, with an app, its current droplet and the last deployment made.
type world struct {
	t   *testing.T
	is  *is.I
	log *eventlog.Memory
	api *api.API

	handler *commands.Handler

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

// newWorld is called inside a bubble.
func newWorld(t *testing.T) *world {
	s := apitest.New(t, apitest.Parts{})
	w := &world{t: t, is: is.New(t), log: s.Log, api: s.API, handler: s.Handler, lives: map[events.DropletID][]sim.Life{}}
	w.is.NoErr(s.Handler.Bootstrap(t.Context()))
	w.driver = sim.New(w.life)
	quota, quiet := w.quota(commands.NewQuotas(w.log, nil, s.Finder)), slog.New(slog.DiscardHandler)
	w.updater = w.begins(func(ctx context.Context) error {
		return updater.New(w.log, eventlog.NewMemoryTimers(), commands.Apps(w.log, nil), quota, quiet).Run(ctx)
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
	return p
}

func (p *part) start() {
	p.stop = apitest.Run(p.w.t, p.run)
	synctest.Wait()
}

// call sends a request and waits until all parts are at rest again.
func (w *world) call(method, path, body string) *httptest.ResponseRecorder {
	got := apitest.Call(w.api, method, path, body)
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
	return apitest.Object(w.t, got.Body.Bytes())
}

// How answers are read.
const server = apitest.Server

var (
	at   = apitest.At
	text = apitest.Text
)

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
