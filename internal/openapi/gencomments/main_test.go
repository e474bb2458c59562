package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const root = "../../.."

var directive = regexp.MustCompile(`(?m)^//go:generate go run \S+gencomments -root \S+ -out (\S+) (.*)$`)

// TestCommentsAreCurrent fails when what package api has embedded is no longer what the code says.
func TestCommentsAreCurrent(t *testing.T) {
	is := is.New(t)
	source, err := os.ReadFile(filepath.Join(root, "internal/api/openapi_fields.go"))
	is.NoErr(err)
	asked := directive.FindStringSubmatch(string(source))
	is.True(asked != nil) // it says how they are made
	want, err := render("slipway", root, strings.Fields(asked[2]))
	is.NoErr(err)
	have, err := os.ReadFile(filepath.Join(root, "internal/api", asked[1]))
	is.NoErr(err)
	if string(have) != string(want) {
		t.Fatalf("internal/api/%s is stale: run make generate and commit what it writes", asked[1])
	}
}

func TestRunWritesWhatCommentsSay(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	is.NoErr(os.Mkdir(filepath.Join(dir, "p"), 0o755))
	is.NoErr(os.WriteFile(filepath.Join(dir, "p", "a.go"), []byte("package p\n\ntype T struct {\n\t// A is\n\t// long.\n\tA int `json:\"a\"`\n"+
		"\tB, C int `json:\"b\"` // both\n\tD int `json:\"d\"`\n\tE int // unseen\n}\n"), 0o644))
	out := filepath.Join(dir, "out.json")
	is.NoErr(run("m", dir, out, []string{"p"}))
	written, err := os.ReadFile(out)
	is.NoErr(err)
	is.Equal(string(written), "{\n\t\"m/p.T.A\": \"A is long.\",\n\t\"m/p.T.B\": \"both\",\n\t\"m/p.T.C\": \"both\"\n}\n")
	is.True(run("m", dir, out, []string{"none"}) != nil) // a directory without a package is an error, not an empty file
}
