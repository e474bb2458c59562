package events

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecodeCommit: no message makes the decoder panic; what it takes can be written again and then stays as it is.
func FuzzDecodeCommit(f *testing.F) {
	m := encode(f, exampleCommit())
	f.Add(string(m.Subject), "c", "2", string(exampleCommit().Previous), "updater", []byte(`[{"specversion":"1.0","id":"c.0"}]`))
	f.Add(string(m.Subject), string(exampleCommand), "2", "", "updater", m.Data)
	f.Add("events.app.*", "", "-1", "x", "", []byte(`[null]`))
	r := NewRegistry()
	f.Fuzz(func(t *testing.T, subject, command, version, previous, actor string, data []byte) {
		c, err := r.DecodeCommit(Message{Subject: Subject(subject), Data: data, Header: map[string][]string{
			HeaderMsgID: {command}, HeaderVersion: {version}, HeaderPrevious: {previous}, HeaderActor: {actor},
		}})
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnknownType) {
				t.Fatalf("an error that no caller can act on: %v", err)
			}
			return
		}
		again, err := r.Encode(c)
		if err != nil {
			if len(data) > MaxCommitBytes/8 {
				return // short JSON may grow: escapes, fields written although they are zero
			}
			t.Fatalf("decoded and then refused: %v", err)
		}
		back, err := r.DecodeCommit(again)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := r.Encode(back); err != nil || !reflect.DeepEqual(twice, again) {
			t.Fatalf("not stable: %v\n%s\n%s", err, again.Data, twice.Data)
		}
	})
}

// FuzzDecode: no data makes a decoder or an upcaster of any type and version panic, and an event that was read is written
// and read again unchanged.
func FuzzDecode(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add(string(g.typ), g.version, []byte(g.data))
	}
	f.Add("app.created", 1, []byte(`{"metadata":{"labels":{}}}`)) // empty and absent are one
	r := NewRegistry()
	f.Fuzz(func(t *testing.T, typ string, version int, data []byte) {
		e, err := r.Decode(Type(typ), version, data)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnknownType) {
				t.Fatalf("an error that no caller can act on: %v", err)
			}
			return
		}
		first, err := marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := r.Decode(e.Type(), r.Version(e.Type()), first)
		if err != nil {
			t.Fatal(err)
		}
		if second := mustMarshal(t, back); string(second) != string(first) {
			t.Fatalf("not stable:\n%s\n%s", first, second)
		}
	})
}

// FuzzUpcast: an upcaster given any JSON object makes one of the next version out of it or an error, and never panics.
func FuzzUpcast(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add([]byte(g.data))
	}
	r := NewRegistry()
	f.Fuzz(func(t *testing.T, data []byte) {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return
		}
		for typ, e := range r.entries {
			for i, upcast := range e.upcasters {
				next, err := upcast(data)
				if err != nil {
					t.Fatalf("%s from version %d: %v", typ, i+1, err)
				}
				var object map[string]json.RawMessage
				if err := json.Unmarshal(next, &object); err != nil || object == nil {
					t.Fatalf("%s from version %d makes no object: %s", typ, i+1, next)
				}
			}
		}
	})
}

// FuzzSplit: what Split takes is one literal subject, and put together again is the same.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"events.app.a", "events.*.>", "events.app.a.b", "", "events.app.\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		aggregate, id, ok := Subject(s).Split()
		if ok != (subject(aggregate, id) == Subject(s) && ValidID(aggregate) && ValidID(id)) {
			t.Fatalf("%q: %q, %q, %v", s, aggregate, id, ok)
		}
		if ok && (strings.ContainsAny(s, "*> \r\n\t\x00") || strings.Count(s, ".") != 2) {
			t.Fatalf("%q is no literal subject of three tokens", s)
		}
	})
}

// FuzzFeedToken: every name becomes one token, and the token gives the name back: so no two names share one.
func FuzzFeedToken(f *testing.F) {
	for _, s := range []string{"", "=", "payments", "a.b", "é", "\xff", "=3D", "*", ">"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		token := FeedToken(name)
		if token == "" || strings.ContainsAny(token, ".*> \r\n\t\x00") {
			t.Fatalf("%q becomes %q, which is no token", name, token)
		}
		if back := unescape(t, token); back != name {
			t.Fatalf("%q becomes %q, which says %q", name, token, back)
		}
	})
}

// unescape is FeedToken backwards.
func unescape(t *testing.T, token string) string {
	if token == "=" {
		return ""
	}
	parts := strings.Split(token, "=")
	name := parts[0]
	for _, part := range parts[1:] {
		b, err := hex.DecodeString(part[:2])
		if err != nil {
			t.Fatalf("%q: %v", token, err)
		}
		name += string(b) + part[2:]
	}
	return name
}
