package eventlog_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

func TestProjected(t *testing.T) {
	is := is.New(t)
	server := natstest.Start(t)
	here, there := natstest.ConnectTo(t, server), natstest.ConnectTo(t, server)
	heard := make(chan events.Sequence, 2)
	stop, err := eventlog.OnProjected(there, func(seq events.Sequence) { heard <- seq })
	is.NoErr(err)
	is.NoErr(there.Flush())
	is.NoErr(here.Publish("slipway.projected", []byte("nonsense"))) // is ignored
	eventlog.AnnounceProjected(here)(42)
	is.Equal(<-heard, events.Sequence(42))
	is.NoErr(stop())
}
