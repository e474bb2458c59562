package commands_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
)

func TestSignals(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner, _ := r.staged(t, "hello")
	firing := commands.SignalApp{App: owner, Called: "errors", Firing: new(true), Since: "2026-03-01T12:00:00.5+01:00", Source: "me", Value: "0.07"}
	first := r.must(t, "s1", firing)
	is.True(first.Recorded)
	is.True(!r.must(t, "s2", firing).Recorded) // told again it is no news
	again := r.must(t, "s1", firing)
	is.True(again.Duplicate)
	is.True(r.must(t, "s3", commands.SignalApp{App: owner, Called: "errors", Firing: new(false)}).Recorded)
	all := r.types(t)
	is.Equal(all[len(all)-2:], []events.Type{events.TypeSignalReceived, events.TypeSignalReceived})
}

func TestSignalsAreRefusedInWords(t *testing.T) {
	r := newRig()
	owner, _ := r.staged(t, "hello")
	for body, want := range map[string]string{
		`{"app":"` + string(owner) + `","name":"a"}`:                                      "Firing must be true, or false where the alarm is over",
		`{"app":"` + string(owner) + `","firing":true}`:                                   "Name must have 1 to 255 characters",
		`{"app":"` + string(owner) + `","name":"a","firing":true,"since":"noon"}`:         "Since must be a time such as 2026-01-02T15:04:05Z",
		`{"app":"nobody","name":"a","firing":true}`:                                       "App not found",
		`{"app":"` + string(owner) + `","name":"a","firing":"yes"}`:                       "Firing must be a boolean",
		`{"app":"` + string(owner) + `","name":"a","firing":true,"value":{"a":1}}`:        "Value must be a string or a number",
		`{"app":"` + string(owner) + `","name":"a","firing":true,"severity":"page"}`:      "Unknown field(s): 'severity'",
		`{"app":"` + string(owner) + `","name":"a","firing":true,"value":0.07}`:           "",
		`{"app":"` + string(owner) + `","name":"b","firing":true,"value":"7 of 100"}`:     "",
		`{"app":"` + string(owner) + `","name":"c","firing":true,"value":null}`:           "",
		`{"app":"` + string(owner) + `","name":"d","firing":false,"message":"all clear"}`: "",
	} {
		t.Run(body, func(t *testing.T) {
			is := is.New(t)
			c, err := commands.Decode("app.signal", []byte(body))
			if err == nil {
				_, err = r.do(events.NewID(), c)
			}
			if want == "" {
				is.NoErr(err)
				return
			}
			var rejected *aggregates.RejectedError
			is.True(errors.As(err, &rejected))
			is.Equal(rejected.Message, want)
		})
	}
}

func TestMeasured(t *testing.T) {
	is := is.New(t)
	var c commands.SignalApp
	is.NoErr(json.Unmarshal([]byte(`{"value":1.50}`), &c))
	is.Equal(string(c.Value), "1.50") // as it was written
}
