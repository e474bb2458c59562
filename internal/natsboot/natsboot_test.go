package natsboot_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/auth"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

func TestDataOutlivesTheServer(t *testing.T) {
	is := is.New(t)
	cfg := natsboot.Config{Unguarded: true, StoreDir: t.TempDir(), SyncAlways: true}
	for round := range 3 {
		s, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
		is.NoErr(err)
		nc, err := s.Connect("test", natstest.Quiet())
		is.NoErr(err)
		is.NoErr(streams.Setup(t.Context(), nc, streams.Config{})) // again at every start
		js, err := jetstream.New(nc)
		is.NoErr(err)
		ack, err := js.Publish(t.Context(), "events.app.a", []byte("x"))
		is.NoErr(err)
		is.Equal(ack.Sequence, uint64(round+1))
		nc.Close()
		is.NoErr(s.Shutdown())
	}
}

func TestOneServerPerDirectory(t *testing.T) {
	is := is.New(t)
	cfg := natsboot.Config{StoreDir: t.TempDir(), Unguarded: true}
	first, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.NoErr(err)
	_, err = natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.True(errors.Is(err, natsboot.ErrInUse)) // the first is still at work
	is.NoErr(first.Shutdown())
	second, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.NoErr(err) // it let go of the directory
	is.NoErr(second.Shutdown())
}

func TestTakenPort(t *testing.T) {
	is := is.New(t)
	taken := natstest.Port(t, natstest.Start(t).ClientURL())
	cfg := natsboot.Config{Unguarded: true, StoreDir: t.TempDir(), Port: taken}
	_, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.True(err != nil) // at once, not after a time-out
	cfg.Port = natsboot.RandomPort
	s, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.NoErr(err) // the failed start let go of the directory
	is.NoErr(s.Shutdown())
}

func TestLoopbackOnly(t *testing.T) {
	for _, host := range []string{"0.0.0.0", "::", "192.0.2.1", "example.org"} {
		t.Run(host, func(t *testing.T) {
			_, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true, StoreDir: t.TempDir(), Host: host}, natstest.Quiet())
			is.New(t).True(errors.Is(err, natsboot.ErrNotLoopback))
		})
	}
	t.Run("monitoring in a file", func(t *testing.T) {
		is := is.New(t)
		file := filepath.Join(t.TempDir(), "nats.conf")
		is.NoErr(os.WriteFile(file, []byte("listen: 127.0.0.1:-1\nhttp: 0.0.0.0:8222\n"), 0o600))
		_, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true, StoreDir: t.TempDir(), File: file}, natstest.Quiet())
		is.True(errors.Is(err, natsboot.ErrNotLoopback))
	})
}

func TestNoDirectory(t *testing.T) {
	_, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true}, natstest.Quiet())
	is.New(t).True(err != nil) // the server would fall back to the system's temporary directory
}

// confPath is the configuration that users start nats-server with.
const confPath = "../../nats.conf"

func TestNatsConf(t *testing.T) {
	is := is.New(t)
	opts, err := server.ProcessConfigFile(confPath)
	is.NoErr(err)
	is.True(opts.SyncAlways)                // an acknowledged commit survives a power cut
	is.True(opts.JetStream)                 //
	is.Equal(opts.StoreDir, "./data/nats")  // never the system's temporary directory
	is.Equal(opts.Host, "127.0.0.1")        // no TLS yet
	is.Equal(opts.Port, 4222)               //
	is.Equal(opts.HTTPHost, "127.0.0.1")    //
	is.Equal(opts.MaxPayload, int32(1<<20)) // above events.MaxCommitBytes
}

func TestStartFromNatsConf(t *testing.T) {
	is := is.New(t)
	conf, err := os.ReadFile(confPath)
	is.NoErr(err)
	// The same file on other ports: the usual ones may be taken here.
	file := filepath.Join(t.TempDir(), "nats.conf")
	is.NoErr(os.WriteFile(file, append(conf, "\nhttp: 127.0.0.1:-1\n"...), 0o600))
	authority, secret := logins(t)
	cfg := natsboot.Config{Logins: authority, File: file, StoreDir: t.TempDir(), Port: natsboot.RandomPort}
	s, err := natsboot.Start(t.Context(), cfg, natstest.Quiet())
	is.NoErr(err)
	defer s.Shutdown()
	nc, err := streams.Connect(s.ClientURL(), "test", natstest.Quiet(), streams.Login(auth.ServiceUser, secret))
	is.NoErr(err)
	defer nc.Close()
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{}))
	_, err = streams.Connect(s.ClientURL(), "test", natstest.Quiet())
	is.True(errors.Is(err, streams.ErrRefused)) // nobody else
}

// TestAPlainServerWithNatsConf lets nobody in, rather than everybody.
func TestAPlainServerWithNatsConf(t *testing.T) {
	is := is.New(t)
	opts, err := server.ProcessConfigFile(confPath)
	is.NoErr(err)
	opts.Port, opts.HTTPPort, opts.StoreDir, opts.NoSigs, opts.NoLog = server.RANDOM_PORT, 0, t.TempDir(), true, true
	opts.AuthTimeout = patience.Seconds() // a busy machine is refused for that, too, but by another error
	opts.DisableShortFirstPing = true     // and is asked after before it is
	s, err := server.NewServer(opts)
	is.NoErr(err)
	s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	is.True(s.ReadyForConnections(patience))
	for _, user := range []string{"", "nobody", auth.AdminUser, auth.ServiceUser} {
		_, err := streams.Connect(s.ClientURL(), "test", natstest.Quiet(), streams.Login(user, ""), nats.Timeout(patience))
		is.True(errors.Is(err, streams.ErrRefused))
	}
}
