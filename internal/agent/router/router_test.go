package router

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// hello is where hello.localhost leads.
var hello = Target{App: "hello", Type: "web"}

// app is a server that says its name.
func app(t *testing.T, name string, handler http.HandlerFunc) Endpoint {
	t.Helper()
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Endpoint{Target: hello, Process: "p1", Instance: events.InstanceID(name), Address: server.Listener.Addr().String()}
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func newRouter(endpoints ...Endpoint) *Router {
	r := New(slog.New(slog.DiscardHandler))
	r.SetRoutes(map[string][]Target{"hello.localhost": {hello}, "empty.localhost": {{App: "empty", Type: "web"}}, "nowhere.localhost": {}})
	for _, e := range endpoints {
		r.Add(e)
	}
	return r
}

func get(r *Router, host string, header ...string) *http.Response {
	req := httptest.NewRequest(http.MethodGet, "http://"+host+"/path?a=1;b", nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Result()
}

func body(resp *http.Response) string {
	b, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(b) + fmt.Sprint(errorText(err)))
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestHosts(t *testing.T) {
	a, b := app(t, "a", nil), app(t, "b", nil)
	b.Index, b.Process = 3, "p2"
	r := newRouter(a, b)
	tests := []struct {
		name, host, instance string
		status               int
		reason               string // X-Cf-RouterError
		body                 string
	}{
		{name: "the app's host", host: "hello.localhost", instance: "p1", status: 200, body: "a"},
		{name: "with a port", host: "hello.localhost:8081", instance: "p1", status: 200, body: "a"},
		{name: "in capitals, with a final dot", host: "HELLO.LocalHost.", instance: "p1", status: 200, body: "a"},
		{name: "one instance", host: "hello.localhost", instance: "p2:3", status: 200, body: "b"},
		{name: "an instance that is not there", host: "hello.localhost", instance: "p2:4", status: 404, reason: ErrorUnknownRoute},
		{name: "another app's process", host: "hello.localhost", instance: "p9", status: 404, reason: ErrorUnknownRoute},
		{name: "an index that is none", host: "hello.localhost", instance: "p1:-1", status: 400, reason: ErrorInstanceHeader},
		{name: "an index that is too large", host: "hello.localhost", instance: "p1:99999999999", status: 400, reason: ErrorInstanceHeader},
		{name: "a process that is none", host: "hello.localhost", instance: "p.1", status: 400, reason: ErrorInstanceHeader},
		{name: "an app without instances", host: "empty.localhost", status: 503, reason: ErrorNoEndpoints},
		{name: "its instance, addressed", host: "empty.localhost", instance: "p1", status: 503, reason: ErrorNoEndpoints},
		{name: "an unknown app", host: "nobody.localhost", status: 404, reason: ErrorUnknownRoute},
		{name: "a host below the app's", host: "x.hello.localhost", status: 404, reason: ErrorUnknownRoute},
		{name: "a route that leads nowhere", host: "nowhere.localhost", status: 404, reason: ErrorUnknownRoute},
		{name: "no app", host: "localhost", status: 404, reason: ErrorUnknownRoute},
		{name: "another domain", host: "hello.example.com", status: 404, reason: ErrorUnknownRoute},
		{name: "an address", host: "127.0.0.1:8081", status: 404, reason: ErrorUnknownRoute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			is := is.New(t)
			var header []string
			if tt.instance != "" {
				header = []string{HeaderInstance, tt.instance}
			}
			resp := get(r, tt.host, header...)
			is.Equal(resp.StatusCode, tt.status)
			is.Equal(resp.Header.Get(HeaderError), tt.reason)
			if tt.body != "" {
				is.Equal(body(resp), tt.body) // who answered
			}
		})
	}
}

func TestWhatTheAppSees(t *testing.T) {
	is := is.New(t)
	r := newRouter(app(t, "a", func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprintln(w, req.Host, req.URL.RequestURI(), req.Header.Get("X-Forwarded-Host"),
			req.Header.Get("X-Forwarded-Proto"), req.Header.Get("X-Forwarded-For"))
	}))
	resp := get(r, "hello.localhost:8081", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https")
	is.Equal(body(resp), "hello.localhost:8081 /path?a=1;b hello.localhost:8081 http 192.0.2.1") // its own host, the true client
}

func TestRequestsAreSpread(t *testing.T) {
	is := is.New(t)
	r := newRouter(app(t, "a", nil), app(t, "b", nil), app(t, "c", nil))
	count := map[string]int{}
	for range 30 {
		count[body(get(r, "hello.localhost"))]++
	}
	is.Equal(count, map[string]int{"a": 10, "b": 10, "c": 10}) // in turn where none is busier
}

// TestDarkProcessesTakeNoRequests: not before the switch, and from the switch on the others; where nobody else is left they
// answer.
func TestDarkProcessesTakeNoRequests(t *testing.T) {
	is := is.New(t)
	blue, green := app(t, "blue", nil), app(t, "green", nil)
	blue.Process, green.Process = "old", "new"
	r := newRouter(blue, green)
	answers := func() map[string]bool {
		seen := map[string]bool{}
		for range 20 {
			seen[body(get(r, "hello.localhost"))] = true
		}
		return seen
	}
	r.SetDark(map[events.ProcessID]bool{"new": true})
	is.Equal(answers(), map[string]bool{"blue": true})
	r.SetDark(map[events.ProcessID]bool{"old": true})
	is.Equal(answers(), map[string]bool{"green": true})
	r.Remove("green")
	is.Equal(answers(), map[string]bool{"blue": true}) // better than nobody
	r.Add(green)
	r.SetDark(nil)
	is.Equal(answers(), map[string]bool{"blue": true, "green": true})
}

func TestTheBusyAreSpared(t *testing.T) {
	is := is.New(t)
	entered, release := make(chan struct{}), make(chan struct{})
	slow := app(t, "slow", func(w http.ResponseWriter, _ *http.Request) { close(entered); <-release })
	r := newRouter(slow)
	ended := make(chan struct{})
	go func() { defer close(ended); get(r, "hello.localhost") }()
	<-entered
	r.Add(app(t, "fast", nil))
	is.Equal(r.InFlight("slow"), 1)
	for range 10 {
		is.Equal(body(get(r, "hello.localhost")), "fast") // it has less to do
	}
	close(release)
	<-ended
}

func TestARefusedConnectionIsTriedElsewhere(t *testing.T) {
	is := is.New(t)
	gone := Endpoint{Target: hello, Instance: "gone", Address: dead(t)}
	echo := app(t, "a", func(w http.ResponseWriter, req *http.Request) { _, _ = io.Copy(w, req.Body) })
	r := newRouter(gone, echo)
	for range 10 {
		req := httptest.NewRequest(http.MethodPost, "http://hello.localhost/", strings.NewReader("payload"))
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		is.Equal(w.Code, 200)
		is.Equal(w.Body.String(), "payload") // all of the body, although the first attempt had it too
	}

	r = newRouter(gone)
	resp := get(r, "hello.localhost")
	is.Equal(resp.StatusCode, http.StatusBadGateway)
	is.Equal(resp.Header.Get(HeaderError), ErrorEndpointFailure) // there is an instance, and it does not answer
}

// TestWhatWasSentIsNotSentAgain: the instance took the request and died; nobody knows what it did with it.
func TestWhatWasSentIsNotSentAgain(t *testing.T) {
	is := is.New(t)
	var seen atomic.Int32
	abort := func(http.ResponseWriter, *http.Request) { seen.Add(1); panic(http.ErrAbortHandler) }
	r := newRouter(app(t, "a", abort), app(t, "b", abort))
	is.Equal(get(r, "hello.localhost").StatusCode, http.StatusBadGateway)
	is.Equal(seen.Load(), int32(1)) // by one instance, once
}

func TestAttemptsAreBounded(t *testing.T) {
	is := is.New(t)
	r := newRouter()
	for i := range maxAttempts + 2 {
		r.Add(Endpoint{Target: hello, Instance: events.InstanceID(fmt.Sprint(i)), Address: dead(t)})
	}
	is.Equal(get(r, "hello.localhost").StatusCode, http.StatusBadGateway)
	for i := range maxAttempts + 2 {
		is.Equal(r.InFlight(events.InstanceID(fmt.Sprint(i))), 0) // every attempt is counted out
	}
}

func TestDrain(t *testing.T) {
	is := is.New(t)
	entered, release := make(chan struct{}), make(chan struct{})
	r := newRouter(app(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		fmt.Fprint(w, "finished")
	}))
	answer := make(chan string)
	go func() { answer <- body(get(r, "hello.localhost")) }()
	<-entered
	drained := r.Remove("a")
	is.Equal(get(r, "hello.localhost").StatusCode, 503) // nothing new
	select {
	case <-drained:
		t.Fatal("drained while a request is in flight")
	default:
	}
	close(release)
	is.Equal(<-answer, "finished") // what was there ends well
	<-drained
	<-r.Remove("a") // once more is no harm
}

func TestStreamsPassAtOnce(t *testing.T) {
	is := is.New(t)
	next := make(chan struct{})
	r := newRouter(app(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 2 {
			fmt.Fprintln(w, "event", i)
			w.(http.Flusher).Flush()
			<-next
		}
	}))
	front := httptest.NewServer(r)
	defer front.Close()
	resp := fetch(t, front, "hello.localhost")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	is.True(lines.Scan())
	is.Equal(lines.Text(), "event 0") // before the answer has ended
	next <- struct{}{}
	is.True(lines.Scan())
	next <- struct{}{}
	is.True(!lines.Scan())
}

func fetch(t *testing.T, front *httptest.Server, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := front.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestAnswersMayBeginEarly: an app that answers while it reads gets all of the body.
func TestAnswersMayBeginEarly(t *testing.T) {
	is := is.New(t)
	r := newRouter(app(t, "a", func(w http.ResponseWriter, req *http.Request) {
		err := http.NewResponseController(w).EnableFullDuplex()
		lines := bufio.NewScanner(req.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "echo", lines.Text())
			err = errors.Join(err, http.NewResponseController(w).Flush())
		}
		if err != nil {
			t.Error(err)
		}
	}))
	front := httptest.NewServer(r)
	defer front.Close()
	payload, speak := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL, payload)
	is.NoErr(err)
	req.Host = "hello.localhost"
	go fmt.Fprintln(speak, "line 0") // taken when the request is sent
	resp, err := front.Client().Do(req)
	is.NoErr(err)
	defer resp.Body.Close()
	answers := bufio.NewScanner(resp.Body)
	for i := range 3 {
		is.True(answers.Scan())
		is.Equal(answers.Text(), fmt.Sprintf("echo line %d", i))
		fmt.Fprintf(speak, "line %d\n", i+1)
	}
	is.NoErr(speak.Close())
}

// TestUpgrades: a connection that becomes something else, as for websockets, passes both ways and counts as in flight.
func TestUpgrades(t *testing.T) {
	is := is.New(t)
	r := newRouter(app(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		err = rw.Flush()
		line, errRead := rw.ReadString('\n')
		_, errWrite := io.WriteString(conn, "echo "+line)
		if err := errors.Join(err, errRead, errWrite); err != nil {
			t.Error(err)
		}
	}))
	front := httptest.NewServer(r)
	defer front.Close()
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	is.NoErr(err)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	is.NoErr(err)
	is.Equal(resp.StatusCode, http.StatusSwitchingProtocols)
	is.Equal(r.InFlight("a"), 1)
	drained := r.Remove("a")
	fmt.Fprintln(conn, "hello")
	line, err := answers.ReadString('\n')
	is.NoErr(err)
	is.Equal(line, "echo hello\n")
	is.NoErr(conn.Close())
	<-drained // when both sides have ended the connection
}

func TestLargeHeadersAreRefused(t *testing.T) {
	is := is.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	server := NewServer(newRouter(app(t, "a", nil)))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(l) }()
	defer func() { server.Close(); <-ended }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
	is.NoErr(err)
	req.Host = "hello.localhost"
	req.Header.Set("X-Large", strings.Repeat("x", 2*maxRequestHeader))
	resp, err := http.DefaultClient.Do(req)
	is.NoErr(err)
	resp.Body.Close()
	is.Equal(resp.StatusCode, http.StatusRequestHeaderFieldsTooLarge)
}

// FuzzRequest: whatever host and instance a client names, the router gives an answer of its own or the app's.
func FuzzRequest(f *testing.F) {
	f.Add("hello.localhost:80", "p1:0")
	f.Add("[::1]:80", "p1:-1")
	f.Add(".localhost", ":")
	r := newRouter(Endpoint{Target: hello, Process: "p1", Instance: "a", Address: "127.0.0.1:1"})
	f.Fuzz(func(t *testing.T, host, instance string) {
		req := httptest.NewRequest(http.MethodGet, "http://x/", nil)
		req.Host = host
		req.Header.Set(HeaderInstance, instance)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		switch w.Code {
		case 400, 404, 502, 503:
		default:
			t.Fatalf("status %d for %q, %q", w.Code, host, instance)
		}
	})
}
