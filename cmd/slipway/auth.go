package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"slipway/internal/auth"
	"slipway/internal/cli"
)

// Auth is what an operator does about logins. A running Slipway sees every change at once.
type Auth struct {
	AddUser   AuthAddUser   `cmd:"" help:"Add a user. The password is asked for, or read from standard input."`
	AddClient AuthAddClient `cmd:"" help:"Add a client, which is a program that acts for itself, and print its secret."`
	Hash      AuthHash      `cmd:"" help:"Print the hash of a secret from standard input, for auth.json."`
	RotateKey AuthRotateKey `cmd:"" help:"Sign tokens with a new key from now on."`
	AddKey    AuthAddKey    `cmd:"" help:"Make an access key for a user, for AWS's SDKs and tools, and print it."`
	RemoveKey AuthRemoveKey `cmd:"" help:"Forget an access key."`
	Token     AuthToken     `cmd:"" help:"Log in and print a token, for curl -H and nats -H."`
}

// AuthDir is where logins are kept.
type AuthDir struct {
	Dir string `default:"data/auth" env:"SLIPWAY_AUTH" help:"Directory with auth.json and the signing keys." type:"path"`
}

// AuthRights is what a user or a client may do, and what it is.
type AuthRights struct {
	Role          []RoleFlag `help:"Role in a space (space_developer:ORG/SPACE, space_auditor:ORG/*) or an organization (org_manager:ORG). May be given again." placeholder:"ROLE:PLACE"`
	Admin         bool       `help:"May do everything."`
	AdminReadOnly bool       `help:"May read everything."`
	GlobalAuditor bool       `help:"May read everything but secrets."`
	Automation    bool       `help:"No person decides what it does: it may not deploy an app that somebody has rolled back, until a person lets it."`
}

func (r AuthRights) rights() auth.Rights {
	rights := auth.Rights{
		Admin: r.Admin, AdminReadOnly: r.AdminReadOnly, GlobalAuditor: r.GlobalAuditor, Automation: r.Automation,
	}
	for _, role := range r.Role {
		rights.Roles = append(rights.Roles, auth.Grant(role))
	}
	return rights
}

// AuthAddUser adds a user.
type AuthAddUser struct {
	AuthDir
	AuthRights
	Name   string      `arg:"" help:"Name to log in with."`
	Random bool        `help:"Make a random password and print it, instead of asking for one."`
	In     secretInput `kong:"-"`
}

// Run adds the user.
func (a AuthAddUser) Run(_ context.Context, streams cli.Streams) error {
	password := auth.RandomSecret()
	if !a.Random {
		var err error
		if password, err = a.In.read(streams.Err, "Password for "+a.Name); err != nil {
			return err
		}
	}
	if err := auth.AddUser(a.Dir, auth.User{Name: a.Name, Rights: a.rights()}, password); err != nil {
		return err
	}
	if a.Random {
		fmt.Fprintln(streams.Out, password)
	}
	return nil
}

// AuthAddClient adds a client.
type AuthAddClient struct {
	AuthDir
	AuthRights
	ID string `arg:"" help:"What it calls itself."`
}

// Run adds the client and prints its secret, which is nowhere else: only its hash is kept.
func (a AuthAddClient) Run(_ context.Context, streams cli.Streams) error {
	secret := auth.RandomSecret()
	if err := auth.AddClient(a.Dir, auth.Client{ID: a.ID, Rights: a.rights()}, secret); err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, secret)
	return nil
}

// RoleFlag is a role with its place as one word.
type RoleFlag auth.Grant

// UnmarshalText reads "role:organization" or "role:organization/space". What is right is told when the user is added.
func (r *RoleFlag) UnmarshalText(text []byte) error {
	role, place, ok := strings.Cut(string(text), ":")
	if !ok || place == "" {
		return fmt.Errorf("role %q: want ROLE:ORGANIZATION or ROLE:ORGANIZATION/SPACE", text)
	}
	organization, space, _ := strings.Cut(place, "/")
	*r = RoleFlag{Role: auth.Role(role), Organization: organization, Space: space}
	return nil
}

// AuthHash makes a hash.
type AuthHash struct {
	In secretInput `kong:"-"`
}

// Run prints it.
func (h AuthHash) Run(_ context.Context, streams cli.Streams) error {
	secret, err := h.In.read(streams.Err, "Secret")
	if err != nil {
		return err
	}
	hash, err := auth.Hash(secret)
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, hash)
	return nil
}

// AuthRotateKey changes the key that tokens are signed with.
type AuthRotateKey struct {
	AuthDir
	Distrust bool `help:"Forget all keys of before, since one of them has got out: everybody has to log in again."`
}

// Run prints the id of the new key.
func (r AuthRotateKey) Run(_ context.Context, streams cli.Streams) error {
	kid, err := auth.RotateKey(r.Dir, time.Now(), r.Distrust)
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, kid)
	return nil
}

// AuthToken logs in.
type AuthToken struct {
	API  string      `default:"http://127.0.0.1:8080" env:"SLIPWAY_API" help:"URL of the API."`
	User string      `default:"admin" env:"SLIPWAY_USER" help:"Who logs in. The password is asked for, or read from SLIPWAY_PASSWORD or standard input."`
	In   secretInput `kong:"-"`
}

// tokenTimeout bounds a login.
const tokenTimeout = 15 * time.Second

// Run prints an access token and nothing else.
func (a AuthToken) Run(ctx context.Context, streams cli.Streams) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	login, err := loginURL(ctx, a.API)
	if err != nil {
		return err
	}
	password := os.Getenv("SLIPWAY_PASSWORD")
	if password == "" {
		if password, err = a.In.read(streams.Err, "Password for "+a.User); err != nil {
			return err
		}
	}
	token, err := fetchToken(ctx, login, a.User, password)
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, token)
	return nil
}

// loginURL asks the API where its token server is. A password goes over plain HTTP within this machine only.
func loginURL(ctx context.Context, api string) (string, error) {
	var root struct {
		Links struct{ Login struct{ Href string } }
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(api, "/")+"/", nil)
	if err != nil {
		return "", err
	}
	if err := answered(request, &root); err != nil {
		return "", fmt.Errorf("%w (is Slipway running? start it with: make run)", err)
	}
	u, err := url.Parse(root.Links.Login.Href)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s does not say where to log in", api)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("%s: not sending a password unencrypted to another machine", u)
	}
	return u.String(), nil
}

func fetchToken(ctx context.Context, login, user, password string) (string, error) {
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, login+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(auth.PublicClient, "")
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := answered(request, &answer); err != nil {
		return "", err
	}
	return answer.Token, nil
}

// loginTimeout bounds a login and its answer: a token server that is busy takes seconds.
const loginTimeout = time.Minute

// answered sends a request and reads its answer. It follows no redirect: that could carry a password elsewhere.
func answered(request *http.Request, into any) error {
	client := http.Client{Timeout: loginTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, 1<<20)
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Text string `json:"error_description"`
		}
		_ = json.NewDecoder(body).Decode(&refused) // without a reason the status has to do
		return fmt.Errorf("%s %s: %s %s", request.Method, request.URL, response.Status, refused.Text)
	}
	return json.NewDecoder(body).Decode(into)
}

// secretInput is where a secret is read from: standard input, unless a test gives another.
type secretInput struct{ from io.Reader }

// read reads one line. At a terminal it asks, and what is typed does not show.
func (s secretInput) read(prompts io.Writer, what string) (string, error) {
	if s.from == nil {
		if terminal := int(os.Stdin.Fd()); term.IsTerminal(terminal) {
			fmt.Fprint(prompts, what+": ")
			secret, err := term.ReadPassword(terminal)
			fmt.Fprintln(prompts)
			return string(secret), err
		}
		s.from = os.Stdin
	}
	line, err := bufio.NewReader(io.LimitReader(s.from, 4*auth.MaxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
