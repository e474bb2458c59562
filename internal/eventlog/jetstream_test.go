package eventlog_test

import (
	"context"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/eventlog/logtest"
	"slipway/internal/natsboot/natstest"
)

func TestJetStream(t *testing.T) {
	logtest.Run(t, func(t testing.TB) logtest.Fixture { return fixture(t, natstest.Connect(t)) })
}

func TestJetStreamReplicated(t *testing.T) {
	cluster := natstest.StartCluster(t)
	f := fixture(t, cluster.Connect(t))
	logtest.Run(t, func(testing.TB) logtest.Fixture { return f })
	t.Run("a leader dies", func(t *testing.T) { losingTheLeader(t, cluster, f.Log) })
}

// losingTheLeader stops the server that leads the stream while one writes and another follows: both only have to wait.
func losingTheLeader(t *testing.T, cluster *natstest.Cluster, log eventlog.Log) {
	is := is.New(t)
	start, err := log.Newest(t.Context())
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan events.Sequence, 100)
	done := make(chan error, 1)
	go func() { done <- log.Follow(ctx, eventlog.Query{After: start}, forward(seen)) }()
	write(t, log, 10)
	next := expect(t, seen, start+1, 10)
	cluster.StopLeader(t, eventlog.StreamEvents)
	write(t, log, 10)
	expect(t, seen, next, 10)
	cancel()
	is.NoErr(<-done)
}

func fixture(t testing.TB, nc *nats.Conn) logtest.Fixture {
	return logtest.Fixture{Log: open(t, nc, eventlog.Config{}), Inject: func(t testing.TB, m events.Message) {
		t.Helper()
		js, err := jetstream.New(nc)
		is.New(t).NoErr(err)
		_, err = js.PublishMsg(t.Context(), &nats.Msg{Subject: string(m.Subject), Header: m.Header, Data: m.Data})
		is.New(t).NoErr(err)
	}}
}

func open(t testing.TB, nc *nats.Conn, cfg eventlog.Config) *eventlog.JetStream {
	t.Helper()
	log, err := eventlog.Open(t.Context(), nc, events.NewRegistry(), cfg)
	is.New(t).NoErr(err)
	return log
}
