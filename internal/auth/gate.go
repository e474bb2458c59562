package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// Limits of failed logins.
const (
	// maxFailures is how often a name may fail from one address within failureWindow before it is locked for that address.
	maxFailures = 5
	// maxFailuresPerAddress is the same for all names together: a list of names with one password each.
	maxFailuresPerAddress = 100
	failureWindow         = 5 * time.Minute
	// maxTracked bounds memory: so many counters of 40 bytes, twice.
	maxTracked = 20_000
	// hashPatience is how long a login waits for its turn.
	hashPatience = 10 * time.Second
)

var (
	errCredentials = errors.New("wrong name or secret")
	errLocked      = errors.New("too many failed logins")
	errBusy        = errors.New("too many logins at once")
)

// gate slows guessing down.
type gate struct {
	now     func() time.Time
	hashing chan struct{}

	mu           sync.Mutex
	began        time.Time // of the window that recent counts in
	recent, past map[counted]int
}

// counted is what failures are counted for: a hash, so that long names take no more room than short ones.
type counted [sha256.Size]byte

func newGate(now func() time.Time) *gate {
	return &gate{now: now, hashing: make(chan struct{}, hashingAtOnce()), began: now(), recent: map[counted]int{}, past: map[counted]int{}}
}

// pass runs check, which takes the time of a hash, if there were not too many failures of this name from this address.
// An attempt counts as failed until it has succeeded: many at once are no way around.
func (g *gate) pass(ctx context.Context, name, address string, check func() bool) error {
	both, each := counted(sha256.Sum256([]byte(address+"\x00"+name))), counted(sha256.Sum256([]byte(address)))
	if !g.attempt(both, each) {
		return errLocked
	}
	ok, err := g.inTurn(ctx, check)
	if err != nil || ok {
		g.forgive(both, each, ok)
		return err
	}
	return errCredentials
}

func (g *gate) inTurn(ctx context.Context, check func() bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case g.hashing <- struct{}{}:
		defer func() { <-g.hashing }()
		return check(), nil
	case <-ctx.Done():
		return false, errBusy
	}
}

// attempt counts one, unless there were too many.
func (g *gate) attempt(both, each counted) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.now(); now.Sub(g.began) >= failureWindow || len(g.recent) >= maxTracked {
		if now.Sub(g.began) >= 2*failureWindow {
			g.recent = map[counted]int{}
		}
		g.past, g.recent, g.began = g.recent, map[counted]int{}, now
	}
	if g.count(both) >= maxFailures || g.count(each) >= maxFailuresPerAddress {
		return false
	}
	g.recent[both]++
	g.recent[each]++
	return true
}

func (g *gate) count(c counted) int { return g.recent[c] + g.past[c] }

// forgive takes an attempt back. One that succeeded clears its name.
func (g *gate) forgive(both, each counted, succeeded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if succeeded {
		delete(g.recent, both)
		delete(g.past, both)
	} else {
		g.less(both)
	}
	g.less(each)
}

func (g *gate) less(c counted) {
	for _, counts := range []map[counted]int{g.recent, g.past} {
		if counts[c] > 0 {
			if counts[c]--; counts[c] == 0 {
				delete(counts, c)
			}
			return
		}
	}
}

// user says who has a name and password.
func (a *Authority) user(ctx context.Context, name, password, address string) (User, error) {
	d := a.source.directory()
	u, known := d.users[name]
	if err := a.secret(ctx, d, "user "+name, u.Password, known, password, address); err != nil {
		return User{}, err
	}
	return u, nil
}

// client says who has an id and secret. A public one has none. Slipway's own tools log in with the secret of its parts.
func (a *Authority) client(ctx context.Context, id, secret, address string) (Client, error) {
	d := a.source.directory()
	c, known := d.clients[id]
	if id == ServiceUser {
		return c, d.checkService(secret)
	}
	if known && c.public() && secret == "" {
		return c, nil
	}
	if err := a.secret(ctx, d, "client "+id, c.Secret, known && !c.public(), secret, address); err != nil {
		return Client{}, err
	}
	return c, nil
}

// secret compares a secret with a hash, and for somebody unknown with a decoy, for the time it takes.
func (a *Authority) secret(ctx context.Context, d *directory, name, hash string, known bool, secret, address string) error {
	if !known {
		hash = decoy(d.cost)
	}
	return a.gate.pass(ctx, name, address, func() bool {
		return matches(hash, secret) && known
	})
}
