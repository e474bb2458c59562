package notify_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

func TestWhatIsSentWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.feed.add("app.created", "s1") // before anybody subscribed
		after(time.Minute)
		w.subscribes("one", fine)
		defer w.runs()()
		w.feed.add("app.started", "s1")                                            // 2
		w.feed.add("process.scaled", "s1")                                         // not wanted
		w.feed.add("app.started", "s2")                                            // elsewhere
		w.feed.add("subscription.tested", "s1", "ce-subscription", "another")      // somebody else's
		w.feed.add("subscription.tested", "s1", "ce-subscription", "one")          // 6
		w.feed.add("subscription.delivery-failed", "s1", "ce-subscription", "one") // never
		w.feed.add("app.stopped", "s1")                                            // 8
		after(time.Minute)
		is.Equal(w.net.to("one"), []string{"2-0", "6-0", "8-0"})                                // each once, in order
		is.Equal(w.recorded("one"), []string{"subscription.created", "subscription.delivered"}) // of the test alone
	})
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		var left atomic.Int32
		left.Store(3)
		w.subscribes("one", func(rw http.ResponseWriter, r *http.Request) {
			if left.Add(-1) >= 0 {
				rw.WriteHeader(503)
			}
		})
		defer w.runs()()
		w.feed.add("app.started", "s1")
		w.feed.add("app.stopped", "s1")
		after(time.Minute)
		is.Equal(w.net.to("one"), []string{"1-0", "1-0", "1-0", "1-0", "2-0"}) // what comes later waits
		for i, least := range []time.Duration{750, 1500, 3000} {
			d := w.net.times[i+1].Sub(w.net.times[i])
			is.True(d >= least*time.Millisecond && d <= least*4/3*time.Millisecond) // 1 s, 2 s, 4 s, less up to a quarter
		}
		is.Equal(w.recorded("one")[1:], []string{
			"subscription.delivery-failed", "subscription.delivery-failed", "subscription.delivery-failed", "subscription.delivered",
		})
	})
}

func TestTheReceiverSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "60")
			rw.WriteHeader(429)
		})
		defer w.runs()()
		w.feed.add("app.started", "s1")
		after(59 * time.Second)
		is.Equal(len(w.net.to("one")), 1)
		after(2 * time.Second)
		is.Equal(len(w.net.to("one")), 2)
	})
}

func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		down := atomic.Bool{}
		down.Store(true)
		w.subscribes("one", func(rw http.ResponseWriter, r *http.Request) {
			if down.Load() && r.Header.Get("webhook-id") == "1-0" {
				rw.WriteHeader(500)
			}
		})
		defer w.runs()()
		w.feed.add("app.started", "s1")
		w.feed.add("app.stopped", "s1")
		after(subscription.GiveUpAfter - time.Minute)
		is.Equal(w.feed.letters, nil)                     // not before its time
		is.True(!slices.Contains(w.net.to("one"), "2-0")) // which waits
		after(subscription.LongestDelay + time.Minute)
		is.Equal(w.feed.letters, []string{"one 1: HTTP 500"})
		is.Equal(w.net.to("one")[len(w.net.to("one"))-1], "2-0") // those behind it go on
		recorded := w.recorded("one")
		is.Equal(recorded[len(recorded)-2:], []string{"subscription.dead-lettered", "subscription.delivered"})
		is.True(len(recorded) < 80) // a failing receiver does not fill the log
	})
}

// TestStartedAnew ends the runner in the middle of its retries: the next one waits as long as the first one would have.
func TestStartedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", failing(500))
		stop := w.runs()
		w.feed.add("app.started", "s1")
		after(40 * time.Second)
		before, due := len(w.net.to("one")), w.state("one").Trouble.Next
		stop()
		defer w.runs()()
		after(time.Until(due) - time.Millisecond)
		is.Equal(len(w.net.to("one")), before) // not before it is due
		after(2 * time.Millisecond)
		is.Equal(len(w.net.to("one")), before+1)
		is.Equal(w.state("one").Trouble.Attempts, before+1) // it is counted on
	})
}

// TestACorruptSubscriptionHoldsNobody: somebody has changed its history, so it cannot be told what it shall have. The others go on.
func TestACorruptSubscriptionHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		forge := func() {
			forged, err := events.NewRegistry().Encode(events.Commit{
				Subject: events.SubscriptionSubject("a"), CommandID: events.CommandID(events.NewID()), Actor: "intruder", Version: 9, Time: time.Now(),
				Previous: events.Hash(strings.Repeat("0", 64)),
				Events:   []events.Event{events.SubscriptionDeleted{SubscriptionRef: events.SubscriptionRef{Subscription: "a"}}},
			})
			is.NoErr(err)
			w.log.(*eventlog.Memory).Inject(forged)
		}
		w.subscribes("a", fine)
		forge()
		w.subscribes("b", fine)
		defer w.runs()()
		after(time.Second)
		forge()
		w.subscribes("c", fine)
		after(time.Second)
		w.feed.add("app.started", "s1")
		after(time.Second)
		is.Equal(len(w.net.to("b")), 1) // though it is looked at after the corrupt one when the runner starts
		is.Equal(len(w.net.to("c")), 1) // and this one after it when it changed
	})
}

func TestSlowReceiversHoldNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		for _, slow := range []string{"slow1", "slow2", "slow3"} {
			w.subscribes(slow, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		}
		w.subscribes("quick", fine)
		defer w.runs()()
		for range 100 {
			w.feed.add("app.started", "s1")
		}
		after(time.Second)
		is.Equal(len(w.net.to("quick")), 100)
		is.Equal(len(w.net.to("slow1")), 1)
		after(10 * time.Second)
		is.Equal(w.recorded("slow1")[1], "subscription.delivery-failed") // no answer in time
	})
}

func TestGoneIsNotCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", failing(410))
		defer w.runs()()
		w.feed.add("app.started", "s1")
		after(48 * time.Hour)
		is.Equal(w.net.to("one"), []string{"1-0"})
		is.Equal(w.state("one").Active, false)
		w.net.mu.Lock()
		w.net.hosts["one"] = fine
		w.net.mu.Unlock()
		w.decide("one", func(s subscription.State) ([]events.Event, error) {
			return subscription.Update(s, subscription.Change{Active: new(true)})
		})
		after(time.Minute)
		is.Equal(w.net.to("one"), []string{"1-0", "1-0"}) // what was not taken has waited
	})
}

func TestAChangeSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", failing(500))
		w.subscribes("two", fine)
		defer w.runs()()
		w.feed.add("app.started", "s1")
		after(2 * time.Hour)
		w.net.mu.Lock()
		w.net.hosts["cure"] = fine // before anybody is told of it
		w.net.mu.Unlock()
		w.decide("one", func(s subscription.State) ([]events.Event, error) {
			return subscription.Update(s, subscription.Change{URL: new("http://cure")})
		})
		after(time.Second)
		is.Equal(w.net.to("cure"), []string{"1-0"}) // though the next attempt was half an hour away
		is.Equal(w.state("one").Trouble, nil)
	})
}

func TestDeletedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", fine)
		w.subscribes("two", fine)
		stop := w.runs()
		w.feed.add("app.started", "s1")
		after(time.Second)
		w.decide("one", subscription.Delete)
		after(time.Second)
		w.feed.add("app.stopped", "s1")
		after(time.Second)
		is.Equal(w.net.to("one"), []string{"1-0"})
		readers, _ := w.feed.Readers(t.Context())
		is.Equal(readers, []string{"two"}) // its place is given up
		stop()
		w.decide("two", subscription.Delete) // while nobody sees it
		defer w.runs()()
		after(time.Second)
		readers, _ = w.feed.Readers(t.Context())
		is.Equal(len(readers), 0)
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribes("one", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://elsewhere/", http.StatusFound)
		})
		defer w.runs()()
		w.feed.add("app.started", "s1")
		after(500 * time.Millisecond)
		is.Equal(w.net.calls, []string{"one 1-0"})
		is.True(strings.HasPrefix(w.reasons("one")[0], "HTTP 302: redirects are not followed")) // it says what to do
	})
}
