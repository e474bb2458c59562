package subscription_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/subscription"
	"slipway/events"
)

var labelled = events.Metadata{Labels: map[string]string{"team": "a"}}

func TestCreateRecordsEverything(t *testing.T) {
	is := is.New(t)
	c := subscription.Creation{SubscriptionRef: ref, Settings: settings(), Now: start}
	c.Active, c.Metadata = false, labelled
	decided, err := subscription.Create(subscription.State{}, c)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.SubscriptionCreated{
		SubscriptionRef: ref, Name: "chat", URL: "https://hooks.test/x", Types: []string{"deployment.*"}, ContentMode: "structured",
		Metadata: labelled, At: start, Generation: 1,
	}})
	s := fold(decided...)
	is.Equal(s.Settings, c.Settings)
	is.Equal(s.Began, start) // what happened before is not sent
	decided, err = subscription.Create(s, c)
	is.NoErr(err)
	is.Equal(decided, nil) // once
}

func TestUpdateRecordsWhatIsNew(t *testing.T) {
	before, types := settings(), []string{"app.started"}
	updated := func(change func(*events.SubscriptionUpdated)) events.Event {
		e := events.SubscriptionUpdated{
			SubscriptionRef: ref, Name: before.Name, URL: before.URL, Types: before.Types, ContentMode: before.ContentMode, Active: true,
		}
		change(&e)
		return e
	}
	for _, c := range []struct {
		name   string
		change subscription.Change
		want   events.Event
	}{
		{"name", subscription.Change{Name: new("mail")}, updated(func(e *events.SubscriptionUpdated) { e.Name = "mail" })},
		{"URL", subscription.Change{URL: new("http://x")}, updated(func(e *events.SubscriptionUpdated) { e.URL = "http://x" })},
		{"types", subscription.Change{Types: types}, updated(func(e *events.SubscriptionUpdated) { e.Types = types })},
		{"mode", subscription.Change{ContentMode: new("binary")}, updated(func(e *events.SubscriptionUpdated) { e.ContentMode = "binary" })},
		{"active", subscription.Change{Active: new(false)}, updated(func(e *events.SubscriptionUpdated) { e.Active = false })},
		{
			"labels", subscription.Change{Metadata: aggregates.MetadataPatch{Labels: map[string]*string{"team": new("a")}}},
			updated(func(e *events.SubscriptionUpdated) { e.Metadata = labelled }),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			decided, err := subscription.Update(fold(created(t)), c.change)
			is.NoErr(err)
			is.Equal(decided, []events.Event{c.want})
			decided, err = subscription.Update(fold(created(t), decided[0]), c.change)
			is.NoErr(err)
			is.Equal(decided, nil) // the second time it is nothing new
		})
	}
}

// TestUpdateKeepsCount: what waits is sent at once after a change, but is no younger for it.
func TestUpdateKeepsCount(t *testing.T) {
	is := is.New(t)
	s := failing(t)
	decided, err := subscription.Update(s, subscription.Change{})
	is.NoErr(err)
	is.Equal(subscription.Evolve(s, decided[0]).Trouble, &subscription.Trouble{Delivery: hook, Attempts: 1, Since: start})
}

func TestRotate(t *testing.T) {
	is := is.New(t)
	_, err := subscription.Rotate(subscription.State{}, start)
	is.Equal(err, aggregates.NotFound(subscription.Kind))
	decided, err := subscription.Rotate(fold(created(t)), start)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.SubscriptionSecretRotated{SubscriptionRef: ref, Generation: 2, At: start}})
	s := fold(created(t), decided[0])
	is.Equal(s.Generation, 2)
	is.Equal(s.Rotated, start) // the secret before is good for a day from then on
}

func TestTestAndDelete(t *testing.T) {
	is := is.New(t)
	_, err := subscription.Test(subscription.State{})
	is.Equal(err, aggregates.NotFound(subscription.Kind))
	decided, err := subscription.Test(fold(created(t)))
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.SubscriptionTested{SubscriptionRef: ref}})
	decided, err = subscription.Delete(fold(created(t)))
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.SubscriptionDeleted{SubscriptionRef: ref}})
}

func failing(t *testing.T) subscription.State {
	t.Helper()
	s := fold(created(t))
	return subscription.Evolve(s, subscription.Fail(s, subscription.Failure{Delivery: hook, Happened: start, Now: start})[0])
}

func TestFail(t *testing.T) {
	other := events.Delivery{ID: "8-0", Type: "deployment.created"}
	late := start.Add(subscription.GiveUpAfter)
	worn := fold(created(t), events.SubscriptionDeliveryFailed{Delivery: hook, Attempt: 2, Since: start})
	for _, c := range []struct {
		name  string
		given subscription.State
		f     subscription.Failure
		want  []events.Event
	}{
		{"the first", fold(created(t)), subscription.Failure{Delivery: hook, Happened: start, Reason: "HTTP 500", Now: start}, []events.Event{
			events.SubscriptionDeliveryFailed{
				SubscriptionRef: ref, Delivery: hook, Attempt: 1, Reason: "HTTP 500", Since: start, At: start, Next: start.Add(time.Second),
			},
		}},
		{"another than the one that failed", worn, subscription.Failure{Delivery: other, Happened: start, Now: start}, []events.Event{
			events.SubscriptionDeliveryFailed{
				SubscriptionRef: ref, Delivery: other, Attempt: 1, Since: start, At: start, Next: start.Add(time.Second),
			},
		}},
		{"for a day, to the second", worn, subscription.Failure{Delivery: hook, Happened: start, Reason: "HTTP 500", Now: late}, []events.Event{
			events.SubscriptionDeadLettered{SubscriptionRef: ref, Delivery: hook, Attempts: 3, Reason: "HTTP 500", Since: start, At: late},
		}},
		{"a second less", worn, subscription.Failure{Delivery: hook, Happened: start.Add(time.Second), Now: late}, []events.Event{
			events.SubscriptionDeliveryFailed{
				SubscriptionRef: ref, Delivery: hook, Attempt: 3, Since: start, At: late, Next: late.Add(4 * time.Second),
			},
		}},
		{"not active", fold(created(t), events.SubscriptionDisabled{}), subscription.Failure{Delivery: hook, Happened: start, Now: start}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(subscription.Fail(c.given, c.f), c.want)
		})
	}
}

func TestDueIsOfOneDelivery(t *testing.T) {
	is := is.New(t)
	is.True(fold(created(t)).Due(hook).IsZero()) // nothing failed
	s := failing(t)
	is.Equal(s.Due(hook), start.Add(time.Second))
	is.True(s.Due(events.Delivery{ID: "8-0"}).IsZero()) // another one does not wait
}

func TestDeliverRecordsWhich(t *testing.T) {
	is := is.New(t)
	is.Equal(subscription.Deliver(failing(t), hook, start), []events.Event{
		events.SubscriptionDelivered{SubscriptionRef: ref, Delivery: hook, At: start},
	})
	gone := fold(created(t), events.SubscriptionDeleted{SubscriptionRef: ref})
	is.Equal(subscription.Deliver(gone, events.Delivery{ID: "8-0", Type: "subscription.tested"}, start), nil) // not even a test
}

// TestLimits takes what is as long as can be, and refuses what is one longer.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     func(s *subscription.Settings, n int)
		limit   int
		refusal string
	}{
		{"name", func(s *subscription.Settings, n int) { s.Name = strings.Repeat("n", n) }, 255, "Name must"},
		{"URL", func(s *subscription.Settings, n int) { s.URL = "http://x/" + strings.Repeat("u", n-9) }, 2048, "Url must"},
		{"types", func(s *subscription.Settings, n int) { s.Types = slices.Repeat([]string{"app.*"}, n) }, 50, "Types must name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			s := settings()
			c.set(&s, c.limit)
			_, err := subscription.Create(subscription.State{}, subscription.Creation{SubscriptionRef: ref, Settings: s, Now: start})
			is.NoErr(err)
			c.set(&s, c.limit+1)
			_, err = subscription.Create(subscription.State{}, subscription.Creation{SubscriptionRef: ref, Settings: s, Now: start})
			is.True(err != nil && strings.HasPrefix(err.Error(), c.refusal))
		})
	}
}
