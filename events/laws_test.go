package events

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"
)

// TestCommitRoundTrip is the law of the codec: a commit of any events decodes to what was encoded, and encodes to the same
// bytes again.
func TestCommitRoundTrip(t *testing.T) {
	r := NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		c := genCommit(r).Draw(t, "commit")
		m, err := r.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := r.DecodeCommit(m)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, c) {
			t.Fatalf("decoded\n%+v\nwant\n%+v", back, c)
		}
		again, err := r.Encode(back)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again, m) || HashMessage(again) != HashMessage(m) {
			t.Fatalf("encoded again\n%s\nwant\n%s", again.Data, m.Data)
		}
	})
}

// TestEveryTypeIsGenerated keeps the law above honest: its events are of every registered type.
func TestEveryTypeIsGenerated(t *testing.T) {
	r := NewRegistry()
	for _, typ := range r.Types() {
		t.Run(string(typ), func(t *testing.T) {
			is := is.New(t)
			e := genEvent(r, typ).Example(1)
			is.Equal(e.Type(), typ)
		})
	}
}

func genCommit(r *Registry) *rapid.Generator[Commit] {
	id := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
	header := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[!-~]([ -~é✓]{0,30}[!-~])?`))
	return rapid.Custom(func(t *rapid.T) Commit {
		c := Commit{
			Subject:   subject(rapid.StringMatching(`[a-z]{1,12}`).Draw(t, "aggregate"), id.Draw(t, "id")),
			CommandID: CommandID(id.Draw(t, "command")),
			Version:   Version(rapid.Uint64().Draw(t, "version")),
			Previous:  Hash(rapid.StringMatching(`([0-9a-f]{64})?`).Draw(t, "previous")),
			Actor:     Actor("user/" + id.Draw(t, "actor")),
			Cause:     header.Draw(t, "cause"),
			Trace:     header.Draw(t, "trace"),
			Time:      genTime().Draw(t, "time"),
		}
		types := rapid.SliceOfN(rapid.SampledFrom(r.Types()), 1, 5).Draw(t, "types")
		for _, typ := range types {
			c.Events = append(c.Events, genEvent(r, typ).Draw(t, string(typ)))
		}
		return c
	})
}

func genTime() *rapid.Generator[time.Time] {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(first.Unix(), last.Unix()).Draw(t, "seconds"),
			rapid.Int64Range(1, 999_999_999).Draw(t, "nanoseconds")).UTC()
	})
}

// genEvent fills every field of an event of a type. It asks the registry for the type, so that a new one is covered at once.
func genEvent(r *Registry, typ Type) *rapid.Generator[Event] {
	zero, err := r.Decode(typ, r.Version(typ), []byte(`{}`))
	if err != nil {
		panic(err)
	}
	return rapid.Custom(func(t *rapid.T) Event {
		v := reflect.New(reflect.TypeOf(zero)).Elem()
		fill(t, v)
		return v.Interface().(Event)
	})
}

// fill draws a value for v and all it holds. Maps and lists are nil or hold something: empty ones are left out of the
// JSON and come back as nil, which means the same.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "number"))
	case reflect.Float64: // a number; infinity and NaN are none of JSON, and Encode refuses them
		v.SetFloat(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "number"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "given") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(rapid.SampledFrom([]string{`{"a":1}`, `[]`, `"text"`}).Draw(t, "json")))
			return
		}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			entry := reflect.New(v.Type().Elem()).Elem()
			fill(t, entry)
			v.Set(reflect.Append(v, entry))
		}
	case reflect.Map:
		fillMap(t, v)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(genTime().Draw(t, "time")))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("events must not hold a %s", v.Type())
	}
}

func fillMap(t *rapid.T, v reflect.Value) {
	for range rapid.IntRange(0, 3).Draw(t, "size") {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.SetMapIndex(key, value)
	}
}
