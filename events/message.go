package events

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Headers of a commit's message. Nats-Msg-Id is NATS's own; the others are ours.
const (
	HeaderMsgID       = "Nats-Msg-Id"      // id of the command that decided it
	HeaderContentType = "Content-Type"     // application/cloudevents-batch+json
	HeaderVersion     = "Slipway-Version"  // 1, 2, 3... within the aggregate; absent for an agent's reports
	HeaderPrevious    = "Slipway-Previous" // hash of the aggregate's commit before it; absent on the first
	HeaderActor       = "Slipway-Actor"    // who asked: a user, updater, agent/<id>
	HeaderCause       = "Slipway-Cause"    // what led to it: a door (http, rpc, commands) or the id of an event
	HeaderTraceparent = "traceparent"      // W3C trace context, where there is one
)

// ContentTypeBatch is the media type of a commit: a CloudEvents batch in JSON format.
const ContentTypeBatch = "application/cloudevents-batch+json"

// Limits of one decision. The stream's own limit on a message (1 MiB) lies above MaxCommitBytes.
const (
	MaxEventsPerCommit = 1_000
	MaxCommitBytes     = 768 << 10
	MaxHeaderBytes     = 512 // of one header's value; NATS bounds all headers together by 64 KiB
)

// ErrMalformed: this cannot be a commit. On a write nothing was written; on a read the log is damaged or somebody else
// wrote into it.
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

// HashMessage is the hash of a commit, over its bytes as they stand on the wire: where it stands, who wrote it after
// what, and what it says. It needs no decoding, so an unknown event does not break the chain. The trace is left out: it
// serves tools, and what they do to it must not look like a changed history.
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

// check states what every commit holds to, on write and on read alike.
func (c Commit) check() error {
	if _, _, ok := c.Subject.Split(); !ok {
		return fmt.Errorf("subject %q: %w", c.Subject, ErrMalformed)
	}
	if !ValidID(string(c.CommandID)) {
		return fmt.Errorf("command id %q: %w", c.CommandID, ErrMalformed)
	}
	if !c.Previous.valid() {
		return fmt.Errorf("previous hash %q: %w", c.Previous, ErrMalformed)
	}
	if c.Actor == "" {
		return fmt.Errorf("nobody did it: no actor: %w", ErrMalformed)
	}
	if !headerSafe(string(c.Actor)) || !headerSafe(c.Cause) || !headerSafe(c.Trace) {
		return fmt.Errorf("actor, cause or trace holds what no header may: %w", ErrMalformed)
	}
	if year := c.Time.UTC().Year(); c.Time.IsZero() || year < 1 || year > 9999 { // RFC 3339 ends there
		return fmt.Errorf("time %s: %w", c.Time.Format(time.RFC3339Nano), ErrMalformed)
	}
	if n := len(c.Events); n == 0 || n > MaxEventsPerCommit {
		return fmt.Errorf("%d events, want 1 to %d: %w", n, MaxEventsPerCommit, ErrMalformed)
	}
	return nil
}

func (h Hash) valid() bool {
	return h == "" || len(h) == 2*sha256.Size && strings.Trim(string(h), "0123456789abcdef") == ""
}

// headerSafe keeps out of headers what would not come back from them: control bytes (a line break would forge a
// header), blanks at the ends (clients trim them, and the hash would no longer fit), overlong values.
func headerSafe(s string) bool {
	if len(s) > MaxHeaderBytes || !utf8.ValidString(s) || strings.Trim(s, " ") != s {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f })
}
