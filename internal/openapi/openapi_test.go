package openapi_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/matryer/is"

	"slipway/internal/openapi"
)

type moment struct{}

type inner struct {
	Name  string             `json:"name"`
	Notes map[string]*string `json:"notes,omitempty"`
}

type thing struct {
	inner
	At     moment  `json:"at"`
	Parent *inner  `json:"parent"`
	Child  *inner  `json:"child,omitempty"`
	Parts  []inner `json:"parts"`
	State  string  `json:"state"`
}

type list struct {
	Total int `json:"total"`
	Rows  any `json:"rows"`
}

// described is a document with one operation of each kind.
func described() openapi.Document {
	return openapi.Document{
		Title: "T", Version: "1", Parameters: map[string]openapi.Parameter{"id": {Text: "which"}}, Errors: inner{},
		Operations: []openapi.Operation{
			{ID: "list", Method: "GET", Path: "/things", Answers: []openapi.Answer{{Status: 200, Body: openapi.Page{List: list{}, Row: thing{}}}}},
			{
				ID: "put", Method: "PUT", Path: "/things/:id", Body: thing{}, Answers: []openapi.Answer{{Status: 204}},
				Needs: [][]string{{"admin"}, {"write", "developer"}}, Schemes: []string{"token"}, Example: []byte(`{"state":"ON"}`),
				Refusals: []openapi.Refusal{
					{Status: 422, Code: "Wrong", Text: "It is wrong.", Body: inner{Name: "Wrong"}},
					{Status: 422, Code: "Taken", Text: "It is taken.", Body: inner{Name: "Taken"}},
				},
			},
		},
		Security: map[string]any{"token": map[string]string{"type": "http", "scheme": "bearer"}, "other": map[string]string{"type": "http", "scheme": "basic"}},
		Types: openapi.Types{
			As:    map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[moment](): {Type: "string", Format: "date-time"}},
			Lists: map[reflect.Type]string{reflect.TypeFor[list](): "rows"},
			Enums: []openapi.Enum{{Of: thing{}, Field: "state", Values: []string{"ON", "OFF"}}},
			Comment: func(of reflect.Type, field string) string {
				return map[string]string{"thing.Parent": "above", "thing.State": "what it does"}[of.Name()+"."+field]
			},
		},
	}
}

func TestSchemas(t *testing.T) {
	is := is.New(t)
	data, err := described().JSON()
	is.NoErr(err)
	again, err := described().JSON()
	is.NoErr(err)
	is.Equal(string(data), string(again)) // the same table, the same bytes
	var doc struct {
		Paths      map[string]any
		Components struct{ Schemas map[string]json.RawMessage }
	}
	is.NoErr(json.Unmarshal(data, &doc))
	_, templated := doc.Paths["/things/{id}"]
	is.True(templated)
	for name, want := range map[string]string{
		"Inner": `{"properties":{"name":{"type":"string"},"notes":{"additionalProperties":{"anyOf":[{"type":"string"},{"type":"null"}]},"type":"object"}},` +
			`"type":"object","required":["name"]}`,
		"Thing": `{"properties":{"name":{"type":"string"},"notes":{"additionalProperties":{"anyOf":[{"type":"string"},{"type":"null"}]},"type":"object"},` +
			`"at":{"type":"string","format":"date-time"},"parent":{"anyOf":[{"$ref":"#/components/schemas/Inner"},{"type":"null"}],"description":"above"},` +
			`"child":{"$ref":"#/components/schemas/Inner"},"parts":{"items":{"$ref":"#/components/schemas/Inner"},"type":"array"},` +
			`"state":{"type":"string","enum":["ON","OFF"],"description":"what it does"}},"type":"object","required":["name","at","parent","parts","state"]}`,
	} {
		is.Equal(string(doc.Components.Schemas[name]), want)
	}
	body := string(doc.Components.Schemas["ThingBody"])
	is.True(strings.Contains(body, `"additionalProperties":false,"type":"object"}`)) // requests are closed, and need nothing
	is.True(strings.Contains(string(data), `"rows":{"items":{"$ref":"#/components/schemas/Thing"},"type":"array"}`))
}

// TestRefusalsAndNeeds: what an operation needs and how it is refused, and nothing else.
func TestRefusalsAndNeeds(t *testing.T) {
	is := is.New(t)
	data, err := described().JSON()
	is.NoErr(err)
	var doc struct {
		Paths      map[string]map[string]map[string]json.RawMessage
		Components struct {
			Responses map[string]struct {
				Description string
				Content     map[string]struct {
					Examples map[string]struct{ Value inner }
				}
			}
		}
	}
	is.NoErr(json.Unmarshal(data, &doc))
	put := doc.Paths["/things/{id}"]["put"]
	is.Equal(string(put["security"]), `[{"token":["admin"]},{"token":["write","developer"]}]`) // any of them
	is.Equal(string(doc.Paths["/things"]["get"]["security"]), `[{"other":[]},{"token":[]}]`)   // with any scheme
	is.True(strings.Contains(string(put["requestBody"]), `"example":{"state":"ON"}`))
	is.True(strings.Contains(string(put["responses"]), `"422":{"$ref":"#/components/responses/422.Wrong.Taken"}`))
	is.True(!strings.Contains(string(put["responses"]), `"default"`))
	refused := doc.Components.Responses["422.Wrong.Taken"]
	is.Equal(refused.Description, "`Wrong`: It is wrong.\n\n`Taken`: It is taken.")
	is.Equal(refused.Content["application/json"].Examples["Taken"].Value.Name, "Taken")
}

// TestContradictions: a table that cannot be right is an error that says where.
func TestContradictions(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*openapi.Document)
		want   string
	}{
		"one operation twice": {func(d *openapi.Document) { d.Operations = append(d.Operations, d.Operations[0]) }, "GET /things (list) stands twice"},
		"no id":               {func(d *openapi.Document) { d.Operations[0].ID = "" }, "has no id of its own"},
		"unknown parameter":   {func(d *openapi.Document) { d.Operations[0].Query = []string{"page"} }, `what the parameter "page" is`},
		"unknown scheme":      {func(d *openapi.Document) { d.Operations[1].Schemes = []string{"key"} }, `what the security scheme "key" is`},
		"no such field":       {func(d *openapi.Document) { d.Types.Enums[0].Field = "status" }, `has no field "status" in any body`},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			d := described()
			tt.change(&d)
			_, err := d.JSON()
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), tt.want)) // says what is wrong
		})
	}
}
