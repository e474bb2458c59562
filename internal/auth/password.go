package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// Limits of secrets.
const (
	// MinSecret is the least length of a new secret, in bytes.
	MinSecret = 8
	// MaxSecret is what bcrypt takes, in bytes. It would leave the rest of a longer one unread.
	MaxSecret = 72
)

// hashCost makes one check of a password take some 60 ms: 16 guesses a second and processor, if there were no lock.
var hashCost = bcrypt.DefaultCost // a variable for tests alone

// Hash makes what is kept of a secret.
func Hash(secret string) (string, error) {
	if len(secret) < MinSecret || len(secret) > MaxSecret {
		return "", fmt.Errorf("a secret must be %d to %d bytes long", MinSecret, MaxSecret)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), hashCost)
	if err != nil {
		return "", fmt.Errorf("hash a secret: %w", err)
	}
	return string(hash), nil
}

// RandomSecret makes a secret that nobody can guess: 130 bits in 26 letters and digits.
func RandomSecret() string { return rand.Text() }

func validHash(hash string) error {
	if _, err := bcrypt.Cost([]byte(hash)); err != nil {
		return errors.New("want a bcrypt hash")
	}
	return nil
}

// matches says whether secret is the one that hash was made of. It takes its time: see [hasher].
func matches(hash, secret string) bool {
	return len(secret) <= MaxSecret && bcrypt.CompareHashAndPassword([]byte(hash), []byte(secret)) == nil
}

// decoys are hashes of nothing that is known, by cost. Who claims to be somebody unknown is checked against one, so that it
// takes as long as for somebody known.
var decoys sync.Map

func decoy(cost int) string {
	if hash, ok := decoys.Load(cost); ok {
		return hash.(string)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(RandomSecret()), cost)
	if err != nil {
		panic(fmt.Sprintf("auth: %v", err)) // the cost is that of a valid hash
	}
	kept, _ := decoys.LoadOrStore(cost, string(hash))
	return kept.(string)
}

// hashingAtOnce bounds how many secrets are checked at a time, so that a flood of logins leaves the other half of the
// processors to rollouts.
func hashingAtOnce() int { return max(1, runtime.GOMAXPROCS(0)/2) }
