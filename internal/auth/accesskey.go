package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/internal/auth/sigv4"
)

// AWS's SDKs sign requests with the secret of an access key (docs/adr/0015). To verify that, the secret itself is needed: it is
// kept encrypted, under a key in a file of its own, so that the configuration alone still holds nothing that could be used.

// AdminAccessKeyEnv names the variable of the environment with an access key of the admin's, as "ID:SECRET".
const AdminAccessKeyEnv = "SLIPWAY_ADMIN_ACCESS_KEY"

// signedService is what requests must be signed for.
const signedService = "appconfig"

const (
	accessFile       = "access.key" // what secrets of access keys are encrypted under
	accessKeyBytes   = 32           // AES-256
	maxAccessKeys    = 5            // of a user: enough for a change of keys on several machines
	maxAccessSecret  = 128          // bytes; AWS's have 40
	accessIDPrefix   = "SLIP"
	accessIDLength   = 20 // as AWS's
	accessSecretSize = 40 // as AWS's: 200 bits
)

var validAccessID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// AccessKey is one of the keys that a user signs requests with. It acts with all rights that the user has.
type AccessKey struct {
	ID      string    `json:"id"`
	Secret  string    `json:"secret"` // encrypted
	Created time.Time `json:"created,omitzero"`
	Given   bool      `json:"given,omitempty"` // by the environment; the next one that is given replaces it
}

// Credentials are an access key as its user needs it.
type Credentials struct{ ID, Secret string }

func newCredentials() Credentials {
	return Credentials{accessIDPrefix + rand.Text()[:accessIDLength-len(accessIDPrefix)], (rand.Text() + rand.Text())[:accessSecretSize]}
}

// ParseCredentials reads "ID:SECRET".
func ParseCredentials(text string) (Credentials, error) {
	id, secret, ok := strings.Cut(text, ":")
	switch {
	case !ok || !validAccessID.MatchString(id):
		return Credentials{}, errors.New("want ID:SECRET, and the ID of letters, digits, '_' and '-'")
	case len(secret) < MinSecret || len(secret) > maxAccessSecret || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Credentials{}, fmt.Errorf("want a secret of %d to %d ASCII characters without blanks", MinSecret, maxAccessSecret)
	}
	return Credentials{id, secret}, nil
}

// sealer encrypts the secrets of access keys.
type sealer struct{ aead cipher.AEAD }

// openSealer reads the key that secrets are encrypted under.
func openSealer(dir string) (sealer, error) {
	text, err := readSecret(filepath.Join(dir, accessFile), maxKeyBytes)
	if err != nil {
		return sealer{}, fmt.Errorf("the key of access keys: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != accessKeyBytes {
		return sealer{}, fmt.Errorf("the key of access keys: %s does not hold %d bytes in base64", accessFile, accessKeyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("the key of access keys: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

// makeSealer is openSealer for a directory that may have no such key yet. made says that it had none.
func makeSealer(dir string) (s sealer, made bool, err error) {
	path := filepath.Join(dir, accessFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, accessKeyBytes)
		_, _ = rand.Read(key) // it never fails
		if err := writeSecret(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
			return sealer{}, false, err
		}
		made = true
	} else if err != nil {
		return sealer{}, false, err
	}
	s, err = openSealer(dir)
	return s, made, err
}

// seal makes what is kept of an access key. The id is authenticated with it: a secret cannot be moved to another id.
func (s sealer) seal(c Credentials, now time.Time) AccessKey {
	sealed := s.aead.Seal(nil, nil, []byte(c.Secret), []byte(c.ID))
	return AccessKey{ID: c.ID, Secret: base64.StdEncoding.EncodeToString(sealed), Created: now.UTC().Truncate(time.Second)}
}

func (s sealer) open(k AccessKey) (secret string, err error) {
	sealed, err := base64.StdEncoding.DecodeString(k.Secret)
	if err == nil {
		var plain []byte
		plain, err = s.aead.Open(nil, nil, sealed, []byte(k.ID))
		secret = string(plain)
	}
	if err != nil {
		return "", fmt.Errorf("access key %s: its secret was not encrypted with %s; make a new one with: slipway auth add-key", k.ID, accessFile)
	}
	return secret, nil
}

// signer is who signs with an access key.
type signer struct{ secret, guid string }

// loadAccessKeys decrypts the access keys of all users, by id.
func loadAccessKeys(dir string, users []User) (map[string]signer, error) {
	if !slices.ContainsFunc(users, func(u User) bool { return len(u.AccessKeys) > 0 }) {
		return nil, nil
	}
	s, err := openSealer(dir)
	if err != nil {
		return nil, err
	}
	signers := map[string]signer{}
	for _, u := range users {
		for _, k := range u.AccessKeys {
			secret, err := s.open(k)
			if err != nil {
				return nil, err
			}
			signers[k.ID] = signer{secret, u.GUID}
		}
	}
	return signers, nil
}

// VerifySigned says who signed a request with this body. Errors are *sigv4.Fault, whose text is for whoever sent it.
func (a *Authority) VerifySigned(ctx context.Context, r *http.Request, body []byte) (Identity, error) {
	d := a.source.directory()
	id, err := sigv4.Check(r, body, signedService, a.now(), func(id string) (string, bool) {
		s, known := d.access[id]
		return s.secret, known
	})
	if err != nil {
		a.logger.LogAttrs(ctx, slog.LevelDebug, "signature refused", slog.Any("err", err))
		return Identity{}, err
	}
	u := d.guids[d.access[id].guid]
	return Identity{UserID: u.GUID, UserName: u.Name, Scopes: u.scopes(), Grants: u.Roles, Automation: u.Automation}, nil
}

func (v *faults) accessKeys(at string, keys []AccessKey, taken map[string]string) {
	if len(keys) > maxAccessKeys {
		v.add("%s: access_keys: a user can have at most %d", at, maxAccessKeys)
	}
	for i, k := range keys {
		switch here := fmt.Sprintf("%s: access_keys[%d]", at, i); {
		case !validAccessID.MatchString(k.ID):
			v.add("%s: id: want 1 to 128 letters, digits, '_' or '-'", here)
		case taken[k.ID] != "":
			v.add("%s: id: taken by %s", here, taken[k.ID])
		default:
			taken[k.ID] = at
		}
	}
}
