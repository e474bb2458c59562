package clients

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/auth"
	"slipway/test/installation"
)

// TestApprovalOverNATS: a developer asks, their manager answers, each as themselves, through either door; and the space hears of it.
func TestApprovalOverNATS(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	admin := newNATS(t, s)
	organization := admin.guid(t, "organization.create", `{"name":"acme"}`)
	space := admin.guid(t, "space.create", fmt.Sprintf(`{"organization":%q,"name":"prod"}`, organization))
	const password = "battery staple"
	addUser(t, s, "dev", password, auth.Grant{Role: auth.SpaceDeveloper, Organization: "acme", Space: "prod"})
	addUser(t, s, "boss", password, auth.Grant{Role: auth.SpaceManager, Organization: "acme", Space: "prod"})
	dev, boss := admin.as("dev", password), admin.as("boss", password)

	app := dev.guid(t, "app.create", fmt.Sprintf(`{"name":"hello","space":%q}`, space))
	droplet := dev.guid(t, "droplet.create", fmt.Sprintf(`{"app":%q}`, app))
	is.NoErr(s.Client().Upload(t.Context(), droplet, installation.Bits(t, "v1")))
	dev.guid(t, "app.assign-droplet", fmt.Sprintf(`{"app":%q,"droplet":%q}`, app, droplet))
	dev.guid(t, "app.start", fmt.Sprintf(`{"app":%q}`, app))
	policy := boss.guid(t, "policy.create", fmt.Sprintf(
		`{"space":%q,"name":"four eyes","rule":{"outcome":"require_approval","approval":{"needed":1,"approvers":["space_manager"]}}}`, space))

	asks, _ := dev.request(t, "policy.evaluate", fmt.Sprintf(`{"app":%q}`, app))
	is.Equal(asks["outcome"], "require_approval") // before anybody asks
	asks, _ = dev.request(t, "group.evaluate", fmt.Sprintf(`{"members":[{"app":%q}]}`, app))
	is.Equal(asks["outcome"], "require_approval")

	ask := func() string { return dev.guid(t, "deployment.create", fmt.Sprintf(`{"app":%q}`, app)) }
	first := ask()
	_, headers := dev.request(t, "deployment.approve", fmt.Sprintf(`{"deployment":%q}`, first))
	is.True(strings.Contains(headers, "Nats-Service-Error-Code: 403")) // nobody approves their own
	boss.guid(t, "deployment.approve", fmt.Sprintf(`{"deployment":%q,"comment":"fine"}`, first))
	s.Deployed(t.Context(), t, first)
	second := ask()
	boss.must(t, "pub", "commands.deployment.deny", fmt.Sprintf(`{"deployment":%q,"comment":"not now"}`, second))
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		feed := dev.subjects(t, "FEED", "rollouts.acme.prod.>")
		return fmt.Sprint(feed), count(feed, "hello.deployment.denied") == 1
	})
	boss.request(t, "policy.delete", fmt.Sprintf(`{"policy":%q}`, policy))
	s.Deployed(t.Context(), t, ask()) // nobody is asked any more
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		feed := dev.subjects(t, "FEED", "rollouts.acme.prod.>")
		return fmt.Sprint(feed), count(feed, "policy.deleted") == 1 && count(feed, "hello.deployment.approved") == 1
	})
	s.Sound(t.Context(), t)
}
