package events

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Headers of a commit's message. Nats-Msg-Id is NATS's own; the others are ours.
const (
	HeaderMsgID       = "Nats-Msg-Id"
	HeaderContentType = "Content-Type"
	HeaderVersion     = "Slipway-Version"
	HeaderPrevious    = "Slipway-Previous"
	HeaderActor       = "Slipway-Actor"
	HeaderCause       = "Slipway-Cause"
	HeaderTraceparent = "traceparent"
)

// ContentTypeBatch is the media type of a commit: a CloudEvents batch in JSON format.
const ContentTypeBatch = "application/cloudevents-batch+json"

// MaxEventsPerCommit and MaxCommitBytes bound what one decision may write. The stream's own limit (1 MiB) lies above.
const (
	MaxEventsPerCommit = 1_000
	MaxCommitBytes     = 768 << 10
)

// ErrMalformed: a message is no commit. The log is damaged or somebody else wrote into it.
var ErrMalformed = errors.New("malformed commit")

// Message is a commit as it stands on the wire, free of any client library.
type Message struct {
	Subject Subject
	Header  map[string][]string
	Data    []byte
}

func (m Message) header(key string) string {
	if v := m.Header[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// CloudEvent is one event in CloudEvents 1.0 JSON format, with dataversion as extension.
type CloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Type        Type            `json:"type"`
	Source      string          `json:"source"`
	Subject     string          `json:"subject"`
	Time        time.Time       `json:"time"`
	DataVersion int             `json:"dataversion"`
	Data        json.RawMessage `json:"data"`
}

// CloudEvents renders a commit's events.
func (r *Registry) CloudEvents(c Commit) ([]CloudEvent, error) {
	batch := make([]CloudEvent, len(c.Events))
	for i, e := range c.Events {
		version := r.Version(e.Type())
		if version == 0 {
			return nil, fmt.Errorf("%q: %w", e.Type(), ErrUnknownType)
		}
		data, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", e.Type(), err)
		}
		batch[i] = CloudEvent{
			SpecVersion: "1.0", ID: c.EventID(i), Type: e.Type(), Source: Source(c.Subject), Subject: e.Subject(),
			Time: c.Time.UTC(), DataVersion: version, Data: data,
		}
	}
	return batch, nil
}

// Source is the CloudEvents source of what an aggregate did: "/slipway/app/<id>".
func Source(s Subject) string {
	aggregate, id, _ := s.Split()
	return "/slipway/" + aggregate + "/" + id
}

// Encode writes a commit as a message. It refuses what could not be read back: no event, too many, too large, an id that
// is no header value.
func (r *Registry) Encode(c Commit) (Message, error) {
	if err := c.check(); err != nil {
		return Message{}, err
	}
	batch, err := r.CloudEvents(c)
	if err != nil {
		return Message{}, err
	}
	data, err := json.Marshal(batch)
	if err != nil {
		return Message{}, fmt.Errorf("encode commit: %w", err)
	}
	if len(data) > MaxCommitBytes {
		return Message{}, fmt.Errorf("commit of %d bytes, at most %d: %w", len(data), MaxCommitBytes, ErrMalformed)
	}
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
	return Message{Subject: c.Subject, Header: header, Data: data}, nil
}

// check states what every commit holds to, on write and on read alike.
func (c Commit) check() error {
	if _, _, ok := c.Subject.Split(); !ok {
		return fmt.Errorf("subject %q: %w", c.Subject, ErrMalformed)
	}
	if c.CommandID == "" || !headerSafe(string(c.CommandID)) {
		return fmt.Errorf("command id %q: %w", c.CommandID, ErrMalformed)
	}
	if !headerSafe(string(c.Actor)) || !headerSafe(c.Cause) || !headerSafe(c.Trace) {
		return fmt.Errorf("actor, cause or trace holds what no header may: %w", ErrMalformed)
	}
	if n := len(c.Events); n == 0 || n > MaxEventsPerCommit {
		return fmt.Errorf("%d events, want 1 to %d: %w", n, MaxEventsPerCommit, ErrMalformed)
	}
	return nil
}

// headerSafe keeps control bytes (a line break would forge a header) and overlong values out of headers.
func headerSafe(s string) bool {
	if len(s) > 512 || !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// DecodeCommit reads a message back into a commit. Every event of it decodes, or it fails with [ErrMalformed] or
// [ErrUnknownType].
func (r *Registry) DecodeCommit(m Message) (Commit, error) {
	if len(m.Data) > MaxCommitBytes {
		return Commit{}, fmt.Errorf("commit of %d bytes: %w", len(m.Data), ErrMalformed)
	}
	var batch []CloudEvent
	if err := json.Unmarshal(m.Data, &batch); err != nil {
		return Commit{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
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
	for i, ce := range batch {
		if ce.ID != c.EventID(i) {
			return Commit{}, fmt.Errorf("event %d has id %q, want %q: %w", i, ce.ID, c.EventID(i), ErrMalformed)
		}
		e, err := r.Decode(ce.Type, ce.DataVersion, ce.Data)
		if err != nil {
			return Commit{}, err
		}
		c.Events = append(c.Events, e)
		c.Time = ce.Time.UTC()
	}
	return c, c.check()
}

// HashMessage is the hash of a commit, over its bytes as they stand on the wire: where it stands, who wrote it after
// what, and what it says. It needs no decoding, so an unknown event does not break the chain.
func HashMessage(m Message) Hash {
	h := sha256.New()
	for _, part := range []string{
		string(m.Subject), m.header(HeaderVersion), m.header(HeaderPrevious), m.header(HeaderMsgID),
		m.header(HeaderActor), m.header(HeaderCause),
	} {
		fmt.Fprintf(h, "%d:%s\n", len(part), part) // lengths keep two fields from sliding into each other
	}
	h.Write(m.Data)
	return Hash(hex.EncodeToString(h.Sum(nil)))
}
