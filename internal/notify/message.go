package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"slipway/events"
	"slipway/internal/eventlog"
)

// attributePrefix begins the headers in which a message of the feed, and a request in binary mode, carries CloudEvents attributes.
const attributePrefix = "ce-"

// header reads one header of a message of the feed.
func header(m eventlog.Raw, key string) string {
	if values := m.Header[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// deliveryOf names the event that a message carries. Its place in the log is its own for ever, and grows: unlike ce-id it is enough
// without the source.
func deliveryOf(m eventlog.Raw) events.Delivery {
	return events.Delivery{
		ID:   header(m, eventlog.FeedHeaderSequence) + "-" + header(m, eventlog.FeedHeaderIndex),
		Type: header(m, attributePrefix+"type"),
	}
}

// content is the body of a request and its headers, by the mode that a subscription wants (CloudEvents HTTP protocol binding 1.0.2).
func content(m eventlog.Raw, mode string) ([]byte, http.Header, error) {
	headers := http.Header{}
	if trace := header(m, events.HeaderTraceparent); trace != "" {
		headers.Set("traceparent", trace)
	}
	if mode == events.ContentBinary {
		headers.Set("Content-Type", "application/json")
		for key := range m.Header {
			if strings.HasPrefix(key, attributePrefix) {
				headers.Set(key, escaped(header(m, key)))
			}
		}
		return m.Data, headers, nil
	}
	event := map[string]any{"datacontenttype": "application/json", "data": json.RawMessage(m.Data)}
	for key := range m.Header {
		if name, ok := strings.CutPrefix(key, attributePrefix); ok {
			event[name] = header(m, key)
		}
	}
	body, err := json.Marshal(event)
	if err != nil {
		return nil, nil, fmt.Errorf("event %s: %w", header(m, "ce-id"), err)
	}
	headers.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	return body, headers, nil
}

// escaped is an attribute as a header may hold it (the binding's section 3.1.3.2).
func escaped(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c > '~' || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
