package apitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Server is the address that requests go to.
const Server = "http://127.0.0.1:8080"

// Call sends a request with a JSON body, or one of bits to what takes them. header is names and values in turn.
func Call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, Server+path, strings.NewReader(body))
	switch {
	case strings.HasSuffix(path, "/upload"):
		r.Header.Set("Content-Type", "application/gzip")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	got := httptest.NewRecorder()
	h.ServeHTTP(got, r)
	return got
}

// Object reads a JSON object; nil where there is nothing.
func Object(t testing.TB, data []byte) (v map[string]any) {
	t.Helper()
	if len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// At digs in an answer: At(v, "status", "value"), At(v, "resources", 0, "guid"). What is not there is nil.
func At(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// Text is [At] for strings; what is none is empty.
func Text(v any, path ...any) string {
	s, _ := At(v, path...).(string)
	return s
}
