package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/crypto/bcrypt"
)

// TestGuessingLocks: after some failures even the right password does not help, for this name and this address.
func TestGuessingLocks(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	for range maxFailures {
		is.Equal(r.post(t, "cf:", passwordForm("ann", "wrong wrong")).Text, "Bad credentials")
	}
	a := r.post(t, "cf:", passwordForm("ann", annPassword))
	is.Equal(a.Status, http.StatusUnauthorized)
	is.Equal(a.Text, "Your account has been locked because of too many failed attempts to login.") // which the cf CLI knows
	is.Equal(a.header.Get("Retry-After"), "300")
	r.loggedIn(t, AdminUser, adminPassword) // others may
	_, err := r.user(t.Context(), "ann", annPassword, "10.0.0.1")
	is.NoErr(err) // and ann from elsewhere
	is.True(strings.Contains(r.log.String(), "too many failed logins"))
	is.True(!strings.Contains(r.log.String(), "ann")) // what was typed as a name may be a password

	r.pass(2 * failureWindow)
	r.loggedIn(t, "ann", annPassword) // it passes
}

func TestGuessingLocksTheUnknownToo(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	for range maxFailures {
		is.Equal(r.post(t, "cf:", passwordForm("nobody", "wrong wrong")).Text, "Bad credentials")
	}
	is.Equal(r.post(t, "cf:", passwordForm("nobody", "wrong wrong")).Text, locked.Text) // a lock says nothing of who there is
}

func TestGuessingAClientsSecretLocks(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	form := url.Values{"grant_type": {"client_credentials"}}
	for range maxFailures {
		is.Equal(r.post(t, "ci:wrong", form).Error, "invalid_client")
	}
	is.Equal(r.post(t, "ci:"+url.QueryEscape(ciSecret), form).Text, locked.Text)
}

func TestManyNamesFromOneAddress(t *testing.T) {
	is := is.New(t)
	now := time.Now()
	g := newGate(func() time.Time { return now })
	wrong := func() bool { return false }
	for n := range maxFailuresPerAddress {
		is.Equal(g.pass(t.Context(), fmt.Sprint(n), "a", wrong), errCredentials)
	}
	is.Equal(g.pass(t.Context(), "new", "a", wrong), errLocked)
	is.Equal(g.pass(t.Context(), "new", "b", wrong), errCredentials)
}

func TestASuccessClearsItsName(t *testing.T) {
	is := is.New(t)
	now := time.Now()
	g := newGate(func() time.Time { return now })
	for range 10 * maxFailuresPerAddress {
		is.NoErr(g.pass(t.Context(), "ann", "a", func() bool { return true })) // who logs in well may do so often
	}
	is.Equal(len(g.recent)+len(g.past), 0)
	for range 3 {
		for range maxFailures - 1 {
			is.Equal(g.pass(t.Context(), "ann", "a", func() bool { return false }), errCredentials)
		}
		is.NoErr(g.pass(t.Context(), "ann", "a", func() bool { return true }))
	}
}

// TestGuessesAtOnce: many at the same time are no way around the count.
func TestGuessesAtOnce(t *testing.T) {
	is := is.New(t)
	g := newGate(time.Now)
	g.hashing = make(chan struct{}, 64)
	var checked atomic.Int32
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			err := g.pass(context.Background(), "ann", "a", func() bool {
				checked.Add(1)
				<-release
				return false
			})
			if err == nil {
				t.Error("a wrong guess passed")
			}
			if errors.Is(err, errLocked) {
				return
			}
		})
	}
	for checked.Load() < maxFailures {
		time.Sleep(time.Millisecond) // between two looks
	}
	close(release)
	wg.Wait()
	is.Equal(checked.Load(), int32(maxFailures))
}

func TestWaitingForATurnEnds(t *testing.T) {
	is := is.New(t)
	g := newGate(time.Now)
	g.hashing = make(chan struct{}, 1)
	g.hashing <- struct{}{} // somebody hashes for ever
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is.Equal(g.pass(ctx, "ann", "a", func() bool { return true }), errBusy)
	is.Equal(len(g.recent), 0) // it does not count as a failure
}

// TestMemoryIsBounded: however many names are tried from however many addresses.
func TestMemoryIsBounded(t *testing.T) {
	is := is.New(t)
	now := time.Now()
	g := newGate(func() time.Time { return now })
	for n := range 5 * maxTracked {
		_ = g.pass(t.Context(), fmt.Sprint(n), fmt.Sprint(n), func() bool { return false })
		if len(g.recent) > maxTracked+1 || len(g.past) > maxTracked+1 {
			t.Fatal(len(g.recent), len(g.past))
		}
	}
	is.True(len(g.recent) > 0)
}

// TestUnknownNamesCostTheSame: who is unknown is checked against a hash of the same cost.
func TestUnknownNamesCostTheSame(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	costly, err := bcrypt.GenerateFromPassword([]byte(annPassword), bcrypt.MinCost+2)
	is.NoErr(err)
	r.edit(t, func(c *Config) { c.Users[1].Password = string(costly) })
	d := r.source.directory()
	is.Equal(d.cost, bcrypt.MinCost+2)
	cost, err := bcrypt.Cost([]byte(decoy(d.cost)))
	is.NoErr(err)
	is.Equal(cost, d.cost)
	is.Equal(decoy(d.cost), decoy(d.cost)) // made once
	_, err = r.user(t.Context(), "nobody", annPassword, "a")
	is.Equal(err, errCredentials)
	_, err = r.client(t.Context(), "nobody", "", "a")
	is.Equal(err, errCredentials) // an unknown client is no public one
}

func TestHash(t *testing.T) {
	is := is.New(t)
	hash, err := Hash("a good one")
	is.NoErr(err)
	is.True(matches(hash, "a good one"))
	is.True(!matches(hash, "a good one "))
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 73)} {
		_, err := Hash(bad)
		is.True(err != nil)
	}
	long, err := Hash(strings.Repeat("x", MaxSecret))
	is.NoErr(err)
	is.True(!matches(long, strings.Repeat("x", MaxSecret+1))) // bcrypt alone would not see the difference
}
