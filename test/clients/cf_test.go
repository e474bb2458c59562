package clients

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/test/installation"
)

var cfProgram = built("cf")

// cfCLI is the real cf CLI of one user, with a home of its own.
type cfCLI struct {
	program string
	env     []string
}

// newCF is one that knows no API yet.
func newCF(t *testing.T) cfCLI {
	t.Helper()
	program, err := cfProgram()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	return cfCLI{program, []string{
		"CF_HOME=" + home, "HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC", "CF_COLOR=false",
	}}
}

// with is the same one with another variable in its environment.
func (c cfCLI) with(variable string) cfCLI {
	return cfCLI{c.program, append(slices.Clone(c.env), variable)}
}

// loggedIn is one of the admin, who looks at the default space.
func loggedIn(t *testing.T, s *installation.Installation) cfCLI {
	t.Helper()
	cf := newCF(t)
	cf.ok(t, "login", "-a", s.API, "-u", "admin", "-p", installation.AdminPassword, "-o", "default", "-s", "default")
	return cf
}

// run runs a command to its end: all that it prints, with every stretch of blanks as one, and its exit code.
func (c cfCLI) run(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installation.Patience)
	defer cancel()
	command := exec.CommandContext(ctx, c.program, args...)
	command.Args[0] = "cf" // what it calls itself in what it prints
	command.Env = c.env
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cf %s: %v", strings.Join(args, " "), err)
	}
	return strings.Join(strings.Fields(out.String()), " "), command.ProcessState.ExitCode()
}

// ok runs a command that has to succeed.
func (c cfCLI) ok(t *testing.T, args ...string) said {
	t.Helper()
	return c.ends(t, 0, args...)
}

// fails runs a command that has to end with exit code 1.
func (c cfCLI) fails(t *testing.T, args ...string) said {
	t.Helper()
	return c.ends(t, 1, args...)
}

func (c cfCLI) ends(t *testing.T, code int, args ...string) said {
	t.Helper()
	text, got := c.run(t, args...)
	if got != code {
		t.Fatalf("cf %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, text)
	}
	return said{command: strings.Join(args, " "), text: text}
}

// said is what a command printed.
type said struct{ command, text string }

// says holds that all of some texts were printed.
func (s said) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.text, text) {
			t.Errorf("cf %s does not say %q, but\n%s", s.command, text, s.text)
		}
	}
}

// saysNot holds that a text was not printed.
func (s said) saysNot(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(s.text, text) {
		t.Errorf("cf %s says %q\n%s", s.command, text, s.text)
	}
}

// dropletFile is a droplet of the example app as a file.
func dropletFile(t *testing.T, version string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), version+".tgz")
	if err := os.WriteFile(file, installation.Bits(t, version), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
