package clients

import (
	"os"
	"testing"

	"slipway/test/docs"
)

// TestDocumentation types what the documentation says, the commands of the nats CLI too.
func TestDocumentation(t *testing.T) {
	program, err := natsProgram()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asTerminal, "yes")
	docs.Test(t, docs.Tools{NATS: program, Terminal: os.Args[0]})
}
