package architecture

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// Limits of what a reader should have to hold in the head at once. Most code stays far below them.
const (
	maxFunctionLines = 70
	maxFileLines     = 600
)

// source is one parsed file.
type source struct {
	path string // from the root: "internal/api/server.go"
	fset *token.FileSet
	file *ast.File
}

// test says whether a file is test code: a test, or of a suite that tests share, such as logtest.
func (s source) test() bool {
	return strings.HasSuffix(s.path, "_test.go") ||
		slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing"` })
}

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line)
}

// faults lists what is wrong with one file, one line each.
func faults(s source) []string {
	var found []string
	if !s.test() && !ast.IsGenerated(s.file) {
		found = append(found, tooLong(s)...)
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if why := badCall(s, call); why != "" {
			found = append(found, s.at(call.Pos())+": "+why)
		}
		return true
	})
	return found
}

// impure are the calls that make a decision depend on more than its history and its command. Importing time is no fault:
// a command carries its moment.
var impure = []string{
	"time.Now", "time.Since", "time.Until", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick",
	"events.NewID", "ulid.Make",
}

func badCall(s source, call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	receiver, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	name := receiver.Name + "." + selector.Sel.Name
	switch {
	case !s.test() && name == "time.Sleep":
		return name + ": code that sleeps cannot be stopped; wait for what is to happen, or for a timer beside the context"
	case !s.test() && within(s.path, "aggregates") && slices.Contains(impure, name):
		return name + ": decisions are pure: time and new ids come in the command"
	case s.test() && selector.Sel.Name == "SkipNow":
		return name + ": a skipped test that does not say why is forgotten; give t.Skip the reason"
	case s.test() && (name == "t.Skip" || name == "b.Skip" || name == "f.Skip") && len(call.Args) == 0:
		return name + " without a reason: a skipped test that does not say why is forgotten"
	}
	return ""
}

func tooLong(s source) []string {
	var found []string
	lines := func(from, to token.Pos) int { return s.fset.Position(to).Line - s.fset.Position(from).Line + 1 }
	if n := s.fset.File(s.file.Pos()).LineCount(); n > maxFileLines {
		found = append(found, fmt.Sprintf("%s has %d lines: past %d nobody finds anything; split it by subject",
			s.path, n, maxFileLines))
	}
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := lines(f.Pos(), f.End()); n > maxFunctionLines {
			found = append(found, fmt.Sprintf("%s: %s has %d lines: past %d it does several things; name them",
				s.at(f.Pos()), f.Name.Name, n, maxFunctionLines))
		}
	}
	return found
}

func TestSource(t *testing.T) {
	is := is.New(t)
	files, err := goFiles("../..")
	is.NoErr(err)
	is.True(len(files) > 20) // the project was found
	for _, path := range files {
		text, err := os.ReadFile(filepath.Join("../..", path))
		is.NoErr(err)
		for _, fault := range faults(parse(t, path, string(text))) {
			t.Error(fault)
		}
	}
}

// goFiles lists the Go files of the module, but not those of nested modules, nor of directories the go command leaves out.
func goFiles(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if nested == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
				return filepath.SkipDir
			}
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") {
			relative, err := filepath.Rel(root, path)
			files = append(files, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	return files, err
}

func parse(t *testing.T, path, text string) source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return source{path, fset, file}
}

// TestSourceRulesBite breaks every rule once.
func TestSourceRulesBite(t *testing.T) {
	for name, c := range map[string]struct {
		path, text string
		faults     int
	}{
		"sleep":                {"internal/a/a.go", "package a\nfunc f() { time.Sleep(1) }", 1},
		"sleep in a test":      {"internal/a/a_test.go", "package a\nfunc f() { time.Sleep(1) }", 0}, // between two looks
		"clock in a decision":  {"aggregates/app/a.go", "package a\nfunc f() { _ = time.Now() }", 1},
		"new id in a decision": {"aggregates/app/a.go", "package a\nfunc f() { _ = events.NewID() }", 1},
		"clock elsewhere":      {"internal/a/a.go", "package a\nfunc f() { _ = time.Now() }", 0},
		"clock in a rule test": {"aggregates/app/a_test.go", "package a\nfunc f() { _ = time.Now() }", 0},
		"silent skip":          {"a/a_test.go", "package a\nfunc f() { t.Skip() }", 1},
		"silent skip now":      {"a/a_test.go", "package a\nfunc f() { t.SkipNow() }", 1},
		"skip with a reason":   {"a/a_test.go", "package a\nfunc f() { t.Skip(\"no such device here\") }", 0},
		"a long function":      {"a/a.go", "package a\nfunc f() {" + strings.Repeat("\n", maxFunctionLines) + "}", 1},
		"a fitting function":   {"a/a.go", "package a\nfunc f() {" + strings.Repeat("\n", maxFunctionLines-1) + "}", 0},
		"a long test":          {"a/a_test.go", "package a\nfunc f() {" + strings.Repeat("\n", maxFunctionLines) + "}", 0},
		"a long suite": {"a/a.go", "package a\nimport \"testing\"\nfunc f(t *testing.T) {" +
			strings.Repeat("\n", maxFunctionLines) + "}", 0},
		"a long file": {"a/a.go", "package a" + strings.Repeat("\n", maxFileLines+1), 1},
		"a generated file": {"a/a.go", "// Code generated by x. DO NOT EDIT.\n\npackage a\nfunc f() {" +
			strings.Repeat("\n", maxFileLines) + "}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(len(faults(parse(t, c.path, c.text))), c.faults)
		})
	}
}
