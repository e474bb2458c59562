package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestDecisionsAreListed holds that every ADR stands in the list, with its title, under a number of its own.
func TestDecisionsAreListed(t *testing.T) {
	is := is.New(t)
	list, err := os.ReadFile("../../docs/adr/README.md")
	is.NoErr(err)
	files, err := filepath.Glob("../../docs/adr/[0-9]*.md")
	is.NoErr(err)
	is.True(len(files) > 0)
	numbers := map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		number, _, _ := strings.Cut(name, "-")
		if other, taken := numbers[number]; taken {
			t.Errorf("docs/adr: %s and %s have the same number", name, other)
		}
		numbers[number] = name
		if !strings.Contains(string(list), "["+number+"]("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s", name)
		}
		text, err := os.ReadFile(file)
		is.NoErr(err)
		if !strings.HasPrefix(string(text), "# "+number+": ") {
			t.Errorf("docs/adr/%s does not begin with \"# %s: \"", name, number)
		}
	}
}

var reference = regexp.MustCompile(`docs/adr/(\d{4})`)

// TestDecisionsExist holds that an ADR that a comment refers to is there.
func TestDecisionsExist(t *testing.T) {
	is := is.New(t)
	files, err := goFiles("../..")
	is.NoErr(err)
	for _, path := range files {
		text, err := os.ReadFile(filepath.Join("../..", path))
		is.NoErr(err)
		for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
			found, err := filepath.Glob("../../docs/adr/" + m[1] + "-*.md")
			is.NoErr(err)
			if len(found) != 1 {
				t.Errorf("%s refers to %s, which is not there", path, m[0])
			}
		}
	}
}

var proof = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)

// TestProofsExist holds that every test that the architecture names as the proof of a guarantee is there.
func TestProofsExist(t *testing.T) {
	is := is.New(t)
	text, err := os.ReadFile("../../docs/architecture.md")
	is.NoErr(err)
	var tests strings.Builder
	is.NoErr(filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	}))
	for _, name := range proof.FindAllString(string(text), -1) {
		if !strings.Contains(tests.String(), "func "+name+"(") {
			t.Errorf("docs/architecture.md names %s as a proof, and there is no such test", name)
		}
	}
}
