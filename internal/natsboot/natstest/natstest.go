// Package natstest starts NATS servers for tests: one, or a cluster of three in one process. They keep the server's
// default fsync: tests do not cut the power.
package natstest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"slipway/internal/natsboot"
	"slipway/internal/natsboot/streams"
)

// startTimeout bounds the start of a server or cluster on a loaded machine.
const startTimeout = 30 * time.Second

// Quiet is a logger for what a test does not want to see.
func Quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Start starts a server with an empty directory, on a random port, until the test ends.
func Start(tb testing.TB) *natsboot.Server {
	tb.Helper()
	s, err := natsboot.Start(tb.Context(), natsboot.Config{StoreDir: tb.TempDir(), Unguarded: true}, Quiet())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Connect gives an in-process connection to a new server that has all streams.
func Connect(tb testing.TB) *nats.Conn {
	tb.Helper()
	return ConnectTo(tb, Start(tb))
}

// ConnectTo gives an in-process connection to s, with all streams set up.
func ConnectTo(tb testing.TB, s *natsboot.Server) *nats.Conn {
	tb.Helper()
	nc, err := s.Connect(tb.Name(), Quiet())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	setUp(tb, nc, streams.Config{})
	return nc
}

func setUp(tb testing.TB, nc *nats.Conn, cfg streams.Config) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	if err := streams.Setup(ctx, nc, cfg); err != nil {
		tb.Fatal(err)
	}
}

// Cluster is three servers in this process.
type Cluster struct {
	servers []*server.Server
}

// StartCluster starts three servers that form a cluster, with all streams replicated three times.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	ports := freePorts(tb, 3)
	var routes []string
	for _, port := range ports {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	c := &Cluster{}
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i+1), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: tb.TempDir(), JetStreamMaxMemory: 256 << 20, JetStreamMaxStore: 4 << 30,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")),
		})
		if err != nil {
			tb.Fatal(err)
		}
		s.Start()
		tb.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		c.servers = append(c.servers, s)
	}
	setUp(tb, c.Connect(tb), streams.Config{Replicas: 3})
	return c
}

// Connect gives a connection to the cluster over TCP, which moves to another server when its own goes.
func (c *Cluster) Connect(tb testing.TB) *nats.Conn {
	tb.Helper()
	urls := make([]string, len(c.servers))
	for i, s := range c.servers {
		if !s.ReadyForConnections(startTimeout) {
			tb.Fatalf("server %s of the cluster is not ready", s.Name())
		}
		urls[i] = s.ClientURL()
	}
	nc, err := streams.Connect(strings.Join(urls, ","), tb.Name(), Quiet())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

// StopLeader stops the server that leads a stream, and says which it was.
func (c *Cluster) StopLeader(tb testing.TB, stream string) string {
	tb.Helper()
	for _, s := range c.servers {
		if s.Running() && s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
			s.Shutdown()
			s.WaitForShutdown()
			return s.Name()
		}
	}
	tb.Fatalf("no server leads %s", stream)
	return ""
}

// freePorts finds ports that nobody uses now. Routes have to be known before the servers start.
func freePorts(tb testing.TB, n int) []int {
	tb.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// Port is the port of a URL that a server gave.
func Port(tb testing.TB, clientURL string) int {
	tb.Helper()
	u, err := url.Parse(clientURL)
	if err != nil {
		tb.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
