package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Document is what is described.
type Document struct {
	Title, Version, Description string

	Operations []Operation
	Parameters map[string]Parameter // of paths and queries, by name; those in use must be here
	Security   map[string]any       // OpenAPI's security schemes, by name; each of them is enough
	Errors     any                  // the body of whatever is refused
	Headers    map[string]string    // of answers, by name, with what they say
	Types      Types
}

// Operation is one thing to ask for.
type Operation struct {
	ID      string // a name for generated clients: "listHalts"
	Method  string // "GET"
	Path    string // with parameters as echo writes them: "/v3/halts/:guid"
	Tag     string // what it is listed under
	Summary string
	Text    string   // more, in Markdown
	Query   []string // names of parameters
	Header  []string // names of parameters
	Open    bool     // to strangers
	Schemes []string // the security schemes that it takes; none: all
	// Needs are the names of scopes and roles that callers need: all of one entry, and any of the entries.
	Needs    [][]string
	Body     any             // a value of the type that the request is read into; nil: it has no body
	Needed   bool            // the body must be there
	Loose    bool            // the body may hold more than is read of it
	Example  json.RawMessage // a body that is not refused; nil: none is shown
	Answers  []Answer
	Refusals []Refusal // all that there can be
}

// Refusal is a way in which a request is not carried out.
type Refusal struct {
	Status int
	Code   string // what clients tell it by
	Text   string
	Body   any // what is sent, of the type of Document.Errors
}

// Answer is one answer to a request that is not refused.
type Answer struct {
	Status int
	Text   string // when, or what it is
	Body   any    // a value of the type that is written; nil: it has no body
	Media  string // empty: application/json
}

// Parameter is one of a path, a query or a header.
type Parameter struct {
	Text string
	Type string // JSON's; empty: string
	Enum []string
}

type object = map[string]any

// colon is a parameter in a path of echo's.
var colon = regexp.MustCompile(`:(\w+)`)

// PathOf writes a path of echo's as OpenAPI does.
func PathOf(route string) string { return colon.ReplaceAllString(route, "{$1}") }

// JSON writes the document.
func (d Document) JSON() ([]byte, error) {
	b := builder{Document: d, schemas: newSchemas(d.Types), refused: object{}}
	paths, err := b.paths()
	if err != nil {
		return nil, err
	}
	if err := b.schemas.enumerate(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = enc.Encode(object{
		"openapi": "3.1.0", "info": object{"title": d.Title, "version": d.Version, "description": d.Description},
		"servers": []object{{"url": "/"}}, "paths": paths,
		"components": object{
			"schemas": b.schemas.all, "securitySchemes": d.Security, "headers": b.headers(), "responses": b.refused,
		},
	})
	// Where OpenAPI keeps schemas is not where JSON Schema does.
	return bytes.ReplaceAll(out.Bytes(), []byte(`"#/$defs/`), []byte(`"#/components/schemas/`)), err
}

type builder struct {
	Document
	schemas *schemas
	refused object // the responses that operations refer to, by name
}

func (b *builder) paths() (map[string]object, error) {
	paths, ids := map[string]object{}, map[string]bool{}
	for _, o := range b.Operations {
		path, method := PathOf(o.Path), strings.ToLower(o.Method)
		if paths[path] == nil {
			paths[path] = object{}
		}
		if paths[path][method] != nil || ids[o.ID] || o.ID == "" {
			return nil, fmt.Errorf("openapi: %s %s (%s) stands twice in the table, or has no id of its own", o.Method, o.Path, o.ID)
		}
		ids[o.ID] = true
		written, err := b.operation(o)
		if err != nil {
			return nil, fmt.Errorf("openapi: %s: %w", o.ID, err)
		}
		paths[path][method] = written
	}
	return paths, nil
}

func (b *builder) operation(o Operation) (object, error) {
	parameters, err := b.parameters(o)
	if err != nil {
		return nil, err
	}
	written := object{
		"operationId": o.ID, "tags": []string{o.Tag}, "summary": o.Summary, "parameters": parameters, "responses": b.responses(o),
	}
	if o.Text != "" {
		written["description"] = o.Text
	}
	if written["security"], err = b.security(o); err != nil {
		return nil, err
	}
	if o.Body != nil {
		written["requestBody"] = object{"required": o.Needed, "content": content("", b.schemas.request(o), o.Example)}
	}
	return written, nil
}

func (b *builder) parameters(o Operation) ([]object, error) {
	all := []object{}
	add := func(name, in string) error {
		p, ok := b.Parameters[name]
		if !ok {
			return fmt.Errorf("nobody says what the parameter %q is", name)
		}
		schema := object{"type": cmp.Or(p.Type, "string")}
		if p.Enum != nil {
			schema["enum"] = p.Enum
		}
		all = append(all, object{"name": name, "in": in, "required": in == "path", "description": p.Text, "schema": schema})
		return nil
	}
	for _, m := range colon.FindAllStringSubmatch(o.Path, -1) {
		if err := add(m[1], "path"); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Query {
		if err := add(name, "query"); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Header {
		if err := add(name, "header"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// security says that any of the schemes is enough, with all names of any of the needs.
func (b *builder) security(o Operation) ([]object, error) {
	all := []object{}
	if o.Open {
		return all, nil
	}
	schemes := o.Schemes
	if schemes == nil {
		schemes = slices.Sorted(maps.Keys(b.Security))
	}
	needs := o.Needs
	if needs == nil {
		needs = [][]string{{}}
	}
	for _, scheme := range schemes {
		if b.Security[scheme] == nil {
			return nil, fmt.Errorf("nobody says what the security scheme %q is", scheme)
		}
		for _, names := range needs {
			all = append(all, object{scheme: names})
		}
	}
	return all, nil
}
