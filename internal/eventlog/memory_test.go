package eventlog_test

import (
	"testing"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/eventlog/logtest"
)

func TestMemory(t *testing.T) {
	logtest.Run(t, func(testing.TB) logtest.Fixture {
		log := eventlog.NewMemory(events.NewRegistry())
		return logtest.Fixture{Log: log, Inject: func(_ testing.TB, m events.Message) { log.Inject(m) }}
	})
}
