package installation

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

	"slipway/internal/auth"
	"slipway/internal/example"
)

const (
	// Patience bounds every wait for something that takes a second or two.
	Patience = 60 * time.Second
	// goodbye is how long a program may take to stop when asked to, its instances included.
	goodbye = 10 * time.Second
)

// AdminPassword is the admin's in every installation.
const AdminPassword = "for tests alone"

// What [Main] has built.
var (
	programs string // directory of the programs under test
	hello    []byte // the example app
)

// Main builds what is needed, runs the tests, and exits: the TestMain of a package. It builds all commands of the repository
// and the example app, without the race detector: their own tests use it. With nothing
// in the build cache this takes minutes, so it stands outside of any test's time.
func Main(m *testing.M) {
	for _, variable := range []string{auth.AdminPasswordEnv, "SLIPWAY_PASSWORD"} { // whatever is started knows it
		_ = os.Setenv(variable, AdminPassword)
	}
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
	root, err := Root()
	if err != nil {
		return 0, err
	}
	build := exec.Command("go", "build", "-o", programs+"/", "./cmd/...")
	build.Dir = root // with its go.mod, also where the tests are of a nested module
	if text, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the programs: %w\n%s", err, text)
	}
	if hello, err = example.Build(context.Background()); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Root is the directory of the repository.
func Root() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "slipway").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return strings.TrimSpace(string(dir)), nil
}

// Bits is a droplet of the example app: a .tgz that calls itself by a version.
func Bits(t *testing.T, version string) []byte {
	t.Helper()
	bits, err := example.Pack(hello, version)
	if err != nil {
		t.Fatal(err)
	}
	return bits
}

// Hello is the example app, as a program.
func Hello() []byte { return hello }

// Program is the path of a program under test.
func Program(name string) string { return filepath.Join(programs, name) }

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

// Process is a program that runs until it is stopped.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when it has ended and all that it printed is there
	err    error         // how it ended; to be read after ended
}

// Spawn starts a program and waits until it prints what says that it is ready.
func Spawn(t *testing.T, ready *regexp.Regexp, name string, args ...string) *Process {
	t.Helper()
	p := &Process{
		name: name, cmd: exec.Command(Program(name), args...), ended: make(chan struct{}),
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
	t.Cleanup(p.Kill)
	select {
	case <-p.output.found:
	case <-p.ended:
		t.Fatalf("%s ended before it was ready: %v\n%s", name, p.err, p.output)
	case <-time.After(Patience):
		t.Fatalf("%s is not ready after %v\n%s", name, Patience, p.output)
	}
	return p
}

// Output is what it has printed.
func (p *Process) Output() string { return p.output.String() }

// Runs says whether it has not ended.
func (p *Process) Runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Says gives the first group of a pattern in what it has printed.
func (p *Process) Says(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	match := pattern.FindStringSubmatch(p.output.String())
	if match == nil {
		t.Fatalf("%s does not say %v\n%s", p.name, pattern, p.output)
	}
	return match[1]
}

// Kill ends it as a power cut would end a process: at once, at whatever line it is.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Stop asks it to end, as Ctrl-C does; it must do so well and within [goodbye].
func (p *Process) Stop(t *testing.T) {
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

// Run runs a program to its end and returns what it prints.
func Run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	sources()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, Program(name), args...).CombinedOutput()
	return string(text), err
}

// Must runs a program that has to succeed.
func Must(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := Run(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return text
}
