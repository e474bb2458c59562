package clients

import (
	"os"
	"testing"

	"slipway/test/docs"
)

// TestDocumentation types what the documentation says, the commands of the nats and cf CLIs too.
func TestDocumentation(t *testing.T) {
	clients := map[string]string{}
	for name, program := range map[string]func() (string, error){"nats": natsProgram, "cf": cfProgram} {
		path, err := program()
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = path
	}
	t.Setenv(asTerminal, "yes")
	docs.Test(t, docs.Tools{Clients: clients, Terminal: os.Args[0]})
}
