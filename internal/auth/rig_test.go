package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
)

// The world of the tests: who there is, with which secrets.
const (
	adminPassword = "correct horse"
	annPassword   = "battery staple"
	ciSecret      = "ci secret/+%"
)

// rig is an Authority over a directory, with a clock that stands still until it is moved.
type rig struct {
	*Authority
	dir  string
	log  *lockedBuffer
	http *httptest.Server

	mu    sync.Mutex
	clock time.Time
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func environment(password string) func(string) string {
	return func(name string) string {
		if name == AdminPasswordEnv {
			return password
		}
		return ""
	}
}

// world makes the directory that every rig gets a copy of: a signing key takes long to make.
var world = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "auth")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := Bootstrap(dir, environment(adminPassword)); err != nil {
		return nil, err
	}
	inProd := func(role Role) Rights {
		return Rights{Roles: []Grant{{Role: role, Organization: "acme", Space: "prod"}}}
	}
	if err := AddUser(dir, User{Name: "ann", GUID: "guid-ann", Rights: inProd(SpaceDeveloper)}, annPassword); err != nil {
		return nil, err
	}
	secret, err := Hash(ciSecret)
	if err != nil {
		return nil, err
	}
	if err := edit(dir, func(c *Config) error {
		c.Clients = append(c.Clients, Client{ID: "ci", Secret: secret, Rights: inProd(SpaceSupporter)})
		return nil
	}); err != nil {
		return nil, err
	}
	files = map[string][]byte{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		data, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		files[e.Name()], err = data, errors.Join(err, readErr)
	}
	return files, err
})

func newRig(t testing.TB) *rig {
	t.Helper()
	is := is.New(t)
	r := &rig{dir: t.TempDir(), log: &lockedBuffer{}, clock: time.Now().Truncate(time.Second)}
	files, err := world()
	is.NoErr(err)
	for name, data := range files {
		is.NoErr(os.WriteFile(filepath.Join(r.dir, name), data, fileMode))
	}
	r.Authority, err = Open(r.dir, r.now, slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	is.NoErr(err)
	r.http = httptest.NewServer(http.StripPrefix("/uaa", r.Handler()))
	t.Cleanup(r.http.Close)
	return r
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func (r *rig) edit(t testing.TB, change func(*Config)) {
	t.Helper()
	is := is.New(t)
	is.NoErr(edit(r.dir, func(c *Config) error {
		change(c)
		return nil
	}))
}

// answer is what the token server said, whatever it was.
type answer struct {
	tokens
	Status int
	Error  string `json:"error"`
	Text   string `json:"error_description"`
	header http.Header
}

// post asks for a token as a client: "id:secret" in the header, or "" for none.
func (r *rig) post(t testing.TB, basic string, form url.Values) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.http.URL+"/uaa/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id, secret, ok := strings.Cut(basic, ":"); ok {
		request.SetBasicAuth(id, secret)
	}
	return r.do(t, request)
}

func (r *rig) do(t testing.TB, request *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%s: %q", response.Status, body)
	}
	return a
}

func passwordForm(name, password string) url.Values {
	return url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}}
}

// loggedIn gives the tokens of a user.
func (r *rig) loggedIn(t testing.TB, name, password string) answer {
	t.Helper()
	a := r.post(t, "cf:", passwordForm(name, password))
	if a.Status != http.StatusOK {
		t.Fatalf("log in as %s: %d %s", name, a.Status, a.Error)
	}
	return a
}

func (r *rig) read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *rig) verify(t testing.TB, token string) (Identity, error) {
	t.Helper()
	return r.Verify(t.Context(), []string{"bearer " + token})
}
