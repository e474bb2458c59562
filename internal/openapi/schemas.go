package openapi

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Types says of Go types what reflection cannot see.
type Types struct {
	As    map[reflect.Type]*jsonschema.Schema // how types with JSON of their own are written
	Lists map[reflect.Type]string             // the field of a list, of type any, that holds its rows; see [Page]
	Enums []Enum
	// Comment says what a field is, by its name in Go; nil: nobody does. Of an embedded struct's field the struct is asked.
	Comment func(of reflect.Type, field string) string
}

// Enum is the values that a string field can have. Where the field is an array or a map, its members can.
type Enum struct {
	Of     any    // a value of the struct's type
	Field  string // its name in JSON
	Values []string
}

// Page is a list with rows of a type: the schema of List, one of [Types.Lists], with an array of Row.
type Page struct{ List, Row any }

// schemas collects the components that bodies refer to.
type schemas struct {
	types    Types
	all      map[string]*jsonschema.Schema
	named    map[string]reflect.Type // which type has a name; two may be called the same in two packages
	requests jsonschema.Reflector
	answers  jsonschema.Reflector
	loose    jsonschema.Reflector // of requests that may hold more than is read of them
}

// bodySuffix tells the schema of a type in requests from that in answers.
const bodySuffix = "Body"

func newSchemas(t Types) *schemas {
	s := &schemas{types: t, all: map[string]*jsonschema.Schema{}, named: map[string]reflect.Type{}}
	mapped := func(t reflect.Type) *jsonschema.Schema { return s.mapped(t) }
	comment := func(t reflect.Type, field string) string {
		if field == "" || s.types.Comment == nil {
			return ""
		}
		return s.types.Comment(t, field)
	}
	s.answers = jsonschema.Reflector{
		Anonymous: true, AllowAdditionalProperties: true, Mapper: mapped, LookupComment: comment,
		Namer: func(t reflect.Type) string { return s.name(t, "") },
	}
	s.requests = jsonschema.Reflector{
		Anonymous: true, RequiredFromJSONSchemaTags: true, Mapper: mapped, LookupComment: comment,
		Namer: func(t reflect.Type) string { return s.name(t, bodySuffix) },
	}
	s.loose = s.requests
	s.loose.AllowAdditionalProperties = true
	return s
}

// mapped is the schema of a type that has JSON of its own: a copy, since tags of fields change it.
func (s *schemas) mapped(t reflect.Type) *jsonschema.Schema {
	known, ok := s.types.As[t]
	if !ok {
		return nil
	}
	c := *known
	return &c
}

// name is what the schema of a type is called that is an object or an array; others stand where they are used.
func (s *schemas) name(t reflect.Type, suffix string) string {
	composed := t.Kind() == reflect.Struct || t.Kind() == reflect.Map || t.Kind() == reflect.Slice
	if _, other := reflect.Zero(t).Interface().(interface{ JSONSchemaAlias() any }); other || !composed || t.Name() == "" || s.types.As[t] != nil {
		return ""
	}
	base := strings.TrimSuffix(t.Name(), "Form")
	for _, name := range []string{capital(base) + suffix, capital(t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]) + capital(base) + suffix} {
		if other, taken := s.named[name]; !taken || other == t {
			s.named[name] = t
			return name
		}
	}
	panic(fmt.Sprintf("openapi: no name is left for %v", t))
}

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func (s *schemas) request(o Operation) *jsonschema.Schema {
	r := &s.requests
	if o.Loose {
		r = &s.loose
	}
	return s.reflect(r, reflect.TypeOf(o.Body))
}

func (s *schemas) answer(v any) *jsonschema.Schema {
	if page, ok := v.(Page); ok {
		return s.page(page)
	}
	return s.reflect(&s.answers, reflect.TypeOf(v))
}

// page is the schema of a list, inline, with the rows' in place of anything.
func (s *schemas) page(p Page) *jsonschema.Schema {
	t := reflect.TypeOf(p.List)
	_ = s.answer(p.List)
	list := *s.all[s.name(t, "")]
	list.Properties = jsonschema.NewProperties()
	for pair := s.all[s.name(t, "")].Properties.Oldest(); pair != nil; pair = pair.Next() {
		list.Properties.Set(pair.Key, pair.Value)
	}
	list.Properties.Set(s.types.Lists[t], &jsonschema.Schema{Type: "array", Items: s.answer(p.Row)})
	return &list
}

func (s *schemas) reflect(r *jsonschema.Reflector, t reflect.Type) *jsonschema.Schema {
	schema := r.ReflectFromType(t)
	for name, definition := range schema.Definitions {
		if _, known := s.all[name]; !known {
			if t := s.named[name]; t.Kind() == reflect.Struct {
				nullable(definition, t)
			}
			s.all[name] = definition
		}
	}
	schema.Definitions, schema.Version = nil, ""
	return schema
}

// nullable lets fields be null that are pointers and are not left out when they are, and pointers in maps.
func nullable(schema *jsonschema.Schema, t reflect.Type) {
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		property, ok := schema.Properties.Get(name)
		switch {
		case !ok:
		case property.OneOf != nil: // what a tag has made so
			property.Description, property.OneOf[0].Description = property.OneOf[0].Description, ""
		case f.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omit"):
			schema.Properties.Set(name, orNull(property))
		case f.Type.Kind() == reflect.Map && f.Type.Elem().Kind() == reflect.Pointer:
			property.AdditionalProperties = orNull(property.AdditionalProperties)
		}
	}
}

// orNull keeps the description with the whole, where readers look for it.
func orNull(s *jsonschema.Schema) *jsonschema.Schema {
	either := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}, Description: s.Description}
	s.Description = ""
	return either
}

// enumerate says which values fields can have.
func (s *schemas) enumerate() error {
	for _, e := range s.types.Enums {
		found := false
		for _, name := range slices.Sorted(maps.Keys(s.all)) {
			if s.named[name] != reflect.TypeOf(e.Of) || s.all[name].Properties == nil {
				continue
			}
			if property, ok := s.all[name].Properties.Get(e.Field); ok {
				found = true
				restrict(property, e.Values)
			}
		}
		if !found {
			return fmt.Errorf("openapi: %T has no field %q in any body, which is enumerated", e.Of, e.Field)
		}
	}
	return nil
}

func restrict(property *jsonschema.Schema, values []string) {
	switch {
	case property.Items != nil:
		property = property.Items
	case property.AnyOf != nil:
		property = property.AnyOf[0]
	}
	property.Enum = nil
	for _, v := range values {
		property.Enum = append(property.Enum, v)
	}
}
