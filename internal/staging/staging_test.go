package staging_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/droplet"
	"slipway/aggregates/pack"
	"slipway/events"
	"slipway/internal/agent/tree"
	"slipway/internal/commands"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
	"slipway/internal/staging"
)

var quiet = slog.New(slog.DiscardHandler)

// rig is a handler and a stager over a log and a store in memory.
type rig struct {
	t       testing.TB
	log     *faultyLog
	bits    *store
	handler *commands.Handler
	now     time.Time
	app     events.AppID
}

func newRig(t testing.TB) *rig {
	r := &rig{t: t, log: &faultyLog{Memory: eventlog.NewMemory(events.NewRegistry())}, now: time.Now()}
	r.bits = &store{Memory: droplets.NewMemory(1 << 20), names: map[string]bool{}}
	r.handler = commands.NewHandler(r.log, nil, nil, r.bits, quiet)
	r.app = r.do(commands.CreateApp{AppName: "hello"}).App
	return r
}

func caller() commands.Caller {
	return commands.Caller{CommandID: events.CommandID(events.NewID()), Actor: "tester", Door: "test"}
}

func (r *rig) do(c commands.Command) commands.Result {
	r.t.Helper()
	result, err := r.handler.Handle(context.Background(), c, caller())
	if err != nil {
		r.t.Fatalf("%s: %v", c.Name(), err)
	}
	return result
}

// build begins a build of these files: name, text, ...
func (r *rig) build(files ...string) events.BuildID {
	r.t.Helper()
	p := r.do(commands.CreatePackage{App: r.app, Type: "bits"})
	if _, err := r.handler.UploadPackage(context.Background(), events.PackageID(p.ID), bytes.NewReader(zipped(r.t, files...)), caller()); err != nil {
		r.t.Fatal(err)
	}
	return events.BuildID(r.do(commands.CreateBuild{Package: events.PackageID(p.ID)}).ID)
}

func zipped(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stage lets n stagers work until the build has ended, and says how.
func (r *rig) stage(id events.BuildID, n int) events.Event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var stagers sync.WaitGroup
	for range n {
		stager := staging.New(r.log, commands.Apps(r.log, nil), r.bits, quiet, func() time.Time { return r.now })
		stagers.Go(func() {
			if err := stager.Run(ctx); err != nil {
				r.t.Error(err)
			}
		})
	}
	var ended events.Event
	stop := errors.New("ended")
	err := r.log.Follow(ctx, eventlog.Query{Filters: []string{string(events.BuildSubject(id))}}, func(batch []events.Recorded) error {
		for _, c := range batch {
			for _, e := range c.Events {
				switch e.(type) {
				case events.BuildStaged, events.BuildFailed:
					ended = e
					return stop
				}
			}
		}
		return nil
	})
	cancel()
	stagers.Wait()
	if !errors.Is(err, stop) {
		r.t.Fatalf("the build does not end: %v", err)
	}
	return ended
}

func (r *rig) droplet(e events.Event) droplet.State {
	r.t.Helper()
	staged, ok := e.(events.BuildStaged)
	if !ok {
		r.t.Fatalf("%#v", e)
	}
	agg, err := commands.Droplets(r.log).Load(context.Background(), string(staged.Droplet))
	if err != nil {
		r.t.Fatal(err)
	}
	return agg.State
}

func TestFilesAreTakenAsTheyAre(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	d := r.droplet(r.stage(r.build("Procfile", "web: ./start\nworker: ./work", "lib/a.txt", "text"), 1))
	is.True(d.Staged)
	is.Equal(d.App, r.app)
	is.Equal(d.ProcessTypes, map[string]string{"web": "./start", "worker": "./work"})
	root := r.bits.unpack(t, d.Bits)
	text, err := root.ReadFile("lib/a.txt")
	is.NoErr(err)
	is.Equal(string(text), "text")
	is.True(len(d.SHA256) == 64 && d.SizeBytes > 0)
}

func TestTheGivenCommandNamesTheProcessesWhereNoProcfileDoes(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	r.change(func(s app.State) ([]events.Event, error) {
		command := "./mine"
		return app.UpdateProcess(s, app.Update{Process: events.ProcessID(r.app), Command: &command})
	})
	is.Equal(r.droplet(r.stage(r.build("a", "b"), 1)).ProcessTypes, map[string]string{"web": "./mine"})
}

// change decides about the app.
func (r *rig) change(decide func(app.State) ([]events.Event, error)) {
	r.t.Helper()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "tester", Time: r.now}
	if _, err := commands.Apps(r.log, nil).Decide(context.Background(), string(r.app), m, decide); err != nil {
		r.t.Fatal(err)
	}
}

func TestAnImageIsADropletWithoutBits(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	p := r.do(commands.CreatePackage{App: r.app, Type: "docker", Image: "shop/web:3"})
	b := r.do(commands.CreateBuild{Package: events.PackageID(p.ID)})
	d := r.droplet(r.stage(events.BuildID(b.ID), 1))
	is.Equal([]any{d.Image, d.Bits, d.Staged}, []any{"shop/web:3", "", true})
	is.Equal(d.ProcessTypes, map[string]string{"web": droplet.ImageCommand})
	r.do(commands.CreateDeployment{App: r.app, Droplet: d.ID}) // it can be deployed
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		build func(*rig) events.BuildID
		why   string
	}{
		"nothing to start": {func(r *rig) events.BuildID { return r.build("a", "b") }, "There is no Procfile among the files"},
		"bad Procfile":     {func(r *rig) events.BuildID { return r.build("Procfile", "no colon") }, "Procfile line 1"},
		"files are gone": {func(r *rig) events.BuildID {
			id := r.build("Procfile", "web: x")
			r.bits.forget()
			return id
		}, "The files of the package are gone. Push them again."},
		"files are torn": {func(r *rig) events.BuildID {
			id := r.build("Procfile", "web: "+strings.Repeat("x", 100))
			r.bits.tear()
			return id
		}, "The package cannot be staged: "},
		"two that cannot stand together": {func(r *rig) events.BuildID { return r.build("a", "x", "a/b", "x") }, "Droplet bits cannot be unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			failed, ok := r.stage(c.build(r), 1).(events.BuildFailed)
			is.True(ok) // it has no droplet
			is.True(strings.Contains(failed.Error, c.why))
			is.True(r.bits.count() <= 1) // the package's zip is all that is left
		})
	}
}

func TestABuildHasOneDropletWhoeverStagesIt(t *testing.T) {
	t.Run("many at once", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		var ids []events.BuildID
		for range 5 {
			ids = append(ids, r.build("Procfile", "web: x"))
		}
		for _, id := range ids {
			r.stage(id, 3)
		}
		is.Equal(r.log.count(events.TypeBuildStaged), 5)
		is.Equal(r.log.count(events.TypeDropletUploaded), 5)
		is.Equal(r.bits.count(), 10) // a zip and a droplet each
	})
	t.Run("after a crash between droplet and end", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		id := r.build("Procfile", "web: x")
		r.log.failOn(events.AggregateBuild, 2)
		r.stage(id, 1)
		is.Equal(r.log.count(events.TypeDropletUploaded), 1)
		is.Equal(r.log.count(events.TypeBuildStaged), 1)
		is.Equal(r.bits.count(), 2)
	})
	t.Run("after a droplet that could not be recorded", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		id := r.build("Procfile", "web: x")
		r.log.failOn(events.AggregateDroplet, 2)
		r.stage(id, 1)
		is.Equal(r.log.count(events.TypeDropletUploaded), 1)
		is.Equal(r.bits.count(), 2) // what was stored in vain is gone
	})
}

func TestWhatDoesNotPassBecomesTheReason(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	id := r.build("Procfile", "web: x")
	r.bits.fail(errors.New("the store is down"))
	r.now = r.now.Add(pack.Deadline + time.Second)
	failed, ok := r.stage(id, 1).(events.BuildFailed)
	is.True(ok)
	is.True(strings.HasPrefix(failed.Error, "StagingTimeExpired - Staging time expired"))
}

// store is a store in memory that can inspect, forget, tear and break.
type store struct {
	*droplets.Memory
	mu     sync.Mutex
	names  map[string]bool
	broken error
}

func (s *store) Put(ctx context.Context, name string, r io.Reader) (string, int64, error) {
	sum, size, err := s.Memory.Put(ctx, name, r)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.names[name] = true
	}
	return sum, size, err
}

func (s *store) Delete(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, name)
	return s.Memory.Delete(ctx, name)
}

func (s *store) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	return s.Memory.Get(ctx, name)
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.names)
}

func (s *store) fail(err error) { s.broken = err }

func (s *store) forget() {
	for name := range s.names {
		_ = s.Memory.Delete(context.Background(), name) // memory does not fail
	}
}

// tear spoils the first bytes of what is stored: the head of the first file, which the directory says nothing of.
func (s *store) tear() {
	for name := range s.names {
		r, _ := s.Memory.Get(context.Background(), name) // it is there
		data, _ := io.ReadAll(r)
		for i := range 60 {
			data[i] = 0xff
		}
		_, _, _ = s.Memory.Put(context.Background(), name, bytes.NewReader(data))
	}
}

func (s *store) unpack(t testing.TB, name string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	r, err := s.Get(context.Background(), name)
	if err == nil {
		err = tree.Unpack(context.Background(), r, root, tree.DefaultLimits)
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Inspect implements commands.Bits as the real one does, in short.
func (s *store) Inspect(ctx context.Context, name string) (map[string]string, error) {
	return inspect(ctx, s, name)
}

// faultyLog fails the next appends of one kind of aggregate.
type faultyLog struct {
	*eventlog.Memory
	mu    sync.Mutex
	kind  string
	times int
}

func (l *faultyLog) failOn(kind string, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kind, l.times = kind, times
}

func (l *faultyLog) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	l.mu.Lock()
	kind, _, _ := c.Subject.Split()
	fails := kind == l.kind && l.times > 0
	if fails {
		l.times--
	}
	l.mu.Unlock()
	if fails {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return l.Memory.Append(ctx, c, last)
}

func (l *faultyLog) count(kind events.Type) (n int) {
	_ = l.Replay(context.Background(), eventlog.Query{}, func(c events.Recorded) error { // memory does not fail
		for _, e := range c.Events {
			if e.Type() == kind {
				n++
			}
		}
		return nil
	})
	return n
}
