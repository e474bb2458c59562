package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/cferror"
	"slipway/internal/commands"
)

// bodyTimeout is how long a JSON body may take: it is half a megabyte at most.
const bodyTimeout = 30 * time.Second

// bind reads the JSON body of a request into v.
func bind(c echo.Context, v any) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	return decode(body, v)
}

// readBody reads a body that must be JSON.
func readBody(c echo.Context) ([]byte, error) {
	body, err := readText(c)
	if err == nil && len(body) > 0 && !isJSON(c.Request().Header.Get("Content-Type")) {
		// A form that a web page sends has another type; a page needs leave to send this one.
		err = cferror.UnsupportedMediaType.With("The body must be JSON: send it with 'Content-Type: application/json'")
	}
	return body, err
}

// readText reads a body of whatever type.
func readText(c echo.Context) ([]byte, error) {
	connection := http.NewResponseController(c.Response())
	// A connection that has no deadlines, as in tests, needs none.
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, commands.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, commands.Malformed() // it broke off
	}
	return body, nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// decode reads a JSON object into the struct that v points to, key by key, and tells all faults together in one error
// (Cloud Foundry's form): unknown keys, then what commands.DecodeStrict says of each known one. Keys must match exactly.
func decode(body []byte, v any) error {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil
	}
	given := map[string]json.RawMessage{}
	if body[0] != '{' || !utf8.Valid(body) || json.Unmarshal(body, &given) != nil {
		return commands.Malformed()
	}
	var faults []string
	if unknown := unknownKeys(body, v); len(unknown) > 0 {
		faults = append(faults, "Unknown field(s): '"+strings.Join(unknown, "', '")+"'")
	}
	for _, key := range fields(v) {
		raw, ok := given[key]
		if !ok {
			continue
		}
		err := commands.DecodeStrict(slices.Concat([]byte(`{"`+key+`":`), raw, []byte("}")), v)
		var rejected *aggregates.RejectedError
		switch {
		case err == nil:
		case errors.As(err, &rejected) && rejected.Code == aggregates.CodeUnprocessable:
			faults = append(faults, rejected.Message)
		default:
			return err
		}
	}
	if len(faults) > 0 {
		return aggregates.Reject("%s", strings.Join(faults, ", "))
	}
	return nil
}

// unknownKeys are those of a JSON object that v has no field for, each once, in the order in which they were sent.
func unknownKeys(object []byte, v any) (unknown []string) {
	known, d := fields(v), json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // the brace: that all of it is an object has been seen
	for d.More() {
		token, _ := d.Token()
		key, _ := token.(string)
		if !slices.Contains(known, key) && !slices.Contains(unknown, key) {
			unknown = append(unknown, key)
		}
		var value json.RawMessage
		_ = d.Decode(&value)
	}
	return unknown
}

// fields are the JSON keys of the struct that v points to and of those that it embeds, in order.
func fields(v any) []string {
	var keys []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v).Elem()) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous {
			keys = append(keys, key)
		}
	}
	return keys
}

// ref is a reference to another resource in a body.
type ref struct {
	GUID string `json:"guid"` // its id
}

// toOne is a relationship in a body. What it names is empty where it is null or absent.
type toOne struct {
	Data *ref `json:"data"` // null: none
}

func (t toOne) guid() string {
	if t.Data == nil {
		return ""
	}
	return t.Data.GUID
}

// metadata is the metadata of a body, read with Cloud Foundry's texts. A null value is no value; whether the others obey
// the rules is for the rule book to say.
type metadata events.Metadata

// UnmarshalJSON implements json.Unmarshaler.
func (m *metadata) UnmarshalJSON(data []byte) error {
	*m = metadata{}
	if string(data) == "null" {
		return nil
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(data, &parts) != nil {
		return aggregates.Reject("Metadata must be an object")
	}
	var err error
	if m.Labels, err = values(parts, "labels"); err != nil {
		return err
	}
	if m.Annotations, err = values(parts, "annotations"); err != nil {
		return err
	}
	if len(parts) > 0 {
		return aggregates.Reject("Metadata has unexpected field(s): '%s'", strings.Join(slices.Sorted(maps.Keys(parts)), "', '"))
	}
	return nil
}

// values takes one part of the metadata out of parts.
func values(parts map[string]json.RawMessage, part string) (map[string]string, error) {
	raw, ok := parts[part]
	delete(parts, part)
	if !ok {
		return nil, nil
	}
	var given map[string]*string
	if json.Unmarshal(raw, &given) != nil {
		var any map[string]json.RawMessage
		if json.Unmarshal(raw, &any) == nil {
			return nil, aggregates.Reject("Metadata '%s' has a value that is no string", part)
		}
		return nil, aggregates.Reject("Metadata '%s' is not an object", part)
	}
	var set map[string]string
	for key, value := range given {
		if value == nil {
			continue
		}
		if set == nil {
			set = map[string]string{}
		}
		set[key] = *value
	}
	return set, nil
}
