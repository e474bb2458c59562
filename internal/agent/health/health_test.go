package health

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

// answers is a Prober that gives one answer after the other, the last one for ever.
type answers struct {
	all   []error
	asked []time.Duration // when, from the first time
	began time.Time
}

func (a *answers) Probe(context.Context) error {
	if a.began.IsZero() {
		a.began = time.Now()
	}
	a.asked = append(a.asked, time.Since(a.began))
	err := a.all[0]
	if len(a.all) > 1 {
		a.all = a.all[1:]
	}
	return err
}

var errSick = errors.New("sick")

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		p := &answers{all: []error{errSick, errSick, nil}}
		is.NoErr(Await(t.Context(), p, events.HealthCheck{}))
		is.Equal(p.asked, []time.Duration{0, 20 * time.Millisecond, 45 * time.Millisecond}) // often, at first

		p = &answers{all: []error{errSick}}
		err := Await(t.Context(), p, events.HealthCheck{TimeoutSeconds: 5})
		is.Equal(err.Error(), "health check: not healthy within 5s: sick") // what was wrong, and for how long
		is.True(len(p.asked) < 40)                                         // not so often later

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		is.Equal(Await(ctx, p, events.HealthCheck{}), context.DeadlineExceeded) // who waits no longer
	})
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		p := &answers{all: []error{nil, nil, errSick}}
		began := time.Now()
		err := Watch(t.Context(), p, events.HealthCheck{Kind: events.HealthCheckPort, IntervalSeconds: 10})
		is.Equal(err.Error(), "health check: sick")
		is.Equal(time.Since(began), 30*time.Second) // every ten seconds, until the first failure

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		p = &answers{all: []error{errSick}}
		is.Equal(Watch(ctx, p, events.HealthCheck{Kind: events.HealthCheckProcess}), context.DeadlineExceeded)
		is.Equal(len(p.asked), 0) // a process that is alive is well
	})
}

func TestCheck(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /sick", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("GET /moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/healthz", http.StatusFound) })
	mux.HandleFunc("GET /hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	up := strings.TrimPrefix(server.URL, "http://")
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := unused.Addr().String()
	unused.Close()

	tests := map[string]struct {
		address string
		check   events.HealthCheck
		want    string // "": healthy
	}{
		"a port that answers":         {up, events.HealthCheck{Kind: "port"}, ""},
		"a port that does not":        {down, events.HealthCheck{Kind: "port"}, "no answer at " + down + ": connect: connection refused"},
		"an endpoint that answers":    {up, events.HealthCheck{Kind: "http", Endpoint: "/healthz"}, ""},
		"one that says it is sick":    {up, events.HealthCheck{Kind: "http", Endpoint: "/sick"}, "http://" + up + "/sick answered 503, want 200"},
		"one that points elsewhere":   {up, events.HealthCheck{Kind: "http", Endpoint: "/moved"}, "http://" + up + "/moved answered 302, want 200"},
		"one that is not there":       {up, events.HealthCheck{Kind: "http"}, "http://" + up + "/ answered 404, want 200"},
		"one that hangs":              {up, events.HealthCheck{Kind: "http", Endpoint: "/hangs"}, "no answer in time"},
		"one nobody serves":           {down, events.HealthCheck{Kind: "http", Endpoint: "/"}, "no answer at " + down + ": connect: connection refused"},
		"an endpoint that is no path": {up, events.HealthCheck{Kind: "http", Endpoint: "\x7f"}, "endpoint"},
		"a process":                   {"", events.HealthCheck{Kind: "process"}, ""},
		"what nobody knows":           {up, events.HealthCheck{Kind: "vibes"}, `unknown kind of health check "vibes"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := Check(ctx, tt.address, tt.check)
			if tt.want == "" {
				is.NoErr(err)
				return
			}
			is.True(err != nil)
			is.True(strings.HasPrefix(err.Error(), tt.want)) // what was wrong
		})
	}
}

func TestDefault(t *testing.T) {
	is := is.New(t)
	is.Equal(Default(events.HealthCheck{}, "web").Kind, "port")
	is.Equal(Default(events.HealthCheck{}, "worker").Kind, "process")
	is.Equal(Default(events.HealthCheck{Kind: "http"}, "worker").Kind, "http")
}
