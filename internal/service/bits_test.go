package service

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/droplet"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
)

// TestAnImageIsRefusedByTheAgentThatRunsBits holds what an instance of it crashes with.
func TestAnImageIsRefusedByTheAgentThatRunsBits(t *testing.T) {
	is := is.New(t)
	repo := commands.Droplets(eventlog.NewMemory(events.NewRegistry()))
	_, err := repo.Decide(t.Context(), "d1", eventlog.Meta{CommandID: "c1", Actor: "tester", Cause: "test", Time: time.Now().UTC()}, func(s droplet.State) ([]events.Event, error) {
		return droplet.StageDroplet(s, droplet.Stage{
			ID: "d1", App: "a1", Image: "shop/web:3", Upload: droplet.Upload{ProcessTypes: map[string]string{"web": droplet.ImageCommand}},
		})
	})
	is.NoErr(err)
	source := dropletBits{droplets.NewMemory(1), repo}
	_, err = source.Open(t.Context(), "d1")
	is.Equal(err.Error(), "it is the docker image shop/web:3; driver exec runs bits only")
	_, err = source.Open(t.Context(), "d2")
	is.True(errors.Is(err, fs.ErrNotExist)) // nobody made it
}
