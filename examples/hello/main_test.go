package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestHandler(t *testing.T) {
	is := is.New(t)
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		handler("v2", "3").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	code, body := ask("/any/path")
	is.Equal(code, http.StatusOK)
	is.Equal(body, "hello from v2 instance 3\n")
	code, _ = ask("/healthz")
	is.Equal(code, http.StatusOK)
	t.Setenv("FAIL_HEALTH", "1")
	code, _ = ask("/healthz")
	is.Equal(code, http.StatusServiceUnavailable) // as asked
}

// TestFailPercent: that share of requests fails, spread evenly, and is counted.
func TestFailPercent(t *testing.T) {
	is := is.New(t)
	t.Setenv("FAIL_PERCENT", "30")
	h := handler("bad", "0")
	failed := 0
	for range 100 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		is.Equal(w.Header().Get("X-Version"), "bad")
		if w.Code == http.StatusInternalServerError {
			failed++
		}
	}
	is.Equal(failed, 30)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	is.True(strings.Contains(w.Body.String(), "hello_requests_total{version=\"bad\",code=\"200\"} 70\nhello_requests_total{version=\"bad\",code=\"500\"} 30\n"))
}

func TestVersion(t *testing.T) {
	is := is.New(t)
	t.Chdir(t.TempDir())
	is.Equal(version(), "dev")
	is.NoErr(os.WriteFile("VERSION", []byte("v7\n"), 0o600))
	is.Equal(version(), "v7") // the file beside it
	t.Setenv("VERSION", "v8")
	is.Equal(version(), "v8") // the environment overrules it
}

// TestRun serves on PORT and ends well when it is asked to.
func TestRun(t *testing.T) {
	is := is.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	is.NoErr(err)
	t.Setenv("PORT", port)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	is.True(run(ctx) != nil) // the port is taken: it says so
	is.NoErr(l.Close())

	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	var resp *http.Response
	for resp == nil {
		if resp, err = http.Get("http://" + address); err != nil {
			select {
			case err := <-ended:
				t.Fatal(err)
			default: // it does not listen yet
			}
		}
	}
	body, err := io.ReadAll(resp.Body)
	is.NoErr(err)
	is.NoErr(resp.Body.Close())
	is.Equal(string(body), "hello from dev instance 0\n")
	cancel()
	is.NoErr(<-ended)
}
