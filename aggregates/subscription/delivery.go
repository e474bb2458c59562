package subscription

import (
	"strings"
	"time"

	"slipway/events"
)

// How long an event that is not taken is sent again.
const (
	// FirstDelay and LongestDelay bound the wait between attempts. It doubles in between, and the last quarter of it is by chance,
	// so that many who failed at once do not come back at once.
	FirstDelay   = time.Second
	LongestDelay = 30 * time.Minute
	// GiveUpAfter is how old an event must be to be given up: receivers are away for a night, or a day.
	GiveUpAfter = 24 * time.Hour
	// MinAttempts is how often even an old event is sent: those that waited behind one that was given up are old too.
	MinAttempts = 3
	// maxReason bounds what is kept of what went wrong, in bytes.
	maxReason = 256
)

// Failure is what became of an attempt that failed.
type Failure struct {
	Delivery events.Delivery
	Happened time.Time     // when the event was published
	Reason   string        // what went wrong, in words
	Gone     bool          // the receiver says that it is gone for good
	After    time.Duration // the receiver asks not to be asked before; 0: it does not
	Chance   float64       // from 0 to 1: which part of the wait that is by chance is taken
	Now      time.Time
}

// Fail decides what follows from an attempt that failed: another one later, none, or none to this receiver at all.
func Fail(s State, f Failure) []events.Event {
	if !s.Exists() || !s.Active {
		return nil
	}
	attempt, since := s.attempts(f.Delivery)+1, f.Now
	if s.Trouble != nil {
		since = s.Trouble.Since
	}
	reason := strings.ToValidUTF8(f.Reason[:min(len(f.Reason), maxReason)], "")
	switch {
	case f.Gone:
		return []events.Event{events.SubscriptionDisabled{SubscriptionRef: s.SubscriptionRef, Delivery: f.Delivery, Reason: reason, At: f.Now}}
	case f.Now.Sub(f.Happened) >= GiveUpAfter && attempt >= MinAttempts:
		return []events.Event{events.SubscriptionDeadLettered{
			SubscriptionRef: s.SubscriptionRef, Delivery: f.Delivery, Attempts: attempt, Reason: reason, Since: since, At: f.Now,
		}}
	}
	return []events.Event{events.SubscriptionDeliveryFailed{
		SubscriptionRef: s.SubscriptionRef, Delivery: f.Delivery, Attempt: attempt, Reason: reason, Since: since, At: f.Now,
		Next: f.Now.Add(max(delay(attempt, f.Chance), min(f.After, LongestDelay))),
	}}
}

// attempts is how often a delivery was sent before.
func (s State) attempts(d events.Delivery) int {
	if s.Trouble == nil || s.Trouble.Delivery != d {
		return 0
	}
	return s.Trouble.Attempts
}

// Due is when a delivery may be sent; the zero Time is at once.
func (s State) Due(d events.Delivery) time.Time {
	if s.Trouble == nil || s.Trouble.Delivery != d {
		return time.Time{}
	}
	return s.Trouble.Next
}

func delay(attempt int, chance float64) time.Duration {
	d := FirstDelay
	for i := 1; i < attempt && d < LongestDelay; i++ {
		d *= 2
	}
	d = min(d, LongestDelay)
	return d - time.Duration(float64(d)*min(max(chance, 0), 1)/4)
}

// Deliver notes that a delivery was taken, where that is news: the first one after others had failed, and a test.
func Deliver(s State, d events.Delivery, now time.Time) []events.Event {
	if !s.Exists() || s.Trouble == nil && d.Type != string(events.TypeSubscriptionTested) {
		return nil
	}
	return []events.Event{events.SubscriptionDelivered{SubscriptionRef: s.SubscriptionRef, Delivery: d, At: now}}
}
