package doors

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/commands"
)

// TestPoliciesPageHasEveryCommand holds the table at the end of docs/policies.md against the catalogue: each command that governs
// deployments, with the fields of its body.
func TestPoliciesPageHasEveryCommand(t *testing.T) {
	is := is.New(t)
	page, err := os.ReadFile("../../docs/policies.md")
	is.NoErr(err)
	names := slices.Sorted(slices.Values(governing()))
	var table strings.Builder
	for _, name := range names {
		c, err := commands.Decode(name, nil)
		is.NoErr(err)
		fmt.Fprintf(&table, "| `%s` | `%s` |\n", name, strings.Join(bodyFields(c), "`, `"))
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
