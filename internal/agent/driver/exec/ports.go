package exec

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// loopback is where instances serve and are asked.
const loopback = "127.0.0.1"

// The ports instances get: above those that Linux gives to outgoing connections (32768 to 60999), so that no connection
// of the router itself takes one.
const (
	firstPort = 61_001
	lastPort  = 65_535
)

var errNoPort = errors.New("insufficient resources: no port is free")

// ports gives each instance a port of its own. What is given to a process that has yet to bind it is claimed meanwhile: a
// claim is a listening socket in Linux's abstract namespace, which ends with its holder and is seen by every agent that
// shares this host's ports.
type ports struct {
	mu     sync.Mutex
	next   int
	claims map[int]io.Closer
}

// newPorts starts somewhere, so that two agents on a host seldom want the same port.
func newPorts() *ports {
	return &ports{next: firstPort + rand.IntN(lastPort-firstPort+1), claims: map[int]io.Closer{}}
}

// take gives a port that nobody has. It goes round, so that one just freed is the last to be given again.
func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range lastPort - firstPort + 1 {
		port := p.next
		if p.next++; p.next > lastPort {
			p.next = firstPort
		}
		if p.claim(port) {
			if unused(port) {
				return port, nil
			}
			p.release(port)
		}
	}
	return 0, errNoPort
}

// reserve takes the port that an instance of an earlier agent has.
func (p *ports) reserve(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claim(port)
}

// free gives a port back.
func (p *ports) free(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(port)
}

func (p *ports) claim(port int) bool {
	l, err := net.Listen("unix", "@slipway-port-"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	p.claims[port] = l
	return true
}

func (p *ports) release(port int) {
	if c := p.claims[port]; c != nil {
		_ = c.Close() // there is nothing to lose
		delete(p.claims, port)
	}
}

// close gives all claims up.
func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for port := range p.claims {
		p.release(port)
	}
}

func unused(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
