package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/cli"
)

// TestReadmeTellsTheFlags: the README's table has a row for each flag, with its environment variable and default.
func TestReadmeTellsTheFlags(t *testing.T) {
	is := is.New(t)
	text, err := os.ReadFile("../../README.md")
	is.NoErr(err)
	check := func(s reflect.Type) {
		for i := range s.NumField() {
			field := s.Field(i)
			if field.Anonymous {
				continue
			}
			flag := field.Tag.Get("name")
			if flag == "" {
				flag = kebab(field.Name)
			}
			row := "| `--" + flag + "` | `" + field.Tag.Get("env") + "` | `" + field.Tag.Get("default") + "` |"
			if !strings.Contains(string(text), row) {
				t.Errorf("README.md lacks the row %s", row)
			}
		}
	}
	check(reflect.TypeFor[Serve]())
	check(reflect.TypeFor[cli.Logging]())
}

// kebab writes a field's name as kong does: LogLevel is log-level, HTTP is http.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && name[i-1] >= 'a' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func TestHelpAndMistakes(t *testing.T) {
	is := is.New(t)
	var out, log bytes.Buffer
	is.NoErr(run(t.Context(), []string{"--help"}, &out, &log))
	is.True(strings.Contains(out.String(), "audit verify")) // help lists the commands
	err := run(t.Context(), []string{"serve", "--bogus"}, &out, &log)
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "slipway --help")) // a mistake says how to go on
	for _, flag := range []string{"--http", "--apps", "--nats"} {
		err = run(t.Context(), []string{"serve", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--apps", "127.0.0.1:0",
			"--nats", "127.0.0.1:0", flag, "0.0.0.0:0"}, &out, &log)
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), "not a loopback address")) // nobody else may connect
	}
}
