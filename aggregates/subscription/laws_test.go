package subscription_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/subscription"
	"slipway/events"
)

// TestBackoff fails a delivery until it is given up, whatever chance says.
func TestBackoff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		is := is.New(rt)
		s, now := fold(created(t)), start
		waited := time.Duration(0)
		for n := 1; ; n++ {
			is.True(n < 100) // it ends
			f := subscription.Failure{
				Delivery: hook, Happened: start, Reason: "HTTP 503", Chance: rapid.Float64Range(0, 1).Draw(rt, "chance"), Now: now,
				After: time.Duration(rapid.IntRange(0, 7200).Draw(rt, "after")) * time.Second,
			}
			decided := subscription.Fail(s, f)
			is.Equal(len(decided), 1)
			s = subscription.Evolve(s, decided[0])
			if dead, ok := decided[0].(events.SubscriptionDeadLettered); ok {
				is.True(now.Sub(start) >= subscription.GiveUpAfter) // not before its time
				is.Equal(dead.Attempts, n)
				is.Equal(dead.Since, start)
				return
			}
			failed := decided[0].(events.SubscriptionDeliveryFailed)
			is.Equal(failed.Attempt, n)
			wait := failed.Next.Sub(now)
			is.True(wait >= subscription.FirstDelay*3/4 && wait <= subscription.LongestDelay) // bounded
			is.True(f.After > 0 || wait >= waited*3/4)                                        // never much shorter than before
			is.True(wait >= min(f.After, subscription.LongestDelay))                          // not before the receiver asks for it
			is.True(s.Due(hook).Equal(failed.Next))
			waited, now = wait, failed.Next
			if f.After > 0 {
				waited = 0
			}
		}
	})
}

// TestOldBehindOld: what waited behind an event that was given up is old too, and is sent a few times all the same.
func TestOldBehindOld(t *testing.T) {
	is := is.New(t)
	now := start.Add(48 * time.Hour)
	s := fold(created(t), events.SubscriptionDeadLettered{SubscriptionRef: ref, Delivery: hook, Attempts: 60, Since: start, At: now})
	next := events.Delivery{ID: "9-0", Type: "deployment.created"}
	is.True(s.Due(next).IsZero()) // at once
	for n := 1; n < subscription.MinAttempts; n++ {
		decided := subscription.Fail(s, subscription.Failure{Delivery: next, Happened: start, Now: now})
		failed, ok := decided[0].(events.SubscriptionDeliveryFailed)
		is.True(ok && failed.Since.Equal(start)) // failing since the first of them
		s = subscription.Evolve(s, failed)
	}
	_, ok := subscription.Fail(s, subscription.Failure{Delivery: next, Happened: start, Now: now})[0].(events.SubscriptionDeadLettered)
	is.True(ok)
}

// TestLaws folds whatever is decided by whatever comes: what was created stays as it was described, and a deleted one is silent.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		is := is.New(rt)
		s, now := fold(created(t)), start
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(rt, "seconds")) * time.Second)
			deleted := s.Deleted
			decided := decide(rt, s, now)
			is.True(!deleted || len(decided) == 0) // nothing after the end
			for _, e := range decided {
				s = subscription.Evolve(s, e)
			}
			is.Equal(s.SubscriptionRef, ref)                                                                // who it is never changes
			is.True(s.Generation >= 1)                                                                      // it has a secret
			is.True(s.Trouble == nil || s.Exists() && s.Due(s.Trouble.Delivery).Before(now.Add(time.Hour))) // it is sent again, soon enough
		}
	})
}

func decide(rt *rapid.T, s subscription.State, now time.Time) (decided []events.Event) {
	d := events.Delivery{ID: rapid.SampledFrom([]string{"1-0", "2-0"}).Draw(rt, "delivery"), Type: "app.started"}
	switch rapid.IntRange(0, 6).Draw(rt, "what") {
	case 0:
		decided, _ = subscription.Update(s, subscription.Change{Active: new(rapid.Bool().Draw(rt, "active"))})
	case 1:
		decided, _ = subscription.Rotate(s, now)
	case 2:
		decided, _ = subscription.Test(s)
	case 3:
		decided = subscription.Deliver(s, d, now)
	case 4:
		decided, _ = subscription.Delete(s)
	default:
		decided = subscription.Fail(s, subscription.Failure{
			Delivery: d, Happened: start, Now: now, Gone: rapid.IntRange(0, 9).Draw(rt, "gone") == 0, Chance: rapid.Float64Range(0, 1).Draw(rt, "chance"),
		})
	}
	return decided
}
