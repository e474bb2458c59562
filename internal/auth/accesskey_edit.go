package auth

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// BootstrapAccessKey gives the admin an access key when a directory that [Bootstrap] has prepared has never had one, and returns
// it, so that it can be shown once. A start that is killed in the middle of that leaves the admin without: slipway auth add-key
// makes one. If the environment has [AdminAccessKeyEnv], that is the admin's, now and at later starts, and
// nothing is returned: it takes the place of one that was given so before.
func BootstrapAccessKey(dir string, now time.Time, getenv func(string) string) (shown Credentials, err error) {
	given := getenv(AdminAccessKeyEnv)
	err = exclusively(dir, func() error {
		if given != "" {
			return giveAccessKey(dir, now, given)
		}
		s, first, err := makeSealer(dir)
		if err != nil || !first {
			return err
		}
		shown = newCredentials()
		err = addAccessKey(dir, AdminUser, func(keys []AccessKey) []AccessKey { return append(keys, s.seal(shown, now)) })
		if errors.Is(err, errNoUser) { // somebody has removed the admin
			shown, err = Credentials{}, nil
		}
		return err
	})
	if err != nil {
		return Credentials{}, fmt.Errorf("prepare access keys in %s: %w", dir, err)
	}
	return shown, nil
}

func giveAccessKey(dir string, now time.Time, given string) error {
	c, err := ParseCredentials(given)
	if err != nil {
		return fmt.Errorf("%s: %w", AdminAccessKeyEnv, err)
	}
	s, _, err := makeSealer(dir)
	if err != nil {
		return err
	}
	return addAccessKey(dir, AdminUser, func(keys []AccessKey) []AccessKey {
		keys = slices.DeleteFunc(keys, func(k AccessKey) bool { return k.Given || k.ID == c.ID })
		key := s.seal(c, now)
		key.Given = true
		return append(keys, key)
	})
}

// AddAccessKey makes an access key for a user. With replace it is the only one from now on.
func AddAccessKey(dir, user string, now time.Time, replace bool) (c Credentials, err error) {
	err = exclusively(dir, func() error {
		s, _, err := makeSealer(dir)
		if err != nil {
			return err
		}
		c = newCredentials()
		return addAccessKey(dir, user, func(keys []AccessKey) []AccessKey {
			if replace {
				keys = nil
			}
			return append(keys, s.seal(c, now))
		})
	})
	if err != nil {
		return Credentials{}, fmt.Errorf("add an access key for user %q: %w", user, err)
	}
	return c, nil
}

// RemoveAccessKey forgets an access key.
func RemoveAccessKey(dir, id string) error {
	err := edit(dir, func(c *Config) error {
		for i, u := range c.Users {
			kept := slices.DeleteFunc(slices.Clone(u.AccessKeys), func(k AccessKey) bool { return k.ID == id })
			if len(kept) < len(u.AccessKeys) {
				c.Users[i].AccessKeys = kept
				return nil
			}
		}
		return errors.New("nobody has it")
	})
	if err != nil {
		return fmt.Errorf("remove access key %q: %w", id, err)
	}
	return nil
}

var errNoUser = errors.New("there is no such user")

// addAccessKey changes the keys of a user. Only who has the lock may call it.
func addAccessKey(dir, user string, change func([]AccessKey) []AccessKey) error {
	c, err := readConfig(dir)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(c.Users, func(u User) bool { return u.Name == user })
	if at < 0 {
		return fmt.Errorf("%w: %q", errNoUser, user)
	}
	c.Users[at].AccessKeys = change(c.Users[at].AccessKeys)
	return writeConfig(dir, c)
}
