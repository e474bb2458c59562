package policy

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // time zones, wherever this runs

	"github.com/teambition/rrule-go"

	"slipway/aggregates"
	"slipway/events"
)

// Limits of windows.
const (
	// startLayout is how the start is written: without an offset, since the zone has it.
	startLayout = "2006-01-02T15:04:05"
	// maxRule bounds the text of a rule, in bytes.
	maxRule = 512
	// maxPast is how far back a window may have begun: a rule is walked from there.
	maxPast = 10 * 366 * 24 * time.Hour
	// maxSteps is how many openings are walked to find when a window that opens again before it closes is closed at last. What
	// takes longer counts as for ever.
	maxSteps = 1000
	// maxKnown is how many stretches of a window are remembered: those of today and of the days to which it holds requests.
	maxKnown = 16
)

// frequencies are how often windows may open. More often than daily says nothing that BYHOUR does not, and takes long to walk.
var frequencies = []rrule.Frequency{rrule.DAILY, rrule.WEEKLY, rrule.MONTHLY, rrule.YEARLY}

// window is a recurring stretch of time.
type window struct {
	rule     *rrule.RRule
	until    time.Time // the last moment at which it may open; zero: there is none
	duration time.Duration
	outside  bool

	mu    sync.Mutex
	known []stretch // the last ones asked about, newest last: to find one again walks the rule from its start
}

// stretch is a time during which the window stays as it is.
type stretch struct {
	from, to time.Time // to is zero: for ever
	open     bool
}

func (s stretch) covers(t time.Time) bool {
	return !s.from.IsZero() && !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

// parseWindow reads a window; nil where there is none. The error is a refusal.
func parseWindow(w *events.PolicyWindow) (*window, error) {
	if w == nil {
		return nil, nil
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil || w.Zone == "" || w.Zone == "Local" {
		return nil, aggregates.Reject("Rule window time zone must be one of the IANA's, such as 'Europe/Berlin' or 'UTC'")
	}
	start, err := time.ParseInLocation(startLayout, w.Start, zone)
	if err != nil {
		return nil, aggregates.Reject("Rule window start must be a time such as '2026-01-05T09:00:00'")
	}
	option, err := rrule.StrToROption(strings.TrimPrefix(w.Rule, "RRULE:"))
	if err != nil || len(w.Rule) > maxRule {
		return nil, aggregates.Reject("Rule window rule must be a recurrence rule (RFC 5545) such as 'FREQ=WEEKLY;BYDAY=MO,TU'")
	}
	if !slices.Contains(frequencies, option.Freq) {
		return nil, aggregates.Reject("Rule window rule must recur DAILY, WEEKLY, MONTHLY or YEARLY")
	}
	until := option.Until // is looked at here: the library would do so before it is known which of two equal times is meant
	option.Dtstart, option.Until = start, time.Time{}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, aggregates.Reject("Rule window rule cannot be used: %v", err)
	}
	return &window{rule: rule, until: until, duration: time.Duration(w.Seconds) * time.Second, outside: w.Applies == events.WindowOutside}, nil
}

// applies says whether the policy applies at a moment as far as its window goes, and until when that stays so; zero: for ever.
func (w *window) applies(now time.Time) (bool, time.Time) {
	if w == nil {
		return true, time.Time{}
	}
	s := w.stretch(now)
	return s.open != w.outside, s.to
}

// stretch is how the window is at a moment, and until when.
func (w *window) stretch(at time.Time) stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.IndexFunc(w.known, func(s stretch) bool { return s.covers(at) }); i >= 0 {
		return w.known[i]
	}
	if len(w.known) >= maxKnown {
		w.known = slices.Delete(w.known, 0, 1)
	}
	w.known = append(w.known, w.find(at))
	return w.known[len(w.known)-1]
}

// find walks the rule for it.
func (w *window) find(now time.Time) stretch {
	opened := w.opened(now)
	if opened.IsZero() || !now.Before(opened.Add(w.duration)) {
		return stretch{from: now, to: w.opens(now)}
	}
	end := opened.Add(w.duration)
	for range maxSteps {
		next := w.opened(end) // the last that opens before this one closes
		if next.Add(w.duration).Equal(end) {
			return stretch{from: now, to: end, open: true}
		}
		end = next.Add(w.duration)
	}
	return stretch{from: now, open: true}
}

// opened is when it opened last, at the moment itself included; zero: it never did.
func (w *window) opened(at time.Time) (last time.Time) {
	for t := range w.openings() {
		if t.After(at) {
			break
		}
		last = t
	}
	return last
}

// opens is when it opens next, after the moment; zero: never again.
func (w *window) opens(at time.Time) time.Time {
	for t := range w.openings() {
		if t.After(at) {
			return t
		}
	}
	return time.Time{}
}

// openings are all there are, from the first.
func (w *window) openings() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		next := w.rule.Iterator()
		for t, ok := next(); ok; t, ok = next() {
			if t = first(t); !w.until.IsZero() && t.After(w.until) || !yield(t) {
				return
			}
		}
	}
}

// first is the same time by the clock, or where the clock goes back and shows it twice the first of the two: so RFC 5545 (3.3.5) wants
// it, while [time.Date] promises neither.
func first(t time.Time) time.Time {
	changed, _ := t.ZoneBounds()
	if changed.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := changed.Add(-time.Second).Zone()
	if earlier := t.Add(time.Duration(offset-before) * time.Second); before > offset && earlier.Before(changed) {
		return earlier
	}
	return t
}

// check refuses a window that never opens again, or takes too long to walk.
func (w *window) check(now time.Time) error {
	if w.rule.GetDTStart().Before(now.Add(-maxPast)) {
		return aggregates.Reject("Rule window start must be at most ten years ago")
	}
	if s := w.stretch(now); !s.open && s.to.IsZero() {
		return aggregates.Reject("Rule window never opens: look at its rule and start")
	}
	return nil
}
