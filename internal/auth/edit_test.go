package auth

import (
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
)

func keyFiles(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, keyPrefix+"*"+keySuffix))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func open(t testing.TB, dir string) *Authority {
	t.Helper()
	a, err := Open(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFirstStart(t *testing.T) {
	is := is.New(t)
	dir := filepath.Join(t.TempDir(), "new", "auth")
	password, err := Bootstrap(dir, environment(""))
	is.NoErr(err)
	is.True(len(password) >= 26)
	a := open(t, dir)
	u, err := a.user(t.Context(), AdminUser, password, "x")
	is.NoErr(err)
	is.True(u.Admin)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		is.NoErr(err)
		info, err := e.Info()
		is.NoErr(err)
		is.Equal(info.Mode().Perm()&0o077, fs.FileMode(0)) // nobody else may read any of it
		if !e.IsDir() {
			data, err := os.ReadFile(path)
			is.NoErr(err)
			is.True(!strings.Contains(string(data), password)) // its hash is all that is kept
		}
		return nil
	})
	is.NoErr(err)

	again, err := Bootstrap(dir, environment(""))
	is.NoErr(err)
	is.Equal(again, "") // shown once
	_, err = open(t, dir).user(t.Context(), AdminUser, password, "x")
	is.NoErr(err)
}

func TestTheAdminsPasswordFromTheEnvironment(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	shown, err := Bootstrap(dir, environment("first one"))
	is.NoErr(err)
	is.Equal(shown, "") // who set it knows it
	before, err := readConfig(dir)
	is.NoErr(err)
	_, err = Bootstrap(dir, environment("first one"))
	is.NoErr(err)
	same, err := readConfig(dir)
	is.NoErr(err)
	is.Equal(same, before) // sessions go on
	_, err = Bootstrap(dir, environment("second one"))
	is.NoErr(err)
	after, err := readConfig(dir)
	is.NoErr(err)
	is.True(matches(after.Users[0].Password, "second one"))
	is.Equal(after.Users[0].GUID, before.Users[0].GUID) // the same person
	_, err = Bootstrap(dir, environment("short"))
	is.True(err != nil)
	is.True(!strings.Contains(err.Error(), "short"+"\"")) // the error does not quote it

	is.NoErr(edit(dir, func(c *Config) error {
		c.Users = nil
		return nil
	}))
	_, err = Bootstrap(dir, environment("third one"))
	is.NoErr(err)
	_, err = open(t, dir).user(t.Context(), AdminUser, "third one", "x")
	is.NoErr(err) // who names its password wants an admin
}

// TestManyFirstStartsAtOnce: one of them makes everything and knows the password; all work with the same.
func TestManyFirstStartsAtOnce(t *testing.T) {
	is := is.New(t)
	dir := filepath.Join(t.TempDir(), "auth")
	passwords := make(chan string, 8)
	var wg sync.WaitGroup
	for range cap(passwords) {
		wg.Go(func() {
			password, err := Bootstrap(dir, environment(""))
			if err != nil {
				t.Error(err)
			}
			passwords <- password
		})
	}
	wg.Wait()
	close(passwords)
	var shown []string
	for p := range passwords {
		if p != "" {
			shown = append(shown, p)
		}
	}
	is.Equal(len(shown), 1)
	_, err := open(t, dir).user(t.Context(), AdminUser, shown[0], "x")
	is.NoErr(err)
	is.Equal(len(keyFiles(t, dir)), 1)
}

// TestEditsAtOnce loses none.
func TestEditsAtOnce(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	_, err := Bootstrap(dir, environment(adminPassword))
	is.NoErr(err)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		wg.Go(func() {
			if err := AddUser(dir, User{Name: name}, "some password"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c, err := readConfig(dir)
	is.NoErr(err)
	is.Equal(len(c.Users), 7)
}

// crashDir tells the test below to be the process that is killed.
const crashDir = "SLIPWAY_TEST_CRASH_DIR"

// TestKilledWhileWriting kills processes that start for the first time and rotate keys. Whatever they leave, the next start
// works with it and nothing is lost that was there.
func TestKilledWhileWriting(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		for {
			if _, err := Bootstrap(dir, environment("")); err != nil {
				t.Fatal(err)
			}
			if _, err := RotateKey(dir, time.Now(), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	is := is.New(t)
	dir := t.TempDir()
	var issuer string
	for i := range 12 {
		victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileWriting$")
		victim.Env = append(os.Environ(), crashDir+"="+dir)
		is.NoErr(victim.Start())
		timer := time.AfterFunc(time.Duration(i*17)*time.Millisecond, func() { _ = victim.Process.Kill() })
		is.True(victim.Wait() != nil) // killed
		timer.Stop()
		_, err := Bootstrap(dir, environment(""))
		is.NoErr(err)
		open(t, dir) // everything that the configuration names is there
		c, err := readConfig(dir)
		is.NoErr(err)
		if issuer != "" {
			is.Equal(c.Issuer, issuer) // the configuration of before is still the one
		}
		issuer = c.Issuer
	}
	_, err := RotateKey(dir, time.Now(), true)
	is.NoErr(err)
	left, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	is.NoErr(err)
	is.Equal(len(left), 0)             // halves are swept away
	is.Equal(len(keyFiles(t, dir)), 1) // and keys that never came to be
}

func TestAddUserRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Bootstrap(dir, environment(adminPassword)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		user     User
		password string
	}{
		"a name that is taken":  {User{Name: AdminUser}, "long enough"},
		"a client's name":       {User{Name: PublicClient}, "long enough"},
		"Slipway's own":         {User{Name: ServiceUser}, "long enough"},
		"Slipway's feed's":      {User{Name: ServiceFeedUser}, "long enough"},
		"no name":               {User{}, "long enough"},
		"a short password":      {User{Name: "bob"}, "short"},
		"too long a password":   {User{Name: "bob"}, strings.Repeat("x", MaxSecret+1)},
		"an unknown role":       {User{Name: "bob", Rights: Rights{Roles: []Grant{{Role: "king", Space: "*"}}}}, "long enough"},
		"a role without place":  {User{Name: "bob", Rights: Rights{Roles: []Grant{{Role: SpaceDeveloper}}}}, "long enough"},
		"a privilege by scope":  {User{Name: "bob", Rights: Rights{Scopes: Scopes{ScopeAdmin}}}, "long enough"},
		"a guid with a dot":     {User{Name: "bob", GUID: "a.b"}, "long enough"},
		"a name with a newline": {User{Name: "bob\nActor: updater"}, "long enough"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			before, err := os.ReadFile(filepath.Join(dir, FileName))
			is.NoErr(err)
			is.True(AddUser(dir, tt.user, tt.password) != nil)
			after, err := os.ReadFile(filepath.Join(dir, FileName))
			is.NoErr(err)
			is.Equal(string(after), string(before)) // nothing is left behind
		})
	}
}
