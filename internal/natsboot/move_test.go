package natsboot_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/auth"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// oldData fills a directory as a server without logins did.
func oldData(t *testing.T, dir string) {
	t.Helper()
	is := is.New(t)
	s, err := natsboot.Start(t.Context(), natsboot.Config{StoreDir: dir, Unguarded: true}, natstest.Quiet())
	is.NoErr(err)
	nc, err := s.Connect("test", natstest.Quiet())
	is.NoErr(err)
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{}))
	js, err := jetstream.New(nc)
	is.NoErr(err)
	for _, subject := range []string{"events.app.a", "rollouts.acme.prod.app.app.created", "commands.app.create"} {
		_, err = js.Publish(t.Context(), subject, []byte("old"))
		is.NoErr(err)
	}
	commands, err := js.Stream(t.Context(), streams.Commands)
	is.NoErr(err)
	_, err = commands.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "door", AckPolicy: jetstream.AckExplicitPolicy})
	is.NoErr(err)
	kv, err := js.KeyValue(t.Context(), streams.Checkpoints)
	is.NoErr(err)
	_, err = kv.Put(t.Context(), "feed", []byte("1"))
	is.NoErr(err)
	nc.Close()
	is.NoErr(s.Shutdown())
}

// opened starts a server with logins over a directory, and gives what Slipway's parts see.
func opened(t *testing.T, dir string, logins *auth.Authority, secret string) (jetstream.JetStream, func()) {
	t.Helper()
	is := is.New(t)
	s, err := natsboot.Start(t.Context(), natsboot.Config{StoreDir: dir, Logins: logins}, natstest.Quiet())
	is.NoErr(err)
	nc, err := s.Connect("test", natstest.Quiet(), streams.Login(auth.ServiceUser, secret))
	is.NoErr(err)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	return js, func() {
		nc.Close()
		is.NoErr(s.Shutdown())
	}
}

func logins(t *testing.T) (*auth.Authority, string) {
	t.Helper()
	is := is.New(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return natstest.AdminPassword })
	is.NoErr(err)
	authority, err := auth.Open(dir, nil, natstest.Quiet())
	is.NoErr(err)
	secret, err := auth.ServiceSecret(dir)
	is.NoErr(err)
	return authority, secret
}

// TestDataOfBeforeLogins: streams, buckets and consumers of an older Slipway are there as they were, at every later start too.
func TestDataOfBeforeLogins(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	oldData(t, dir)
	authority, secret := logins(t)
	for range 2 {
		js, stop := opened(t, dir, authority, secret)
		for stream, subject := range map[string]string{
			streams.Events: "events.app.a", streams.Feed: "rollouts.acme.prod.app.app.created", streams.Commands: "commands.app.create",
		} {
			s, err := js.Stream(t.Context(), stream)
			is.NoErr(err)
			m, err := s.GetLastMsgForSubject(t.Context(), subject)
			is.NoErr(err)
			is.Equal(string(m.Data), "old")
		}
		_, err := js.Consumer(t.Context(), streams.Commands, "door")
		is.NoErr(err)
		kv, err := js.KeyValue(t.Context(), streams.Checkpoints)
		is.NoErr(err)
		entry, err := kv.Get(t.Context(), "feed")
		is.NoErr(err)
		is.Equal(string(entry.Value()), "1")
		stop()
	}
}

// TestMoveAfterAnInterruptedStart: a start that was killed before it had made a stream is no obstacle.
func TestMoveAfterAnInterruptedStart(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	oldData(t, dir)
	is.NoErr(os.MkdirAll(filepath.Join(dir, "jetstream", "SLIPWAY", "streams"), 0o700))
	authority, secret := logins(t)
	js, stop := opened(t, dir, authority, secret)
	defer stop()
	_, err := js.Stream(t.Context(), streams.Events)
	is.NoErr(err)
}

// TestTwoHistories: somebody has put an old history beside a newer one. Neither is touched.
func TestTwoHistories(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	oldData(t, dir)
	authority, secret := logins(t)
	_, stop := opened(t, dir, authority, secret)
	stop()
	oldData(t, dir)
	_, err := natsboot.Start(t.Context(), natsboot.Config{StoreDir: dir, Logins: authority}, natstest.Quiet())
	t.Log(err)
	is.True(errors.Is(err, natsboot.ErrTwoHistories))
	for _, account := range []string{"$G", "SLIPWAY"} {
		_, err := os.Stat(filepath.Join(dir, "jetstream", account, "streams", streams.Events))
		is.NoErr(err)
	}
}

// TestNobodyToAsk: a server that would be open does not start.
func TestNobodyToAsk(t *testing.T) {
	is := is.New(t)
	_, err := natsboot.Start(t.Context(), natsboot.Config{StoreDir: t.TempDir()}, natstest.Quiet())
	is.True(errors.Is(err, natsboot.ErrOpen))
	authority, _ := logins(t)
	for name, text := range map[string]string{
		"accounts": "accounts { A { users: [ { user: a, password: b } ] } }",
		"a guest":  "no_auth_user: guest\nauthorization { users: [ { user: guest, password: b } ] }",
		"callout":  "authorization { users: [ { user: a, password: b } ], auth_callout { issuer: ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA, auth_users: [ a ] } }",
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			file := filepath.Join(t.TempDir(), "nats.conf")
			is.NoErr(os.WriteFile(file, []byte("listen: 127.0.0.1:-1\n"+text+"\n"), 0o600))
			_, err := natsboot.Start(t.Context(), natsboot.Config{File: file, StoreDir: t.TempDir(), Logins: authority}, natstest.Quiet())
			is.True(errors.Is(err, natsboot.ErrForeignAccounts))
		})
	}
}
