package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/internal/commands"
)

// members are the members of a JSON body as AWS's services read them: null is absent, unknown ones are passed over, names
// count to the letter. It keeps the first fault.
type members struct {
	given map[string]json.RawMessage
	err   error
}

// readMembers reads a body. Its content type does not count: not all of AWS's tools send one, and no web page can send a
// request that is signed or has a token.
func readMembers(c echo.Context) (*members, error) {
	body, err := readText(c)
	if err != nil {
		return nil, err
	}
	m := &members{given: map[string]json.RawMessage{}}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return m, nil
	}
	if body[0] != '{' || !utf8.Valid(body) || json.Unmarshal(body, &m.given) != nil {
		return nil, unserializable("The request body is no JSON object in UTF-8")
	}
	return m, nil
}

// unserializable refuses what cannot be read: AWS's SerializationException.
func unserializable(format string, args ...any) error {
	return &aggregates.RejectedError{Code: commands.CodeMalformed, Message: fmt.Sprintf(format, args...)}
}

// member reads one member; nil where it is absent, null or of another type, which is a fault.
func member[V any](m *members, name string) *V {
	raw, ok := m.given[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	var v V
	if err := json.Unmarshal(raw, &v); err != nil {
		if m.err == nil {
			m.err = unserializable("The value of %s cannot be converted to %s", name, typeOf(v))
		}
		return nil
	}
	return &v
}

func typeOf(v any) string {
	switch v.(type) {
	case int:
		return "an Integer"
	case float64, float:
		return "a Float"
	case string:
		return "a String"
	}
	return "a Map of Strings"
}

// float is a number as AWS writes it: those that JSON does not have are words.
type float float64

// UnmarshalJSON implements json.Unmarshaler.
func (f *float) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"NaN"`:
		*f = float(math.NaN())
	case `"Infinity"`:
		*f = float(math.Inf(1))
	case `"-Infinity"`:
		*f = float(math.Inf(-1))
	default:
		return json.Unmarshal(data, (*float64)(f))
	}
	return nil
}

// numbers are the numbers of a strategy.
func (m *members) numbers() strategy.Numbers {
	return strategy.Numbers{
		GrowthType: member[string](m, "GrowthType"), GrowthFactor: (*float64)(member[float](m, "GrowthFactor")),
		DeploymentDurationMinutes: member[int](m, "DeploymentDurationInMinutes"), FinalBakeMinutes: member[int](m, "FinalBakeTimeInMinutes"),
	}
}
