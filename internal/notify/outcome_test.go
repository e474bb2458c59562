package notify_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/notify"
)

func TestWhatIsSaidOfAnAnswer(t *testing.T) {
	const redirect = ": redirects are not followed, give the URL they lead to"
	for name, c := range map[string]struct {
		receiver http.HandlerFunc
		want     []string
	}{
		"the last that takes":      {failing(299), nil},
		"the first that leads on":  {failing(300), []string{"HTTP 300" + redirect}},
		"the last that leads on":   {failing(399), []string{"HTTP 399" + redirect}},
		"the first that does not":  {failing(400), []string{"HTTP 400"}},
		"none in time":             {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, []string{"no answer within 10s"}},
		"none, and not of the URL": {nil, []string{"nobody answers"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.subscribes("one", c.receiver)
				defer w.runs()()
				w.feed.add("app.started", "s1")
				after(10*time.Second + time.Millisecond)
				is.New(t).Equal(w.reasons("one")[:min(1, len(w.reasons("one")))], c.want)
			})
		})
	}
}

// TestAddressesOfTheLink: what a name leads to is known when it is called, long after the URL was looked at.
func TestAddressesOfTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.web = notify.NewWeb(notify.NewSecrets("shared"))
		defer w.web.Close()
		w.decide("one", func(subscription.State) ([]events.Event, error) {
			return []events.Event{events.SubscriptionCreated{
				SubscriptionRef: events.SubscriptionRef{Subscription: "one"}, Types: []string{"*"}, Active: true, URL: "http://169.254.169.254/",
			}}, nil
		})
		stop := w.runs()
		w.feed.add("app.started", "s1")
		after(500 * time.Millisecond)
		is.Equal(w.reasons("one"), []string{"dial tcp 169.254.169.254:80: addresses of the link itself are not called"})
		stop()
	})
}

func TestWhereASubscriptionListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		w.subscribesTo(events.SubscriptionRef{Subscription: "space", Organization: "o1", Space: "s1"}, fine)
		w.subscribesTo(events.SubscriptionRef{Subscription: "organization", Organization: "o1"}, fine)
		w.subscribesTo(events.SubscriptionRef{Subscription: "everywhere"}, fine)
		defer w.runs()()
		w.feed.add("app.started", "s1")                          // 1
		w.feed.add("app.started", "s2")                          // 2
		w.feed.add("app.started", "s3", "ce-organization", "o2") // 3
		after(time.Minute)
		is.Equal(w.net.to("space"), []string{"1-0"})
		is.Equal(w.net.to("organization"), []string{"1-0", "2-0"})
		is.Equal(w.net.to("everywhere"), []string{"1-0", "2-0", "3-0"})
	})
}

// faulty is a log that takes nothing while it is told so, and whose answers may be those of a replica that lags behind.
type faulty struct {
	eventlog.Log
	full  atomic.Bool
	stale atomic.Int32 // so many more answers about what is newest are old
}

func (f *faulty) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	if f.full.Load() {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return f.Log.Append(ctx, c, last)
}

func (f *faulty) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if f.stale.Load() > 0 && f.stale.Add(-1) >= 0 {
		return 0, nil
	}
	return f.Log.Last(ctx, s)
}

// TestNotOnRecord: what cannot be recorded counts all the same, so that a receiver in trouble is not called ever again.
func TestNotOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		log := &faulty{Log: w.log}
		w.log = log
		w.subscribes("one", failing(500))
		defer w.runs()()
		log.full.Store(true)
		w.feed.add("app.started", "s1")
		after(time.Minute)
		is.Equal(w.reasons("one"), nil)
		calls := len(w.net.to("one"))
		is.True(calls > 2 && calls < 8) // as far apart as if they were recorded
		log.full.Store(false)
		after(2 * time.Minute)
		is.True(len(w.reasons("one")) > 0)
	})
}

// TestAChangeBehindAReplica: what is not seen yet as it was changed is looked at again.
func TestAChangeBehindAReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t)
		elsewhere := commands.Subscriptions(w.log)
		log := &faulty{Log: w.log}
		w.log = log
		w.subscribes("one", fine)
		defer w.runs()()
		after(time.Second)
		log.stale.Store(3)
		w.subs = elsewhere
		w.decide("one", func(s subscription.State) ([]events.Event, error) {
			return subscription.Update(s, subscription.Change{Types: []string{"process.*"}})
		})
		after(time.Second)
		is.Equal(log.stale.Load(), int32(0)) // it was asked more than once
		w.feed.add("process.scaled", "s1")
		after(time.Second)
		is.Equal(w.net.to("one"), []string{"1-0"})
	})
}
