package halt_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fold(given ...events.Event) (s halt.State) {
	for _, e := range given {
		s = halt.Evolve(s, e)
	}
	return s
}

func declared(id events.HaltID, o events.OrganizationID, s events.SpaceID, until time.Time) events.HaltDeclared {
	return events.HaltDeclared{Halt: id, Organization: o, Space: s, Reason: "incident", By: "user/ann", At: noon, Until: until}
}

func TestFor(t *testing.T) {
	hour := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		given []events.Event
		now   time.Time
		want  events.HaltID
	}{
		"none":                     {nil, noon, ""},
		"everywhere":               {[]events.Event{declared("h", "", "", time.Time{})}, noon, "h"},
		"its organization":         {[]events.Event{declared("h", "acme", "", time.Time{})}, noon, "h"},
		"another organization":     {[]events.Event{declared("h", "umbrella", "", time.Time{})}, noon, ""},
		"its space":                {[]events.Event{declared("h", "acme", "prod", time.Time{})}, noon, "h"},
		"another space":            {[]events.Event{declared("h", "acme", "dev", time.Time{})}, noon, ""},
		"until just before":        {[]events.Event{declared("h", "", "", hour)}, hour.Add(-1), "h"},
		"over at its end":          {[]events.Event{declared("h", "", "", hour)}, hour, ""},
		"lifted":                   {[]events.Event{declared("h", "", "", hour), events.HaltLifted{Halt: "h", At: noon}}, noon, ""},
		"the longer of two":        {[]events.Event{declared("h", "", "", hour), declared("i", "", "", hour.Add(1))}, noon, "i"},
		"the longer came first":    {[]events.Event{declared("h", "", "", hour.Add(1)), declared("i", "", "", hour)}, noon, "h"},
		"for ever came last":       {[]events.Event{declared("h", "", "", hour), declared("i", "", "", time.Time{})}, noon, "i"},
		"for ever is longest":      {[]events.Event{declared("h", "", "", time.Time{}), declared("i", "", "", hour)}, noon, "h"},
		"the other is lifted only": {[]events.Event{declared("h", "", "", hour), declared("i", "", "", hour), events.HaltLifted{Halt: "i"}}, noon, "h"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(fold(c.given...).For("acme", "prod", c.now).ID, c.want)
		})
	}
}

func TestDeclare(t *testing.T) {
	is := is.New(t)
	c := halt.Declaration{Halt: "h", Organization: "acme", Space: "prod", Reason: "incident", By: "user/ann", Now: noon, Until: noon.Add(time.Hour)}
	got, err := halt.Declare(halt.State{}, c)
	is.NoErr(err)
	is.Equal(got, []events.Event{declared("h", "acme", "prod", noon.Add(time.Hour))})
	is.Equal(fold(got...).For("acme", "prod", noon), app.Halt{ID: "h", Reason: "incident", By: "user/ann", Until: noon.Add(time.Hour)})
	long := c
	long.Reason = strings.Repeat("x", 1024)
	_, err = halt.Declare(halt.State{}, long)
	is.NoErr(err) // as long as may be
	for name, change := range map[string]func(*halt.Declaration){
		"without a reason": func(c *halt.Declaration) { c.Reason = "" },
		"a long reason":    func(c *halt.Declaration) { c.Reason = strings.Repeat("x", 1025) },
		"a past end":       func(c *halt.Declaration) { c.Until = noon },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			wrong := c
			change(&wrong)
			_, err := halt.Declare(halt.State{}, wrong)
			var rejected *aggregates.RejectedError
			is.True(errors.As(err, &rejected))
		})
	}
}

func TestHaltsAreBounded(t *testing.T) {
	is := is.New(t)
	s, ends := halt.State{}, noon.Add(time.Minute)
	for i := range 100 {
		s = halt.Evolve(s, declared(events.HaltID(rune('a'+i)), "", "", ends))
	}
	c := halt.Declaration{Halt: "h", Reason: "incident", Now: noon}
	_, err := halt.Declare(s, c)
	is.True(err != nil) // there are too many
	c.Now = ends
	got, err := halt.Declare(s, c)
	is.NoErr(err) // those are over
	is.Equal(len(halt.Evolve(s, got[0]).Halts), 1)
}

// TestLabels are changed one by one; what changes nothing is no event.
func TestLabels(t *testing.T) {
	is := is.New(t)
	has := events.Metadata{Labels: map[string]string{"incident": "42"}}
	c := halt.Declaration{Halt: "h", Reason: "incident", Now: noon, Metadata: has}
	got, err := halt.Declare(halt.State{}, c)
	is.NoErr(err)
	is.Equal(got[0].(events.HaltDeclared).Metadata, has)
	c.Metadata = events.Metadata{Labels: map[string]string{"a b": "c"}}
	_, err = halt.Declare(halt.State{}, c)
	is.True(err != nil) // no such label can be

	change := aggregates.MetadataPatch{Labels: map[string]*string{"incident": new("43")}}
	got, err = halt.SetMetadata("h", has, change)
	is.NoErr(err)
	next := events.Metadata{Labels: map[string]string{"incident": "43"}}
	is.Equal(got, []events.Event{events.HaltMetadataSet{Halt: "h", Metadata: next}})
	got, err = halt.SetMetadata("h", next, change)
	is.NoErr(err)
	is.Equal(len(got), 0)
	_, err = halt.SetMetadata("h", has, aggregates.MetadataPatch{Labels: map[string]*string{"a b": new("c")}})
	is.True(err != nil) // nor set
}

func TestLift(t *testing.T) {
	is := is.New(t)
	s := fold(declared("h", "", "", noon.Add(time.Hour)))
	is.Equal(halt.Lift(s, "h", "user/bob", noon), []events.Event{events.HaltLifted{Halt: "h", By: "user/bob", At: noon}})
	is.Equal(len(halt.Lift(s, "other", "user/bob", noon)), 0)
	is.Equal(len(halt.Lift(s, "h", "user/bob", noon.Add(time.Hour))), 0) // it has ended by itself
}

// TestLiftIn: what is about a place ends with it, and what is about others, or all, goes on.
func TestLiftIn(t *testing.T) {
	is := is.New(t)
	s := fold(declared("all", "", "", time.Time{}), declared("o", "acme", "", time.Time{}), declared("s", "acme", "prod", time.Time{}),
		declared("t", "acme", "dev", time.Time{}), declared("u", "umbrella", "", time.Time{}))
	lifted := func(o events.OrganizationID, space events.SpaceID) (ids []events.HaltID) {
		for _, e := range halt.LiftIn(s, o, space, "user/bob", noon) {
			ids = append(ids, e.(events.HaltLifted).Halt)
		}
		return ids
	}
	is.Equal(lifted("acme", "prod"), []events.HaltID{"s"})
	is.Equal(lifted("acme", ""), []events.HaltID{"o", "s", "t"})
}
