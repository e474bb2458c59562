package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"slipway/events"
)

// The files of a directory that auth works on.
const (
	FileName    = "auth.json"
	serviceFile = "service.secret"
)

// AdminUser is who [Bootstrap] makes.
const AdminUser = "admin"

// AdminPasswordEnv names the variable of the environment with the admin's password.
const AdminPasswordEnv = "SLIPWAY_ADMIN_PASSWORD"

// PublicClient is the client that the cf CLI and go-cfclient log users in through.
const PublicClient = "cf"

// Bootstrap makes sure that dir holds what an [Authority] needs, and leaves alone what is there. On the first start it makes
// the user admin with a random password and returns that, so that it can be shown once: only its hash is kept. If the
// environment has [AdminPasswordEnv], that is the admin's password, now and at later starts.
func Bootstrap(dir string, getenv func(string) string) (password string, err error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return "", fmt.Errorf("prepare logins: %w", err)
	}
	err = exclusively(dir, func() error {
		password, err = bootstrap(dir, getenv(AdminPasswordEnv))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("prepare logins in %s: %w", dir, err)
	}
	return password, nil
}

func bootstrap(dir, given string) (shown string, err error) {
	if err := ensureServiceSecret(dir); err != nil {
		return "", err
	}
	c, err := readConfig(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return firstConfig(dir, given)
	}
	if err != nil || given == "" {
		return "", err
	}
	at := slices.IndexFunc(c.Users, func(u User) bool { return u.Name == AdminUser })
	if at >= 0 && matches(c.Users[at].Password, given) {
		return "", nil // the same hash: sessions go on
	}
	if at < 0 {
		at = len(c.Users)
		c.Users = append(c.Users, User{Name: AdminUser, GUID: events.NewID(), Rights: Rights{Admin: true}})
	}
	if c.Users[at].Password, err = Hash(given); err != nil {
		return "", fmt.Errorf("%s: %w", AdminPasswordEnv, err)
	}
	return "", writeConfig(dir, c)
}

// firstConfig writes the configuration last: while it is not there, the next start begins anew.
func firstConfig(dir, given string) (shown string, err error) {
	password := given
	if given == "" {
		password = RandomSecret()
		shown = password
	}
	hash, err := Hash(password)
	if err != nil {
		return "", fmt.Errorf("%s: %w", AdminPasswordEnv, err)
	}
	if err := sweep(dir, Config{}); err != nil {
		return "", err
	}
	key, err := newKey(dir)
	if err != nil {
		return "", err
	}
	return shown, writeConfig(dir, Config{
		Issuer:  "urn:slipway:" + events.NewID(),
		Keys:    []Key{key},
		Users:   []User{{Name: AdminUser, GUID: events.NewID(), Password: hash, Rights: Rights{Admin: true}}},
		Clients: []Client{{ID: PublicClient}},
	})
}

// ensureServiceSecret makes the secret that Slipway's own parts show to NATS.
func ensureServiceSecret(dir string) error {
	path := filepath.Join(dir, serviceFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeSecret(path, []byte(RandomSecret()+"\n"))
}

// AddUser adds a user, with a new guid where it has none. Its password is given as it is.
func AddUser(dir string, u User, password string) error {
	hash, err := Hash(password)
	if err != nil {
		return fmt.Errorf("add user %q: %w", u.Name, err)
	}
	u.Password = hash
	if u.GUID == "" {
		u.GUID = events.NewID()
	}
	err = edit(dir, func(c *Config) error {
		c.Users = append(c.Users, u)
		return nil
	})
	if err != nil {
		return fmt.Errorf("add user %q: %w", u.Name, err)
	}
	return nil
}

// AddClient adds a client that acts for itself. Its secret is given as it is.
func AddClient(dir string, c Client, secret string) error {
	hash, err := Hash(secret)
	if err == nil {
		c.Secret = hash
		err = edit(dir, func(all *Config) error {
			all.Clients = append(all.Clients, c)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("add client %q: %w", c.ID, err)
	}
	return nil
}

// RotateKey makes a new key the active one. The one before is believed until the last token it signed has ended, and then
// forgotten at a later call; with distrust, all before are forgotten at once and everybody has to log in again.
func RotateKey(dir string, now time.Time, distrust bool) (kid string, err error) {
	err = edit(dir, func(c *Config) error {
		key, err := newKey(dir)
		if err != nil {
			return err
		}
		kid = key.ID
		c.Keys = append(retire(c.Keys, now, distrust), key)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("rotate the signing key: %w", err)
	}
	return kid, nil
}

func retire(keys []Key, now time.Time, distrust bool) []Key {
	var kept []Key
	for _, k := range keys {
		if k.Active {
			k.Active, k.Retired = false, now.UTC().Truncate(time.Second)
		}
		if !distrust && now.Before(k.Retired.Add(RefreshLifetime+leeway)) {
			kept = append(kept, k)
		}
	}
	return kept
}

// edit changes the configuration. Files that it names no more are removed afterwards.
func edit(dir string, change func(*Config) error) error {
	return exclusively(dir, func() error {
		c, err := readConfig(dir)
		if err != nil {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		if err := writeConfig(dir, c); err != nil {
			return err
		}
		return sweep(dir, c)
	})
}

func readConfig(dir string) (Config, error) {
	path := filepath.Join(dir, FileName)
	data, err := readSecret(path, maxConfigBytes)
	if err != nil {
		return Config{}, err
	}
	c, err := DecodeConfig(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func writeConfig(dir string, c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return writeSecret(filepath.Join(dir, FileName), append(data, '\n'))
}
