package docs

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/test/installation"
)

//go:embed prelude.sh
var prelude string

// session is one shell, and the Slipway that its commands speak to.
type session struct {
	dir     string // where its user stands; data is below it
	root    string // the repository
	slipway *installation.Installation
	stdin   io.WriteCloser
	lines   chan string // what it prints; closed when it has ended
}

// done is what the shell prints after a block that succeeded.
const done = "--- block done ---"

// blockPatience bounds one block; the demo is the longest.
const blockPatience = 90 * time.Second

// Tools are programs that a machine need not have.
type Tools struct {
	Clients  map[string]string // the nats and cf CLIs, by name
	Terminal string            // a program that runs its arguments on a terminal
}

// open starts a shell.
func open(t *testing.T, root string, tools Tools) *session {
	t.Helper()
	s := &session{dir: t.TempDir(), root: root, lines: make(chan string)}
	shell := exec.Command("bash", "--noprofile", "--norc")
	shell.Dir = s.dir
	shell.Env = append(os.Environ(), "ROOT="+root, "PROGRAMS="+filepath.Dir(installation.Program("slipway")),
		"NATS_CLI="+tools.Clients["nats"], "CF_CLI="+tools.Clients["cf"], "TERMINAL="+tools.Terminal, "CLIENT_HOME="+t.TempDir())
	reader, writer := io.Pipe()
	shell.Stdout, shell.Stderr = writer, writer
	var err error
	if s.stdin, err = shell.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = writer.CloseWithError(shell.Wait()) }()
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // with the command that it may be waiting for
		for range s.lines {                                   // until it has ended
		}
	})
	s.send(t, prelude)
	return s
}

func (s *session) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.stdin, text+"\n"); err != nil {
		t.Fatalf("the shell has ended: %v", err)
	}
}

// start starts Slipway, as `make run` would in a terminal of its own, and tells the shell where it is.
func (s *session) start(t *testing.T) {
	t.Helper()
	recipe, err := exec.Command("make", "--no-print-directory", "-s", "-n", "-C", s.root, "run").Output()
	if err != nil {
		t.Fatalf("make -n run: %v", err)
	}
	if want := "go run ./cmd/slipway serve --data data"; strings.TrimSpace(string(recipe)) != want {
		t.Fatalf("make run is %q; this test does %q", recipe, want)
	}
	s.slipway = installation.Serve(t, filepath.Join(s.dir, "data"))
	s.send(t, fmt.Sprintf("export API=%s APPS=%s SLIPWAY_NATS=%s NATS_URL=%[3]s DATA=%q SLIPWAY_API=%[1]s NATS_PASSWORD=%[5]q", s.slipway.API, s.slipway.Apps, s.slipway.NATS, s.slipway.Data, installation.AdminPassword))
}

// variable is an assignment of what a command prints.
var variable = regexp.MustCompile(`(?m)^(\w+)=\$\(`)

// assertVariables adds that none of the variables that a script sets stays empty.
func assertVariables(script string) string {
	for _, match := range variable.FindAllStringSubmatch(script, -1) {
		script += fmt.Sprintf(": \"${%s:?stays empty}\"\n", match[1])
	}
	return script
}

// run runs a block and waits for its end.
func (s *session) run(t *testing.T, b Block) {
	t.Helper()
	script := strings.NewReplacer(
		"127.0.0.1:8080", installation.ListenAt(s.slipway.API), "localhost:8080", installation.ListenAt(s.slipway.API),
		"127.0.0.1:8081", installation.ListenAt(s.slipway.Apps), "localhost:8081", installation.ListenAt(s.slipway.Apps),
		"127.0.0.1:4222", installation.ListenAt(s.slipway.NATS), "localhost:4222", installation.ListenAt(s.slipway.NATS),
	).Replace(assertVariables(b.Text))
	// A file, not the standard input: commands that read would eat what follows.
	file := filepath.Join(t.TempDir(), "block.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	s.send(t, fmt.Sprintf(". %q </dev/null; echo; echo %q", file, done))
	var printed strings.Builder
	patience := time.After(blockPatience)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("the block fails:\n%s\n%s", script, printed.String())
			}
			if line == done {
				t.Logf("%s", printed.String())
				return
			}
			fmt.Fprintln(&printed, line)
		case <-patience:
			t.Fatalf("the block does not end within %v:\n%s\n%s", blockPatience, script, printed.String())
		}
	}
}
