package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/matryer/is"
)

// -update adds goldens that are missing. It never changes one that is there: it shows what stands in logs out there.
var update = flag.Bool("update", false, "add missing goldens under testdata/golden")

const goldenDir = "testdata/golden"

// golden is the data of one event as some version of Slipway wrote it, from the file <type>.v<version>.json. A version
// that got an optional field has a further one, <type>.v<version>-2.json and so on.
type golden struct {
	file    string
	typ     Type
	version int
	data    json.RawMessage // without blanks
}

var goldenName = regexp.MustCompile(`^(.+)\.v([1-9]\d*)(-[1-9]\d*)?\.json$`)

func readGoldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var goldens []golden
	for _, file := range files {
		m := goldenName.FindStringSubmatch(filepath.Base(file))
		if m == nil {
			t.Fatalf("%s: a golden is called <type>.v<version>.json", file)
		}
		version, _ := strconv.Atoi(m[2])
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var data bytes.Buffer
		if err := json.Compact(&data, text); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		goldens = append(goldens, golden{file: file, typ: Type(m[1]), version: version, data: data.Bytes()})
	}
	slices.SortFunc(goldens, func(a, b golden) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.version, b.version), cmp.Compare(a.file, b.file))
	})
	return goldens
}

// TestGoldensAreComplete holds that every version of every event that was ever written has a golden, and that what is
// written today is among them.
func TestGoldensAreComplete(t *testing.T) {
	r := NewRegistry()
	known := readGoldens(t)
	for _, e := range examples {
		want, err := marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		typ, version := e.Type(), r.Version(e.Type())
		for v := 1; v < version; v++ {
			if !slices.ContainsFunc(known, func(g golden) bool { return g.typ == typ && g.version == v }) {
				t.Errorf("%s version %d has no golden, and only the program that wrote it can make one", typ, v)
			}
		}
		if slices.ContainsFunc(known, func(g golden) bool {
			return g.typ == typ && g.version == version && bytes.Equal(g.data, want)
		}) {
			continue
		}
		if !*update {
			t.Errorf("no golden of %s version %d says %s\nadd one with: go test ./events -run Golden -update", typ, version, want)
			continue
		}
		addGolden(t, typ, version, want)
	}
}

// addGolden writes a golden into the first free file name. O_EXCL: what is there stays as it is.
func addGolden(t *testing.T, typ Type, version int, data json.RawMessage) {
	t.Helper()
	var text bytes.Buffer
	if err := json.Indent(&text, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	text.WriteByte('\n')
	name := fmt.Sprintf("%s.v%d", typ, version)
	for n, file := 2, name+".json"; ; n, file = n+1, fmt.Sprintf("%s-%d.json", name, n) {
		f, err := os.OpenFile(filepath.Join(goldenDir, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(text.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("added %s", f.Name())
		return
	}
}

// TestGoldensLoad holds that history stays readable: every golden of every version decodes, and one of today's version is
// written again as it stands.
func TestGoldensLoad(t *testing.T) {
	r := NewRegistry()
	for _, g := range readGoldens(t) {
		t.Run(filepath.Base(g.file), func(t *testing.T) {
			is := is.New(t)
			is.True(r.Version(g.typ) > 0)          // its type is still registered: history never loses a name
			is.True(g.version <= r.Version(g.typ)) // its version is still known
			e, err := r.Decode(g.typ, g.version, g.data)
			is.NoErr(err)
			is.Equal(e.Type(), g.typ)     // it decodes to its own type
			is.True(ValidID(e.Subject())) // and still says what it is about
			again, err := r.Decode(g.typ, r.Version(g.typ), mustMarshal(t, e))
			is.NoErr(err)
			is.Equal(again, e) // brought up to date it survives a round trip
			if g.version == r.Version(g.typ) {
				is.Equal(string(mustMarshal(t, e)), string(g.data)) // today's version is written as the golden says
			}
		})
	}
}

func mustMarshal(t testing.TB, v any) json.RawMessage {
	t.Helper()
	data, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
