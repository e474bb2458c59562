package eventlog

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

func TestAcknowledged(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		seq    events.Sequence
		check  func(error) bool
	}{
		"written":         {`{"stream":"EVENTS","seq":7}`, 7, func(err error) bool { return err == nil }},
		"lost race on R1": {`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"EVENTS","seq":0}`, 0, conflict},
		"lost race on R3": {`{"error":{"code":400,"err_code":10164},"stream":"EVENTS","seq":0}`, 0, conflict},
		"duplicate":       {`{"stream":"EVENTS","seq":7,"duplicate":true}`, 0, doubtful},
		"in process":      {`{"error":{"code":409,"err_code":10158}}`, 0, passing},
		"no leader":       {`{"error":{"code":503,"err_code":10008}}`, 0, passing},
		"too large":       {`{"error":{"code":400,"err_code":10054}}`, 0, func(err error) bool { return !doubtful(err) }},
		"no sequence":     {`{"stream":"EVENTS"}`, 0, func(err error) bool { return errors.Is(err, errInDoubt) }},
		"no JSON":         {`oops`, 0, func(err error) bool { return errors.Is(err, errInDoubt) }},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			seq, err := acknowledged([]byte(c.answer))
			is.Equal(seq, c.seq)
			is.True(c.check(err))
		})
	}
}

func FuzzAcknowledged(f *testing.F) {
	f.Add([]byte(`{"stream":"EVENTS","seq":7,"duplicate":true}`))
	f.Add([]byte(`{"error":{"code":400,"err_code":10071},"seq":0}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if seq, err := acknowledged(answer); (err == nil) != (seq > 0) {
			t.Fatalf("sequence %d with error %v", seq, err) // a commit without a place, or a place without a commit
		}
	})
}

func FuzzLeaderRaw(f *testing.F) {
	f.Add([]byte(`{"message":{"subject":"events.app.a","seq":3,"hdrs":"TkFUUy8xLjANCg0K","data":"e30=","time":"2026-01-02T03:04:05Z"}}`))
	f.Add([]byte(`{"error":{"code":404,"err_code":10037}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		raw, found, err := leaderRaw(answer)
		if found && err != nil || !found && raw.Sequence != 0 {
			t.Fatalf("found %v with sequence %d and error %v", found, raw.Sequence, err)
		}
	})
}

func FuzzDirectRaw(f *testing.F) {
	f.Add("", "3", "2026-01-02T03:04:05Z", "events.app.a", []byte("{}"))
	f.Add("404", "", "", "", []byte(nil))
	f.Add("204", "x", "y", "", []byte(nil))
	f.Fuzz(func(t *testing.T, status, seq, stored, subject string, data []byte) {
		m := &nats.Msg{Data: data, Header: nats.Header{}}
		m.Header.Set(headerStatus, status)
		m.Header.Set(jetstream.SequenceHeader, seq)
		m.Header.Set(jetstream.TimeStampHeaer, stored)
		m.Header.Set(jetstream.SubjectHeader, subject)
		raw, err := directRaw(m)
		if err == nil && (string(raw.Subject) != subject || raw.Header[jetstream.SequenceHeader] != nil) {
			t.Fatalf("raw message %+v", raw) // what the server added must not become part of the message
		}
	})
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter, subject string
		want            bool
	}{
		{"events.app.a", "events.app.a", true},
		{"events.app.a", "events.app.b", false},
		{"events.*.a", "events.app.a", true},
		{"events.app.*", "events.app", false},
		{"events.>", "events.app.a", true},
		{"events.>", "events", false},
		{"events.*", "events.app.a", false},
		{">", "events", true},
	} {
		is := is.New(t)
		is.Equal(matchesAny([]string{"none", c.filter}, events.Subject(c.subject)), c.want)
	}
}

func TestFiltersThatOverlap(t *testing.T) {
	for _, c := range []struct {
		filters string
		ok      bool
	}{
		{"events.app.* events.droplet.*", true},
		{"events.app.a events.app.b", true},
		{"events.app.* events.app.a", false},
		{"events.> events.app.*", false},
		{"events.app.* events.*.a", false},
		{"events.app.a events.app.a", false},
		{"events..a", false},
		{"events.>.a", false},
	} {
		_, err := checkFilters(strings.Fields(c.filters))
		is.New(t).Equal(err == nil, c.ok)
	}
}

// FuzzOverlap holds that two filters overlap exactly where some subject matches both: here a subject is a filter without
// wildcards.
func FuzzOverlap(f *testing.F) {
	f.Add("events.*.a", "events.app.>", "events.app.a")
	f.Fuzz(func(t *testing.T, a, b, subject string) {
		if !validFilter(a) || !validFilter(b) || !validFilter(subject) || !literal(subject) {
			return
		}
		s := events.Subject(subject)
		if matchesAny([]string{a}, s) && matchesAny([]string{b}, s) && !overlap(strings.Split(a, "."), strings.Split(b, ".")) {
			t.Fatalf("%q matches %q and %q, which do not overlap", subject, a, b)
		}
	})
}

func TestDelayGrowsAndEnds(t *testing.T) {
	is := is.New(t)
	is.Equal(delayAfter(1), firstDelay)
	is.Equal(delayAfter(2), 2*firstDelay)
	is.Equal(delayAfter(1_000_000), longestDelay)
}
