package auth

import (
	"errors"
	"testing"

	"github.com/matryer/is"
)

// TestVerifyClient: a client's own secret lets it in, and nobody else's.
func TestVerifyClient(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	i, err := r.VerifyClient(t.Context(), "ci", ciSecret, "10.0.0.1")
	is.NoErr(err)
	is.Equal(string(i.Actor()), "client/ci")
	is.True(len(i.Grants) == 1) // with its rights
	r.edit(t, func(c *Config) { c.Clients = append(c.Clients, Client{ID: "web"}) })
	for name, given := range map[string][2]string{
		"a wrong secret": {"ci", "guess"}, "nobody": {"nobody", ciSecret}, "a user": {"ann", annPassword}, "a public client": {"cf", ""},
		"one without a secret": {"web", ""}, "Slipway's own": {ServiceUser, "guess"}, "nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := r.VerifyClient(t.Context(), given[0], given[1], "10.0.0.1")
			is.True(errors.Is(err, ErrBadToken))
		})
	}
	secret, err := ServiceSecret(r.dir)
	is.NoErr(err)
	_, err = r.VerifyClient(t.Context(), ServiceUser, secret, "10.0.0.1")
	is.True(errors.Is(err, ErrBadToken)) // it has other ways
	for range 2 * maxFailuresPerAddress {
		_, err = r.VerifyClient(t.Context(), "ci", "guess", "10.0.0.2")
		is.True(errors.Is(err, ErrBadToken))
	}
	is.True(errors.Is(err, errLocked)) // guessing is bounded
	_, err = r.VerifyClient(t.Context(), "ci", ciSecret, "10.0.0.1")
	is.NoErr(err) // and does not lock out who is known
}
