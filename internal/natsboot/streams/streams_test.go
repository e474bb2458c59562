package streams_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

func TestSetupByManyAtOnce(t *testing.T) {
	is := is.New(t)
	s := natstest.Start(t)
	nc, err := s.Connect("test", natstest.Quiet())
	is.NoErr(err)
	defer nc.Close()
	g, ctx := errgroup.WithContext(t.Context())
	for range 8 {
		g.Go(func() error { return streams.Setup(ctx, nc, streams.Config{}) })
	}
	is.NoErr(g.Wait())
}

func TestHistoryCannotBeLost(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	_, err = js.Publish(t.Context(), "events.app.a", []byte("x"))
	is.NoErr(err)
	s, err := js.Stream(t.Context(), streams.Events)
	is.NoErr(err)
	is.True(s.DeleteMsg(t.Context(), 1) != nil) // DenyDelete
	is.True(s.Purge(t.Context()) != nil)        // DenyPurge
	cfg := s.CachedInfo().Config
	is.Equal(cfg.MaxAge, time.Duration(0))
	is.Equal(cfg.MaxMsgs, int64(-1))
	is.Equal(cfg.MaxBytes, int64(-1))
	is.Equal(cfg.MaxMsgsPerSubject, int64(-1))
	is.Equal(cfg.Discard, jetstream.DiscardNew)
	is.Equal(cfg.Storage, jetstream.FileStorage)
}

func TestSettingsFollowTheConfiguration(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{FeedMaxAge: time.Hour}))
	s, err := js.Stream(t.Context(), streams.Feed)
	is.NoErr(err)
	is.Equal(s.CachedInfo().Config.MaxAge, time.Hour)
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{})) // a process that says nothing
	s, err = js.Stream(t.Context(), streams.Feed)
	is.NoErr(err)
	is.Equal(s.CachedInfo().Config.MaxAge, time.Hour) // changes nothing
}

func TestConfigReportsAllFaults(t *testing.T) {
	err := streams.Config{Replicas: 2, FeedMaxAge: -1}.Validate()
	is := is.New(t)
	is.True(err != nil)
	is.Equal(len(err.(interface{ Unwrap() []error }).Unwrap()), 2)
	is.NoErr(streams.Config{}.Validate())
}
