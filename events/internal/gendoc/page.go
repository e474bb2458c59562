package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode"

	"slipway/events"
)

//go:embed events.md.tmpl
var pageTemplate string

// page is what the template is given.
type page struct {
	Headers []header
	Commit  string // an example, as it stands in the stream
	Things  []thing
}

// thing is what a group of events is about: the first part of their names.
type thing struct {
	Name   string
	Events []event
}

type event struct {
	Type     events.Type
	Anchor   string // of its heading, as Markdown renderers make it
	Version  int
	Meaning  string
	Fields   []field
	Examples []example // newest version first
}

type field struct{ Name, JSON, Meaning string }

type example struct {
	Version int
	Upcast  string // how it becomes the next version; empty for today's
	Data    string
}

// render makes the page for the package in dir.
func render(dir string) ([]byte, error) {
	doc, err := readComments(dir)
	if err != nil {
		return nil, err
	}
	commit, err := exampleCommit(dir)
	if err != nil {
		return nil, err
	}
	p := page{Headers: doc.headers, Commit: commit}
	r := events.NewRegistry()
	for _, typ := range r.Types() {
		e, err := describe(dir, doc, r, typ)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(string(typ), ".")
		if n := len(p.Things); n == 0 || p.Things[n-1].Name != name {
			p.Things = append(p.Things, thing{Name: name})
		}
		last := &p.Things[len(p.Things)-1]
		last.Events = append(last.Events, e)
	}
	tmpl, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = tmpl.Execute(&b, p)
	return b.Bytes(), err
}

func describe(dir string, doc *comments, r *events.Registry, typ events.Type) (event, error) {
	version := r.Version(typ)
	zero, err := r.Decode(typ, version, json.RawMessage(`{}`))
	if err != nil {
		return event{}, err
	}
	goType := reflect.TypeOf(zero)
	e := event{
		Type: typ, Anchor: strings.ReplaceAll(string(typ), ".", ""), Version: version, Meaning: doc.types[goType.Name()], Fields: doc.flatten(goType, ""),
	}
	for v := version; v >= 1; v-- {
		data, err := golden(dir, typ, v)
		if err != nil {
			return event{}, err
		}
		ex := example{Version: v, Data: data}
		if v < version {
			ex.Upcast = doc.funcs[upcaster(goType.Name(), v)]
		}
		e.Examples = append(e.Examples, ex)
	}
	return e, nil
}

// upcaster is the name of the function that leads from a version to the next: deploymentCreatedV1.
func upcaster(goType string, version int) string {
	runes := []rune(goType)
	runes[0] = unicode.ToLower(runes[0])
	return fmt.Sprintf("%sV%d", string(runes), version)
}

// golden reads the newest golden of a version: the one that shows all of its fields.
func golden(dir string, typ events.Type, version int) (string, error) {
	name := fmt.Sprintf("%s.v%d", typ, version)
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "golden", name+"*.json"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no golden %s.json: %w", name, cmp.Or(err, os.ErrNotExist))
	}
	newest := slices.MaxFunc(files, func(a, b string) int { // x.v1.json, x.v1-2.json, ... x.v1-10.json
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	data, err := os.ReadFile(newest)
	return strings.TrimSpace(string(data)), err
}

// flatten lists the fields of a struct as they stand in its JSON: nested ones as "options.max_in_flight", those of a
// list's entries as "plan[].new".
func (c *comments) flatten(t reflect.Type, prefix string) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			fields = append(fields, c.flatten(f.Type, prefix)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		meaning := cmp.Or(c.fields[t.Name()][f.Name], c.types[f.Type.Name()])
		if strings.Contains(options, "omit") {
			meaning = strings.TrimSpace("*Optional.* " + meaning)
		}
		fields = append(fields, field{prefix + name, jsonType(f.Type), strings.ReplaceAll(meaning, "|", `\|`)})
		switch inner := elem(f.Type); {
		case inner.Kind() != reflect.Struct || inner == reflect.TypeFor[time.Time]():
		case f.Type.Kind() == reflect.Slice:
			fields = append(fields, c.flatten(inner, prefix+name+"[].")...)
		default:
			fields = append(fields, c.flatten(inner, prefix+name+".")...)
		}
	}
	return fields
}

func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

// jsonType names a Go type in the words of JSON.
func jsonType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time, RFC 3339"
	case t.Kind() == reflect.Pointer:
		return jsonType(t.Elem())
	case t.Kind() == reflect.Slice:
		return "list of " + jsonType(t.Elem())
	case t.Kind() == reflect.Map:
		return "object of " + jsonType(t.Elem())
	case t.Kind() == reflect.Struct:
		return "object"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.String:
		return "string"
	default:
		return "integer"
	}
}
