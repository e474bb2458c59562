package events

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestEveryNameIsRegistered compares the names in event.go with the registry: a name without a type could be written by
// nobody, a type without its constant would hide its name.
func TestEveryNameIsRegistered(t *testing.T) {
	is := is.New(t)
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	is.NoErr(err)
	var names []Type
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Type") {
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			is.NoErr(err)
			names = append(names, Type(name))
		}
		return true
	})
	slices.Sort(names)
	is.True(len(names) > 0)
	is.Equal(names, NewRegistry().Types()) // each name once, each with its type
}

// TestNamesAreSubjectTokens holds that a type can stand in a feed subject, "<thing>.<verb>".
func TestNamesAreSubjectTokens(t *testing.T) {
	is := is.New(t)
	for _, typ := range NewRegistry().Types() {
		thing, verb, ok := strings.Cut(string(typ), ".")
		is.True(ok && ValidID(thing) && ValidID(verb)) // two tokens
		is.Equal(strings.ToLower(string(typ)), string(typ))
	}
}

func TestRegisterRefusesTheSameTypeTwice(t *testing.T) {
	is := is.New(t)
	defer func() { is.True(recover() != nil) }() // a programmer's error, found at start
	register[AppStarted](NewRegistry())
}

// fickle writes a field that it does not read.
type fickle struct {
	stranger
	A string `json:"a"`
}

func (fickle) MarshalJSON() ([]byte, error) { return []byte(`{"a":"other"}`), nil }

func TestRegisterRefusesWhatDoesNotComeBack(t *testing.T) {
	is := is.New(t)
	defer func() { is.True(recover() != nil) }() // it could be written and never read
	register[fickle](&Registry{entries: map[Type]entry{}})
}

func TestRegistryDecode(t *testing.T) {
	r := NewRegistry()
	for name, c := range map[string]struct {
		typ     Type
		version int
		data    string
		err     error
	}{
		"an unknown type":         {"app.renamed", 1, `{}`, ErrUnknownType},
		"no type":                 {"", 1, `{}`, ErrUnknownType},
		"a version too new":       {TypeAppCreated, 2, `{}`, ErrUnknownType},
		"one too new of two":      {TypeDeploymentCreated, 3, `{}`, ErrUnknownType},
		"version 0":               {TypeAppCreated, 0, `{}`, ErrUnknownType},
		"a negative version":      {TypeAppCreated, -1, `{}`, ErrUnknownType},
		"no data":                 {TypeAppCreated, 1, ``, ErrMalformed},
		"null":                    {TypeAppCreated, 1, ` null `, ErrMalformed},
		"a list":                  {TypeAppCreated, 1, `[]`, ErrMalformed},
		"half an object":          {TypeAppCreated, 1, `{"app":`, ErrMalformed},
		"a wrong type":            {TypeAppCreated, 1, `{"app":1}`, ErrMalformed},
		"half an object, old":     {TypeDeploymentCreated, 1, `{"app":`, ErrMalformed},
		"a wrong type, old":       {TypeDeploymentCreated, 1, `{"max_in_flight":"many"}`, ErrMalformed},
		"a number past the range": {TypeDeploymentCreated, 1, `{"max_in_flight":1e300}`, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			e, err := r.Decode(c.typ, c.version, []byte(c.data))
			is.True(errors.Is(err, c.err)) // says which kind of fault it is
			is.Equal(e, nil)
		})
	}
}

func TestVersion(t *testing.T) {
	is := is.New(t)
	r := NewRegistry()
	is.Equal(r.Version(TypeAppCreated), 1)
	is.Equal(r.Version(TypeDeploymentCreated), 2) // one upcaster leads here
	is.Equal(r.Version("app.renamed"), 0)         // unknown
}

func TestDeploymentCreatedV1(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want DeploymentCreated
	}{
		"max_in_flight moves into the options": {
			`{"app":"a","deployment":"d","strategy":"rolling","max_in_flight":3,"target":4,"plan":[{"new":4,"old":0,"gate":"healthy"}]}`,
			DeploymentCreated{App: "a", Deployment: "d", Strategy: "rolling", Options: DeploymentOptions{MaxInFlight: 3}, Target: 4,
				Plan: []Step{{New: 4, Gate: GateHealthy}}},
		},
		"without it one at a time was meant": {
			`{"app":"a","deployment":"d"}`, DeploymentCreated{App: "a", Deployment: "d", Options: DeploymentOptions{MaxInFlight: 1}},
		},
		"null is like nothing": {
			`{"max_in_flight":null}`, DeploymentCreated{Options: DeploymentOptions{MaxInFlight: 1}},
		},
		"an empty event": {`{}`, DeploymentCreated{Options: DeploymentOptions{MaxInFlight: 1}}},
		"unknown fields do no harm": {
			`{"app":"a","max_in_flight":2,"options":{"web_instances":9},"max_In_flight":7,"note":{"x":[null,"\u00e9"]}}`,
			DeploymentCreated{App: "a", Options: DeploymentOptions{MaxInFlight: 2}},
		},
		"of a key given twice the last counts": {
			`{"max_in_flight":2,"max_in_flight":5}`, DeploymentCreated{Options: DeploymentOptions{MaxInFlight: 5}},
		},
		"numbers keep every digit": {
			`{"max_in_flight":9007199254740993}`, DeploymentCreated{Options: DeploymentOptions{MaxInFlight: 9007199254740993}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			e, err := NewRegistry().Decode(TypeDeploymentCreated, 1, []byte(c.data))
			is.NoErr(err)
			is.Equal(e, c.want)
		})
	}
}

// TestOldCommitDecodes reads a whole commit that holds an event of version 1.
func TestOldCommitDecodes(t *testing.T) {
	is := is.New(t)
	c := exampleCommit()
	c.Events = []Event{DeploymentCreated{App: exampleApp, Deployment: exampleDeployment, Options: DeploymentOptions{MaxInFlight: 2}}}
	m := encode(t, c)
	m.Data = []byte(strings.NewReplacer(`"dataversion":2`, `"dataversion":1`,
		`"options":{"max_in_flight":2}`, `"max_in_flight":2`).Replace(string(m.Data)))
	back, err := NewRegistry().DecodeCommit(m)
	is.NoErr(err)
	is.Equal(back, c) // as if it had been written today
}
