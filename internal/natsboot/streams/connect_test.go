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

// flaky is a NATS server of which only as much is there as it takes to connect. What becomes of its first connection, once that has
// asked to be let in, is first's to say.
type flaky struct {
	dialed chan int
	first  func(c net.Conn, answers chan<- string)
}

// flakyURL leads nowhere: the connection is made by the flaky server itself.
const flakyURL = "nats://192.0.2.1:4222"

const pong = "PONG\r\n"

func newFlaky(first func(net.Conn, chan<- string)) flaky {
	f := flaky{make(chan int, 1), first}
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

func (f flaky) serve(c net.Conn, first bool) {
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
		switch {
		case !strings.HasPrefix(lines.Text(), "PING"):
		case first:
			f.first(c, answers)
		default:
			answers <- pong
		}
	}
}

// A server on a busy machine takes its time over a login, and after two seconds asks after its client before it answers it.
func TestABusyServerLetsPeopleIn(t *testing.T) {
	for name, first := range map[string]func(net.Conn, chan<- string){
		"late":                    func(_ net.Conn, answers chan<- string) { <-time.After(3 * time.Second); answers <- pong },
		"and asks after somebody": func(_ net.Conn, answers chan<- string) { answers <- "PING\r\n"; answers <- pong },
		"or loses its patience":   func(c net.Conn, _ chan<- string) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			nc, err := streams.Connect(flakyURL, "test", natstest.Quiet(), nats.SetCustomDialer(newFlaky(first)))
			is.NoErr(err)
			nc.Close()
		})
	}
}

// This takes half a minute of waiting: the client's timers are shared by all its connections, so no bubble of fake time holds it.
func TestADeadConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	// Once it has answered its first connection it dies: nothing says so, as when a machine loses its power or a firewall forgets.
	server := newFlaky(func(c net.Conn, answers chan<- string) { answers <- pong; _, _ = io.Copy(io.Discard, c) })
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
	server := newFlaky(func(_ net.Conn, answers chan<- string) { answers <- pong; close(died); <-buried })
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
