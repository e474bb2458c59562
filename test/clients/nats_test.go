package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"slipway/internal/auth"
	"slipway/test/installation"
)

// asTerminal makes this test binary a program that runs its arguments on a terminal.
const asTerminal = "SLIPWAY_TEST_TERMINAL"

func TestMain(m *testing.M) {
	if os.Getenv(asTerminal) != "" {
		shown, err := onTerminal(exec.Command(os.Args[1], os.Args[2:]...))
		fmt.Print(shown)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	installation.Main(m)
}

// built gives a client program, which is built where it is not yet.
func built(name string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		root, err := installation.Root()
		if err != nil {
			return "", err
		}
		command := exec.Command(filepath.Join(root, "scripts", "client"), name)
		command.Stderr = os.Stderr // it takes a minute: somebody waits
		path, err := command.Output()
		if err != nil {
			return "", fmt.Errorf("build %s: %w", name, err)
		}
		return strings.TrimSpace(string(path)), nil
	})
}

var natsProgram = built("nats")

// natsCLI is the real nats CLI as a user has it who set NATS_URL, name and password, and nothing else.
type natsCLI struct {
	program string
	env     []string
}

// newNATS is one for a Slipway that runs. It waits until the service answers: the greeting does not.
func newNATS(t *testing.T, s *installation.Installation) natsCLI {
	t.Helper()
	c := setUp(t, s)
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		stdout, stderr, err := c.try(t, "micro", "info", "slipway")
		return stdout + stderr, err == nil
	})
	return c
}

// setUp is one for whatever listens at an installation's address.
func setUp(t *testing.T, s *installation.Installation) natsCLI {
	t.Helper()
	program, err := natsProgram()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir() // so that it finds no context of whoever runs the test
	return natsCLI{program, []string{
		"NATS_URL=" + s.NATS, "HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=xterm",
	}}.as(auth.AdminUser, installation.AdminPassword)
}

// as is the CLI of somebody else; without a name, of somebody who does not log in.
func (c natsCLI) as(user, password string) natsCLI {
	c.env = slices.DeleteFunc(slices.Clone(c.env), func(v string) bool {
		return strings.HasPrefix(v, "NATS_USER=") || strings.HasPrefix(v, "NATS_PASSWORD=")
	})
	if user != "" {
		c.env = append(c.env, "NATS_USER="+user, "NATS_PASSWORD="+password)
	}
	return c
}

func (c natsCLI) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, c.program, args...)
	command.Env = c.env
	return command
}

// try runs it to its end: what it prints, and what it says beside that (headers of an answer, errors).
func (c natsCLI) try(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installation.Patience)
	defer cancel()
	var out, beside bytes.Buffer
	command := c.command(ctx, args...)
	command.Stdout, command.Stderr = &out, &beside
	err = command.Run()
	return out.String(), beside.String(), err
}

// must runs it; it has to succeed.
func (c natsCLI) must(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	stdout, stderr, err := c.try(t, args...)
	if err != nil {
		t.Fatalf("nats %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// request sends a command to the request/reply door: the answer's body and its headers.
func (c natsCLI) request(t *testing.T, command, body string, flags ...string) (answer map[string]any, headers string) {
	t.Helper()
	stdout, stderr, err := c.try(t, append([]string{"req", "rpc." + command, body}, flags...)...)
	if err != nil {
		t.Fatalf("nats req rpc.%s: %v\n%s%s", command, err, stdout, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("nats req rpc.%s: %v\n%s%s", command, err, stdout, stderr)
	}
	return answer, stderr
}

// guid of the resource that a command answers with.
func (c natsCLI) guid(t *testing.T, command, body string, flags ...string) string {
	t.Helper()
	answer, headers := c.request(t, command, body, flags...)
	guid, ok := answer["guid"].(string)
	if !ok {
		t.Fatalf("nats req rpc.%s answers without a guid: %v\n%s", command, answer, headers)
	}
	return guid
}

// subjects replays a stream to its end: the subject of each message.
func (c natsCLI) subjects(t *testing.T, stream, filter string) []string {
	t.Helper()
	var subjects []string
	for line := range strings.Lines(c.must(t, "sub", "--all", "--stream", stream, "-T", filter)) {
		if _, rest, ok := strings.Cut(line, " / subject: "); ok {
			subject, _, _ := strings.Cut(rest, " / ")
			subjects = append(subjects, strings.TrimSpace(subject))
		}
	}
	return subjects
}

// onTerminal runs a program on a terminal, and gives what the terminal shows. It answers nothing: a page of the nats CLI must be
// longer than what there is to see, or it asks for the next one.
func onTerminal(command *exec.Cmd) (shown string, err error) {
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 200, Cols: 400})
	if err != nil {
		return "", err
	}
	defer terminal.Close()
	text, _ := io.ReadAll(terminal) // it ends with an error: the terminal goes with its last program
	if err := command.Wait(); err != nil {
		return string(text), fmt.Errorf("%v: %w", command.Args, err)
	}
	return string(text), nil
}
