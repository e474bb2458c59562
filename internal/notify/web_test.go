package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/notify"
)

// verified is how a receiver knows that Slipway sent a request: docs/webhooks.md shows it.
func verified(secret string, h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(h.Get("webhook-signature")) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}

func TestSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		secrets := notify.NewSecrets("shared")
		first, second := secrets.Of("one", 1), secrets.Of("one", 2)
		is.True(first != second && first != secrets.Of("two", 1) && first != notify.NewSecrets("other").Of("one", 1))
		var good []bool
		w.subscribes("one", func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			good = append(good, verified(first, r.Header, body), verified(second, r.Header, body), verified(first, r.Header, append(body, ' ')))
		})
		defer w.runs()()
		for _, at := range []time.Duration{0, time.Hour, subscription.Overlap} {
			after(at)
			w.feed.add("app.started", "s1")
			after(time.Second)
			if at == 0 {
				w.decide("one", func(s subscription.State) ([]events.Event, error) { return subscription.Rotate(s, time.Now().UTC()) })
			}
		}
		is.Equal(good, []bool{
			true, false, false, // by the first secret
			true, true, false, // by both while the receiver changes it
			false, true, false, // by the second; never of another body
		})
	})
}

func TestContentModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		var headers []http.Header
		var bodies [][]byte
		w.subscribes("one", func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			headers, bodies = append(headers, r.Header), append(bodies, body)
		})
		defer w.runs()()
		w.feed.add("app.started", "s1")
		after(time.Second)
		w.decide("one", func(s subscription.State) ([]events.Event, error) {
			return subscription.Update(s, subscription.Change{ContentMode: new(events.ContentBinary)})
		})
		after(time.Second)
		w.feed.add("app.stopped", "s1", "ce-subject", `a "b" é`)
		after(time.Second)
		is.Equal(headers[0].Get("Content-Type"), "application/cloudevents+json; charset=utf-8")
		var event struct {
			SpecVersion, ID, Type, Source, Sequence, DataContentType string
			Data                                                     struct{ N int }
		}
		is.NoErr(json.Unmarshal(bodies[0], &event))
		is.Equal(event.SpecVersion, "1.0")
		is.Equal(event.Type, "app.started")
		is.Equal(event.Data.N, 1)
		is.Equal(headers[1].Get("Content-Type"), "application/json")
		is.Equal(string(bodies[1]), `{"n":2}`)
		is.Equal(headers[1].Get("ce-type"), "app.stopped")
		is.Equal(headers[1].Get("ce-subject"), "a%20%22b%22%20%C3%A9") // as the binding escapes it
	})
}

// TestWhatTravels: of what a message carries only what receivers shall see, and the trace, leaves the house.
func TestWhatTravels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		var headers []http.Header
		var event map[string]any
		w.subscribes("one", func(_ http.ResponseWriter, r *http.Request) {
			headers = append(headers, r.Header)
			if len(headers) == 1 {
				is.NoErr(json.NewDecoder(r.Body).Decode(&event))
			}
		})
		defer w.runs()()
		w.feed.add("app.started", "s1", events.HeaderTraceparent, "00-1", "Slipway-Actor", "user/ann")
		after(time.Second)
		w.decide("one", func(s subscription.State) ([]events.Event, error) {
			return subscription.Update(s, subscription.Change{ContentMode: new(events.ContentBinary)})
		})
		after(time.Second)
		w.feed.add("app.stopped", "s1", "ce-subject", "100% ~", "Slipway-Actor", "user/ann")
		after(time.Second)
		is.Equal(slices.Sorted(maps.Keys(event)), []string{
			"data", "datacontenttype", "id", "index", "organization", "sequence", "source", "space", "specversion", "time", "type",
		})
		is.Equal(headers[0].Get("traceparent"), "00-1")
		is.Equal(headers[0].Get("User-Agent"), "slipway-notify")
		is.Equal(headers[1].Get("ce-subject"), "100%25%20~")
		is.Equal(headers[1].Values("Slipway-Actor"), nil)
		is.Equal(headers[1].Values("traceparent"), nil) // there is none
	})
}

// TestTheDocumentationsReceiver holds the code in docs/webhooks.md against the one that the tests here verify with.
func TestTheDocumentationsReceiver(t *testing.T) {
	is := is.New(t)
	text, err := os.ReadFile("../../docs/webhooks.md")
	is.NoErr(err)
	source, err := os.ReadFile("web_test.go")
	is.NoErr(err)
	_, shown, _ := strings.Cut(string(text), "func verified(")
	shown, _, _ = strings.Cut(shown, "```")
	is.True(len(shown) > 100) // it is there
	is.True(strings.Contains(string(source), "func verified("+shown))
}
