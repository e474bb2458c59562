package auth

import (
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// directory is a configuration ready to be asked. It never changes.
type directory struct {
	issuer  string
	users   map[string]User // by name
	guids   map[string]User
	clients map[string]Client
	callers map[string]Identity // by [events.FeedToken] of their names: who the NATS server can vouch for
	keys    map[string]*rsa.PrivateKey
	active  string            // the kid of the key to sign with
	service [sha256.Size]byte // of the secret of Slipway's own parts
	access  map[string]signer // by id of the access key
	cost    int               // the highest of all hashes
}

// load reads everything in dir.
func load(dir string) (*directory, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	d := &directory{
		issuer: c.Issuer, users: map[string]User{}, guids: map[string]User{}, clients: map[string]Client{},
		callers: callersOf(c), keys: map[string]*rsa.PrivateKey{},
	}
	for _, k := range c.Keys {
		if d.keys[k.ID], err = loadKey(dir, k); err != nil {
			return nil, err
		}
		if k.Active {
			d.active = k.ID
		}
	}
	if d.access, err = loadAccessKeys(dir, c.Users); err != nil {
		return nil, err
	}
	for _, u := range c.Users {
		d.users[u.Name], d.guids[u.GUID] = u, u
		d.seeCost(u.Password)
	}
	for _, client := range c.Clients {
		d.clients[client.ID] = client
		d.seeCost(client.Secret)
	}
	d.cost = cmp.Or(d.cost, hashCost)
	decoy(d.cost) // now: the first who is unknown must not wait for it
	secret, err := ServiceSecret(dir)
	if err != nil {
		return nil, err
	}
	d.service = sha256.Sum256([]byte(secret))
	d.clients[ServiceUser] = Client{ID: ServiceUser, Secret: serviceFile, Rights: Rights{Admin: true}}
	return d, nil
}

func (d *directory) seeCost(hash string) {
	if cost, err := bcrypt.Cost([]byte(hash)); err == nil {
		d.cost = max(d.cost, cost)
	}
}

// ServiceSecret is what Slipway's own parts show to NATS, beside [ServiceUser].
func ServiceSecret(dir string) (string, error) {
	data, err := readSecret(filepath.Join(dir, serviceFile), maxKeyBytes)
	if err != nil {
		return "", fmt.Errorf("the secret of Slipway's own parts: %w", err)
	}
	secret := strings.TrimSpace(string(data))
	if len(secret) < MinSecret {
		return "", fmt.Errorf("the secret of Slipway's own parts in %s is too short", serviceFile)
	}
	return secret, nil
}

// retryLoad is the least time between two attempts to read a configuration that has faults.
const retryLoad = time.Second

// source is the configuration as it is now. It looks at the file at every call, which costs a microsecond; so no change is
// missed and nothing has to be told.
type source struct {
	dir    string
	now    func() time.Time
	logger *slog.Logger

	mu     sync.Mutex
	good   *directory
	seen   os.FileInfo // of the file that good was read from
	failed time.Time   // when reading last failed
	told   string      // the failure the log has
}

func openSource(dir string, now func() time.Time, logger *slog.Logger) (*source, error) {
	s := &source{dir: dir, now: now, logger: logger}
	seen, err := os.Stat(s.path())
	if err != nil {
		return nil, err
	}
	if s.good, err = load(dir); err != nil {
		return nil, err
	}
	s.seen = seen
	return s, nil
}

func (s *source) path() string { return filepath.Join(s.dir, FileName) }

// directory gives the newest configuration without faults.
func (s *source) directory() *directory {
	info, err := os.Stat(s.path())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && same(s.seen, info) || s.now().Before(s.failed.Add(retryLoad)) {
		return s.good
	}
	var fresh *directory
	if err == nil {
		fresh, err = load(s.dir)
	}
	if err != nil {
		s.tell(err)
		return s.good
	}
	s.good, s.seen, s.failed, s.told = fresh, info, time.Time{}, ""
	s.logger.Info("who may log in has changed", slog.Int("users", len(fresh.guids)), slog.Int("clients", len(fresh.clients)),
		slog.String("kid", fresh.active))
	return s.good
}

// tell logs a failure once.
func (s *source) tell(err error) {
	s.failed = s.now()
	if text := err.Error(); text != s.told {
		s.told = text
		s.logger.Error("who may log in cannot be read: what was read before stays in force", slog.Any("err", err))
	}
}

// same says whether two looks at a file saw the same content: it is always replaced, not written into; an editor that writes
// into it moves its time.
func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
