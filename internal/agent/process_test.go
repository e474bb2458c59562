package agent

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent/driver/exec"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/agent/router"
	"slipway/internal/agent/tree"
	"slipway/internal/eventlog"
)

// role turns this test binary into an app, or into an agent that will be killed.
const role = "TEST_ROLE"

const (
	roleApp   = "app"
	roleAgent = "agent"
)

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case roleApp:
		runApp()
	case roleAgent:
		runMortalAgent()
	default:
		os.Exit(m.Run())
	}
}

// runApp says which version and instance it is. On SIGTERM it dies without ceremony: it relies on being drained before.
func runApp() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, os.Getenv("VERSION")+" "+os.Getenv("INSTANCE_GUID"))
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// nothing is a Bits whose droplets are empty.
type nothing struct{}

func (nothing) Open(context.Context, events.DropletID) (io.ReadCloser, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	err := errors.Join(tar.NewWriter(zip).Close(), zip.Close())
	return io.NopCloser(&b), err
}

// appSpec is a process of the test's app.
func appSpec(process events.ProcessID, instances int) ProcessSpec {
	binary, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return ProcessSpec{
		App: "app-1", AppName: "hello", Process: process, Type: events.ProcessTypeWeb, Droplet: "d1", Command: binary,
		Environment: map[string]string{role: roleApp, "VERSION": string(process)}, Instances: instances,
	}
}

// site is an agent with real processes and a router that listens.
type site struct {
	t       *testing.T
	id      events.AgentID
	wishes  wishes
	log     *eventlog.Memory
	address string
	stop    func()
	ready   chan struct{} // closed once id and address are known: an agent that adopts reports before

	mu       sync.Mutex
	suspects map[events.InstanceID]string // reported as running, not routed, and nothing has been reported since
}

// suspect notes what looks wrong with an instance, or that a later report explains it.
func (s *site) suspect(id events.InstanceID, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why == "" {
		delete(s.suspects, id)
	} else {
		s.suspects[id] = why
	}
}

// serve runs an agent in dir until ctx ends or stop is called.
func serve(ctx context.Context, dir string, w wishes, log Log, bits tree.Bits) (id events.AgentID, address string, stop func() error, err error) {
	home, err := OpenHome(dir)
	if err != nil {
		return "", "", nil, err
	}
	logger := slog.New(slog.DiscardHandler)
	d, err := exec.New(exec.Config{Agent: home.ID, Dir: filepath.Join(dir, "exec"), Bits: bits, Logger: logger})
	if err != nil {
		return "", "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, err
	}
	a, err := New(Config{ID: home.ID, Driver: d, Source: w, Log: log, Traffic: l, Logger: logger})
	if err != nil {
		return "", "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return home.ID, l.Addr().String(), sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, d.Close(), home.Close())
	}), nil
}

func newSite(t *testing.T, dir string) *site { return newSiteOf(t, dir, nothing{}) }

func newSiteOf(t *testing.T, dir string, bits tree.Bits) *site {
	t.Helper()
	s := &site{
		t: t, wishes: make(wishes), log: eventlog.NewMemory(events.NewRegistry()), ready: make(chan struct{}),
		suspects: map[events.InstanceID]string{},
	}
	id, address, stop, err := serve(context.Background(), dir, s.wishes, witness{s.log, s}, bits)
	if err != nil {
		t.Fatal(err)
	}
	s.id, s.address = id, address
	close(s.ready)
	s.stop = func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, why := range s.suspects {
			t.Error(why)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// witness is a log that checks at the door whether what it is told is so: who is reported as running gets traffic already,
// who is reported as unready gets none any more.
type witness struct {
	*eventlog.Memory
	site *site
}

func (w witness) Report(ctx context.Context, c events.Commit) (events.Recorded, error) {
	<-w.site.ready
	for _, e := range c.Events {
		ref := e.(events.InstanceEvent).Ref()
		answer, err := fetch(http.DefaultClient, w.site.address, fmt.Sprintf("%s:%d", ref.Process, ref.Index))
		routed := err == nil && strings.HasSuffix(answer, string(ref.Instance))
		switch e.(type) {
		case events.InstanceRunning:
			if ref.ProcessType != events.ProcessTypeWeb {
				continue
			}
			// Where the agent has gone on meanwhile, a later report says so: see site.stop.
			if !routed {
				w.site.suspect(ref.Instance, fmt.Sprintf("%v is reported as running and not routed: %s, %v", ref, answer, err))
			}
		case events.InstanceUnready:
			if routed {
				w.site.t.Errorf("%v is reported as unready and still routed", ref)
			}
			w.site.suspect(ref.Instance, "")
		case events.InstanceCrashed, events.InstanceStopped:
			w.site.suspect(ref.Instance, "")
		}
	}
	return w.Memory.Report(ctx, c)
}

func (s *site) want(specs ...ProcessSpec) {
	s.wishes <- Update{Complete: true, Apps: map[events.AppID][]ProcessSpec{"app-1": specs}}
}

// await waits until a process's reports say that so many of its instances are in a state.
func (s *site) await(process events.ProcessID, state events.Type, n int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	last := map[events.InstanceID]events.Type{}
	reached := errors.New("reached")
	filters := []string{string(events.InstanceSubject(process))}
	err := s.log.Follow(ctx, eventlog.Query{Filters: filters}, func(batch []events.Recorded) error {
		for _, c := range batch {
			for _, e := range c.Events {
				last[e.(events.InstanceEvent).Ref().Instance] = e.Type()
			}
		}
		count := 0
		for _, typ := range last {
			if typ == state {
				count++
			}
		}
		if count == n {
			return reached
		}
		return nil
	})
	if !errors.Is(err, reached) {
		s.t.Fatalf("%s: never were there %d %s, only %v: %v", process, n, state, last, err)
	}
}

// fetch asks the app through the router, or one instance of it.
func fetch(client *http.Client, address string, instance ...string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	req.Host = "hello.localhost"
	for _, i := range instance {
		req.Header.Set(router.HeaderInstance, i)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %s %w", resp.StatusCode, answer, err)
	}
	return string(answer), nil
}

// instancesOf lists the instances of an agent that have processes on this host.
func instancesOf(t *testing.T, agent events.AgentID) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range paths {
		data, _ := os.ReadFile(path) // it may have ended, or be another user's
		if env := string(data); strings.Contains(env, "SLIPWAY_AGENT="+string(agent)+"\x00") {
			_, rest, _ := strings.Cut(env, "SLIPWAY_INSTANCE=")
			id, _, _ := strings.Cut(rest, "\x00")
			found[id] = true
		}
	}
	all := []string{}
	for id := range found {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// TestARolloutOfRealProcessesLosesNoRequest replaces one version by the other under load.
func TestARolloutOfRealProcessesLosesNoRequest(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := newSite(t, t.TempDir())
	s.want(appSpec("v1", 3))
	s.await("v1", events.TypeInstanceRunning, 3)

	ctx, cancel := context.WithCancel(t.Context())
	var sent, failed atomic.Int64
	var seen sync.Map
	var load sync.WaitGroup
	for n := range 4 {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: n%2 == 0}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				answer, err := fetch(client, s.address)
				sent.Add(1)
				if err != nil {
					failed.Add(1)
					t.Error(err)
				}
				seen.Store(answer, true)
			}
		})
	}
	const n = 3
	for i := range n {
		s.want(appSpec("v1", n-i), appSpec("v2", i+1))
		s.await("v2", events.TypeInstanceRunning, i+1)
		s.want(appSpec("v1", n-i-1), appSpec("v2", i+1))
	}
	s.await("v1", events.TypeInstanceStopped, n)
	cancel()
	load.Wait()
	is.Equal(failed.Load(), int64(0))
	versions := map[string]int{}
	for answer := range seen.Range {
		version, _, _ := strings.Cut(answer.(string), " ")
		versions[version]++
	}
	is.True(versions["v1"] > 0 && versions["v2"] > 0) // both have answered
	t.Logf("%d requests, %d failed", sent.Load(), failed.Load())

	s.stop()
	is.Equal(instancesOf(t, s.id), []string{}) // an orderly end leaves nothing
}

func TestOnlyWebProcessesAreRouted(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := newSite(t, t.TempDir())
	worker := appSpec("jobs", 1)
	worker.Type = "worker"
	s.want(appSpec("v1", 1), worker)
	s.await("v1", events.TypeInstanceRunning, 1)
	s.await("jobs", events.TypeInstanceRunning, 1)
	for range 4 {
		answer, err := fetch(http.DefaultClient, s.address)
		is.NoErr(err)
		is.True(strings.HasPrefix(answer, "v1 ")) // never the worker
	}
	_, err := fetch(http.DefaultClient, s.address, "jobs:0")
	is.True(err != nil) // not even by name
}

// runMortalAgent is an agent of its own process; it prints its router's address and every instance that answers there.
func runMortalAgent() {
	w := make(wishes)
	_, address, _, err := serve(context.Background(), os.Getenv("TEST_DIR"), w, eventlog.NewMemory(events.NewRegistry()), nothing{})
	if err != nil {
		panic(err)
	}
	w <- Update{Complete: true, Apps: map[events.AppID][]ProcessSpec{"app-1": {appSpec("v1", 2), appSpec("v2", 1)}}}
	client := &http.Client{}
	for {
		if answer, err := fetch(client, address); err == nil {
			fmt.Println(answer)
		}
	}
}

// TestAKilledAgentsInstancesAreAdopted kills an agent with SIGKILL and starts another one in its place.
func TestAKilledAgentsInstancesAreAdopted(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dir := t.TempDir()
	answers := killedAgent(t, dir, 3)

	s := newSite(t, dir)
	before := instancesOf(t, s.id)
	is.Equal(len(before), 3) // they lived on
	is.True(slices.Contains(before, strings.Fields(answers[0])[1]))
	s.want(appSpec("v1", 2))
	s.await("v1", events.TypeInstanceRunning, 2)
	s.await("v2", events.TypeInstanceStopped, 1)
	after := instancesOf(t, s.id)
	is.Equal(len(after), 2)
	for _, id := range after {
		is.True(slices.Contains(before, id)) // adopted, not started anew
	}
	answer, err := fetch(&http.Client{}, s.address)
	is.NoErr(err)
	is.True(slices.Contains(after, strings.Fields(answer)[1])) // and they serve
	s.stop()
	is.Equal(instancesOf(t, s.id), []string{}) // nothing is left
}

// killedAgent runs an agent of its own process until so many instances have answered, kills it, and gives their answers.
func killedAgent(t *testing.T, dir string, instances int) []string {
	t.Helper()
	binary, errBinary := os.Executable()
	cmd := osexec.Command(binary)
	cmd.Env = append(os.Environ(), role+"="+roleAgent, "TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, errOut := cmd.StdoutPipe()
	if err := cmp.Or(errBinary, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	var answers []string
	for lines := bufio.NewScanner(out); len(answers) < instances && lines.Scan(); {
		if !slices.Contains(answers, lines.Text()) {
			answers = append(answers, lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // it says that it was killed
	return answers
}

// TestTheAgentEndsWhenItsListenerBreaks: without traffic it is of no use, and it says so.
func TestTheAgentEndsWhenItsListenerBreaks(t *testing.T) {
	is := is.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	is.NoErr(l.Close())
	a, err := New(Config{ID: "agent-1", Driver: sim.New(nil), Source: make(wishes), Traffic: l,
		Log: eventlog.NewMemory(events.NewRegistry())})
	is.NoErr(err)
	is.True(errors.Is(a.Run(t.Context()), net.ErrClosed)) // what broke
}
