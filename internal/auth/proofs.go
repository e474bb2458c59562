package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"

	"golang.org/x/sync/singleflight"
)

// maxProofs bounds memory: so many entries of 32 bytes. Beyond it all are forgotten and made again.
const maxProofs = 10_000

// proofs remembers which secrets were right. Connections come back all at once when a server has been away: each as slow as a
// login would be minutes of hashing, and many at once of one name would look like guessing. A secret stands there
// under a key that no other process has, together with its hash: with another password it is unknown.
type proofs struct {
	key     []byte
	flights singleflight.Group

	mu    sync.Mutex
	right map[counted]struct{}
}

func newProofs() *proofs {
	return &proofs{key: []byte(rand.Text()), right: map[counted]struct{}{}}
}

// check runs prove unless this secret of a name with this hash was right before. Who shows the same one from the same address at the
// same time waits for that outcome.
func (p *proofs) check(name, hash, secret, address string, prove func() error) error {
	proof := p.of(name, hash, secret)
	if p.has(proof) {
		return nil
	}
	flight := p.of(string(proof[:]), address)
	_, err, _ := p.flights.Do(string(flight[:]), func() (any, error) { return nil, prove() })
	if err == nil {
		p.add(proof)
	}
	return err
}

func (p *proofs) of(parts ...string) counted {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		mac.Write(sum[:])
	}
	return counted(mac.Sum(nil))
}

func (p *proofs) has(proof counted) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.right[proof]
	return ok
}

func (p *proofs) add(proof counted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= maxProofs {
		clear(p.right)
	}
	p.right[proof] = struct{}{}
}
