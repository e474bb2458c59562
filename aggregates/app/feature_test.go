package app_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

func TestSetFeature(t *testing.T) {
	created := events.AppCreated{App: "a1", Name: "hello"}
	off := events.AppFeatureSet{App: "a1", Name: "revisions"}
	on := events.AppFeatureSet{App: "a1", Name: "revisions", Enabled: true}
	for name, c := range map[string]struct {
		given   []events.Event
		feature string
		enabled bool
		then    []events.Event
		refused string
	}{
		"off":           {[]events.Event{created}, "revisions", false, []events.Event{off}, ""},
		"off again":     {[]events.Event{created, off}, "revisions", false, nil, ""},
		"on":            {[]events.Event{created, off}, "revisions", true, []events.Event{on}, ""},
		"on from birth": {[]events.Event{created}, "revisions", true, nil, ""},
		"no ssh":        {[]events.Event{created}, "ssh", false, nil, ""},
		"ssh":           {[]events.Event{created}, "ssh", true, nil, "Feature 'ssh' cannot be enabled: there is no way into an instance"},
		"other":         {[]events.Event{created}, "potato", true, nil, "Feature not found"},
		"of nobody":     {nil, "revisions", true, nil, "App not found"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var s app.State
			for _, e := range c.given {
				s = app.Evolve(s, e)
			}
			got, err := app.SetFeature(s, c.feature, c.enabled)
			if c.refused != "" {
				is.Equal(err.Error(), c.refused)
				return
			}
			is.NoErr(err)
			is.Equal(got, c.then)
		})
	}
}
