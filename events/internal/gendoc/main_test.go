package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const eventsDir = "../.."

// TestPageIsCurrent fails when docs/events.md no longer says what the code says.
func TestPageIsCurrent(t *testing.T) {
	is := is.New(t)
	want, err := render(eventsDir)
	is.NoErr(err)
	have, err := os.ReadFile(filepath.Join(eventsDir, "..", "docs", "events.md"))
	is.NoErr(err)
	if string(have) != string(want) {
		t.Fatal("docs/events.md is stale: run make generate and commit what it writes")
	}
}

// TestEverythingIsExplained holds that no event or field stands in the page without its meaning, nor an old version
// without the way to today's.
func TestEverythingIsExplained(t *testing.T) {
	is := is.New(t)
	page, err := render(eventsDir)
	is.NoErr(err)
	for line := range strings.Lines(string(page)) {
		if line = strings.TrimSpace(line); strings.HasSuffix(line, "|  |") || strings.HasSuffix(line, "*Optional.* |") {
			t.Errorf("an event or a field has no comment: %s", line)
		}
	}
	is.True(strings.Contains(string(page), "Version 1 is still read.")) // deployment.created has an upcaster
}

func TestRunWritesThePage(t *testing.T) {
	is := is.New(t)
	out := filepath.Join(t.TempDir(), "events.md")
	is.NoErr(run(eventsDir, out))
	written, err := os.ReadFile(out)
	is.NoErr(err)
	want, err := render(eventsDir)
	is.NoErr(err)
	is.Equal(string(written), string(want))
	is.True(run(t.TempDir(), out) != nil) // a directory without the package is an error, not an empty page
}
