package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// specVersion is the version of CloudEvents that commits are written in.
const specVersion = "1.0"

// CloudEvent is one event in CloudEvents 1.0 JSON format, with dataversion as extension.
type CloudEvent struct {
	SpecVersion string          `json:"specversion"`       // 1.0
	ID          string          `json:"id"`                // the same for an event that comes twice
	Type        Type            `json:"type"`              // deployment.paused and so on
	Source      string          `json:"source"`            // where it stands in the event log
	Subject     string          `json:"subject,omitempty"` // CloudEvents allows none, but no empty one
	Time        time.Time       `json:"time"`              // when it was decided
	DataVersion int             `json:"dataversion"`       // of data
	Data        json.RawMessage `json:"data"`              // the event's own; docs/events.md has it
}

// Source is the CloudEvents source of what an aggregate did: "/slipway/app/<id>".
func Source(s Subject) string {
	aggregate, id, _ := s.Split()
	return "/slipway/" + aggregate + "/" + id
}

// CloudEvents renders a commit's events. All of them carry the commit's time, in UTC and to the nanosecond: one decision
// has one moment. It returns [ErrUnknownType] for an event without a registered type and [ErrMalformed] for one that is
// no JSON or holds text that is no UTF-8.
func (r *Registry) CloudEvents(c Commit) ([]CloudEvent, error) {
	batch := make([]CloudEvent, len(c.Events))
	for i, e := range c.Events {
		if e == nil {
			return nil, fmt.Errorf("event %d is nil: %w", i, ErrMalformed)
		}
		version := r.Version(e.Type())
		if version == 0 {
			return nil, fmt.Errorf("%q: %w", e.Type(), ErrUnknownType)
		}
		data, err := marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", e.Type(), err)
		}
		batch[i] = CloudEvent{
			SpecVersion: specVersion, ID: c.EventID(i), Type: e.Type(), Source: Source(c.Subject), Subject: e.Subject(),
			Time: c.Time.UTC(), DataVersion: version, Data: data,
		}
	}
	return batch, nil
}

// Encode writes a commit as a message. It refuses with [ErrMalformed] or [ErrUnknownType] what could not be read back as
// it is: no event, too many, too large, ids or names that are no subject token or header value, text that is no UTF-8.
func (r *Registry) Encode(c Commit) (Message, error) {
	if err := c.check(); err != nil {
		return Message{}, err
	}
	batch, err := r.CloudEvents(c)
	if err != nil {
		return Message{}, err
	}
	data, err := marshal(batch)
	if err != nil {
		return Message{}, fmt.Errorf("encode commit: %w", err)
	}
	if len(data) > MaxCommitBytes {
		return Message{}, fmt.Errorf("commit of %d bytes, at most %d: %w", len(data), MaxCommitBytes, ErrMalformed)
	}
	return Message{Subject: c.Subject, Header: c.header(), Data: data}, nil
}

func (c Commit) header() map[string][]string {
	header := map[string][]string{}
	set := func(key, value string) {
		if value != "" {
			header[key] = []string{value}
		}
	}
	set(HeaderContentType, ContentTypeBatch)
	set(HeaderMsgID, string(c.CommandID))
	if c.Version > 0 {
		set(HeaderVersion, strconv.FormatUint(uint64(c.Version), 10))
	}
	set(HeaderPrevious, string(c.Previous))
	set(HeaderActor, string(c.Actor))
	set(HeaderCause, c.Cause)
	set(HeaderTraceparent, c.Trace)
	return header
}

// marshal writes JSON for people as much as for programs: "&&" in a start command stays as it is, because the log is
// read with the nats CLI. encoding/json would put U+FFFD in the place of a byte that is no UTF-8, and history would say
// something else than was decided; that is an error here.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if replaced(data) {
		return nil, fmt.Errorf("text that is no UTF-8: %w", ErrMalformed)
	}
	return data, nil
}

// replaced finds the escape \ufffd, which encoding/json writes for a broken byte only: a U+FFFD of the text itself is
// written as it is, and a backslash of the text is doubled.
func replaced(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			return false
		}
		if bytes.HasPrefix(data[i+1:], []byte("ufffd")) {
			return true
		}
		data = data[i+2:] // the byte after a backslash belongs to it
	}
}

// DecodeCommit reads a message back into a commit. Every event of it decodes, or it fails with [ErrMalformed] or
// [ErrUnknownType] and gives none. Fields it does not know it leaves out: a newer program may have written them.
func (r *Registry) DecodeCommit(m Message) (Commit, error) {
	c, err := decodeHeader(m)
	if err != nil {
		return Commit{}, err
	}
	batch, err := decodeBatch(m.Data)
	if err != nil {
		return Commit{}, err
	}
	c.Time, c.Events = batch[0].Time.UTC(), make([]Event, len(batch))
	for i, ce := range batch {
		if err := ce.check(c, i); err != nil {
			return Commit{}, err
		}
		if c.Events[i], err = r.Decode(ce.Type, ce.DataVersion, ce.Data); err != nil {
			return Commit{}, err
		}
	}
	if err := c.check(); err != nil {
		return Commit{}, err
	}
	return c, nil
}

func decodeHeader(m Message) (Commit, error) {
	c := Commit{
		Subject: m.Subject, CommandID: CommandID(m.header(HeaderMsgID)), Previous: Hash(m.header(HeaderPrevious)),
		Actor: Actor(m.header(HeaderActor)), Cause: m.header(HeaderCause), Trace: m.header(HeaderTraceparent),
	}
	if v := m.header(HeaderVersion); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n == 0 {
			return Commit{}, fmt.Errorf("%s %q: %w", HeaderVersion, v, ErrMalformed)
		}
		c.Version = Version(n)
	}
	return c, nil
}

func decodeBatch(data []byte) ([]CloudEvent, error) {
	if len(data) > MaxCommitBytes {
		return nil, fmt.Errorf("commit of %d bytes: %w", len(data), ErrMalformed)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("data is no UTF-8: %w", ErrMalformed)
	}
	var batch []CloudEvent
	if err := json.Unmarshal(data, &batch); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if n := len(batch); n == 0 || n > MaxEventsPerCommit {
		return nil, fmt.Errorf("%d events, want 1 to %d: %w", n, MaxEventsPerCommit, ErrMalformed)
	}
	return batch, nil
}

// check asserts that the envelope of the commit's n-th event is the one that Encode would have written.
func (ce CloudEvent) check(c Commit, n int) error {
	switch {
	case ce.SpecVersion != specVersion:
		return fmt.Errorf("event %d has specversion %q: %w", n, ce.SpecVersion, ErrMalformed)
	case ce.ID != c.EventID(n):
		return fmt.Errorf("event %d has id %q, want %q: %w", n, ce.ID, c.EventID(n), ErrMalformed)
	case ce.Source != Source(c.Subject):
		return fmt.Errorf("event %d has source %q, want %q: %w", n, ce.Source, Source(c.Subject), ErrMalformed)
	case !ce.Time.Equal(c.Time):
		return fmt.Errorf("event %d is of %s, its commit of %s: %w", n, ce.Time, c.Time, ErrMalformed)
	}
	return nil
}
