package router

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"slipway/events"
)

// TestNoRequestFailsWhileInstancesAreReplaced puts load on the router, on kept and on new connections, with and without
// bodies, while one instance after the other is replaced: added, removed, drained, killed.
func TestNoRequestFailsWhileInstancesAreReplaced(t *testing.T) {
	const instances, replacements, clients = 3, 40, 8
	r := newRouter()
	l := listen(t)
	front := NewServer(r)
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve(l) }()
	defer func() { front.Close(); <-served }()

	var alive []*victim
	for n := range instances {
		alive = append(alive, newVictim(t, r, n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var sent, failed atomic.Int64
	answered := make(chan struct{}, 1<<10)
	var load sync.WaitGroup
	for n := range clients {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: n%2 == 0}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				sent.Add(1)
				if err := request(client, l.Addr().String(), n%4 < 2); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				select {
				case answered <- struct{}{}:
				default: // nobody counts now
				}
			}
		})
	}
	for n := range replacements {
		alive = append(alive, newVictim(t, r, instances+n))
		for range 2 * clients { // the new one gets its share
			<-answered
		}
		alive[0].end(r)
		alive = alive[1:]
	}
	cancel()
	load.Wait()
	for _, v := range alive {
		v.end(r)
	}
	t.Logf("%d requests, %d failed, %d replacements", sent.Load(), failed.Load(), replacements)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func request(client *http.Client, address string, post bool) error {
	method, payload := http.MethodGet, []byte(nil)
	if post {
		method, payload = http.MethodPost, bytes.Repeat([]byte("x"), 10_000)
	}
	req, err := http.NewRequest(method, "http://"+address+"/", bytes.NewReader(payload))
	if err != nil {
		return err
	}
	req.Host = "hello.localhost"
	req.GetBody = nil // the client must not repeat anything by itself
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || len(answer) != len(payload) {
		return fmt.Errorf("%s: status %d, %d bytes: %.80s, %w", method, resp.StatusCode, len(answer), answer, err)
	}
	return nil
}

// victim is an instance that will be replaced.
type victim struct {
	id     events.InstanceID
	server *http.Server
	ended  chan struct{}
}

func newVictim(t *testing.T, r *Router, n int) *victim {
	t.Helper()
	l := listen(t)
	v := &victim{id: events.InstanceID(fmt.Sprint(n)), ended: make(chan struct{}), server: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			payload, err := io.ReadAll(req.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = w.Write(payload) // who does not get it says so
		}),
	}}
	go func() { defer close(v.ended); _ = v.server.Serve(l) }()
	r.Add(Endpoint{Target: hello, Process: "p1", Index: n, Instance: v.id, Address: l.Addr().String()})
	return v
}

// end kills it without ceremony once it is drained: whatever is still open then breaks.
func (v *victim) end(r *Router) {
	<-r.Remove(v.id)
	_ = v.server.Close()
	<-v.ended
}

func BenchmarkRouter(b *testing.B) {
	r := newRouter()
	t := &testing.T{}
	v := newVictim(t, r, 0)
	defer v.end(r)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	front := NewServer(r)
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve(l) }()
	defer func() { front.Close(); <-served }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := request(client, l.Addr().String(), false); err != nil {
				b.Error(err)
			}
		}
	})
}
