package router

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"

	"slipway/events"
)

// errNoInstance: there is nothing to send the request to.
var errNoInstance = errors.New("no instance takes this request")

// exchange is one request on its way: it chooses the instance and holds on to it until the answer has gone.
type exchange struct {
	router  *Router
	host    string
	process events.ProcessID // "": any
	index   int              // anyIndex: any; counts only with a process

	held  *endpoint   // counted in
	tried []*endpoint // could not be connected to
}

// RoundTrip sends the request to an instance, and to another one as long as no connection could be made.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	body := req.Body
	for {
		x.release()
		x.held = x.router.choose(x.host, x.wanted)
		if x.held == nil {
			return nil, errNoInstance
		}
		out := *req
		target := *req.URL
		target.Host = x.held.Address
		out.URL = &target
		out.Body = keepOpen(body)
		resp, err := x.held.transport.RoundTrip(&out)
		if err == nil || !notSent(err) || req.Context().Err() != nil {
			return resp, err
		}
		x.tried = append(x.tried, x.held)
		if len(x.tried) == maxAttempts {
			return nil, err
		}
	}
}

func (x *exchange) wanted(e *endpoint) bool {
	if x.process != "" && (e.Process != x.process || (x.index != anyIndex && e.Index != x.index)) {
		return false
	}
	return !slices.Contains(x.tried, e)
}

func (x *exchange) release() {
	if x.held != nil {
		x.held.release()
		x.held = nil
	}
}

// failed answers a request that got no answer.
func (x *exchange) failed(w http.ResponseWriter, req *http.Request, err error) {
	switch {
	case errors.Is(err, errNoInstance) && len(x.tried) == 0:
		x.refuse(w)
	case errors.Is(err, context.Canceled) && req.Context().Err() != nil:
		// The client has gone; nobody reads an answer. 499 is nginx's word for it.
		w.WriteHeader(499)
	default:
		x.router.log.Debug("request failed", "app", x.host, "attempts", len(x.tried)+1, "err", err)
		refuse(w, http.StatusBadGateway, ErrorEndpointFailure, "502 Bad Gateway: the app's instance failed the request")
	}
}

// refuse says why nobody takes the request: there is no such app, no such process or instance, or nobody runs.
func (x *exchange) refuse(w http.ResponseWriter) {
	t := x.router.table.Load()
	switch pool := t.pool(x.host); {
	case len(pool) == 0 && len(t.routes[x.host]) == 0:
		refuse(w, http.StatusNotFound, ErrorUnknownRoute, "404 Not Found: there is no app of this host name")
	case len(pool) > 0 && x.process != "":
		refuse(w, http.StatusNotFound, ErrorUnknownRoute, "404 Not Found: the app has no such instance")
	default:
		refuse(w, http.StatusServiceUnavailable, ErrorNoEndpoints, "503 Service Unavailable: no instance of the app is running")
	}
}

// notSent says whether an error means that no connection could be made, so that not one byte was sent.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// keepOpen hides Close: a transport closes the body also where it could not connect, and then the body is still needed.
// The server closes it in the end.
func keepOpen(body io.ReadCloser) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	return io.NopCloser(body)
}
