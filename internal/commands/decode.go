package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/aggregates"
)

// MaxBody bounds the JSON body of a command, in bytes.
const MaxBody = 512 << 10

// CodeMalformed refuses a body that is no JSON object: Cloud Foundry's MessageParseError.
const CodeMalformed aggregates.Code = "MessageParseError"

// Malformed is the refusal of a body that cannot be parsed.
func Malformed() *aggregates.RejectedError {
	return &aggregates.RejectedError{Code: CodeMalformed, Message: "Request invalid due to parse error: invalid request body"}
}

// DecodeStrict reads one JSON object into v: an empty body counts as {}; no unknown field, no wrong type, nothing after
// the object, valid UTF-8 only. Errors are *aggregates.RejectedError.
func DecodeStrict(body []byte, v any) error {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		body = []byte("{}")
	}
	if len(body) > MaxBody || !utf8.Valid(body) || body[0] != '{' {
		return Malformed()
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, after := decoder.Token(); !errors.Is(after, io.EOF) {
			return Malformed()
		}
		return nil
	}
	var rejected *aggregates.RejectedError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &rejected):
		return rejected
	case errors.As(err, &wrongType):
		return aggregates.Reject("%s must be %s", fieldName(wrongType.Field), typeName(wrongType.Type.Kind().String()))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		// encoding/json has no type for this one; the prefix is pinned by a test.
		return aggregates.Reject("Unknown field(s): '%s'", strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`))
	}
	return Malformed()
}

// fieldName writes a JSON path as Cloud Foundry's messages do: "web_instances" becomes "Web instances". Where one body has the fields of
// another, encoding/json names the Go type of that one too, as if it were a field; ours are in lower case.
func fieldName(path string) string {
	fields := slices.DeleteFunc(strings.Split(path, "."), func(name string) bool { return name != strings.ToLower(name) })
	words := strings.ReplaceAll(strings.Join(fields, " "), "_", " ")
	if words == "" {
		return "Body"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func typeName(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"):
		return "an integer"
	case kind == "map" || kind == "struct":
		return "an object"
	case kind == "slice":
		return "an array"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "bool":
		return "a boolean"
	}
	return "a " + kind
}
