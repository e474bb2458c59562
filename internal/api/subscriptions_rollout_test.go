package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/notify"
	"slipway/internal/projector"
)

// loop is the feed in memory: the projector writes it, and one subscriber reads it.
type loop struct {
	mu       sync.Mutex
	messages []eventlog.Raw
	grown    chan struct{}
}

func (l *loop) End(context.Context) (eventlog.FeedEnd, error) { return eventlog.FeedEnd{}, nil }

func (l *loop) Mark(context.Context, events.Sequence) error { return nil }

func (l *loop) Publish(_ context.Context, _ uint64, messages []eventlog.FeedMessage) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		raw := eventlog.Raw{Stored: time.Now()}
		raw.Header, raw.Data = m.Header, m.Data
		l.messages = append(l.messages, raw)
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return nil
}

func (l *loop) Read(ctx context.Context, _ string, _ time.Time, fn func(context.Context, eventlog.Raw) error) error {
	for at := 0; ctx.Err() == nil; {
		l.mu.Lock()
		have, more := l.messages[at:], l.grown
		l.mu.Unlock()
		for _, m := range have {
			if err := fn(ctx, m); err != nil {
				return err
			}
			at++
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
	return nil
}

func (l *loop) Readers(context.Context) ([]string, error)                { return nil, nil }
func (l *loop) Forget(context.Context, string) error                     { return nil }
func (l *loop) Bury(context.Context, string, eventlog.Raw, string) error { return nil }

// shownRequest is the body that docs/webhooks.md sends, with another URL.
func shownRequest(t *testing.T, url string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "/v3/subscriptions -d '")
	body, _, _ = strings.Cut(body, "'")
	return strings.Replace(body, "https://hooks.example.org/slipway", url, 1)
}

// TestARolloutIsSent follows a rollout through its webhooks, over real sockets, with a receiver that is away at first.
func TestARolloutIsSent(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	is.NoErr(w.commands.Bootstrap(t.Context()))
	w.agent()
	var mu sync.Mutex
	var heard []string
	away, deployed := true, make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var event struct{ Type string }
		err := json.NewDecoder(r.Body).Decode(&event)
		mu.Lock()
		defer mu.Unlock()
		if away || err != nil || r.Header.Get("webhook-signature") == "" {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if heard = append(heard, event.Type); event.Type == string(events.TypeDeploymentDeployed) {
			close(deployed)
		}
	}))
	defer receiver.Close()
	feed := &loop{grown: make(chan struct{})}
	web := notify.NewWeb(notify.NewSecrets("shared"))
	defer web.Close()
	w.runs((&projector.Feed{Log: w.log, Stream: feed, Registry: events.NewRegistry(), Logger: quiet}).Run)
	w.runs(notify.New(notify.Config{Log: w.log, Subscriptions: commands.Subscriptions(w.log), Feed: feed, Web: web, Logger: quiet}).Run)

	made := w.must(201, "POST", "/v3/subscriptions", shownRequest(t, receiver.URL))
	path := "/v3/subscriptions/" + text(made, "guid")
	id := w.app("hello")
	w.must(200, "PATCH", "/v3/apps/"+id+"/relationships/current_droplet", `{"data":{"guid":"`+w.droplet(id)+`"}}`)
	w.must(200, "POST", "/v3/apps/"+id+"/actions/start", "")
	rollout := text(w.must(201, "POST", "/v3/deployments", deployment(id, w.droplet(id), `{}`)), "guid")
	w.until("the deployment is over", func() bool { return w.status(rollout) == "FINALIZED/DEPLOYED" })
	w.until("deliveries fail", func() bool { return text(w.must(200, "GET", path, ""), "status", "value") == "FAILING" })
	is.Equal(text(w.must(200, "GET", path, ""), "status", "reason"), "HTTP 503")
	mu.Lock()
	away = false
	mu.Unlock()
	w.must(200, "PATCH", path, `{}`) // which sends at once
	select {
	case <-deployed:
	case <-time.After(time.Minute):
		t.Fatal("the end of the rollout was not sent")
	}
	w.until("deliveries go", func() bool { return text(w.must(200, "GET", path, ""), "status", "value") == "OK" })
	mu.Lock()
	defer mu.Unlock()
	is.Equal(heard[0], "deployment.created")                                                                  // in order, from the first
	is.True(!slices.ContainsFunc(heard, func(t string) bool { return !strings.HasPrefix(t, "deployment.") })) // what was asked for
	is.Equal(heard[len(heard)-1], "deployment.deployed")
}
