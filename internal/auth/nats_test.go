package auth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// What connections may do is tested in internal/natsboot, on a server.

// TestThePlainFeedHoldsNoSecrets looks at every event ever written.
func TestThePlainFeedHoldsNoSecrets(t *testing.T) {
	is := is.New(t)
	files, err := filepath.Glob("../../events/testdata/golden/*.json")
	is.NoErr(err)
	is.True(len(files) > 50)
	plain := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		kind, _, _ := strings.Cut(name, ".v")
		if !inPlainFeed(kind) {
			continue
		}
		plain++
		data, err := os.ReadFile(file)
		is.NoErr(err)
		var fields map[string]json.RawMessage
		is.NoErr(json.Unmarshal(data, &fields))
		for _, secret := range []string{"environment", "commands", "process_types", "var"} {
			if _, there := fields[secret]; there {
				t.Errorf("%s has %s", name, secret)
			}
		}
		if _, there := fields["command"]; there && kind != "command.rejected" { // whose command is an id
			t.Errorf("%s has a command", name)
		}
	}
	is.True(plain > 20)
}

func inPlainFeed(kind string) bool {
	for _, subject := range plainFeed {
		if prefix, all := strings.CutSuffix(subject, ">"); subject == kind || all && strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// TestVouched holds who the server's word is taken for.
func TestVouched(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	ann, err := r.Vouched("ann")
	is.NoErr(err)
	is.Equal(ann.Actor(), events.Actor("user/ann"))
	is.Equal(ann.Grants[0].Role, SpaceDeveloper)
	ci, err := r.Vouched("ci")
	is.NoErr(err)
	is.Equal(ci.Actor(), events.Actor("client/ci"))
	r.edit(t, func(c *Config) { c.Users, c.Clients = c.Users[:1], c.Clients[:1] })
	for _, caller := range []string{"ann", "ci", "cf", "mallory", "", ServiceUser, ServiceFeedUser} {
		_, err := r.Vouched(caller)
		is.True(err != nil) // gone, public, unknown, or one of the parts, for which no account is made
	}
}

// TestProofs: a secret that was right is not hashed again, nor locked out by others' guesses; another password is.
func TestProofs(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	none := func() ([]Place, error) { return nil, nil }
	_, err := r.CheckNATS(t.Context(), "ann", annPassword, "192.0.2.1", none)
	is.NoErr(err)
	for range maxFailures {
		_, err := r.CheckNATS(t.Context(), "ann", "a guess", "192.0.2.1", none)
		is.True(err != nil)
	}
	_, err = r.CheckNATS(t.Context(), "ann", annPassword, "192.0.2.1", none)
	is.NoErr(err)
	r.edit(t, func(c *Config) {
		for i := range c.Users {
			if c.Users[i].Name == "ann" {
				c.Users[i].Password = c.Users[0].Password // the admin's
			}
		}
	})
	_, err = r.CheckNATS(t.Context(), "ann", annPassword, "192.0.2.2", none)
	is.True(err != nil) // it is not hers any more
	_, err = r.CheckNATS(t.Context(), "ann", adminPassword, "192.0.2.2", none)
	is.NoErr(err)
}
