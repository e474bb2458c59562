package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/test/installation"
)

// Test runs all documentation of the repository. The TestMain of its caller is [installation.Main].
func Test(t *testing.T, tools Tools) {
	is := is.New(t)
	root, err := installation.Root()
	is.NoErr(err)
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	is.NoErr(err)
	files = append(files, filepath.Join(root, "README.md"))
	ran := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		is.NoErr(err)
		blocks, err := Blocks(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if len(blocks) > 0 {
			t.Run(filepath.Base(file), func(t *testing.T) { ran += runFile(t, root, blocks, tools) })
		}
	}
	is.True(ran > 0) // there is something to try
}

// runFile runs the blocks of one file, and says how many commands it ran and which it did not.
func runFile(t *testing.T, root string, blocks []Block, tools Tools) (ran int) {
	s := open(t, root, tools)
	var left strings.Builder
	skipped := 0
	for _, b := range blocks {
		reason := b.Reason
		if b.Client != "" && tools.Clients[b.Client] == "" {
			reason = "the " + b.Client + " CLI is not here; make test-clients builds it and runs this"
		}
		if reason != "" {
			skipped += b.Commands()
			fmt.Fprintf(&left, "\n  line %d, %d commands: %s", b.Line, b.Commands(), reason)
			continue
		}
		ok := t.Run(fmt.Sprintf("line %d", b.Line), func(inner *testing.T) {
			if s.slipway == nil {
				s.start(t) // it runs to the end of the file
			}
			if strings.TrimSpace(b.Text) != "make run" {
				s.run(inner, b)
			}
		})
		if !ok {
			t.Fatal("what follows builds on it")
		}
		ran += b.Commands()
	}
	if s.slipway != nil {
		s.slipway.Stop(t)
		s.slipway.NoOrphans(t.Context(), t, 0)
	}
	t.Logf("%d commands ran, %d did not%s", ran, skipped, left.String())
	return ran
}
