package eventlog

import (
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"slipway/events"
)

// subjectProjected is where a projector says how far the read models are. It is plain NATS, at most once: who waits looks
// for itself, so a message lost costs some waiting and nothing else.
const subjectProjected = "slipway.projected"

// AnnounceProjected gives the function that tells other processes how far the read models are.
func AnnounceProjected(nc *nats.Conn) func(events.Sequence) {
	return func(seq events.Sequence) {
		// It fails on a closed connection only, where nobody is to be told any more.
		_ = nc.Publish(subjectProjected, []byte(strconv.FormatUint(uint64(seq), 10)))
	}
}

// OnProjected calls fn, which must not wait, whenever a projector says how far the read models are, until stop is called.
func OnProjected(nc *nats.Conn, fn func(events.Sequence)) (stop func() error, err error) {
	sub, err := nc.Subscribe(subjectProjected, func(m *nats.Msg) {
		if seq, err := strconv.ParseUint(string(m.Data), 10, 64); err == nil {
			fn(events.Sequence(seq))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subjectProjected, err)
	}
	return sub.Unsubscribe, nil
}
