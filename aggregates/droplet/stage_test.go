package droplet_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/droplet"
	"slipway/events"
)

func TestStageDroplet(t *testing.T) {
	web := map[string]string{"web": "./web"}
	ofBits := droplet.Stage{ID: "d1", App: "a1", Package: "k1", Build: "b1", Upload: droplet.Upload{
		Bits: "o1", SHA256: "abc", SizeBytes: 7, ProcessTypes: web,
	}}
	ofImage := droplet.Stage{ID: "d1", App: "a1", Package: "k1", Build: "b1", Image: "shop/web:3", Upload: droplet.Upload{ProcessTypes: web}}
	createdOfBits := events.DropletCreated{Droplet: "d1", App: "a1", ProcessTypes: web, Package: "k1", Build: "b1"}
	createdOfImage := createdOfBits
	createdOfImage.Image = "shop/web:3"

	t.Run("of bits", func(t *testing.T) {
		is := is.New(t)
		got, err := droplet.StageDroplet(droplet.State{}, ofBits)
		is.NoErr(err)
		is.Equal(got, []events.Event{createdOfBits, events.DropletUploaded{
			Droplet: "d1", App: "a1", Bits: "o1", SHA256: "abc", SizeBytes: 7, ProcessTypes: web,
		}})
		s := droplet.Evolve(droplet.Evolve(droplet.State{}, got[0]), got[1])
		is.True(s.Staged)
		again, err := droplet.StageDroplet(s, ofBits)
		is.NoErr(err)
		is.Equal(len(again), 0) // the first ones count
	})
	t.Run("of an image", func(t *testing.T) {
		is := is.New(t)
		got, err := droplet.StageDroplet(droplet.State{}, ofImage)
		is.NoErr(err)
		is.Equal(got, []events.Event{createdOfImage})
		s := droplet.Evolve(droplet.State{}, got[0])
		is.True(s.Staged)
		is.Equal(droplet.CheckUpload(s).Error(), "Droplet may be uploaded only once. Create a new droplet to upload bits.")
	})
	for name, types := range map[string]map[string]string{
		"nothing to start": nil, "no command": {"web": ""}, "no type": {"": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := droplet.StageDroplet(droplet.State{}, droplet.Stage{ID: "d1", Upload: droplet.Upload{Bits: "o1", ProcessTypes: types}})
			var rejected *aggregates.RejectedError
			is.True(errors.As(err, &rejected))
		})
	}
}
