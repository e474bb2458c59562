package router

import (
	"maps"
	"net"
	"slices"
	"strings"

	"slipway/events"
)

// table is what the router knows: a snapshot, never changed once published.
type table struct {
	hosts map[string]bool        // hosts that exist, with or without instances
	pools map[string][]*endpoint // by host
}

func (t *table) clone() *table {
	return &table{hosts: maps.Clone(t.hosts), pools: maps.Clone(t.pools)}
}

// Add makes an instance take requests. An instance that is there already is left as it is.
func (r *Router) Add(e Endpoint) {
	e.Host = strings.ToLower(e.Host)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.endpoints[e.Instance]; known {
		return
	}
	ep := newEndpoint(e)
	r.endpoints[e.Instance] = ep
	next := r.table.Load().clone()
	next.pools[e.Host] = append(slices.Clone(next.pools[e.Host]), ep)
	r.table.Store(next)
}

// Remove stops requests to an instance and returns a channel that is closed when the last one on it has ended. For an
// instance that is not there it is closed already.
func (r *Router) Remove(id events.InstanceID) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	ep, known := r.endpoints[id]
	if !known {
		return closed
	}
	delete(r.endpoints, id)
	next := r.table.Load().clone()
	rest := slices.DeleteFunc(slices.Clone(next.pools[ep.Host]), func(other *endpoint) bool { return other == ep })
	if len(rest) == 0 {
		delete(next.pools, ep.Host)
	} else {
		next.pools[ep.Host] = rest
	}
	r.table.Store(next) // first out of the table, then closed: no chooser finds a table of closed ones only
	ep.close()
	return ep.idle
}

// SetHosts says which hosts exist: a request for one without instances is answered 503, any other unknown one 404.
func (r *Router) SetHosts(hosts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.table.Load().clone()
	next.hosts = make(map[string]bool, len(hosts))
	for _, h := range hosts {
		next.hosts[strings.ToLower(h)] = true
	}
	r.table.Store(next)
}

// InFlight is how many requests an instance is answering now.
func (r *Router) InFlight(id events.InstanceID) int {
	r.mu.Lock()
	ep := r.endpoints[id]
	r.mu.Unlock()
	if ep == nil {
		return 0
	}
	return ep.load()
}

// hostOf takes the app's name out of "<app>.localhost:8081". It is empty where the host is of another form.
func hostOf(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	name, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), domain)
	if !ok {
		return ""
	}
	return name
}

// choose gives the least loaded endpoint of those wanted, the next in turn among equals, and counts a request on it in.
func (r *Router) choose(host string, wanted func(*endpoint) bool) *endpoint {
	for {
		pool := r.table.Load().pools[host]
		best := leastLoaded(pool, int(r.turn.Add(1)%uint64(max(len(pool), 1))), wanted)
		if best == nil || best.acquire() {
			return best
		}
		// It was removed between the look at the table and now; the table has changed, so this ends.
	}
}

func leastLoaded(pool []*endpoint, from int, wanted func(*endpoint) bool) *endpoint {
	var best *endpoint
	least := 0
	for i := range pool {
		e := pool[(from+i)%len(pool)]
		if !wanted(e) {
			continue
		}
		if load := e.load(); best == nil || load < least {
			best, least = e, load
		}
	}
	return best
}
