package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/notify"
)

// feed is a feed in memory: each reader has a place, and a message that was not done comes again.
type feed struct {
	mu       sync.Mutex
	messages []eventlog.Raw
	places   map[string]int
	grown    chan struct{} // closed when a message comes
	letters  []string
}

func newFeed() *feed { return &feed{places: map[string]int{}, grown: make(chan struct{})} }

func (f *feed) add(kind, space string, headers ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.messages) + 1
	m := eventlog.Raw{Sequence: events.Sequence(n), Stored: time.Now()}
	m.Data = []byte(fmt.Sprintf(`{"n":%d}`, n))
	m.Header = map[string][]string{
		"ce-id": {fmt.Sprintf("id.%d", n)}, "ce-type": {kind}, "ce-time": {time.Now().UTC().Format(time.RFC3339Nano)}, "ce-specversion": {"1.0"},
		"ce-source": {"/slipway/app/a1"}, "ce-space": {space}, "ce-organization": {"o1"}, "ce-sequence": {fmt.Sprint(n)}, "ce-index": {"0"},
	}
	for i := 0; i < len(headers); i += 2 {
		m.Header[headers[i]] = []string{headers[i+1]}
	}
	f.messages = append(f.messages, m)
	close(f.grown)
	f.grown = make(chan struct{})
}

func (f *feed) next(id string) (*eventlog.Raw, chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at := f.places[id]; at < len(f.messages) {
		return &f.messages[at], nil
	}
	f.places[id] += 0
	return nil, f.grown
}

func (f *feed) Read(ctx context.Context, id string, _ time.Time, fn func(context.Context, eventlog.Raw) error) error {
	for ctx.Err() == nil {
		m, more := f.next(id)
		if m == nil {
			select {
			case <-more:
			case <-ctx.Done():
			}
			continue
		}
		if fn(ctx, *m) == nil {
			f.mu.Lock()
			f.places[id]++
			f.mu.Unlock()
		} else {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

func (f *feed) Readers(context.Context) (ids []string, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.places {
		ids = append(ids, id)
	}
	return ids, nil
}

func (f *feed) Forget(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.places, id)
	return nil
}

func (f *feed) Bury(_ context.Context, id string, m eventlog.Raw, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.letters = append(f.letters, fmt.Sprintf("%s %d: %s", id, m.Sequence, reason))
	return nil
}

// network answers requests in memory, by host.
type network struct {
	mu    sync.Mutex
	hosts map[string]http.HandlerFunc
	calls []string // "<host> <webhook-id>", in order
	times []time.Time
}

var errNobody = errors.New("nobody answers")

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.calls, n.times = append(n.calls, r.URL.Host+" "+r.Header.Get("webhook-id")), append(n.times, time.Now())
	h := n.hosts[r.URL.Host]
	n.mu.Unlock()
	if h == nil {
		return nil, errNobody
	}
	w := httptest.NewRecorder()
	h(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (n *network) to(host string) (ids []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.calls {
		if len(c) > len(host) && c[:len(host)+1] == host+" " {
			ids = append(ids, c[len(host)+1:])
		}
	}
	return ids
}

// world is a log, a feed and receivers, in a bubble.
type world struct {
	t    *testing.T
	log  eventlog.Log
	subs *eventlog.Repository[subscription.State]
	feed *feed
	net  *network
	web  *notify.Web // over net
}

func newWorld(t *testing.T) *world {
	log, net := eventlog.NewMemory(events.NewRegistry()), &network{hosts: map[string]http.HandlerFunc{}}
	web := notify.NewWebOver(notify.NewSecrets("shared"), net)
	return &world{t: t, log: log, subs: commands.Subscriptions(log), feed: newFeed(), net: net, web: web}
}

// runs starts a runner; stop ends it and waits.
func (w *world) runs() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	r := notify.New(notify.Config{
		Log: w.log, Subscriptions: commands.Subscriptions(w.log), Feed: w.feed, Logger: slog.New(slog.DiscardHandler),
		Web: w.web,
	})
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) decide(id string, decide func(subscription.State) ([]events.Event, error)) {
	w.t.Helper()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "tester", Time: time.Now().UTC()}
	if _, err := w.subs.Decide(w.t.Context(), id, m, decide); err != nil {
		w.t.Fatal(err)
	}
}

// subscribes makes a subscription to space s1 at a host of the same name, which answers as h does.
func (w *world) subscribes(id string, h http.HandlerFunc) {
	w.t.Helper()
	w.subscribesTo(events.SubscriptionRef{Subscription: events.SubscriptionID(id), Organization: "o1", Space: "s1"}, h)
}

func (w *world) subscribesTo(ref events.SubscriptionRef, h http.HandlerFunc) {
	w.t.Helper()
	id := string(ref.Subscription)
	w.net.mu.Lock()
	w.net.hosts[id] = h
	w.net.mu.Unlock()
	w.decide(id, func(s subscription.State) ([]events.Event, error) {
		return subscription.Create(s, subscription.Creation{
			SubscriptionRef: ref, Now: time.Now().UTC(),
			Settings: subscription.Settings{Name: id, URL: "http://" + id, Types: []string{"app.*"}, ContentMode: "structured", Active: true},
		})
	})
}

func (w *world) state(id string) subscription.State {
	w.t.Helper()
	agg, err := w.subs.Load(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return agg.State
}

// recorded lists the types of what stands in the log about a subscription.
func (w *world) recorded(id events.SubscriptionID) (types []string) {
	w.t.Helper()
	err := w.log.Read(w.t.Context(), events.SubscriptionSubject(id), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			types = append(types, string(e.Type()))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return types
}

// reasons lists why deliveries to a subscription failed.
func (w *world) reasons(id events.SubscriptionID) (reasons []string) {
	w.t.Helper()
	err := w.log.Read(w.t.Context(), events.SubscriptionSubject(id), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if failed, ok := e.(events.SubscriptionDeliveryFailed); ok {
				reasons = append(reasons, failed.Reason)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return reasons
}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func failing(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// after lets so much time of the bubble pass, and everything settle.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
