package eventlog_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/eventlog/logtest"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

func TestMemoryTimers(t *testing.T) {
	logtest.RunTimers(t, func(testing.TB) logtest.TimersFixture {
		timers := eventlog.NewMemoryTimers()
		return logtest.TimersFixture{
			Timers: timers, Lose: func(_ testing.TB, key string) bool { return timers.Lose(key) != eventlog.Alarm{} },
			Inject: func(_ testing.TB, m events.Message) { timers.Inject(eventlog.Raw{Message: m}) },
		}
	})
}

func TestJetStreamTimers(t *testing.T) {
	logtest.RunTimers(t, func(t testing.TB) logtest.TimersFixture { return timersFixture(t, natstest.Connect(t)) })
}

func TestJetStreamTimersReplicated(t *testing.T) {
	cluster := natstest.StartCluster(t)
	f := timersFixture(t, cluster.Connect(t))
	logtest.RunTimers(t, func(testing.TB) logtest.TimersFixture { return f })
	t.Run("a leader dies", func(t *testing.T) {
		rung := listen(t, f.Timers)
		setIn(t, f.Timers, "bound-to-move", time.Second)
		cluster.StopLeader(t, eventlog.StreamTimers)
		heard(t, rung, "bound-to-move")
	})
}

func timersFixture(t testing.TB, nc *nats.Conn) logtest.TimersFixture {
	t.Helper()
	js, err := jetstream.New(nc)
	is.New(t).NoErr(err)
	return logtest.TimersFixture{
		Timers: openTimers(t, nc), Lose: func(t testing.TB, key string) bool { return lose(t, nc, key) },
		Inject: func(t testing.TB, m events.Message) {
			t.Helper()
			_, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: string(m.Subject), Header: m.Header, Data: m.Data})
			is.New(t).NoErr(err)
		},
	}
}

func openTimers(t testing.TB, nc *nats.Conn) *eventlog.JetStreamTimers {
	t.Helper()
	timers, err := eventlog.OpenTimers(t.Context(), nc, eventlog.Config{})
	is.New(t).NoErr(err)
	return timers
}

// lose deletes the message of an alarm, and says whether there was one.
func lose(t testing.TB, nc *nats.Conn, key string) bool {
	t.Helper()
	is := is.New(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	stream, err := js.Stream(t.Context(), eventlog.StreamTimers)
	is.NoErr(err)
	m, err := stream.GetLastMsgForSubject(t.Context(), "timers.set."+key)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false
	}
	is.NoErr(err)
	is.NoErr(stream.DeleteMsg(t.Context(), m.Sequence))
	return true
}

// listen hears what rings until the test ends.
func listen(t testing.TB, timers eventlog.Timers) <-chan eventlog.Alarm {
	t.Helper()
	rung := make(chan eventlog.Alarm, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- timers.Ring(ctx, func(_ context.Context, a eventlog.Alarm) error {
			if early := time.Until(a.At); early > 0 {
				t.Errorf("%s rang %s too early", a.Key, early)
			}
			rung <- a
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return rung
}

func setIn(t testing.TB, timers eventlog.Timers, key string, ahead time.Duration) {
	t.Helper()
	is.New(t).NoErr(timers.Set(t.Context(), eventlog.Alarm{Key: key, At: time.Now().Add(ahead)}))
}

// heard waits for the alarms of keys, in any order.
func heard(t testing.TB, rung <-chan eventlog.Alarm, keys ...string) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for len(keys) > 0 {
		select {
		case a := <-rung:
			keys = slices.DeleteFunc(keys, func(key string) bool { return key == a.Key })
		case <-timeout:
			t.Fatalf("%v did not ring", keys)
		}
	}
}

func TestTimersOutliveARestart(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	server, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true, StoreDir: dir}, natstest.Quiet())
	is.NoErr(err)
	nc, _ := connectLossy(t, server)
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{}))
	timers := openTimers(t, nc)
	t.Run("one who listens", func(t *testing.T) {
		rung := listen(t, timers)
		setIn(t, timers, "meanwhile", 10*time.Millisecond) // due while the server is away, or just before
		setIn(t, timers, "afterwards", 2*time.Second)
		server = restart(t, server, dir)
		heard(t, rung, "meanwhile", "afterwards")
	})
	t.Run("nobody listens", func(t *testing.T) {
		setIn(t, timers, "later", time.Second)
		server = restart(t, server, dir)
		heard(t, listen(t, openTimers(t, nc)), "later")
	})
	nc.Close()
	is.NoErr(server.Shutdown())
}

// TestMemoryTimersAreExact: by the clock of a test an alarm rings at its time, to the nanosecond.
func TestMemoryTimersAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		timers := eventlog.NewMemoryTimers()
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		want := []time.Duration{time.Nanosecond, 10 * time.Second, 10*time.Second + time.Nanosecond, 40 * 24 * time.Hour}
		for i, ahead := range want {
			setIn(t, timers, string(rune('a'+i)), ahead)
		}
		var mu sync.Mutex
		var got []time.Duration
		is.NoErr(timers.Ring(ctx, func(_ context.Context, a eventlog.Alarm) error {
			mu.Lock()
			defer mu.Unlock()
			is.True(a.At.Equal(time.Now()))
			if got = append(got, time.Since(start)); len(got) == len(want) {
				cancel()
			}
			return nil
		}))
		is.Equal(got, want)
	})
}

func TestSetWithoutAServer(t *testing.T) {
	is := is.New(t)
	server := natstest.Start(t)
	witness := natstest.ConnectTo(t, server)
	nc, line := connectLossy(t, server)
	timers, err := eventlog.OpenTimers(t.Context(), nc, eventlog.Config{AckWait: 50 * time.Millisecond, Patience: 150 * time.Millisecond})
	is.NoErr(err)
	line.mute()
	a := eventlog.Alarm{Key: "a", At: time.Now().Add(time.Hour)}
	is.True(errors.Is(timers.Set(t.Context(), a), eventlog.ErrUnavailable))
	line.heal()
	is.NoErr(openTimers(t, nc).Set(t.Context(), a)) // whatever became of the first attempt
	lose(t, witness, "a")                           // it stands
}

func TestOpenTimersRefusesAStreamWithoutSchedules(t *testing.T) {
	is := is.New(t)
	nc, err := natstest.Start(t).Connect("test", natstest.Quiet())
	is.NoErr(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	is.NoErr(err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamTimers, Subjects: []string{"timers.>"}})
	is.NoErr(err)
	_, err = eventlog.OpenTimers(t.Context(), nc, eventlog.Config{})
	is.True(err != nil)
}
