package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const module = "slipway"

// pkg is one package of the project with what it imports itself and what it reaches by that. Imports of its tests are not
// among them: tests may use what they need.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// path is the package's place in the project: "internal/api".
func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// A rule says what the packages in some places must not import. Places name directories with all below them.
type rule struct {
	in     []string          // where it holds; nil: everywhere
	except []string          // where it does not
	reach  bool              // it is about all that is reached, not only about what is imported
	bad    func(string) bool // what must not be imported
	may    []string          // what may all the same
	why    string
}

var rules = []rule{
	{
		in: []string{"events"}, reach: true,
		bad: func(dep string) bool {
			return !standard(dep) && !within(dep, module+"/events") && !within(dep, "github.com/oklog/ulid/v2")
		},
		why: "anything may read history, so events drags nothing along: the standard library and ulid only",
	},
	{
		in:  []string{"aggregates"},
		bad: func(dep string) bool { return !standard(dep) && !ours(dep, "events") && !ours(dep, "aggregates") },
		why: "the rules of Slipway depend on facts alone: no library's change may change a decision",
	},
	{
		in: []string{"aggregates"}, may: []string{"net/netip", "net/url"}, // which only read text
		bad: anyOf("context", "crypto/rand", "database/sql", "embed", "io/fs", "log", "math/rand", "math/rand/v2", "net", "os",
			"runtime", "sync", "syscall", "testing"),
		why: "decisions are pure: the same history gives the same decision, so time and new ids come in the command",
	},
	{
		in: []string{"projections"}, bad: func(dep string) bool { return ours(dep, "internal") || ours(dep, "cmd") },
		why: "a read model is made of events alone; one that needs the running system could not be rebuilt",
	},
	{
		in: []string{"internal"}, bad: func(dep string) bool { return ours(dep, "cmd") },
		why: "mains are wiring: what others need does not belong into one",
	},
	{
		except: []string{"internal/eventlog", "internal/natsboot", "internal/droplets", "internal/doors"},
		bad:    anyOf("github.com/nats-io/nats.go"),
		why:    "what is known of JetStream's conflicts and consumers stands in one place; others use eventlog's contract",
	},
	{
		except: []string{"internal/natsboot"}, bad: anyOf("github.com/nats-io/nats-server/v2"),
		why: "only natsboot embeds the server; everything else must work against one that runs elsewhere",
	},
	{
		except: []string{"internal/api"}, bad: anyOf("github.com/labstack/echo/v4"),
		why: "HTTP ends at the API: handlers call commands and queries that know no web framework",
	},
	{
		except: []string{"internal/openapi", "internal/api"}, bad: anyOf("github.com/invopop/jsonschema"),
		why: "types say of themselves how they look in JSON; how that becomes a schema is told in one place",
	},
	{
		bad: anyOf("github.com/getkin/kin-openapi"), why: "it judges the OpenAPI document in tests; nothing that runs needs it",
	},
	{
		except: []string{"projections"},
		bad:    anyOf("database/sql", "modernc.org/sqlite", "github.com/pressly/goose/v3"),
		why:    "SQL is spoken by the read models alone; others ask their queries, so a second database touches one package",
	},
	{
		except: []string{"internal/auth/sigv4"}, bad: anyOf("github.com/aws"),
		why: "of AWS's code Slipway needs how a request is signed, and that in one place; the rest is for clients",
	},
	{
		except: []string{"internal/auth"}, bad: anyOf("github.com/golang-jwt/jwt/v5", "golang.org/x/crypto/bcrypt"),
		why: "how a token or a password is judged stands in one place: a second one would sooner or later be laxer",
	},
	{
		except: []string{"internal/policy"}, bad: anyOf("cel.dev/cel-go", "github.com/teambition/rrule-go"),
		why: "what a condition or a window means stands in one place: a second reading would let pass what the first one denies",
	},
	{
		except: []string{"cmd", "internal/cli"}, bad: anyOf("github.com/alecthomas/kong"),
		why: "flags end at the mains: packages take values, so that tests and other programs can give them",
	},
}

// violations lists how packages break rules, one line each.
func violations(packages []pkg, rules []rule) []string {
	var found []string
	for _, p := range packages {
		for _, r := range rules {
			if r.in != nil && !below(p.path(), r.in) || below(p.path(), r.except) {
				continue
			}
			deps, verb := p.Imports, "imports"
			if r.reach {
				deps, verb = p.Deps, "depends on"
			}
			for _, dep := range deps {
				if r.bad(dep) && !slices.Contains(r.may, dep) {
					found = append(found, fmt.Sprintf("%s %s %s: %s", p.path(), verb, dep, r.why))
				}
			}
		}
	}
	return found
}

func TestImports(t *testing.T) {
	is := is.New(t)
	packages, err := list(t)
	is.NoErr(err)
	is.True(len(packages) > 5) // the project was found
	for _, v := range violations(packages, rules) {
		t.Error(v)
	}
}

// TestImportRulesBite breaks every rule once: a rule that nothing can break protects nothing.
func TestImportRulesBite(t *testing.T) {
	for _, c := range []struct{ path, dep string }{
		{"events", "github.com/google/uuid"},
		{"events/internal/gendoc", module + "/internal/api"},
		{"aggregates/app", "github.com/oklog/ulid/v2"},
		{"aggregates/app", module + "/projections"},
		{"aggregates/app", module + "/internal/eventlog"},
		{"aggregates/plan", "os"},
		{"aggregates/plan", "net/http"},
		{"aggregates/plan", "context"},
		{"projections", module + "/internal/eventlog"},
		{"internal/agent", module + "/cmd/agent"},
		{"internal/updater", "github.com/nats-io/nats.go/jetstream"},
		{"projections", "github.com/nats-io/nats.go"},
		{"cmd/api", "github.com/nats-io/nats.go"},
		{"internal/eventlog", "github.com/nats-io/nats-server/v2/server"},
		{"internal/agent/router", "github.com/labstack/echo/v4"},
		{"internal/api", "database/sql"},
		{"internal/agent", "github.com/alecthomas/kong"},
		{"internal/api", "github.com/golang-jwt/jwt/v5"},
		{"internal/natsboot", "golang.org/x/crypto/bcrypt"},
		{"internal/api", "github.com/aws/aws-sdk-go-v2/aws"},
	} {
		t.Run(c.path+" and "+c.dep, func(t *testing.T) {
			is := is.New(t)
			p := pkg{ImportPath: module + "/" + c.path, Imports: []string{c.dep}, Deps: []string{c.dep}}
			is.Equal(len(violations([]pkg{p}, rules)), 1) // exactly one rule is broken
		})
	}
	for _, c := range []struct{ path, dep string }{
		{"events", "crypto/sha256"}, {"aggregates/app", module + "/events"}, {"aggregates/app", "slices"}, {"aggregates/app", "net/netip"},
		{"projections", "modernc.org/sqlite"}, {"internal/api", module + "/projections"}, {"cmd/api", module + "/internal/api"},
		{"internal/eventlog/logtest", "github.com/nats-io/nats.go"}, {"internal/apiary", "net/http"},
	} {
		t.Run(c.path+" may use "+c.dep, func(t *testing.T) {
			is := is.New(t)
			p := pkg{ImportPath: module + "/" + c.path, Imports: []string{c.dep}, Deps: []string{c.dep}}
			is.Equal(violations([]pkg{p}, rules), nil)
		})
	}
}

// list asks the go command for all packages of the module. -e: what does not build is the compiler's to tell; here only
// imports count.
func list(t *testing.T) ([]pkg, error) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,Deps", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// standard says whether a package is of the standard library: the first element of its path has no dot, and it is not ours.
func standard(dep string) bool {
	first, _, _ := strings.Cut(dep, "/")
	return !strings.Contains(first, ".") && first != module
}

func ours(dep, place string) bool { return within(dep, module+"/"+place) }

func within(path, place string) bool { return path == place || strings.HasPrefix(path, place+"/") }

func below(path string, places []string) bool {
	for _, place := range places {
		if within(path, place) {
			return true
		}
	}
	return false
}

func anyOf(places ...string) func(string) bool {
	return func(dep string) bool { return below(dep, places) }
}
