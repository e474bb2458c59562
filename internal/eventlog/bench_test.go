package eventlog_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// Figures depend on the machine. What should hold anywhere is the ratio to a raw publish in the same run, "x-raw".

func BenchmarkAppend(b *testing.B) {
	for name, always := range map[string]bool{"default-fsync": false, "sync-always": true} {
		b.Run(name, func(b *testing.B) {
			nc := benchServer(b, always)
			log := open(b, nc, eventlog.Config{})
			repo := repository(log, nil, 1)
			b.Run("append", func(b *testing.B) {
				against(b, rawPublish(b, nc), func() error {
					_, err := log.Append(b.Context(), started(), 0)
					return err
				})
			})
			b.Run("decide", func(b *testing.B) {
				against(b, rawPublish(b, nc), func() error {
					_, err := repo.Decide(b.Context(), events.NewID(), meta("ann"), add("x"))
					return err
				})
			})
		})
	}
}

func BenchmarkAppendAtOnce(b *testing.B) {
	log := open(b, benchServer(b, false), eventlog.Config{})
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := log.Append(b.Context(), started(), 0); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkRead reads ten commits of one aggregate that stand far apart: ten thousand others between each two.
func BenchmarkRead(b *testing.B) {
	const aggregates, each = 10_000, 10
	nc := benchServer(b, false)
	log := open(b, nc, eventlog.Config{})
	history(b, nc, aggregates, each)
	id := func(n int) events.Subject { return events.AppSubject(benchID(n % aggregates)) }
	n := 0
	b.Run("ten commits", func(b *testing.B) {
		for b.Loop() {
			count := 0
			n += 7919 // another one each time, scattered
			is.New(b).NoErr(log.Read(b.Context(), id(n), 0, 0, func(events.Recorded) error { count++; return nil }))
			is.New(b).Equal(count, each)
		}
	})
	b.Run("last", func(b *testing.B) {
		for b.Loop() {
			n += 7919
			if _, err := log.Last(b.Context(), id(n)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("replay", func(b *testing.B) {
		total := 0
		for b.Loop() {
			is.New(b).NoErr(log.Replay(b.Context(), eventlog.Query{}, func(events.Recorded) error { total++; return nil }))
		}
		b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "commits/s")
	})
	b.Run("heads", func(b *testing.B) {
		for b.Loop() {
			heads, err := log.Heads(b.Context(), events.AllAppSubjects)
			is.New(b).NoErr(err)
			is.New(b).Equal(len(heads), aggregates)
		}
	})
}

func benchServer(b *testing.B, always bool) *nats.Conn {
	b.Helper()
	is := is.New(b)
	s, err := natsboot.Start(b.Context(), natsboot.Config{Unguarded: true, StoreDir: b.TempDir(), SyncAlways: always}, natstest.Quiet())
	is.NoErr(err)
	b.Cleanup(func() { is.NoErr(s.Shutdown()) })
	nc, err := s.Connect("bench", natstest.Quiet())
	is.NoErr(err)
	b.Cleanup(nc.Close)
	is.NoErr(streams.Setup(b.Context(), nc, streams.Config{}))
	return nc
}

// against measures fn, and raw as often, and reports how much longer fn takes.
func against(b *testing.B, raw, fn func() error) {
	b.Helper()
	for b.Loop() {
		if err := fn(); err != nil {
			b.Fatal(err)
		}
	}
	took, start := b.Elapsed(), time.Now()
	for range b.N {
		if err := raw(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(took)/float64(time.Since(start)), "x-raw")
}

// rawPublish writes a message as large as a commit and awaits the acknowledgement.
func rawPublish(b *testing.B, nc *nats.Conn) func() error {
	js, err := jetstream.New(nc)
	is.New(b).NoErr(err)
	m, err := events.NewRegistry().Encode(started())
	is.New(b).NoErr(err)
	return func() error {
		_, err := js.Publish(b.Context(), string(events.AppSubject(events.AppID(events.NewID()))), m.Data)
		return err
	}
}

func benchID(n int) events.AppID { return events.AppID(events.DeriveID("bench", "app", n)) }

// history writes commits of many aggregates, one after the other of each, as fast as the server takes them.
func history(b *testing.B, nc *nats.Conn, aggregates, each int) {
	b.Helper()
	is := is.New(b)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1000))
	is.NoErr(err)
	reg := events.NewRegistry()
	previous := make([]events.Hash, aggregates)
	for version := range each {
		for n := range aggregates {
			c := started()
			c.Subject, c.Version, c.Previous = events.AppSubject(benchID(n)), events.Version(version+1), previous[n]
			m, err := reg.Encode(c)
			is.NoErr(err)
			previous[n] = events.HashMessage(m)
			last := uint64(0)
			if version > 0 {
				last = uint64((version-1)*aggregates + n + 1) // the stream was empty, and all is written in this order
			}
			_, err = js.PublishMsgAsync(&nats.Msg{Subject: string(m.Subject), Header: m.Header, Data: m.Data},
				jetstream.WithStallWait(10*time.Second), jetstream.WithExpectLastSequencePerSubject(last))
			is.NoErr(err)
		}
	}
	<-js.PublishAsyncComplete()
}
