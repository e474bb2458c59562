package droplets_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/droplets"
	"slipway/internal/droplets/dropletstest"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

func TestMemory(t *testing.T) {
	dropletstest.Run(t, func(testing.TB) dropletstest.Fixture {
		return dropletstest.Fixture{Store: droplets.NewMemory(dropletstest.Limit), Left: func(testing.TB) int { return 0 }}
	})
}

func TestObjectStore(t *testing.T) {
	server := natstest.Start(t)
	dropletstest.Run(t, func(t testing.TB) dropletstest.Fixture {
		nc := natstest.ConnectTo(t, server)
		empty(t, nc)
		return dropletstest.Fixture{Store: open(t, nc), Left: func(t testing.TB) int { return left(t, nc) }}
	})
}

func open(t testing.TB, nc *nats.Conn) *droplets.ObjectStore {
	t.Helper()
	s, err := droplets.OpenLimited(t.Context(), nc, dropletstest.Limit)
	is.New(t).NoErr(err)
	return s
}

func objectStream(t testing.TB, nc *nats.Conn) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(nc)
	is.New(t).NoErr(err)
	stream, err := js.Stream(t.Context(), "OBJ_"+streams.Droplets)
	is.New(t).NoErr(err)
	return stream
}

// empty gives each scenario a store without objects.
func empty(t testing.TB, nc *nats.Conn) {
	t.Helper()
	is.New(t).NoErr(objectStream(t, nc).Purge(t.Context()))
}

// left counts chunks that no object of `nats object ls` accounts for.
func left(t testing.TB, nc *nats.Conn) int {
	t.Helper()
	is := is.New(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	objects, err := js.ObjectStore(t.Context(), streams.Droplets)
	is.NoErr(err)
	infos, err := objects.List(t.Context())
	if err != nil {
		is.Equal(err, jetstream.ErrNoObjectsFound)
	}
	wanted := 0
	for _, o := range infos {
		wanted += int(o.Chunks)
	}
	info, err := objectStream(t, nc).Info(t.Context(), jetstream.WithSubjectFilter("$O."+streams.Droplets+".C.>"))
	is.NoErr(err)
	stored := 0
	for _, chunks := range info.State.Subjects {
		stored += int(chunks)
	}
	return stored - wanted
}

func TestOtherClientsReadWhatIsStored(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	data := bytes.Repeat([]byte("slipway"), 50_000)
	_, _, err := open(t, nc).Put(t.Context(), "d1", bytes.NewReader(data))
	is.NoErr(err)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	objects, err := js.ObjectStore(t.Context(), streams.Droplets)
	is.NoErr(err)
	got, err := objects.GetBytes(t.Context(), "d1") // as `nats object get` does, with the digest compared
	is.NoErr(err)
	is.True(bytes.Equal(got, data))
}

func TestDamageShows(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	store := open(t, nc)
	_, _, err := store.Put(t.Context(), "d1", bytes.NewReader(make([]byte, 300_000)))
	is.NoErr(err)
	stream := objectStream(t, nc)
	chunk, err := stream.GetMsg(t.Context(), 2)
	is.NoErr(err)
	is.NoErr(stream.DeleteMsg(t.Context(), 2)) // the chunk in the middle
	js, err := jetstream.New(nc)
	is.NoErr(err)
	_, err = js.Publish(t.Context(), chunk.Subject, chunk.Data[1:])
	is.NoErr(err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := store.Get(ctx, "d1")
	is.NoErr(err)
	defer r.Close()
	_, err = io.ReadAll(r)
	is.True(err != nil) // wrong bits are never taken for right ones
}

func TestSweep(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	store := open(t, nc)
	_, _, err := store.Put(t.Context(), "d1", bytes.NewReader(make([]byte, 300_000)))
	is.NoErr(err)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	for range 3 { // what an upload leaves whose process is killed
		_, err = js.Publish(t.Context(), "$O."+streams.Droplets+".C.killed", make([]byte, 100))
		is.NoErr(err)
	}
	removed, err := store.Sweep(t.Context(), time.Hour)
	is.NoErr(err)
	is.Equal(removed, 0) // it may still be under way
	removed, err = store.Sweep(t.Context(), 0)
	is.NoErr(err)
	is.Equal(removed, 1)
	is.Equal(left(t, nc), 0)
	r, err := store.Get(t.Context(), "d1")
	is.NoErr(err)
	defer r.Close()
	data, err := io.ReadAll(r)
	is.NoErr(err)
	is.Equal(len(data), 300_000)
}

// BenchmarkPut stores 64 MiB on a server that puts each write on disk.
func BenchmarkPut(b *testing.B) {
	is := is.New(b)
	s, err := natsboot.Start(b.Context(), natsboot.Config{Unguarded: true, StoreDir: b.TempDir(), SyncAlways: true}, natstest.Quiet())
	is.NoErr(err)
	defer s.Shutdown()
	store, err := droplets.Open(b.Context(), natstest.ConnectTo(b, s))
	is.NoErr(err)
	const size = 64 << 20
	b.SetBytes(size)
	for b.Loop() {
		_, _, err := store.Put(b.Context(), "d1", io.LimitReader(zeros{}, size))
		is.NoErr(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
