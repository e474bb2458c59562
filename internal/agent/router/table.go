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
	routes map[string][]Target // by host name, in lower case; with or without instances
	pools  map[Target][]*endpoint
	dark   map[events.ProcessID]bool // whose instances take requests only where there are no others
}

// Target is where a route leads: the instances of an app's processes of one type.
type Target struct {
	App  events.AppID
	Type string
}

func (t *table) clone() *table {
	return &table{routes: t.routes, pools: maps.Clone(t.pools), dark: t.dark}
}

// pool is the instances that a host leads to.
func (t *table) pool(host string) []*endpoint {
	targets := t.routes[host]
	if len(targets) == 1 {
		return t.pools[targets[0]]
	}
	var all []*endpoint
	for _, target := range targets {
		all = append(all, t.pools[target]...)
	}
	return all
}

// Add makes an instance take requests. An instance that is there already is left as it is.
func (r *Router) Add(e Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.endpoints[e.Instance]; known {
		return
	}
	ep := newEndpoint(e)
	r.endpoints[e.Instance] = ep
	next := r.table.Load().clone()
	next.pools[e.Target] = append(slices.Clone(next.pools[e.Target]), ep)
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
	rest := slices.DeleteFunc(slices.Clone(next.pools[ep.Target]), func(other *endpoint) bool { return other == ep })
	if len(rest) == 0 {
		delete(next.pools, ep.Target)
	} else {
		next.pools[ep.Target] = rest
	}
	r.table.Store(next) // first out of the table, then closed: no chooser finds a table of closed ones only
	ep.close()
	return ep.idle
}

// SetRoutes says which host names lead where; they are in lower case, and the map is the router's from now on. A request
// for one whose targets have no instances is answered 503; one for any other host, or for one that leads nowhere, 404.
func (r *Router) SetRoutes(routes map[string][]Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.table.Load().clone()
	next.routes = routes
	r.table.Store(next)
}

// SetDark says, for all processes at once, whose instances are to take no requests: the new ones of a blue-green rollout
// before the switch, the old ones after it. No request sees a moment at which neither or both are meant. Where only dark ones
// are left they answer: better than nobody. The map is the router's from now on.
func (r *Router) SetDark(processes map[events.ProcessID]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.table.Load().clone()
	next.dark = processes
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

// hostOf takes the host name out of "hello.localhost:8081", in lower case and without a dot at its end.
func hostOf(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// choose gives the least loaded endpoint of those wanted, the next in turn among equals, and counts a request on it in.
func (r *Router) choose(host string, wanted func(*endpoint) bool) *endpoint {
	for {
		t := r.table.Load()
		pool := t.pool(host)
		from := int(r.turn.Add(1) % uint64(max(len(pool), 1)))
		best := leastLoaded(pool, from, func(e *endpoint) bool { return !t.dark[e.Process] && wanted(e) })
		if best == nil && len(t.dark) > 0 {
			best = leastLoaded(pool, from, wanted)
		}
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
