package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"slipway/events"
)

const (
	keyBits     = 2048     // what RS256 is used with everywhere; a signature takes a millisecond
	maxKeyBytes = 32 << 10 // of a key file
	keyPrefix   = "key-"
	keySuffix   = ".pem"
)

// newKey makes a key with its file. The configuration that names it is written afterwards.
func newKey(dir string) (Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Key{}, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("make a signing key: %w", err)
	}
	k := Key{ID: events.NewID(), Active: true}
	k.File = keyPrefix + k.ID + keySuffix
	if err := writeSecret(filepath.Join(dir, k.File), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return Key{}, fmt.Errorf("write a signing key: %w", err)
	}
	return k, nil
}

// loadKey reads the private key of k.
func loadKey(dir string, k Key) (*rsa.PrivateKey, error) {
	data, err := readSecret(filepath.Join(dir, k.File), maxKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("signing key %s: %s is no PEM file", k.ID, k.File)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, errors.New("not a private key in PKCS #8 form")) // err could quote it
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < keyBits {
		return nil, fmt.Errorf("signing key %s: want RSA with at least %d bits", k.ID, keyBits)
	}
	return private, nil
}

// sweep removes what nobody needs any more: keys that c does not name, and halves of files that a crash left. Only who has
// the lock may call it.
func sweep(dir string, c Config) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		name := e.Name()
		temp, _ := filepath.Match("*.tmp", name)
		key, _ := filepath.Match(keyPrefix+"*"+keySuffix, name)
		used := slices.ContainsFunc(c.Keys, func(k Key) bool { return k.File == name })
		if temp || key && !used {
			failed = append(failed, os.Remove(filepath.Join(dir, name)))
		}
	}
	return errors.Join(failed...)
}
