package projections_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/matryer/is"

	"slipway/projections"
)

// crashPath names the file for the child of [TestKill]; only the child has it.
const crashPath = "SLIPWAY_TEST_CRASH_DB"

// TestKill kills a process that applies and rebuilds, again and again at any line, and looks whether what it leaves is
// what the log says.
func TestKill(t *testing.T) {
	commits := rollouts(12)
	if path := os.Getenv(crashPath); path != "" {
		applyAndRebuild(t, path)
		return
	}
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "read.db")
	random := rand.New(rand.NewPCG(1, 2))
	for range 8/slowdown + 1 {
		killAfter(t, path, random.IntN(16))
		s, err := projections.Open(t.Context(), path)
		is.NoErr(err)
		found, err := s.Check(t.Context(), source(commits), discard{})
		is.NoErr(err)
		is.Equal(found, nil) // whole commits only, each once
		is.NoErr(s.Close())
	}
}

// applyAndRebuild is the child: it prints a line after each step and never ends by itself.
func applyAndRebuild(t *testing.T, path string) {
	commits := rollouts(12)
	s, err := projections.Open(t.Context(), path)
	for err == nil {
		fmt.Println("step")
		at, _ := s.Checkpoint(t.Context())
		if next := int(at) + 3; at%8 != 0 && next < len(commits) {
			err = s.Apply(t.Context(), commits[at:next])
		} else {
			_, err = s.Rebuild(t.Context(), source(commits[:min(int(at)+5, len(commits))]), discard{})
		}
	}
	t.Fatal(err)
}

// killAfter runs the child for some steps and a little of the next.
func killAfter(t *testing.T, path string, steps int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), crashPath+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range steps + 1 {
		if !lines.Scan() {
			t.Fatal("the child ended by itself")
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed, which is what was asked for
}
