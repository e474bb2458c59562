package eventlog

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// To find a subject's next message the server looks at every message between it and the one before: 0.3 us each. For an
// app that was deployed last month and again today that is a million of them. But each commit carries the sequence of the
// one before it, in the expectation it was written with, and a get by sequence costs the same wherever it stands.
const (
	// scannedPerGet is how many messages the server passes over in the time of one get (25 to 160 us).
	scannedPerGet = 250
	// maxWalk bounds the commits that are gathered, newest first, before the first can be given out.
	maxWalk = 500
)

// walkBack gathers a subject's commits in (after, until] from the newest back. ok is false where that does not pay, or
// where a message does not say what stands before it. It never takes longer than the read it is meant to save.
func (j *JetStream) walkBack(ctx context.Context, s events.Subject, after, until events.Sequence) (found []Raw, ok bool, err error) {
	at, err := j.directLast(ctx, s)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	steps := stepsWorthwhile(at, after)
	for ; at.Sequence > after; steps-- {
		if at.Sequence <= until {
			found = append(found, at)
		}
		previous, known := predecessor(at)
		switch {
		case !known || steps == 0 && previous > after:
			return nil, false, nil
		case previous <= after:
			slices.Reverse(found)
			return found, true, nil
		}
		at, err = j.directGet(ctx, previous)
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && at.Subject != s {
			return nil, false, nil // a server that lags behind, or a message that was written past the log
		}
		if err != nil {
			return nil, false, err
		}
	}
	return nil, true, nil
}

// stepsWorthwhile says how many commits to walk over before reading forward is cheaper.
func stepsWorthwhile(newest Raw, after events.Sequence) int {
	if newest.Sequence <= after {
		return 0
	}
	steps := int(min(uint64(newest.Sequence-after)/scannedPerGet, maxWalk))
	version, err := strconv.Atoi(first(newest.Header[events.HeaderVersion]))
	if after == 0 && (err != nil || version > steps) {
		return 0 // so many commits are known to stand there
	}
	return steps
}

// predecessor is the sequence of the commit before raw in its aggregate, 0 for none: the position it was written at, which
// the server checked.
func predecessor(raw Raw) (events.Sequence, bool) {
	seq, err := strconv.ParseUint(first(raw.Header[jetstream.ExpectedLastSubjSeqHeader]), 10, 64)
	return events.Sequence(seq), err == nil && seq < uint64(raw.Sequence)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
