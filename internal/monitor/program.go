package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// Limits.
const (
	// startPatience is how long a program may take until it is ready: seconds on a busy machine.
	startPatience = time.Minute
	// goodbye is how long it may take to end when asked to; then it is killed.
	goodbye = 10 * time.Second
	// retry is the wait between two looks whether it is ready: it says where it listens before it is.
	retry = 50 * time.Millisecond
)

// listening is what both programs log once they listen.
var listening = regexp.MustCompile(`msg="Listening on".* address=(\S+)`)

// program is one that runs.
type program struct {
	name   string
	cmd    *exec.Cmd
	output *log
	ended  chan struct{} // closed when it has
	err    error         // how; to be read after ended
}

// log collects what a program writes, and tells where it listens.
type log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	address chan string // takes one
	told    bool
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if m := listening.FindSubmatch(l.text.Bytes()); m != nil && !l.told {
		l.told = true
		l.address <- string(m[1])
	}
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func launch(ctx context.Context, path string, args ...string) (*program, error) {
	p := &program{
		name: filepath.Base(path), cmd: exec.CommandContext(ctx, path, args...),
		output: &log{address: make(chan string, 1)}, ended: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for who started it
	p.cmd.Cancel, p.cmd.WaitDelay = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }, goodbye
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// ready waits until the program answers that it is, and gives its URL.
func (p *program) ready(ctx context.Context) (url string, err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	select {
	case address := <-p.output.address:
		url = "http://" + address
	case <-p.ended:
		return "", fmt.Errorf("%s has ended: %w\n%s", p.name, p.err, p.output)
	case <-ctx.Done():
		return "", fmt.Errorf("%s does not listen: %w\n%s", p.name, ctx.Err(), p.output)
	}
	for tick := time.NewTicker(retry); ; {
		if answers(ctx, url+"/-/ready") {
			tick.Stop()
			return url, nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return "", fmt.Errorf("%s has ended: %w\n%s", p.name, p.err, p.output)
		case <-ctx.Done():
			return "", fmt.Errorf("%s is not ready: %w\n%s", p.name, ctx.Err(), p.output)
		}
	}
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// stop asks the program to end and waits for that.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(goodbye):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	var ended *exec.ExitError
	if p.err != nil && !errors.As(p.err, &ended) && !errors.Is(p.err, context.Canceled) {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}
