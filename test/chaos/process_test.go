package chaos

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience bounds every wait for something that takes a second or two.
	patience = 60 * time.Second
	// goodbye is how long a program may take to stop when asked to, its instances included.
	goodbye = 10 * time.Second
)

// programs is the directory of the programs under test: those of the repository, and the nats-server that go.mod names. They
// are built without the race detector: their own tests use it.
var programs string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (code int, err error) {
	if programs, err = os.MkdirTemp("", "slipway-programs-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", programs+"/", "slipway/cmd/...", "github.com/nats-io/nats-server/v2")
	if text, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the programs: %w\n%s", err, text)
	}
	return m.Run(), nil
}

// output collects what a process prints, and tells when a pattern shows up in it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	pattern *regexp.Regexp
	found   chan struct{} // closed when the pattern is there
	seen    bool
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if !o.seen && o.pattern.Match(o.text.Bytes()) {
		o.seen = true
		close(o.found)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a program that runs until it is stopped.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when it has ended and all that it printed is there
	err    error         // how it ended; to be read after ended
}

// spawn starts a program and waits until it prints what says that it is ready.
func spawn(t *testing.T, ready *regexp.Regexp, name string, args ...string) *process {
	t.Helper()
	p := &process{
		name: name, cmd: exec.Command(filepath.Join(programs, name), args...), ended: make(chan struct{}),
		output: &output{pattern: ready, found: make(chan struct{})},
	}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that dies leaves no server
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	select {
	case <-p.output.found:
	case <-p.ended:
		t.Fatalf("%s ended before it was ready: %v\n%s", name, p.err, p.output)
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %v\n%s", name, patience, p.output)
	}
	return p
}

// runs says whether it has not ended.
func (p *process) runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// says gives the first group of a pattern in what it has printed.
func (p *process) says(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	match := pattern.FindStringSubmatch(p.output.String())
	if match == nil {
		t.Fatalf("%s does not say %v\n%s", p.name, pattern, p.output)
	}
	return match[1]
}

// kill ends it as a power cut would end a process: at once, at whatever line it is.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks it to end, as Ctrl-C does; it must do so well and within [goodbye].
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("%s: %v\n%s", p.name, err, p.output)
	}
	select {
	case <-p.ended:
	case <-time.After(goodbye):
		t.Fatalf("%s does not end within %v\n%s", p.name, goodbye, p.output)
	}
	if p.err != nil {
		t.Fatalf("%s did not end well: %v\n%s", p.name, p.err, p.output)
	}
}

// run runs a program to its end and returns what it prints.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, filepath.Join(programs, name), args...).CombinedOutput()
	return string(text), err
}

// must runs a program that has to succeed.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := run(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return text
}
