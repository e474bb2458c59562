package chaos

import (
	"bufio"
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

// patience bounds every wait for something that takes a second or two.
const patience = 60 * time.Second

// programs are built once for all tests of the package.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "slipway-programs-")
	if err != nil {
		return "", err
	}
	text, err := exec.Command("go", "build", "-o", dir+"/", "slipway/cmd/slipway", "slipway/cmd/projector").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, text)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// slipway is a running `slipway serve`.
type slipway struct {
	data            string
	api, apps, nats string
	process         *exec.Cmd
	log             *bytes.Buffer
	printed         chan struct{} // closed when all of its output has been read
}

var (
	apiLine  = regexp.MustCompile(`(?m)^  API\s+(\S+)`)
	appsLine = regexp.MustCompile(`(?m)^  apps\s+(\S+)`)
	natsLine = regexp.MustCompile(`(?m)^  NATS\s+(\S+)`)
)

// serve starts Slipway on free ports over a data directory and waits until it says that it is ready.
func serve(t *testing.T, data string) *slipway {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	s := &slipway{data: data, log: &bytes.Buffer{}, printed: make(chan struct{})}
	s.process = exec.Command(filepath.Join(dir, "slipway"), "serve",
		"--http", "127.0.0.1:0", "--apps", "127.0.0.1:0", "--nats", "127.0.0.1:0", "--data", data)
	s.process.Stderr = s.log
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that dies leaves no server
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	greeted := make(chan string, 1)
	go func() {
		defer close(s.printed)
		var text strings.Builder
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(&text, lines.Text())
			if strings.HasPrefix(lines.Text(), "Ctrl-C stops") {
				greeted <- text.String()
			}
		}
	}()
	select {
	case text := <-greeted:
		s.api, s.apps, s.nats = find(apiLine, text), find(appsLine, text), find(natsLine, text)
	case <-s.printed:
		_ = s.process.Wait()
		t.Fatalf("slipway ended before it was ready:\n%s", s.log)
	case <-time.After(patience):
		s.kill()
		t.Fatalf("slipway is not ready after %v:\n%s", patience, s.log)
	}
	return s
}

func find(line *regexp.Regexp, text string) string {
	if match := line.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}

// kill ends it as a power cut would end a process: at once, at whatever line it is.
func (s *slipway) kill() {
	_ = s.process.Process.Kill()
	<-s.printed
	_ = s.process.Wait()
}

// stop asks it to end, as Ctrl-C does.
func (s *slipway) stop(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.printed
	if err := s.process.Wait(); err != nil {
		t.Fatalf("slipway did not end well: %v\n%s", err, s.log)
	}
}

// tool runs one of the programs to its end and returns what it prints; it must succeed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, filepath.Join(dir, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text)
}
