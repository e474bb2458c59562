package docs

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/test/installation"
)

func TestMain(m *testing.M) { installation.Main(m) }

// TestDocumentation runs it without the clients, which take minutes to build: test/clients runs all of it.
func TestDocumentation(t *testing.T) { Test(t, Tools{}) }

func TestBlocks(t *testing.T) {
	is := is.New(t)
	blocks, err := Blocks(strings.ReplaceAll(`# A title
'''sh
make run
'''
'''json
{"a": 1}
'''
'''sh nats
nats req rpc.app.create '{"name":"a"}'

# only words
nats sub 'rollouts.>' --count 1
'''
'''sh no-test: it takes an hour
make race
'''
`, "'''", fence))
	is.NoErr(err)
	is.Equal(len(blocks), 3)
	is.Equal(blocks[0], Block{Line: 2, Text: "make run\n"})
	is.Equal(blocks[1].Client, "nats")
	is.Equal(blocks[1].Commands(), 2)
	is.Equal(blocks[2].Reason, "it takes an hour")
}

func TestBlocksRefuse(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":             "'''sh no-test\nmake race\n'''",
		"unknown info":          "'''sh sometimes\nmake race\n'''",
		"no end":                "'''sh\nmake race\n",
		"another shell":         "'''bash\nmake race\n'''",
		"commands in no block":  "'''\ncurl http://127.0.0.1:8080/\n'''",
		"a prompt in an output": "'''\n$ ls\n'''",
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := Blocks(strings.ReplaceAll(text, "'''", fence))
			t.Log(err)
			is.True(err != nil) // refused
		})
	}
}

// TestSessionNotices: a test that runs commands is worth what it notices.
func TestSessionNotices(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ends bool // well
	}{
		"success":              {"echo hello\n", true},
		"a reader has enough":  {"yes | head -n 1\n", true},
		"failure":              {"false\necho after\n", false},
		"failure in a pipe":    {"false | cat\n", false},
		"an empty variable":    {"x=$(true)\n", false},
		"an unknown go":        {"go vet ./...\n", false},
		"an unknown target":    {"make nothing-of-the-kind\n", false},
		"an unknown program":   {"slipwayy serve\n", false},
		"a program that fails": {"go run ./cmd/slipway audit verify --nats nats://127.0.0.1:1\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			root, err := installation.Root()
			is.NoErr(err)
			s := open(t, root, Tools{})
			s.send(t, assertVariables(c.text)+"echo '"+done+"'")
			_ = s.stdin.Close()
			last := ""
			for line := range s.lines {
				last = line
			}
			is.Equal(last == done, c.ends)
		})
	}
}
