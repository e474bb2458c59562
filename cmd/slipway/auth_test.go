package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/auth"
	"slipway/internal/cli"
)

// authTool is the program with the commands about logins alone.
func authTool(args ...string) (stdout string, err error) {
	var c struct {
		Auth Auth `cmd:""`
	}
	var out bytes.Buffer
	err = cli.Parse(context.Background(), &c, "slipway", "", append([]string{"auth"}, args...), &out, io.Discard, nil)
	return strings.TrimSpace(out.String()), err
}

// secretServer is an API with a token server, over dir.
func secretServer(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	authority, err := auth.Open(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"links":{"login":{"href":"%s/uaa"}}}`, server.URL)
	})
	mux.Handle("/uaa/", http.StripPrefix("/uaa", authority.Handler()))
	mux.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		i, err := authority.Verify(r.Context(), r.Header.Values("Authorization"))
		fmt.Fprint(w, i.Actor(), " ", i.Grants, " ", i.Automation, " ", err)
	})
	return server
}

// TestAUserIsAddedAndLogsIn goes the whole way of an operator and a developer.
func TestAUserIsAddedAndLogsIn(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "" })
	is.NoErr(err)
	server := secretServer(t, dir)
	password, err := authTool("add-user", "ann", "--dir", dir, "--random", "--role", "space_developer:acme/prod", "--role", "org_auditor:acme")
	is.NoErr(err)

	t.Setenv("SLIPWAY_PASSWORD", password)
	token, err := authTool("token", "--api", server.URL, "--user", "ann")
	is.NoErr(err)
	is.Equal(strings.Count(token, "."), 2) // a token and nothing else
	kid, err := authTool("rotate-key", "--dir", dir)
	is.NoErr(err)
	is.True(kid != "")
	is.Equal(whoami(t, server, token), "user/ann [{space_developer acme prod} {org_auditor acme }] false <nil>")

	t.Setenv("SLIPWAY_PASSWORD", "wrong wrong")
	_, err = authTool("token", "--api", server.URL, "--user", "ann")
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "Bad credentials"))
	is.True(!strings.Contains(err.Error(), "wrong wrong"))
}

// whoami is what the server makes of a token.
func whoami(t *testing.T, server *httptest.Server, token string) string {
	t.Helper()
	is := is.New(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/whoami", nil)
	is.NoErr(err)
	request.Header.Set("Authorization", "bearer "+token)
	response, err := http.DefaultClient.Do(request)
	is.NoErr(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	is.NoErr(err)
	return string(body)
}

// TestAutomation: users and clients may be marked as such, and are known as such.
func TestAutomation(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "" })
	is.NoErr(err)
	server := secretServer(t, dir)
	password, err := authTool("add-user", "robot", "--dir", dir, "--random", "--automation")
	is.NoErr(err)
	t.Setenv("SLIPWAY_PASSWORD", password)
	token, err := authTool("token", "--api", server.URL, "--user", "robot")
	is.NoErr(err)
	is.Equal(whoami(t, server, token), "user/robot [] true <nil>")

	secret, err := authTool("add-client", "ci", "--dir", dir, "--automation", "--role", "space_developer:acme/prod")
	is.NoErr(err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/uaa/oauth/token",
		strings.NewReader("grant_type=client_credentials"))
	is.NoErr(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ci", secret)
	var answer struct {
		Token string `json:"access_token"`
	}
	is.NoErr(answered(request, &answer)) // what was printed is its secret
	is.Equal(whoami(t, server, answer.Token), "client/ci [{space_developer acme prod}] true <nil>")
}

func TestSecretsAreReadFromInput(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	streams := cli.Streams{Out: &out, Err: io.Discard}
	is.NoErr(AuthHash{In: secretInput{strings.NewReader("eight characters\r\nmore")}}.Run(t.Context(), streams))
	is.True(strings.HasPrefix(out.String(), "$2a$"))
	is.True(AuthHash{In: secretInput{strings.NewReader("")}}.Run(t.Context(), streams) != nil) // no secret is none

	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "" })
	is.NoErr(err)
	add := AuthAddUser{AuthDir: AuthDir{dir}, AuthRights: AuthRights{Admin: true}, Name: "bob", In: secretInput{strings.NewReader("bob's password\n")}}
	is.NoErr(add.Run(t.Context(), streams))
	t.Setenv("SLIPWAY_PASSWORD", "")
	server := secretServer(t, dir)
	is.NoErr(AuthToken{API: server.URL, User: "bob", In: secretInput{strings.NewReader("bob's password")}}.Run(t.Context(), streams))
}

func TestWhatTheAuthToolRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := auth.Bootstrap(dir, func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"links":{"login":{"href":"http://login.example.com"}}}`)
	}))
	t.Cleanup(elsewhere.Close)
	nowhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	t.Cleanup(nowhere.Close)
	t.Setenv("SLIPWAY_PASSWORD", "some password")
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"a role without place":     {[]string{"add-user", "x", "--dir", dir, "--random", "--role", "space_developer"}, "want ROLE:ORGANIZATION"},
		"an unknown role":          {[]string{"add-user", "x", "--dir", dir, "--random", "--role", "king:acme"}, `"king" is none of`},
		"a name twice":             {[]string{"add-user", "admin", "--dir", dir, "--random"}, "taken by"},
		"a client twice":           {[]string{"add-client", "cf", "--dir", dir}, "taken by"},
		"a client in no place":     {[]string{"add-client", "x", "--dir", dir, "--role", "org_manager:acme/prod"}, "no space"},
		"a key for nobody":         {[]string{"add-key", "nobody", "--dir", dir}, "no such user"},
		"a key that nobody has":    {[]string{"remove-key", "AKIDEXAMPLE", "--dir", dir}, "nobody has it"},
		"no such directory":        {[]string{"rotate-key", "--dir", dir + "/none"}, "no such file"},
		"a password to a stranger": {[]string{"token", "--api", elsewhere.URL}, "unencrypted"},
		"an API without logins":    {[]string{"token", "--api", nowhere.URL}, "does not say where to log in"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			out, err := authTool(tt.args...)
			is.True(err != nil)
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want something with %q", err, tt.want)
			}
			is.Equal(out, "") // no password is shown for a user that was not made
		})
	}
}

// TestAnAccessKeyIsPrinted in the form that AWS's tools take from the environment.
func TestAnAccessKeyIsPrinted(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "" })
	is.NoErr(err)
	first, err := authTool("add-key", "admin", "--dir", dir)
	is.NoErr(err)
	lines := strings.Split(first, "\n")
	is.Equal(len(lines), 2)
	id, ok := strings.CutPrefix(lines[0], "AWS_ACCESS_KEY_ID=")
	is.True(ok)
	is.True(strings.HasPrefix(lines[1], "AWS_SECRET_ACCESS_KEY="))
	_, err = authTool("add-key", "admin", "--dir", dir, "--replace")
	is.NoErr(err)
	_, err = authTool("remove-key", id, "--dir", dir)
	is.True(err != nil) // it was replaced
}
