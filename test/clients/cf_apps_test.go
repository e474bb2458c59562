package clients

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/test/installation"
)

// directory is the example app as a person has it who pushes a directory.
func directory(t *testing.T, version string) string {
	t.Helper()
	is := is.New(t)
	dir := t.TempDir()
	is.NoErr(os.WriteFile(filepath.Join(dir, "hello"), installation.Hello(), 0o755))
	is.NoErr(os.WriteFile(filepath.Join(dir, "Procfile"), []byte("web: ./hello\n"), 0o600))
	is.NoErr(os.WriteFile(filepath.Join(dir, "VERSION"), []byte(version+"\n"), 0o600))
	return dir
}

// TestCFLife pushes directories, and stops, starts, resizes and deletes what came of them.
func TestCFLife(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	cf.ok(t, "apps").says(t, "No apps found")
	cf.ok(t, "push", "hello", "-p", directory(t, "v1"), "-m", "64M").says(t, "Packaging files to upload...", "instances: 1/1")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{1}, Revisions: 1})
	answers(t, s, "hello", "v1")
	rolled := []string{"rolling FINALIZED/DEPLOYED"}
	load := s.UnderLoad(t.Context(), t, "hello", func() {
		cf.ok(t, "push", "hello", "-p", directory(t, "v2"), "--strategy", "rolling").says(t, "Waiting for app to deploy...", "instances: 1/1")
		sees(t, s, "hello", seen{State: "STARTED", Webs: []int{1}, Deployments: rolled, Revisions: 2})
		answers(t, s, "hello", "v2")
	})
	is.Equal(load.Faults, nil)                      // no request failed
	is.Equal(load.Versions(), []string{"v1", "v2"}) // both versions answered

	cf.fails(t, "logs", "hello", "--recent").says(t, "Failed to retrieve logs from Log Cache") // it keeps no logs, and says so
	cf.ok(t, "stop", "hello")
	sees(t, s, "hello", seen{State: "STOPPED", Webs: []int{1}, Deployments: rolled, Revisions: 2})
	s.NoOrphans(t.Context(), t, 0)
	is.Equal(visit(t, s, "hello")[:3], "503")
	cf.ok(t, "app", "hello").says(t, "requested state: stopped", "instances: 0/1", "#0 down")
	cf.ok(t, "start", "hello").says(t, "requested state: started", "instances: 1/1")
	answers(t, s, "hello", "v2")
	cf.ok(t, "restart", "hello").says(t, "Stopping app...", "#0 running")
	answers(t, s, "hello", "v2")
	cf.ok(t, "scale", "hello", "-m", "96M", "-f").says(t, "Starting app hello", "memory usage: 96M", "#0 running")
	answers(t, s, "hello", "v2")

	cf.fails(t, "push", "image", "--docker-image", "example/image").says(t, "it is the docker image example/image; driver exec runs bits only",
		"Start unsuccessful") // the rest of it is there
	cf.ok(t, "delete", "image", "-f").says(t, "Deleting app image in org default / space default as admin...", "OK")
	cf.ok(t, "delete", "hello", "-f")
	cf.ok(t, "delete", "hello", "-f").says(t, "App 'hello' does not exist.")
	cf.fails(t, "app", "hello").says(t, "App 'hello' not found.")
	s.NoOrphans(t.Context(), t, 0)
	is.Equal(visit(t, s, "hello")[:3], "404")
	s.Sound(t.Context(), t)
}

// TestCFLogin comes in by each door, and is stopped at each.
func TestCFLogin(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	cf := newCF(t)
	cf.fails(t, "apps").says(t, "No API endpoint set.")
	cf.ok(t, "api", s.API).says(t, "API endpoint: "+s.API, "API version: 3.228.0", "Not logged in.")
	cf.fails(t, "apps").says(t, "Not logged in. Use 'cf login' or 'cf login --sso' to log in.")
	cf.fails(t, "auth", "admin", "wrong").says(t, "Credentials were rejected, please try again.")
	cf.fails(t, "auth", "nobody", installation.AdminPassword).says(t, "Credentials were rejected, please try again.")
	cf.ok(t, "auth", "admin", installation.AdminPassword).says(t, "OK")
	cf.ok(t, "target").says(t, "user: admin", "No org or space targeted")
	cf.fails(t, "apps").says(t, "No org targeted, use 'cf target -o ORG' to target an org.")
	cf.fails(t, "target", "-o", "nowhere").says(t, "Organization 'nowhere' not found.")
	cf.fails(t, "target", "-o", "default", "-s", "nowhere").says(t, "Space 'nowhere' not found.")
	cf.ok(t, "target", "-o", "default", "-s", "default").says(t, "org: default", "space: default")
	cf.ok(t, "curl", "/v3/apps").says(t, `"total_results":0`)
	cf.ok(t, "curl", "/v3/apps/nobody").says(t, `"title":"CF-ResourceNotFound","detail":"App not found"`) // not asked to fail
	cf.ends(t, 22, "curl", "-f", "/v3/apps/nobody")
	cf.ok(t, "create-org", "acme").says(t, "OK")
	cf.ok(t, "orgs").says(t, "acme", "default")
	cf.ok(t, "logout")
	cf.fails(t, "apps").says(t, "Not logged in.")

	cf.fails(t, "login", "-u", "admin", "-p", "wrong", "-o", "default", "-s", "default").says(t, "Credentials were rejected")
	cf.ok(t, "curl", "/v3/apps").says(t, `"code":10002,"title":"CF-NotAuthenticated"`)
	cf.ok(t, "login", "-u", "admin", "-p", installation.AdminPassword, "-o", "acme").says(t, "Targeted org acme.")
}

// TestCFSpeed rolls 16 instances over, two at a time, each of which takes a second to start, and says how long that took: on a
// quiet machine 10 s, where Cloud Foundry needs more than 80 s and the starts. It runs alone; make bench shows the figure.
func TestCFSpeed(t *testing.T) {
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	cf := loggedIn(t, s)
	cf.ok(t, "create-app", "hello")
	cf.ok(t, "set-env", "hello", "START_DELAY", "1s")
	cf.ok(t, "push", "hello", "--droplet", dropletFile(t, "v1"), "-i", "16", "-m", "64M")
	sees(t, s, "hello", seen{State: "STARTED", Webs: []int{16}, Revisions: 1})
	v2 := dropletFile(t, "v2")
	began := time.Now()
	cf.ok(t, "push", "hello", "--droplet", v2, "--strategy", "rolling", "--max-in-flight", "2").says(t, "instances: 16/16")
	took := time.Since(began)
	t.Logf("cf push --strategy rolling of 16 instances, 2 at a time, each of which takes 1 s to start: %.1f s", took.Seconds())
	answers(t, s, "hello", "v2")
	is.True(took >= 8*time.Second) // at no time were more than two on their way
}
