package auth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

const someHash = "$2a$04$Eh4Kcwo0vVlRjdvNgAxUguwZl3C.f0UXdGxLbrZ8mhVZ7PzNqQ4mS"

// TestAllFaultsTogether: who edits the file is told everything at once.
func TestAllFaultsTogether(t *testing.T) {
	is := is.New(t)
	_, err := DecodeConfig([]byte(`{
	  "issuer": " ",
	  "keys": [
	    {"kid": "a.b", "file": "../k", "active": true},
	    {"kid": "k", "file": "k", "active": true, "retired": "2026-01-01T00:00:00Z"},
	    {"kid": "k", "file": "k2"}
	  ],
	  "users": [
	    {"name": "ann", "guid": "1", "password": "secret"},
	    {"name": "ann", "guid": "1", "password": "` + someHash + `"},
	    {"name": " ", "guid": "", "password": "` + someHash + `", "scopes": ["cloud_controller.admin"],
	     "roles": [{"role": "org_manager", "space": "x"}, {"role": "space_auditor"}, {"role": "king"}]}
	  ],
	  "clients": [
	    {"id": "cf", "admin": true},
	    {"id": "ann", "secret": "x"},
	    {"id": "slipway"}
	  ]
	}`))
	is.True(err != nil)
	for _, want := range []string{
		"issuer: missing",
		`keys[0] ("a.b"): kid: want 1 to 64`, `keys[0] ("a.b"): file: want`,
		`keys[1] ("k"): want either active`, `keys[2] ("k"): kid: used twice`, `keys[2] ("k"): want either active`,
		"keys: 2 are active",
		`users[0] ("ann"): password: want a bcrypt hash`,
		`users[1] ("ann"): name: taken by users[0]`, `users[1] ("ann"): guid: taken by users[0]`,
		`users[2] (" "): name: want printable`, `users[2] (" "): guid: want 1`, `users[2] (" "): scopes: "cloud_controller.admin" is none of`,
		"roles[0]: org_manager needs an organization and no space", "roles[1]: space_auditor needs a space", `roles[2]: role: "king" is none of`,
		`clients[0] ("cf"): a client without a secret can have no rights`,
		`clients[1] ("ann"): id: taken by users[0]`, `clients[1] ("ann"): secret: want a bcrypt hash`,
		`clients[2] ("slipway"): id: taken by Slipway's own parts`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in:\n%v", want, err)
		}
	}
	is.True(!strings.Contains(err.Error(), "secret\"")) // what stands for a password is not quoted
}

func TestWhatIsNoConfiguration(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"noise":            "users: []",
		"a list":           "[]",
		"an unknown field": `{"issuer": "x", "user": []}`,
		"a misspelt right": `{"users": [{"name": "ann", "admin_readonly": true}]}`,
		"something after":  `{} {}`,
		"too large":        `{"issuer": "` + strings.Repeat("x", maxConfigBytes) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := DecodeConfig([]byte(text))
			is.True(err != nil)
		})
	}
}

// FuzzConfig: what is accepted is written and read again as the same.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"issuer":"x","keys":[{"kid":"k","file":"k","active":true}],"users":[{"name":"a","guid":"g","password":"` +
		someHash + `","admin":true,"roles":[{"role":"space_developer","space":"*"}]}],"clients":[{"id":"cf"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeConfig(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeConfig(again)
		if err != nil || !reflect.DeepEqual(normal(back), normal(c)) {
			t.Fatalf("%+v becomes %+v: %v", c, back, err)
		}
	})
}

// normal makes empty lists nil: JSON leaves them out.
func normal(c Config) Config {
	c.Users, c.Clients, c.Keys = append([]User(nil), c.Users...), append([]Client(nil), c.Clients...), append([]Key(nil), c.Keys...)
	for i := range c.Users {
		c.Users[i].Rights = normalRights(c.Users[i].Rights)
	}
	for i := range c.Clients {
		c.Clients[i].Rights = normalRights(c.Clients[i].Rights)
	}
	for i := range c.Keys {
		c.Keys[i].Retired = c.Keys[i].Retired.UTC()
	}
	return c
}

func normalRights(r Rights) Rights {
	r.Scopes, r.Roles = append(Scopes(nil), r.Scopes...), append([]Grant(nil), r.Roles...)
	return r
}

// TestAFaultyFileChangesNothing: the last good one stays in force, and the log says why, once.
func TestAFaultyFileChangesNothing(t *testing.T) {
	for name, breakIt := range map[string]func(t *testing.T, r *rig, path string) error{
		"noise": func(_ *testing.T, _ *rig, path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
		"gone":  func(_ *testing.T, _ *rig, path string) error { return os.Remove(path) },
		"too open": func(t *testing.T, r *rig, path string) error {
			if err := os.WriteFile(path, append(r.read(t, FileName), ' '), 0o600); err != nil {
				return err
			}
			return os.Chmod(path, 0o644)
		},
		"a key that is gone": func(t *testing.T, r *rig, path string) error {
			if err := os.Remove(keyFiles(t, r.dir)[0]); err != nil {
				return err
			}
			return os.WriteFile(path, append(r.read(t, FileName), ' '), 0o600)
		},
		"a key that is none": func(t *testing.T, r *rig, path string) error {
			if err := os.WriteFile(keyFiles(t, r.dir)[0], []byte("key"), 0o600); err != nil {
				return err
			}
			return os.WriteFile(path, append(r.read(t, FileName), ' '), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			token := r.loggedIn(t, "ann", annPassword).Access
			path := filepath.Join(r.dir, FileName)
			good := r.read(t, FileName)
			key, err := os.ReadFile(keyFiles(t, r.dir)[0])
			is.NoErr(err)
			keyFile := keyFiles(t, r.dir)[0]
			is.NoErr(breakIt(t, r, path))
			for range 3 {
				r.pass(2 * retryLoad)
				_, err := r.verify(t, token)
				is.NoErr(err)
			}
			is.Equal(strings.Count(r.log.String(), "level=ERROR"), 1) // told once
			_, err = Open(r.dir, nil, r.logger)
			is.True(err != nil) // but nobody starts with it

			is.NoErr(os.Chmod(r.dir, 0o700))
			is.NoErr(writeSecret(keyFile, key))
			is.NoErr(writeSecret(path, good))
			r.pass(2 * retryLoad)
			r.edit(t, func(c *Config) { c.Users = c.Users[:1] })
			_, err = r.verify(t, token)
			is.True(err != nil) // what is repaired counts
		})
	}
}

func TestKeysThatAreTooWeak(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	const ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"
	is.NoErr(os.WriteFile(filepath.Join(dir, "k"), []byte(ed25519), 0o600))
	_, err := loadKey(dir, Key{ID: "k", File: "k"})
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "want RSA with at least 2048 bits"))
}

func TestKeysKeepTheirMoment(t *testing.T) {
	is := is.New(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 5, time.FixedZone("x", 3600))
	kept := retire([]Key{{ID: "a", Active: true}, {ID: "b", Retired: now.Add(-RefreshLifetime - time.Hour)}}, now, false)
	is.Equal(kept, []Key{{ID: "a", Retired: now.UTC().Truncate(time.Second)}}) // what has ended is forgotten
}
