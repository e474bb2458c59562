package clients

import (
	"testing"

	"slipway/internal/auth"
	"slipway/test/installation"
)

// as is somebody with one role in the space prod of acme, who has nowhere else to go.
func as(t *testing.T, s *installation.Installation, name string, role auth.Role) cfCLI {
	t.Helper()
	const password = "a word of their own"
	addUser(t, s, name, password, auth.Grant{Role: role, Organization: "acme", Space: "prod"})
	cf := newCF(t)
	cf.ok(t, "login", "-a", s.API, "-u", name, "-p", password).says(t, "Targeted org acme.", "Targeted space prod.")
	return cf
}

// TestCFRoles lets a developer and an auditor into one of two spaces. Each does there what their role allows; the other space
// is not there for them.
func TestCFRoles(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	admin := loggedIn(t, s)
	admin.ok(t, "create-org", "acme")
	admin.ok(t, "create-space", "prod", "-o", "acme").says(t, "Assigning role SpaceDeveloper to user admin", "OK")
	admin.ok(t, "create-space", "lab", "-o", "acme")
	admin.ok(t, "target", "-o", "acme", "-s", "lab")
	admin.ok(t, "create-app", "secret")
	hidden, _ := look(t, s, "secret")

	ann := as(t, s, "ann", auth.SpaceDeveloper)
	ann.ok(t, "orgs").saysNot(t, "default")
	ann.ok(t, "spaces").saysNot(t, "lab")
	ann.fails(t, "target", "-s", "lab").says(t, "Space 'lab' not found.")
	ann.ok(t, "target", "-s", "prod")
	ann.ok(t, "push", "hello", "--droplet", dropletFile(t, "v1"), "-i", "2").says(t, "requested state: started")
	ann.ok(t, "push", "hello", "--droplet", dropletFile(t, "v2"), "--strategy", "canary").says(t, "status PAUSED")
	app, _ := look(t, s, "hello")
	ann.ok(t, "apps").saysNot(t, "secret")
	ann.ok(t, "events", "hello").says(t, "audit.app.deployment.create ann")
	ann.ok(t, "curl", "/v3/apps/"+hidden).says(t, `"code":10010,"title":"CF-ResourceNotFound","detail":"App not found"`)
	ann.ok(t, "curl", "/v3/deployments", "-X", "POST", "-d", `{"relationships":{"app":{"data":{"guid":"`+hidden+`"}}}}`).
		says(t, "Unable to use app. Ensure that the app exists and you have access to it.")
	ann.fails(t, "create-org", "mine").says(t, "You are not authorized to perform the requested action")
	ann.fails(t, "create-space", "mine").says(t, "You are not authorized to perform the requested action")

	bob := as(t, s, "bob", auth.SpaceAuditor)
	bob.ok(t, "app", "hello").says(t, "Active deployment with status PAUSED")
	bob.fails(t, "scale", "hello", "-i", "1").says(t, "You are not authorized to perform the requested action")
	bob.fails(t, "set-env", "hello", "A", "1").says(t, "You are not authorized to perform the requested action")
	bob.fails(t, "continue-deployment", "hello").says(t, "Deployment not found") // Cloud Foundry's words for it
	bob.fails(t, "delete", "hello", "-f").says(t, "You are not authorized to perform the requested action")

	ann.ok(t, "continue-deployment", "hello").says(t, "instances: 2/2")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Deployments: []string{"canary FINALIZED/DEPLOYED"}, Revisions: 2})
	s.WaitRoutable(t.Context(), t, app, 2)
	ann.ok(t, "delete", "hello", "-f")
	s.NoOrphans(t.Context(), t, 0)
	s.Sound(t.Context(), t)
}
