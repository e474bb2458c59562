package app_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

func TestUpdateApp(t *testing.T) {
	is := is.New(t)
	s := app.Evolve(app.State{}, events.AppCreated{App: "a1", Metadata: events.Metadata{Labels: map[string]string{"a": "1", "b": "2"}}})
	two := "two"
	got, err := app.UpdateApp(s, aggregates.MetadataPatch{Labels: map[string]*string{"a": nil, "b": &two}})
	is.NoErr(err)
	is.Equal(got, []events.Event{events.AppUpdated{App: "a1", Metadata: events.Metadata{Labels: map[string]string{"b": "two"}}}})
	again, err := app.UpdateApp(app.Evolve(s, got[0]), aggregates.MetadataPatch{Labels: map[string]*string{"b": &two}})
	is.NoErr(err)
	is.Equal(len(again), 0) // it says so already
	_, err = app.UpdateApp(s, aggregates.MetadataPatch{Labels: map[string]*string{"-": &two}})
	is.True(err != nil) // a key that breaks the rules
	_, err = app.UpdateApp(app.State{}, aggregates.MetadataPatch{})
	is.Equal(err.Error(), "App not found")
}

func TestCreateProcess(t *testing.T) {
	is := is.New(t)
	s := app.Evolve(app.State{}, events.AppCreated{App: "a1"})
	s = app.Evolve(s, events.AppDropletAssigned{App: "a1", Droplet: "d1", ProcessTypes: map[string]string{"worker": "./work"}})
	got, err := app.CreateProcess(s, "c1", "worker")
	is.NoErr(err)
	made := got[0].(events.ProcessCreated)
	is.Equal([]any{made.ProcessType, made.Command, made.Instances, made.Droplet}, []any{"worker", "./work", 0, events.DropletID("d1")})
	again, err := app.CreateProcess(app.Evolve(s, made), "c2", "worker")
	is.NoErr(err)
	is.Equal(len(again), 0) // one is enough
	_, err = app.CreateProcess(s, "c1", "no type")
	is.True(err != nil)
	_, err = app.CreateProcess(app.State{}, "c1", "worker")
	is.Equal(err.Error(), "App not found")
}
