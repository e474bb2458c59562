package eventlog

import (
	"fmt"

	"slipway/events"
)

// encodeCommit renders a commit that is to stand right after the sequence last of its subject. What can be seen to break
// the history without reading it is refused here: a first commit that is not version 1, a later one that names nothing
// before it.
func encodeCommit(reg *events.Registry, c events.Commit, last events.Sequence) (events.Message, error) {
	first := last == 0
	if c.Version == 0 || first != (c.Version == 1) || first != (c.Previous == "") {
		return events.Message{}, fmt.Errorf("version %d after sequence %d, previous %q: %w",
			c.Version, last, c.Previous, events.ErrMalformed)
	}
	return reg.Encode(c)
}

// encodeReport renders a fact that stands outside any chain.
func encodeReport(reg *events.Registry, c events.Commit) (events.Message, error) {
	if c.Version != 0 || c.Previous != "" {
		return events.Message{}, fmt.Errorf("a report has no version and no previous commit: %w", events.ErrMalformed)
	}
	return reg.Encode(c)
}

// decodeRaw reads a stored message back into the commit it is.
func decodeRaw(reg *events.Registry, raw Raw) (events.Recorded, error) {
	c, err := reg.DecodeCommit(raw.Message)
	if err != nil {
		return events.Recorded{}, fmt.Errorf("decode %s at sequence %d: %w", raw.Subject, raw.Sequence, err)
	}
	return events.Recorded{Commit: c, Sequence: raw.Sequence, Hash: events.HashMessage(raw.Message)}, nil
}

// decodeAll reads a batch back.
func decodeAll(reg *events.Registry, raws []Raw) ([]events.Recorded, error) {
	batch := make([]events.Recorded, len(raws))
	for i, raw := range raws {
		var err error
		if batch[i], err = decodeRaw(reg, raw); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// decoding makes a receiver of raw messages out of one of commits.
func decoding(reg *events.Registry, fn func(events.Recorded) error) func(Raw) error {
	return func(raw Raw) error {
		rec, err := decodeRaw(reg, raw)
		if err != nil {
			return err
		}
		return fn(rec)
	}
}
