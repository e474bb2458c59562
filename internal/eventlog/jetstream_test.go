package eventlog_test

import (
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
	logtest.Run(t, func(t testing.TB) logtest.Fixture { return fixture(t, natstest.StartCluster(t).Connect(t)) })
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
