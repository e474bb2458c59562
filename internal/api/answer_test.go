package api

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"
)

// line is a listener of one connection.
type line chan net.Conn

func (l line) Accept() (net.Conn, error) {
	if c, open := <-l; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l line) Close() error   { return nil }
func (l line) Addr() net.Addr { return &net.TCPAddr{} }

// TestWhoDoesNotReadHoldsNothing: an answer that nobody reads is given up, and one that is read slowly is not.
func TestWhoDoesNotReadHoldsNothing(t *testing.T) {
	for name, pause := range map[string]time.Duration{"slowly": writeTimeout / 10, "not at all": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				answered := make(chan time.Duration, 1)
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					began := time.Now()
					deliver(w, make([]byte, 10*portion))
					answered <- time.Since(began)
				})}
				l := make(line, 1)
				client, conn := net.Pipe()
				l <- conn
				go func() { _ = server.Serve(l) }()
				_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
				is.NoErr(err)
				read := make(chan int, 1)
				go func() {
					defer close(read)
					for buffer, all := make([]byte, portion), 0; ; {
						<-time.After(pause)
						n, err := client.Read(buffer)
						if all += n; err != nil {
							read <- all
							return
						}
					}
				}()
				took := <-answered
				is.True(pause < writeTimeout || took <= 2*writeTimeout) // the handler is free again
				is.Equal(<-read > 10*portion, pause < writeTimeout)     // who reads gets all of it, with its header
				close(l)
				is.NoErr(client.Close())
				is.NoErr(server.Close())
			})
		})
	}
}
