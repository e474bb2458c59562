package api_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"slipway/aggregates"
	"slipway/internal/api"
	"slipway/internal/cferror"
)

// FuzzDecode holds that any body is read or refused with a text that can be sent, and nothing panics.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{`, `{"strategy":"rolling"}`, `{"strategy":7,"x":1}`, `{"options":{"max_in_flight":false}}`,
		`{"options":{"web_instances":"5","canary":{}}}`, `{"metadata":{"labels":{"a":null},"annotations":[]}}`,
		`{"relationships":{"app":{"data":null}}}`, `{"relationships":{"app":{"data":{"guid":"x","guid":1}}}}`,
		`{"command":null}`, `{"command":1,"health_check":{"type":null,"data":{"timeout":null,"interval":"x"}}}`,
		`{"strategy":"\ud800"}`, "{\"\xff\":1}", `{"a":1,"a":2}`, `{"Strategy":1}`, `{"":1}`, `{"strategy":"x"}}`,
		"\ufeff{}", `{"options":` + strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat("}", 101),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{new(api.CreateDeploymentBody), new(api.UpdateProcessBody)} {
			err := api.Decode(body, into)
			var rejected *aggregates.RejectedError
			if err != nil && (!errors.As(err, &rejected) || !utf8.ValidString(rejected.Message) || rejected.Message == "") {
				t.Fatalf("%q: %#v", body, err)
			}
		}
	})
}

// FuzzQuery holds that any query is read or refused as a bad query, and nothing panics.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "page=1&per_page=2", "page=x", "guids=a,b%252Cc", "order_by=-created_at", "order_by=%2Bupdated_at", "order_by=-",
		"created_ats=2026-01-01T00:00:00Z", "created_ats[gt]=2026-01-01T00:00:00Z", "created_ats[", "created_ats[]=", "guids[x]=1",
		"label_selector=a,!b,c=d,e!=f,g%20in%20(h,i),j%20notin%20()", "label_selector=)(", "label_selector=a(b,c)", "%zz", ";", "a=%ff",
		"versions=1,x,99999999999999999999", "=", "&&", "page=1&page=2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		keys := []string{"page", "per_page", "order_by", "created_ats", "label_selector", "guids", "versions"}
		err := api.ParseQuery(raw, keys...).ReadAll()
		var shown cferror.Error
		if err != nil && (!errors.As(err, &shown) || shown.Status != 400 || !utf8.ValidString(shown.Detail)) {
			t.Fatalf("%q: %#v", raw, err)
		}
	})
}

// FuzzStreamID holds that only ids that a stream sends are read, and as what they were.
func FuzzStreamID(f *testing.F) {
	for _, seed := range []string{"", "1-0", "01-0", "1-", "-1", "9223372036854775807-2147483647", "9223372036854775808-0", "+1-0", "1-0-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := api.ParsePlace(text); err == nil && api.PlaceID(p) != text {
			t.Fatalf("%q was read as %v", text, p)
		}
	})
}

// FuzzMoment holds that nothing panics and that what is no moment is refused as a bad query.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"", "1", "0", "-1", "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.5+01:00", "yesterday", "1e3", "0x10"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := api.MomentOf(text)
		var shown cferror.Error
		if err != nil && (!errors.As(err, &shown) || shown.Status != 400) {
			t.Fatalf("%q: %#v", text, err)
		}
	})
}

// FuzzHost holds that a host that passes can only be this machine, and is safe to begin links with.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"localhost", "localhost:8080", "127.0.0.1", "[::1]:1", "::1", "[::1%25lo]", "localhost.", "127.1", "0", "evil@127.0.0.1", "127.0.0.1:80:80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if api.Loopback(host) && strings.Trim(strings.TrimPrefix(host, "localhost"), "0123456789abcdefABCDEF:.[]") != "" {
			t.Fatalf("%q passes", host)
		}
	})
}
