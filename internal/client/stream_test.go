package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/client"
)

// history is a stream of three events and its end, as the API writes it.
var history = []string{
	"retry: 1000\n\n",
	"id: 7-0\nevent: deployment.created\ndata: {\"id\":\"a\",\"type\":\"deployment.created\"}\n\n",
	": still here\n\n",
	"id: 9-0\nevent: process.scaled\ndata: {\"id\":\"b\",\"type\":\"process.scaled\"}\n\n",
	"id: 9-1\nevent: deployment.deployed\ndata: {\"id\":\"c\",\"type\":\"deployment.deployed\"}\n\n",
	"event: end\ndata: {\"deployment\":\"d\"}\n\n",
}

// streaming answers with the history behind the last id, and cuts the first connection after so many bytes. Asked for after the
// last event it says that nothing comes.
func streaming(cut int) http.Handler {
	connections := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest := history
		last := r.Header.Get("Last-Event-ID")
		for i, m := range history {
			if last != "" && strings.HasPrefix(m, "id: "+last+"\n") {
				rest = history[i+1:]
			}
		}
		if last == "9-1" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		text := strings.Join(rest, "")
		if connections++; connections == 1 {
			_, _ = io.WriteString(w, text[:cut])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, text)
	})
}

// TestStreamIsCutAnywhere: wherever a connection breaks, each event is seen once and in order.
func TestStreamIsCutAnywhere(t *testing.T) {
	is := is.New(t)
	for cut := range strings.Join(history, "") {
		server := httptest.NewServer(streaming(cut))
		s := client.WithToken(server.URL, "x").Stream("d")
		seen, reads := "", 0
		var err error
		for ; reads < 5 && !errors.Is(err, client.ErrOver); reads++ {
			err = s.Read(t.Context(), func(e client.Event) bool {
				seen += e.ID
				return false
			})
			is.True(err != nil) // it ends with a reason
		}
		is.Equal(seen, "abc")
		is.Equal(reads, 2)
		server.Close()
	}
}

// TestStreamGoesOnWhereItsReaderStopped, without what it has seen.
func TestStreamGoesOnWhereItsReaderStopped(t *testing.T) {
	is := is.New(t)
	server := httptest.NewServer(streaming(len(strings.Join(history, ""))))
	defer server.Close()
	s := client.WithToken(server.URL, "x").Stream("d")
	var seen []string
	one := func(e client.Event) bool {
		seen = append(seen, e.Type)
		return true
	}
	for range 3 {
		is.NoErr(s.Read(t.Context(), one))
	}
	is.Equal(seen, []string{"deployment.created", "process.scaled", "deployment.deployed"})
	is.True(errors.Is(s.Read(t.Context(), one), client.ErrOver))
}

// TestRefusals say what the API says in words, and whether it is of use to try again.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
		final  bool
	}{
		"one fault":      {422, `{"errors":[{"detail":"Reason must have 1 to 1024 characters"}]}`, "422 Unprocessable Entity: Reason must have 1 to 1024 characters", true},
		"several":        {422, `{"errors":[{"detail":"one"},{"detail":"two"}]}`, "422 Unprocessable Entity: one; two", true},
		"of a proxy":     {502, "bad gateway\n", "502 Bad Gateway: bad gateway", false},
		"too much":       {429, "", "429 Too Many Requests: ", false},
		"somebody's own": {404, `{"errors":7}`, `404 Not Found: {"errors":7}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			for _, ask := range []func(*client.Client) error{
				func(a *client.Client) error { return a.Call(t.Context(), http.MethodGet, "/v3/apps?page=1", nil, nil) },
				func(a *client.Client) error {
					return a.Watch(t.Context(), "d", func(client.Event) bool { return false })
				},
			} {
				err := ask(client.WithToken(server.URL, "x"))
				var refused *client.RefusedError
				is.True(errors.As(err, &refused))
				is.Equal(fmt.Sprintf("%s: %s", refused.Request, c.want), refused.Error())
				is.Equal(refused.Final(), c.final)
			}
		})
	}
}
