package router

import (
	"net"
	"net/http"
	"sync"
	"time"

	"slipway/events"
)

// Limits towards instances.
const (
	// dialTimeout bounds a connection to an instance on this host; past it another one is tried.
	dialTimeout = time.Second
	// idleConnections is how many idle connections to one instance are kept.
	idleConnections = 64
	// idleTimeout must be shorter than any common server's own, or a request meets a connection that the server is
	// closing and cannot be repeated safely. The shortest in wide use is Node's, 5 s.
	idleTimeout = 4 * time.Second
	// maxResponseHeader bounds the header of an answer.
	maxResponseHeader = 1 << 20
)

// Endpoint is an instance that takes requests.
type Endpoint struct {
	Target
	Process  events.ProcessID
	Index    int
	Instance events.InstanceID
	Address  string // host:port
}

// endpoint counts what is in flight on an Endpoint and refuses more once it is closed.
type endpoint struct {
	Endpoint
	transport *http.Transport

	mu       sync.Mutex
	inFlight int
	closed   bool
	idle     chan struct{} // closed once it is closed and nothing is in flight
}

func newEndpoint(e Endpoint) *endpoint {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &endpoint{
		Endpoint: e,
		idle:     make(chan struct{}),
		transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DisableCompression:     true, // the bytes go through as they are
			MaxIdleConnsPerHost:    idleConnections,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxResponseHeader,
		},
	}
}

// acquire counts a request in. It says no once the endpoint is closed.
func (e *endpoint) acquire() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.inFlight++
	return true
}

func (e *endpoint) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	e.settle()
}

func (e *endpoint) load() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.inFlight
}

// close refuses further requests.
func (e *endpoint) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		e.settle()
	}
}

// settle tells who waits that the last request has gone. Its idle connections go with it: an app that closes gracefully
// waits for them.
func (e *endpoint) settle() {
	if e.closed && e.inFlight == 0 {
		e.transport.CloseIdleConnections()
		close(e.idle)
	}
}
