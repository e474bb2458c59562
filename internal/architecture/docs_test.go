package architecture

import (
	"os"
	"path/filepath"
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
