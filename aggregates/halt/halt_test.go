package halt_test

import (
	"errors"
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
	c := halt.Declaration{Halt: "h", Space: "prod", Reason: "incident", By: "user/ann", Now: noon, Until: noon.Add(time.Hour)}
	got, err := halt.Declare(halt.State{}, c)
	is.NoErr(err)
	is.Equal(got, []events.Event{declared("h", "", "prod", noon.Add(time.Hour))})
	is.Equal(fold(got...).For("acme", "prod", noon), app.Halt{ID: "h", Reason: "incident", By: "user/ann", Until: noon.Add(time.Hour)})
	for name, change := range map[string]func(*halt.Declaration){
		"without a reason": func(c *halt.Declaration) { c.Reason = "" },
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

func TestLift(t *testing.T) {
	is := is.New(t)
	s := fold(declared("h", "", "", noon.Add(time.Hour)))
	is.Equal(halt.Lift(s, "h", "user/bob", noon), []events.Event{events.HaltLifted{Halt: "h", By: "user/bob", At: noon}})
	is.Equal(len(halt.Lift(s, "other", "user/bob", noon)), 0)
	is.Equal(len(halt.Lift(s, "h", "user/bob", noon.Add(time.Hour))), 0) // it has ended by itself
}
