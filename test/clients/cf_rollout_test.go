package clients

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/test/installation"
)

// TestCFRolling is the everyday story: an app is pushed, rolled over to a new version and a new environment, and back, while
// people use it. Not one request fails.
func TestCFRolling(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	v1, v2 := dropletFile(t, "v1"), dropletFile(t, "v2")

	cf.ok(t, "create-app", "hello").says(t, "Creating app hello in org default / space default as admin...")
	sees(t, s, "hello", seen{State: "STOPPED", Webs: []int{1}})
	cf.ok(t, "push", "hello", "--droplet", v1, "-i", "4").says(t, "requested state: started", "start command: ./hello")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4}, Revisions: 1}) // the first start is no deployment
	answers(t, s, "hello", "v1")

	load := s.UnderLoad(t.Context(), t, "hello", func() {
		cf.ok(t, "push", "hello", "--droplet", v2, "--strategy", "rolling").says(t, "Waiting for app to deploy...", "instances: 4/4")
		rolled := "rolling FINALIZED/DEPLOYED"
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4}, Deployments: []string{rolled}, Revisions: 2})
		answers(t, s, "hello", "v2")

		cf.ok(t, "set-env", "hello", "VERSION", "red")
		cf.ok(t, "env", "hello").says(t, "VERSION: red", `"application_name": "hello"`, `"hello.localhost"`)
		answers(t, s, "hello", "v2") // a variable counts from the next start on
		cf.ok(t, "restart", "hello", "--strategy", "rolling").says(t, "Creating deployment for app hello...", "instances: 4/4")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4}, Deployments: []string{rolled, rolled}, Revisions: 3})
		answers(t, s, "hello", "red")

		cf.ok(t, "revisions", "hello").says(t, "3(deployed) New environment variables deployed. true",
			"2 New droplet deployed. true", "1 Initial revision. true")
		cf.ok(t, "revision", "hello", "--version", "3").says(t, "application environment variables: VERSION: red")
		cf.ok(t, "rollback", "hello", "--version", "1", "-f").says(t, "Rolling back to revision 1 for app hello", "OK")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4}, Deployments: []string{rolled, rolled, rolled}, Revisions: 4})
		answers(t, s, "hello", "v1")
		cf.ok(t, "env", "hello").saysNot(t, "red") // environment and droplet are those of revision 1
		cf.ok(t, "revisions", "hello").says(t, "4(deployed)", "Rolled back to revision 1.")

		cf.ok(t, "scale", "hello", "-i", "2").says(t, "Scaling app hello in org default / space default as admin...")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Deployments: []string{rolled, rolled, rolled}, Revisions: 4})
		cf.ok(t, "scale", "hello").says(t, "instances: 2/2")
	})
	is.Equal(load.Faults, nil)                                    // no request failed
	is.Equal(load.Versions(), []string{"red", "v1", "v2"})        // of those that met all versions
	cf.ok(t, "events", "hello").says(t, "audit.app.create admin", // who did what
		"audit.app.process.scale admin instances: 2", "audit.app.deployment.create admin", "audit.app.deployment.deployed updater")
	s.NoOrphans(t.Context(), t, 2)
	s.Sound(t.Context(), t)
}

// TestCFCanary tries a version on some of the instances, goes on, and takes the next one back.
func TestCFCanary(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v1"), "-i", "4") // makes the app too
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4}, Revisions: 1})

	load := s.UnderLoad(t.Context(), t, "hello", func() {
		cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v2"), "--strategy", "canary", "--instance-steps", "20,50",
			"--max-in-flight", "2", "-i", "5").says(t, "Active deployment with status PAUSED (since ", "strategy: canary",
			"max-in-flight: 2", "canary-steps: 1/2", "Please run `cf continue-deployment hello` to promote the canary deployment")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{4, 1}, Deployments: []string{"canary ACTIVE/PAUSED"}, Revisions: 2})
		cf.ok(t, "app", "hello").says(t, "Active deployment with status PAUSED", "instances: 4/4", "instances: 1/1")
		cf.ok(t, "apps").says(t, "hello started web:4/4, web:1/1 hello.localhost")
		cf.fails(t, "scale", "hello", "-i", "3").says(t, "Cannot scale this process while a deployment is in flight.", "FAILED")

		cf.ok(t, "continue-deployment", "hello").says(t, "canary-steps: 2/2")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{3, 2}, Deployments: []string{"canary ACTIVE/PAUSED"}, Revisions: 2})
		cf.ok(t, "continue-deployment", "hello").says(t, "instances: 5/5")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{5}, Deployments: []string{"canary FINALIZED/DEPLOYED"}, Revisions: 2})
		answers(t, s, "hello", "v2")
	})
	is.Equal(load.Faults, nil)                      // no request failed
	is.Equal(load.Versions(), []string{"v1", "v2"}) // both versions answered

	cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v3"), "--strategy", "canary").says(t, "canary-steps: 1/1")
	both := []string{"canary FINALIZED/DEPLOYED", "canary ACTIVE/PAUSED"}
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{5, 1}, Deployments: both, Revisions: 3})
	cf.ok(t, "cancel-deployment", "hello").says(t, "Canceling deployment for app hello", "OK")
	both[1] = "canary FINALIZED/CANCELED"
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{5}, Deployments: both, Revisions: 3})
	answers(t, s, "hello", "v2")
	cf.fails(t, "cancel-deployment", "hello").says(t, "No active deployment found for app.")
	cf.fails(t, "continue-deployment", "hello").says(t, "No active deployment found for app.")
	cf.ok(t, "events", "hello").says(t, "audit.app.deployment.paused updater", "audit.app.deployment.continue admin",
		"audit.app.deployment.cancel admin", "audit.app.deployment.canceled updater")
	s.NoOrphans(t.Context(), t, 5)
	s.Sound(t.Context(), t)
}

// TestCFPolicy pushes over what serves where a policy wants to be asked: cf says what to do instead, and nothing has changed.
func TestCFPolicy(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	cf.ok(t, "curl", "-f", "/v3/policies", "-X", "POST", "-d", `{"name":"no dips","rule":{
		"condition":"strategy.name == 'recreate'","outcome":"deny","reason":"people use it"}}`)
	cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v1"), "-i", "2") // there is nothing it replaces
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Revisions: 1})
	v2 := dropletFile(t, "v2")
	cf.fails(t, "push", "hello", "--droplet", v2).says(t, "FAILED", "Cannot assign the droplet: policy no dips denies it: people use it. "+
		"Deploy it instead (POST /v3/deployments, cf push --strategy rolling) if the policy lets you.")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Revisions: 1})
	answers(t, s, "hello", "v1")
	cf.ok(t, "restart", "hello") // the version that is there
	cf.ok(t, "push", "hello", "--droplet", v2, "--strategy", "rolling")
	answers(t, s, "hello", "v2")
	s.NoOrphans(t.Context(), t, 2)
	s.Sound(t.Context(), t)
}

// TestCFStall rolls out a setting that the app cannot bear. The old one goes on serving, `cf app` says what is wrong, and cf takes the
// rollout back when it has waited long enough.
func TestCFStall(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v1"), "-i", "2")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Revisions: 1})
	load := s.UnderLoad(t.Context(), t, "hello", func() {
		cf.ok(t, "set-env", "hello", "START_DELAY", "soon") // it wants a duration, and ends when it gets none
		app, _ := look(t, s, "hello")
		cf.ok(t, "curl", "-f", "/v3/deployments", "-X", "POST", "-d", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}}}`).
			says(t, `"value":"ACTIVE"`)
		installation.Eventually(t.Context(), t, s, func() (string, bool) {
			text, _ := cf.run(t, "app", "hello")
			return text, strings.Contains(text, "1 of 1 new instances unhealthy: instance 0 CRASHED") // on stderr, as a warning
		})
		cf.ok(t, "app", "hello").says(t, "Active deployment with status DEPLOYING", "instances: 2/2", "instances: 0/1")

		impatient := cf.with("CF_STARTUP_TIMEOUT=0.05") // minutes
		impatient.fails(t, "restart", "hello", "--strategy", "rolling").says(t, "Timed out waiting for application 'hello' to start", "FAILED")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{2}, Revisions: 2,
			Deployments: []string{"rolling FINALIZED/SUPERSEDED", "rolling FINALIZED/CANCELED"}})
		answers(t, s, "hello", "v1")
	})
	is.Equal(load.Faults, nil) // no request failed
	s.NoOrphans(t.Context(), t, 2)
	s.Sound(t.Context(), t)
}
