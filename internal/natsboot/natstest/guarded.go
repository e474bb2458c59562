package natstest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"

	"slipway/internal/auth"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/streams"
)

// Guarded is a server that asks who connects, as users have it.
type Guarded struct {
	*natsboot.Server
	AuthDir   string // with auth.json and the secret of Slipway's parts
	Secret    string // of the parts
	Authority *auth.Authority
}

// StartGuarded starts one, with these users and clients beside the admin, until the test ends. Passwords stand in them as they
// are typed. It has all streams; places are the spaces that there are.
func StartGuarded(tb testing.TB, users []auth.User, clients []auth.Client, places ...auth.Place) *Guarded {
	tb.Helper()
	g := &Guarded{AuthDir: filepath.Join(tb.TempDir(), "auth")}
	g.must(tb, second(auth.Bootstrap(g.AuthDir, func(string) string { return AdminPassword })))
	g.add(tb, users, clients)
	var err error
	g.Authority, err = auth.Open(g.AuthDir, nil, Quiet())
	g.must(tb, err)
	g.Secret, err = auth.ServiceSecret(g.AuthDir)
	g.must(tb, err)
	g.Server, err = natsboot.Start(tb.Context(), natsboot.Config{
		StoreDir: tb.TempDir(), Logins: g.Authority, Places: func(context.Context) ([]auth.Place, error) { return places, nil },
	}, Quiet())
	g.must(tb, err)
	tb.Cleanup(func() {
		if err := g.Shutdown(); err != nil {
			tb.Error(err)
		}
	})
	nc := g.As(tb, auth.ServiceUser, g.Secret)
	setUp(tb, nc, streams.Config{})
	g.must(tb, streams.SetupCopy(tb.Context(), nc, g.As(tb, auth.ServiceFeedUser, g.Secret)))
	return g
}

// AdminPassword is the admin's on a guarded server.
const AdminPassword = "correct horse"

// cheapHashes are bcrypt's of passwords in tests, at the least cost: with the race detector the usual one takes seconds.
var cheapHashes = map[string]string{
	"correct horse":  "$2a$04$5B2lIXpC5B1x2Mf47uoDG.4LMH4VDzPh8PpdamabeXNYq1W1UNUN2",
	"battery staple": "$2a$04$U0vEyRSkIVfPgr5I6bU52uNwT7dE5yL3K7V3rlzXdKmXITlDRB/le",
	"ci secret/+%":   "$2a$04$bt5F9uA3vyTbBzoo9JOyKetT/CYsUdB/.kthZGQMK3N4DzhTBriqC",
}

func second[T any](_ T, err error) error { return err }

func (g *Guarded) must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Edit changes who may log in, as an operator would with an editor.
func (g *Guarded) Edit(tb testing.TB, change func(*auth.Config)) {
	tb.Helper()
	file := filepath.Join(g.AuthDir, auth.FileName)
	data, err := os.ReadFile(file)
	g.must(tb, err)
	config, err := auth.DecodeConfig(data)
	g.must(tb, err)
	change(&config)
	data, err = json.Marshal(config)
	g.must(tb, err)
	g.must(tb, os.WriteFile(file+".new", data, 0o600))
	g.must(tb, os.Rename(file+".new", file))
}

func (g *Guarded) add(tb testing.TB, users []auth.User, clients []auth.Client) {
	tb.Helper()
	hash := func(secret string) string {
		if cheap, ok := cheapHashes[secret]; ok || secret == "" {
			return cheap
		}
		hash, err := auth.Hash(secret)
		g.must(tb, err)
		return hash
	}
	g.Edit(tb, func(c *auth.Config) {
		c.Users[0].Password = hash(AdminPassword)
		for _, u := range users {
			u.Password = hash(u.Password)
			c.Users = append(c.Users, u)
		}
		for _, client := range clients {
			client.Secret = hash(client.Secret)
			c.Clients = append(c.Clients, client)
		}
	})
}

// Dial connects over TCP, as anybody does.
func (g *Guarded) Dial(user, secret string, extra ...nats.Option) (*nats.Conn, error) {
	opts := []nats.Option{
		streams.Login(user, secret), nats.Timeout(startTimeout), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}
	return nats.Connect(g.ClientURL(), append(opts, extra...)...)
}

// As is a connection of somebody's, until the test ends.
func (g *Guarded) As(tb testing.TB, user, secret string) *nats.Conn {
	tb.Helper()
	nc, err := g.Dial(user, secret)
	g.must(tb, err)
	tb.Cleanup(nc.Close)
	return nc
}
