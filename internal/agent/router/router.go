package router

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"slipway/events"
)

// HeaderInstance addresses one process, or one instance of it: "<process guid>[:<index>]". Cloud Foundry's name.
const HeaderInstance = "X-CF-PROCESS-INSTANCE"

// HeaderError says in an answer that the router itself gave it, and why. Cloud Foundry's name and values.
const HeaderError = "X-Cf-RouterError"

// The values of [HeaderError].
const (
	ErrorUnknownRoute    = "unknown_route"                      // 404
	ErrorNoEndpoints     = "no_endpoints"                       // 503
	ErrorEndpointFailure = "endpoint_failure"                   // 502
	ErrorInstanceHeader  = "invalid_cf_process_instance_header" // 400
)

const (
	// maxAttempts bounds how many instances a request is offered to.
	maxAttempts = 4
	// copyBuffer is the size of a buffer between client and instance.
	copyBuffer = 32 << 10
)

// Limits towards clients.
const (
	headerTimeout    = 10 * time.Second // a client that sends its header slower than this holds a connection for nothing
	keepAliveTimeout = 2 * time.Minute
	maxRequestHeader = 64 << 10
)

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Router is an [http.Handler] over the instances it is told of.
type Router struct {
	log     *slog.Logger
	table   atomic.Pointer[table]
	turn    atomic.Uint64
	buffers buffers

	mu        sync.Mutex // orders writers
	endpoints map[events.InstanceID]*endpoint
}

// New makes a router without instances.
func New(log *slog.Logger) *Router {
	r := &Router{log: log, endpoints: map[events.InstanceID]*endpoint{}}
	r.table.Store(&table{pools: map[Target][]*endpoint{}})
	return r
}

// NewServer makes an HTTP server for the router with its limits. Bodies are not limited and streams may last: both are the
// app's to decide.
func NewServer(r *Router) *http.Server {
	return &http.Server{
		Handler: r, ReadHeaderTimeout: headerTimeout, IdleTimeout: keepAliveTimeout, MaxHeaderBytes: maxRequestHeader,
		ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP sends the request to an instance and its answer back.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	x := &exchange{router: r, host: hostOf(req.Host)}
	if v := req.Header.Get(HeaderInstance); v != "" {
		process, index, err := parseInstance(v)
		if err != nil {
			refuse(w, http.StatusBadRequest, ErrorInstanceHeader, err.Error())
			return
		}
		x.process, x.index = process, index
	}
	defer x.release()
	// Without it the server would swallow what is left of the request's body as soon as the app begins to answer: an app
	// that answers while it reads would miss some. HTTP/2 is so anyway; others (tests) cannot and need not.
	_ = http.NewResponseController(w).EnableFullDuplex()
	proxy := httputil.ReverseProxy{
		Rewrite: rewrite, Transport: x, ErrorHandler: x.failed, BufferPool: &r.buffers,
		ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(w, req)
}

// rewrite keeps the request as the client sent it, host and query included, and says who the client is. What clients
// themselves say in X-Forwarded-* is dropped: nobody vouches for it.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme = "http"
	p.Out.URL.Host = p.In.Host // replaced by the chosen instance's address
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Host = p.In.Host
	p.SetXForwarded()
}

// anyIndex is the index of a request that does not address an instance.
const anyIndex = -1

// parseInstance reads a [HeaderInstance].
func parseInstance(v string) (events.ProcessID, int, error) {
	process, text, addressed := strings.Cut(v, ":")
	if !events.ValidID(process) {
		return "", 0, fmt.Errorf("%s: %.80q is no process guid", HeaderInstance, process)
	}
	if !addressed {
		return events.ProcessID(process), anyIndex, nil
	}
	index, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %.80q is no instance index", HeaderInstance, text)
	}
	return events.ProcessID(process), int(index), nil
}

func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set(HeaderError, code)
	http.Error(w, text, status)
}

// buffers is the pool of copy buffers. Its zero value is ready.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, copyBuffer)
}

func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
