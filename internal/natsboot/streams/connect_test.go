package streams_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"

	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// flaky is a NATS server of which only as much is there as it takes to connect. Once it has answered its first connection it dies:
// nothing says so to who is connected, as when a machine loses its power or a firewall forgets.
type flaky struct {
	dialed chan int
	die    func(net.Conn)
}

// flakyURL leads nowhere: the connection is made by the flaky server itself.
const flakyURL = "nats://192.0.2.1:4222"

func newFlaky(die func(net.Conn)) flaky {
	f := flaky{make(chan int, 1), die}
	f.dialed <- 0
	return f
}

// Dial implements nats.CustomDialer.
func (f flaky) Dial(string, string) (net.Conn, error) {
	nth := <-f.dialed
	f.dialed <- nth + 1
	client, server := net.Pipe()
	go f.serve(server, nth == 0)
	return client, nil
}

func (f flaky) serve(c net.Conn, dies bool) {
	answers := make(chan string, 100) // it reads on while nobody reads its answers, as a socket would
	answers <- `INFO {"server_id":"S","version":"2.15.0","headers":true,"max_payload":1048576,"proto":1}` + "\r\n"
	go func() {
		for a := range answers {
			_, _ = io.WriteString(c, a)
		}
	}()
	defer c.Close()
	defer close(answers)
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "PING") {
			answers <- "PONG\r\n"
			if dies {
				f.die(c)
			}
		}
	}
}

// This takes half a minute of waiting: the client's timers are shared by all its connections, so no bubble of fake time holds it.
func TestADeadConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	server := newFlaky(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	nc, err := streams.Connect(flakyURL, "test", natstest.Quiet(), nats.SetCustomDialer(server))
	is.NoErr(err)
	defer nc.Close()
	select {
	case <-nc.StatusChanged(nats.CONNECTED): // a server that lives was found
	case <-time.After(2 * time.Minute):
		t.Error("two minutes after the server fell silent nobody has noticed")
	}
}

// A server that takes nothing any more keeps nobody for longer than one write may take: not the minute that NATS would wait.
func TestAWriteToADeadServerEnds(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	died, buried := make(chan struct{}), make(chan struct{})
	server := newFlaky(func(net.Conn) { close(died); <-buried })
	nc, err := streams.Connect(flakyURL, "test", natstest.Quiet(), nats.SetCustomDialer(server))
	is.NoErr(err)
	<-died
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	asked := time.Now()
	_, err = nc.RequestWithContext(ctx, "somebody", make([]byte, 100_000))
	is.True(err != nil)
	is.True(time.Since(asked) < 40*time.Second) // it is told within one write's time
	close(buried)
	nc.Close()
}
