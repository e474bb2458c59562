package doors

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/commands"
)

// TestPoliciesPageHasEveryCommand holds the table at the end of docs/policies.md against the catalogue: each command that governs
// deployments, and each question, with the fields of its body.
func TestPoliciesPageHasEveryCommand(t *testing.T) {
	is := is.New(t)
	page, err := os.ReadFile("../../docs/policies.md")
	is.NoErr(err)
	bodies := map[string]commands.Command{}
	for _, name := range governing() {
		bodies[name], err = commands.Decode(name, nil)
		is.NoErr(err)
	}
	for _, name := range commands.Questions() {
		q, err := commands.DecodeQuestion(name, nil)
		is.NoErr(err)
		bodies[name] = q.About()
	}
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		fmt.Fprintf(&table, "| `%s` | `%s` |\n", name, strings.Join(bodyFields(bodies[name]), "`, `"))
	}
	if !strings.Contains(string(page), "|---|---|\n"+table.String()+"\n") {
		t.Errorf("docs/policies.md: the table of commands should be\n%s", &table)
	}
}

func bodyFields(c commands.Command) (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(c)) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
