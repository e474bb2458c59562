// Package natsboot starts a NATS server inside this process: what `slipway serve` runs on, and tests.
//
// What it guarantees:
//
//  1. A server that a user starts has every write on disk before it acknowledges it, unless the caller says otherwise.
//  2. It listens on loopback only: there is no TLS yet, so passwords must not travel further.
//  3. Nobody talks to it unknown. Slipway's parts share an account with the streams. A user or client has an account of their
//     own: they reach the doors, under subjects that carry their name by the server's word; they hear and replay what they may
//     read of the feed; and they reach nothing else. Whose rights or password are gone is disconnected within seconds.
//  4. Data of the time before there were logins is taken over at the first start, whatever crashes when.
//  5. Two servers never work on the same directory: the second fails with [ErrInUse].
//  6. After Shutdown nothing of it runs any more and the directory may be used again.
//
// What it does not guarantee: that a connection hears of a space that its user may read since it logged in, before it connects
// again.
package natsboot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"slipway/internal/auth"
	"slipway/internal/natsboot/streams"
)

// RandomPort asks for any free port.
const RandomPort = server.RANDOM_PORT

// Limits of the embedded server; nats.conf says the same.
const (
	// maxPayload bounds one message. Commits stay below 768 KiB.
	maxPayload = 1 << 20
	// startTimeout bounds the wait for readiness: reopening a million messages takes a third of a second.
	startTimeout = 30 * time.Second
	// readyCheck is how long one look at its readiness may take.
	readyCheck = 100 * time.Millisecond
	// maxJetStreamMemory is little: nothing of Slipway but a reader's cursors is kept in memory.
	maxJetStreamMemory = 256 << 20
)

var (
	// ErrInUse: another process has a server on this directory.
	ErrInUse = errors.New("the directory is in use by another process")
	// ErrNotLoopback: an address that others could reach.
	ErrNotLoopback = errors.New("not a loopback address: there is no TLS yet, so only this machine may connect")
	// ErrOpen: a server without logins, on which anybody could do anything.
	ErrOpen = errors.New("nobody to ask who connects: a server without logins would be open to everybody")
	// ErrForeignAccounts: a configuration file that says who may connect.
	ErrForeignAccounts = errors.New("accounts and users are Slipway's to say: leave accounts, nkeys, operator and auth_callout out of the file")
)

// Config is what a server needs to know.
type Config struct {
	StoreDir string // where JetStream keeps its data
	Host     string // loopback; "" means 127.0.0.1
	Port     int    // 0 means RandomPort
	// SyncAlways puts every write on disk before it is acknowledged. Without it the server does so every two minutes and a
	// power cut loses what it had acknowledged since: for tests only.
	SyncAlways bool
	// Logins says who connects. It must be there, unless the server is Unguarded: for tests, which have it all to themselves.
	Logins    Logins
	Unguarded bool
	// Places lists all spaces with their names. Without it only those hear the feed who may read everything.
	Places func(context.Context) ([]auth.Place, error)
	// File is the path of a configuration in nats-server's format. It says everything then: of the fields above only those
	// that are set override it.
	File string
}

// Server is a running NATS server.
type Server struct {
	server *server.Server
	lock   *os.File

	unwatch context.CancelFunc
	watched chan struct{} // closed when nobody is watched any more
}

// Start starts a server and waits until it takes connections and JetStream answers.
func Start(ctx context.Context, cfg Config, logger *slog.Logger) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("start nats server: %w", err)
	}
	lock, err := lockDir(opts.StoreDir)
	if err != nil {
		return nil, fmt.Errorf("start nats server: %w", err)
	}
	logger = logger.With("component", "nats")
	check := &checker{logins: cfg.Logins, places: cfg.Places, people: &people{homes: map[string]home{}}, logger: logger}
	s, err := cfg.start(ctx, opts, check, logger)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start nats server: %w", err), lock.Close())
	}
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	started := &Server{server: s, lock: lock, unwatch: unwatch, watched: make(chan struct{})}
	go func() {
		defer close(started.watched)
		if !cfg.Unguarded {
			check.watch(watching)
		}
	}()
	return started, nil
}

// start runs a server until it is ready.
func (cfg Config) start(ctx context.Context, opts *server.Options, check *checker, logger *slog.Logger) (*server.Server, error) {
	if !cfg.Unguarded {
		opts.CustomClientAuthentication = check
		if err := adopt(opts.StoreDir, opts.Cluster.Port != 0); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	check.people.server = s
	fatal := make(chan string, 1)
	s.SetLoggerV2(slogger{logger, fatal}, false, false, false)
	s.Start()
	if err := ready(ctx, s, fatal); err != nil {
		stop(s)
		return nil, err
	}
	return s, nil
}

// ready waits until the server takes connections. What keeps it from doing so, a taken port say, it tells its log only.
func ready(ctx context.Context, s *server.Server, fatal <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for !s.ReadyForConnections(readyCheck) {
		select {
		case reason := <-fatal:
			return errors.New(reason)
		case <-ctx.Done():
			return fmt.Errorf("it does not take connections: %w", ctx.Err())
		default:
		}
	}
	return nil
}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func (cfg Config) options() (*server.Options, error) {
	opts := &server.Options{Host: "127.0.0.1", Port: RandomPort}
	if cfg.File != "" {
		var err error
		if opts, err = server.ProcessConfigFile(cfg.File); err != nil {
			return nil, err
		}
	} else {
		opts.MaxPayload, opts.JetStreamMaxMemory = maxPayload, maxJetStreamMemory
		opts.ServerName = "slipway"
	}
	cfg.override(opts)
	if err := cfg.guard(opts); err != nil {
		return nil, err
	}
	opts.JetStream, opts.NoSigs = true, true // signals are the caller's
	opts.DisableShortFirstPing = true        // a login of two seconds would be asked after before it is answered: clients take that for a fault
	if opts.StoreDir == "" {
		return nil, errors.New("no directory for its data: the server's own choice would be the system's temporary one")
	}
	return opts, loopbackOnly(opts)
}

// guard gives the server its accounts, and takes away what a file says of who may connect.
func (cfg Config) guard(opts *server.Options) error {
	if cfg.Unguarded {
		return nil
	}
	if cfg.Logins == nil {
		return ErrOpen
	}
	if len(opts.Accounts) > 0 || len(opts.Nkeys) > 0 || opts.AuthCallout != nil || len(opts.TrustedOperators) > 0 || opts.NoAuthUser != "" {
		return ErrForeignAccounts
	}
	var accounts server.Options
	if err := accounts.ProcessConfigString(accountsConf); err != nil {
		return err
	}
	opts.Accounts, opts.AuthTimeout = accounts.Accounts, authTimeout.Seconds()
	opts.Username, opts.Password, opts.Authorization, opts.Users = "", "", "", nil
	return nil
}

func (cfg Config) override(opts *server.Options) {
	if cfg.StoreDir != "" {
		opts.StoreDir = cfg.StoreDir
	}
	if cfg.Host != "" {
		opts.Host = cfg.Host
	}
	if cfg.Port != 0 {
		opts.Port = cfg.Port
	}
	if cfg.SyncAlways {
		opts.SyncAlways = true
	}
}

// loopbackOnly refuses every listener that another machine could reach.
func loopbackOnly(opts *server.Options) error {
	listeners := map[string]string{"clients": opts.Host}
	if opts.HTTPPort != 0 || opts.HTTPSPort != 0 {
		listeners["monitoring"] = opts.HTTPHost
	}
	if opts.Cluster.Port != 0 {
		listeners["cluster"] = opts.Cluster.Host
	}
	if opts.LeafNode.Port != 0 {
		listeners["leafnodes"] = opts.LeafNode.Host
	}
	if opts.Gateway.Port != 0 {
		listeners["gateway"] = opts.Gateway.Host
	}
	if opts.Websocket.Port != 0 {
		listeners["websocket"] = opts.Websocket.Host
	}
	if opts.MQTT.Port != 0 {
		listeners["mqtt"] = opts.MQTT.Host
	}
	for what, host := range listeners {
		if !Loopback(host) {
			return fmt.Errorf("listen on %q for %s: %w", host, what, ErrNotLoopback)
		}
	}
	return nil
}

// Loopback says whether a listener on host can be reached from this machine only.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// lockDir takes the directory for this process. The lock goes with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "slipway.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// ClientURL is where clients connect.
func (s *Server) ClientURL() string { return s.server.ClientURL() }

// Connect makes a connection inside this process: no socket, six times less latency.
func (s *Server) Connect(name string, logger *slog.Logger, extra ...nats.Option) (*nats.Conn, error) {
	opts := append(streams.Options(name, logger), nats.InProcessServer(s.server))
	nc, err := streams.Insist("", append(opts, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded nats server: %w", err)
	}
	return nc, nil
}

// Shutdown stops the server and waits until it has stopped. Close the connections to it first: they would try to get
// back to it.
func (s *Server) Shutdown() error {
	s.unwatch()
	<-s.watched
	stop(s.server)
	if err := s.lock.Close(); err != nil {
		return fmt.Errorf("shut nats server down: %w", err)
	}
	return nil
}
