package resource_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/resource"
)

// TestEventsHideTheirSecrets walks the examples of all events: what is a start command or an environment variable there is
// hidden. A new event with such a thing under a new name fails, as long as its example is like one.
func TestEventsHideTheirSecrets(t *testing.T) {
	files, err := filepath.Glob("../../events/testdata/golden/*.json")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	hidden := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			is := is.New(t)
			data, err := os.ReadFile(file)
			is.NoErr(err)
			e := resource.Event{CloudEvent: events.CloudEvent{Data: data}}
			shown, ok := e.WithoutSecrets().(resource.Event)
			is.True(ok)
			is.True(json.Valid(shown.Data))
			if string(shown.Data) != string(compact(t, data)) {
				hidden++
			}
			for _, secret := range []string{"./", "LOG_LEVEL"} {
				is.True(!strings.Contains(string(shown.Data), secret)) // nothing like a command or a variable is left
			}
		})
	}
	if hidden < 8 {
		t.Errorf("only %d events had something to hide", hidden)
	}
}

func compact(t *testing.T, data []byte) []byte {
	t.Helper()
	var v map[string]json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
