package clients

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/auth"
	"slipway/test/installation"
)

// TestNobodyTalksToNATSUnknown: without a login, and with a wrong one, nothing is answered, and nothing left behind.
func TestNobodyTalksToNATSUnknown(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	admin := newNATS(t, s)
	for name, nats := range map[string]natsCLI{
		"no login":              admin.as("", ""),
		"wrong password":        admin.as(auth.AdminUser, "a guess"),
		"nobody's name":         admin.as("mallory", installation.AdminPassword),
		"a part of Slipway":     admin.as(auth.ServiceUser, installation.AdminPassword),
		"a client without name": admin.as("cf", ""),
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"req", "rpc.app.create", `{"name":"forged"}`},
				{"pub", "commands.app.create", `{"name":"forged"}`},
				{"pub", "events.app.x", "forged"},
				{"sub", "rollouts.>", "--count", "1"},
				{"sub", "--stream", "FEED", "--all", "rollouts.>"},
				{"stream", "ls"},
				{"micro", "ls"},
			} {
				is := is.New(t)
				stdout, stderr, err := nats.try(t, args...)
				is.True(err != nil)
				is.True(strings.Contains(stdout+stderr, "Authorization Violation")) // and says why
			}
		})
	}
	is := is.New(t)
	is.Equal(apps(t, s), nil)
	s.Sound(t.Context(), t)
}

// TestAUserOfOneSpace does over NATS what their roles allow, as themselves, and hears of nothing else.
func TestAUserOfOneSpace(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	admin := newNATS(t, s)
	organization := admin.guid(t, "organization.create", `{"name":"acme"}`)
	space := admin.guid(t, "space.create", fmt.Sprintf(`{"organization":%q,"name":"prod"}`, organization))
	const password = "battery staple"
	addUser(t, s, "ann", password, auth.Grant{Role: auth.SpaceDeveloper, Organization: "acme", Space: "prod"})
	addUser(t, s, "eve", password)
	ann, eve := admin.as("ann", password), admin.as("eve", password)
	admin.guid(t, "app.create", `{"name":"foreign"}`)

	app := ann.guid(t, "app.create", fmt.Sprintf(`{"name":"hello","space":%q}`, space))
	ann.must(t, "pub", "commands.app.set-environment", fmt.Sprintf(`{"app":%q,"var":{"A":"1"}}`, app))
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		feed := ann.subjects(t, "FEED", "rollouts.acme.prod.>")
		return fmt.Sprint(feed), count(feed, "hello.app.environment-set") == 1
	})
	for _, m := range history(t, admin, "events.app."+app) {
		is.True(strings.Contains(m, "\nSlipway-Actor: user/ann\n")) // as herself, through both doors
	}
	is.True(count(admin.subjects(t, "FEED", "rollouts.>"), "foreign.app.created") == 1) // there is more than she hears
	_, beside, err := ann.try(t, "sub", "--stream", "FEED", "--all", "-T", "rollouts.>")
	is.True(err != nil || strings.Contains(beside, "Permissions Violation"))
	shown, err := onTerminal(ann.command(t.Context(), "stream", "view", "FEED", "25", "--subject", "rollouts.acme.prod.hello.>"))
	is.NoErr(err)
	is.True(strings.Contains(shown, "rollouts.acme.prod.hello.app.created"))
	is.True(strings.Contains(ann.must(t, "micro", "ls"), "slipway"))
	is.True(len(ann.endpoints(t)) > 0)
	is.True(strings.Contains(ann.must(t, "micro", "stats", "slipway"), "app-create"))

	for name, c := range map[string]struct {
		nats          natsCLI
		command, body string
		code          int
		title         string
	}{
		"a space that is none of hers": {ann, "app.create", `{"name":"x"}`, 422, "CF-UnprocessableEntity"},
		"an administrator's":           {ann, "organization.create", `{"name":"x"}`, 403, "CF-NotAuthorized"},
		"an app that is none of hers":  {eve, "app.start", fmt.Sprintf(`{"app":%q}`, app), 404, "CF-ResourceNotFound"},
		"without any role":             {eve, "app.create", `{"name":"x"}`, 422, "CF-UnprocessableEntity"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			answer, headers := c.nats.request(t, c.command, c.body)
			data, err := json.Marshal(answer)
			is.NoErr(err)
			t.Log(string(data))
			is.True(strings.Contains(headers, fmt.Sprintf("Nats-Service-Error-Code: %d", c.code)))
			is.True(strings.Contains(string(data), c.title))
		})
	}
	is.Equal(apps(t, s), []string{"foreign", "hello"})
	s.Sound(t.Context(), t)
}

// addUser makes a user, as `slipway auth add-user` does.
func addUser(t *testing.T, s *installation.Installation, name, password string, roles ...auth.Grant) {
	t.Helper()
	if err := auth.AddUser(s.Auth(), auth.User{Name: name, Rights: auth.Rights{Roles: roles}}, password); err != nil {
		t.Fatal(err)
	}
}

// history is the messages of a subject of EVENTS, each with its headers.
func history(t *testing.T, nats natsCLI, subject string) []string {
	t.Helper()
	return strings.Split(nats.must(t, "sub", "--stream", "EVENTS", "--all", "-T", subject), "[#")[1:]
}
