package subscription_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/subscription"
	"slipway/events"
)

var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ref   = events.SubscriptionRef{Subscription: "w1", Organization: "o1", Space: "s1"}
	hook  = events.Delivery{ID: "7-0", Type: "deployment.deployed"}
)

func settings() subscription.Settings {
	return subscription.Settings{Name: "chat", URL: "https://hooks.test/x", Types: []string{"deployment.*"}, ContentMode: "structured", Active: true}
}

func fold(given ...events.Event) (s subscription.State) {
	for _, e := range given {
		s = subscription.Evolve(s, e)
	}
	return s
}

func created(t *testing.T) events.Event {
	t.Helper()
	decided, err := subscription.Create(subscription.State{}, subscription.Creation{SubscriptionRef: ref, Settings: settings(), Now: start})
	is.New(t).NoErr(err)
	return decided[0]
}

func TestCreateRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*subscription.Settings)
		want   string
	}{
		{"no name", func(s *subscription.Settings) { s.Name = "" }, "Name must have 1 to 255 characters"},
		{"no text", func(s *subscription.Settings) { s.Name = "\xff" }, "Name must not contain control characters or invalid UTF-8"},
		{"no URL", func(s *subscription.Settings) { s.URL = "" }, "Url must be an http or https URL with a host"},
		{"another scheme", func(s *subscription.Settings) { s.URL = "ftp://x" }, "Url must be an http or https URL with a host"},
		{"no host", func(s *subscription.Settings) { s.URL = "http://:80/" }, "Url must be an http or https URL with a host"},
		{"a password", func(s *subscription.Settings) { s.URL = "http://a:b@x" }, "Url must be an http or https URL with a host, without a user, password or fragment"},
		{"a fragment", func(s *subscription.Settings) { s.URL = "http://x/#a" }, "Url must be an http"},
		{"an address of the link", func(s *subscription.Settings) { s.URL = "http://169.254.1.1/" }, "Url must not name an address of the link itself"},
		{"one in IPv6", func(s *subscription.Settings) { s.URL = "https://[fe80::1]:8443/x" }, "Url must not name an address of the link itself"},
		{"one in both", func(s *subscription.Settings) { s.URL = "http://[::ffff:169.254.169.254]" }, "Url must not name an address of the link itself"},
		{"an endless URL", func(s *subscription.Settings) { s.URL = "http://x/" + strings.Repeat("a", 3000) }, "Url must have at most 2048 characters"},
		{"no types", func(s *subscription.Settings) { s.Types = nil }, "Types must name 1 to 50 types of events"},
		{"an unknown type", func(s *subscription.Settings) { s.Types = []string{"deployment.landed"} }, `"deployment.landed" is no type of event`},
		{"a thing alone", func(s *subscription.Settings) { s.Types = []string{"deployment"} }, `"deployment" is no type of event`},
		{"an unknown thing", func(s *subscription.Settings) { s.Types = []string{"moon.*"} }, `"moon.*" is no type of event`},
		{"half a pattern", func(s *subscription.Settings) { s.Types = []string{"deployment*"} }, `"deployment*" is no type of event`},
		{"its own events", func(s *subscription.Settings) { s.Types = []string{"subscription.*"} }, `"subscription.*" is no type of event`},
		{"an unknown mode", func(s *subscription.Settings) { s.ContentMode = "batched" }, "Content mode must be 'structured' or 'binary'"},
		{"all at once", func(s *subscription.Settings) { *s = subscription.Settings{} }, "Name must have 1 to 255 characters, Url must be"},
		{"odd labels", func(s *subscription.Settings) { s.Metadata.Labels = map[string]string{"a b": "c"} }, "Metadata label key error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			s := settings()
			c.change(&s)
			decided, err := subscription.Create(subscription.State{}, subscription.Creation{SubscriptionRef: ref, Settings: s, Now: start})
			is.True(err != nil && strings.Contains(err.Error(), c.want)) // refused, in words that help
			is.Equal(decided, nil)
		})
	}
}

func TestWants(t *testing.T) {
	for _, c := range []struct {
		types string
		yes   string
		no    string
	}{
		{"*", "deployment.created app.stopped instance.crashed", "subscription.tested subscription.delivery-failed name.claimed"},
		{"deployment.*", "deployment.created deployment.deployed", "app.created process.scaled"},
		{"app.stopped app.started", "app.stopped app.started", "app.created deployment.created"},
	} {
		t.Run(c.types, func(t *testing.T) {
			is := is.New(t)
			s := fold(created(t))
			s.Types = strings.Fields(c.types)
			for _, kind := range strings.Fields(c.yes) {
				is.True(s.Wants(events.Type(kind))) // sent
			}
			for _, kind := range strings.Fields(c.no) {
				is.True(!s.Wants(events.Type(kind))) // not sent
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	is := is.New(t)
	s := fold(created(t))
	decided, err := subscription.Update(s, subscription.Change{})
	is.NoErr(err)
	is.Equal(decided, nil) // nothing new
	decided, err = subscription.Update(s, subscription.Change{Active: new(false), Types: []string{"*"}})
	is.NoErr(err)
	s = fold(created(t), decided[0])
	is.Equal(s.Active, false)
	is.Equal(s.Types, []string{"*"})
	is.Equal(s.URL, "https://hooks.test/x") // what was not named stays
	_, err = subscription.Update(s, subscription.Change{URL: new("x")})
	is.True(err != nil) // refused as at creation
	_, err = subscription.Update(subscription.State{}, subscription.Change{})
	is.Equal(err.Error(), "Subscription not found")
	failing := fold(created(t), subscription.Fail(fold(created(t)), subscription.Failure{Delivery: hook, Happened: start, Now: start})[0])
	is.True(!failing.Due(hook).IsZero()) // it waits
	decided, err = subscription.Update(failing, subscription.Change{})
	is.NoErr(err)
	is.True(subscription.Evolve(failing, decided[0]).Due(hook).IsZero()) // sent at once
}

func TestDelete(t *testing.T) {
	is := is.New(t)
	_, err := subscription.Delete(subscription.State{})
	is.Equal(err.Error(), "Subscription not found")
	decided, err := subscription.Delete(fold(created(t)))
	is.NoErr(err)
	gone := fold(created(t), decided[0])
	decided, err = subscription.Delete(gone)
	is.NoErr(err)
	is.Equal(decided, nil) // once
	_, err = subscription.Test(gone)
	is.True(err != nil)
	is.Equal(subscription.Fail(gone, subscription.Failure{Delivery: hook, Now: start}), nil) // nothing more is recorded
	is.Equal(subscription.Deliver(gone, hook, start), nil)
}

func TestGone(t *testing.T) {
	is := is.New(t)
	s := fold(created(t))
	decided := subscription.Fail(s, subscription.Failure{Delivery: hook, Happened: start, Reason: "HTTP 410", Gone: true, Now: start})
	is.Equal(decided, []events.Event{events.SubscriptionDisabled{SubscriptionRef: ref, Delivery: hook, Reason: "HTTP 410", At: start}})
	s = subscription.Evolve(s, decided[0])
	is.Equal(s.Active, false)
	_, err := subscription.Test(s)
	is.True(err != nil) // it would wait
}

func TestDeliver(t *testing.T) {
	is := is.New(t)
	s := fold(created(t))
	is.Equal(subscription.Deliver(s, hook, start), nil) // no news
	test := events.Delivery{ID: "8-0", Type: "subscription.tested"}
	is.Equal(len(subscription.Deliver(s, test, start)), 1)
	failing := fold(created(t), subscription.Fail(s, subscription.Failure{Delivery: hook, Happened: start, Now: start})[0])
	decided := subscription.Deliver(failing, hook, start)
	is.Equal(len(decided), 1) // it goes again
	is.Equal(subscription.Evolve(failing, decided[0]).Trouble, nil)
}
