package exec

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/drivertest"
)

// behave is the environment variable that turns this test binary into an app, or into an agent that will be killed.
const behave = "TEST_BEHAVE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(behave); role {
	case "":
		os.Exit(m.Run())
	case roleAgent:
		mortalAgent()
	default:
		app(role)
	}
}

// app is what instances of the tests run.
func app(role string) {
	switch drivertest.Behaviour(role) {
	case drivertest.Exits:
		os.Exit(3)
	case drivertest.Sickly:
		select {}
	case drivertest.Stubborn:
		signal.Ignore(unix.SIGTERM)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, os.Getenv("PORT")))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	fmt.Println(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range os.Environ() {
			fmt.Fprintln(w, line)
		}
	})))
}

// box is a Bits with one droplet: a file of a text.
type box struct{ data []byte }

const boxed = "droplet-1"

func newBox() box {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	text := "from the droplet\n"
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "text", Size: int64(len(text)), Mode: 0o644})
	_, errWrite := io.WriteString(w, text)
	if err := errors.Join(err, errWrite, w.Close(), zip.Close()); err != nil {
		panic(err)
	}
	return box{b.Bytes()}
}

func (b box) Open(_ context.Context, id events.DropletID) (io.ReadCloser, error) {
	if id != boxed {
		return nil, fmt.Errorf("droplet %s: %w", id, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(b.data)), nil
}

// host is a directory in which drivers follow each other.
type host struct {
	dir   string
	agent events.AgentID
}

func newHost(t *testing.T) host { return host{t.TempDir(), events.AgentID(events.NewID())} }

func (h host) config() Config {
	return Config{Agent: h.agent, Dir: h.dir, Bits: newBox(), Logger: slog.New(slog.DiscardHandler)}
}

func (h host) open(t *testing.T) *Driver {
	t.Helper()
	d, err := New(h.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (h host) Open(t *testing.T) driver.Driver { return h.open(t) }

// Spec has the shell wait for the app, as "a && b" would: the app is a child of the first process.
func (h host) Spec(b drivertest.Behaviour) driver.Spec {
	s := driver.Spec{Droplet: boxed, Command: this() + "; exit $?", Environment: map[string]string{behave: string(b)}}
	if b == drivertest.Unstartable {
		s.Droplet = "droplet-without-bits"
	}
	return s
}

// this is the test binary.
func this() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}

func (h host) Kill(t *testing.T, i driver.Instance) {
	t.Helper()
	p := i.(*instance).process
	rest, err := p.members(i.Spec().Instance)
	for _, m := range rest {
		err = errors.Join(err, m.end(context.Background(), true))
	}
	if err != nil {
		t.Error(err)
	}
}

func TestExec(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) drivertest.Host { return newHost(t) })
}

// patience bounds each wait.
const patience = 30 * time.Second
