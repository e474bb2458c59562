package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/updater"
	"slipway/projections"
)

const server = apitest.Server

// patience bounds every wait of these tests: long beside what is waited for, so that only a fault reaches it.
const patience = 20 * time.Second

// world is an API over a log in memory, with projector and updater at work.
type world struct {
	t     testing.TB
	log   *eventlog.Memory
	store *projections.Store
	api   *api.API
	bits  *bits

	handler http.Handler // what calls go to; nil: api

	commands *commands.Handler
	people   *people // who may log in; without a token one is the admin
}

var quiet = slog.New(slog.DiscardHandler)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, bits: &bits{stored: map[string]string{}}, people: &people{}}
	s := apitest.New(t, apitest.Parts{Bits: w.bits, API: api.Config{
		Auth: w.people, Keys: accessKeys{}, Clients: clients{}, UserIDs: userID, Patience: patience,
		Secrets: func(id events.SubscriptionID, generation int) string {
			return fmt.Sprintf("secret %d of %s", generation, id)
		},
	}})
	w.log, w.store, w.commands, w.api = s.Log, s.Store, s.Handler, s.API
	w.runs(updater.New(w.log, eventlog.NewMemoryTimers(), commands.Apps(w.log, nil), nil, quiet).Run)
	return w
}

// runs lets something work until the test ends.
func (w *world) runs(work func(context.Context) error) { apitest.Run(w.t, work) }

// How answers are read.
var (
	call   = apitest.Call
	object = apitest.Object
	at     = apitest.At
	text   = apitest.Text
)

// agent reports every desired instance of web processes as running, as a quick and healthy agent would.
func (w *world) agent() {
	instances, generations := map[events.ProcessID]int{}, map[events.ProcessID]int{}
	w.runs(func(ctx context.Context) error {
		return w.log.Follow(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}}, func(batch []events.Recorded) error {
			for _, c := range batch {
				for _, e := range c.Events {
					switch e := e.(type) {
					case events.ProcessCreated:
						instances[e.Process] = e.Instances
						w.running(e.App, e.Process, e.Instances, 0)
					case events.ProcessScaled:
						instances[e.Process] = e.Instances
						w.running(e.App, e.Process, e.Instances, generations[e.Process])
					case events.ProcessRestarted:
						generations[e.Process] = e.Generation
						w.running(e.App, e.Process, instances[e.Process], e.Generation)
					}
				}
			}
			return nil
		})
	})
}

// running reports the first n instances of a process as running.
func (w *world) running(app events.AppID, process events.ProcessID, n, generation int) {
	for i := range n {
		r := ref(app, process, i)
		if r.Generation = generation; generation > 0 { // another generation is other instances
			r.Instance += events.InstanceID(fmt.Sprintf("-%d", generation))
		}
		w.report(events.InstanceRunning{InstanceRef: r, Address: fmt.Sprintf("127.0.0.1:%d", 61000+i)})
	}
}

func ref(app events.AppID, process events.ProcessID, index int) events.InstanceRef {
	return events.InstanceRef{
		App: app, Process: process, ProcessType: "web", Index: index, Agent: "a1",
		Instance: events.InstanceID(fmt.Sprintf("%s-%d", process, index)),
	}
}

// report writes what an agent says.
func (w *world) report(e events.InstanceEvent) events.Sequence {
	c, err := w.log.Report(context.Background(), events.Commit{
		Subject: events.InstanceSubject(e.Ref().Process), CommandID: events.CommandID(events.NewID()), Actor: "agent/a1",
		Cause: "agent", Time: time.Now().UTC(), Events: []events.Event{e},
	})
	if err != nil {
		w.t.Error(err)
	}
	return c.Sequence
}

// until waits for a condition on the read models.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		at, err := w.store.Checkpoint(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if holds() {
			return
		}
		if err := w.store.Wait(ctx, at+1); err != nil {
			w.t.Fatalf("waiting until %s: %v", what, err)
		}
	}
}

// caughtUp waits until the read models hold all of the log.
func (w *world) caughtUp() {
	w.t.Helper()
	newest, _ := w.log.Newest(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.store.Wait(ctx, newest); err != nil {
		w.t.Fatal(err)
	}
}

// call sends a request with a JSON body.
func (w *world) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	if w.handler != nil {
		return call(w.handler, method, path, body, header...)
	}
	return call(w.api, method, path, body, header...)
}

// must sends a request that is to be answered with this status, and reads the answer.
func (w *world) must(status int, method, path, body string, header ...string) map[string]any {
	w.t.Helper()
	got := w.call(method, path, body, header...)
	if got.Code != status {
		w.t.Fatalf("%s %s: %d %s, want %d", method, path, got.Code, got.Body, status)
	}
	return object(w.t, got.Body.Bytes())
}

// app makes an app.
func (w *world) app(name string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/apps", `{"name":"`+name+`"}`), "guid")
}

// droplet makes a droplet with bits.
func (w *world) droplet(app string) string {
	w.t.Helper()
	id := text(w.must(201, "POST", "/v3/droplets", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}}}`), "guid")
	w.must(202, "POST", "/v3/droplets/"+id+"/upload", "bits of "+id)
	return id
}

// deploy begins a deployment; options is JSON.
func (w *world) deploy(app, droplet, options string) string {
	w.t.Helper()
	return text(w.must(201, "POST", "/v3/deployments", deployment(app, droplet, options)), "guid")
}

func deployment(app, droplet, options string) string {
	return `{"relationships":{"app":{"data":{"guid":"` + app + `"}}},"droplet":{"guid":"` + droplet + `"},"options":` + options + `}`
}

func (w *world) status(deployment string) string {
	v := w.must(200, "GET", "/v3/deployments/"+deployment, "")
	return text(v, "status", "value") + "/" + text(v, "status", "reason")
}

// bits keeps droplets in memory.
type bits struct {
	mu     sync.Mutex
	stored map[string]string
}

func (b *bits) Put(_ context.Context, name string, r io.Reader) (string, int64, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stored[name] = string(data)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), int64(len(data)), nil
}

func (b *bits) Inspect(_ context.Context, name string) (map[string]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.Contains(b.stored[name], "../") {
		return nil, aggregates.Reject("The bits cannot be unpacked safely")
	}
	return map[string]string{"web": "./hello && true"}, nil
}

func (b *bits) Delete(_ context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.stored, name)
	return nil
}

func (b *bits) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.stored)
}

// admin lets everybody in as the admin.
type admin = apitest.Admin

// userID knows everybody but those who have left.
func userID(name string) (string, bool) { return "guid-" + name, name != "leaver" }

// people lets in whom it knows by the word behind "bearer", and who shows no token as the admin.
type people struct{ known sync.Map }

func (p *people) Verify(ctx context.Context, header []string) (auth.Identity, error) {
	if len(header) == 0 {
		return admin{}.Verify(ctx, nil)
	}
	if header[0] == "" {
		return auth.Identity{}, auth.ErrNoToken
	}
	i, known := p.known.Load(strings.TrimPrefix(header[0], "bearer "))
	if !known {
		return auth.Identity{}, auth.ErrBadToken
	}
	return i.(auth.Identity), nil
}
