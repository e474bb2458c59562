package droplets_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
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

// A reader that waits for a chunk is told at once that its context ended: who starts the app anew would wait for it.
func TestReadingEndsWithItsContext(t *testing.T) {
	is := is.New(t)
	server, err := natsboot.Start(t.Context(), natsboot.Config{StoreDir: t.TempDir(), Unguarded: true}, natstest.Quiet())
	is.NoErr(err)
	store, err := droplets.Open(t.Context(), natstest.ConnectTo(t, server))
	is.NoErr(err)
	const size = 16 << 20
	_, _, err = store.Put(t.Context(), "d1", io.LimitReader(zeros{}, size))
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := store.Get(ctx, "d1")
	is.NoErr(err)
	defer r.Close()
	is.NoErr(server.Shutdown()) // the chunks that were asked for already are all that comes
	failed := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r)
		failed <- err
	}()
	select {
	case err := <-failed:
		t.Fatalf("a reading without its server ended with %v", err)
	case <-time.After(200 * time.Millisecond): // most likely it waits now; were it slower, the test would only see less
	}
	cancel()
	select {
	case err := <-failed:
		is.True(errors.Is(err, context.Canceled))
	case <-time.After(20 * time.Second):
		t.Fatal("still reading 20 s after its context ended")
	}
}

// Where chunks have gone a reader is told so, soon.
func TestMissingChunksShow(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	store := open(t, nc)
	_, _, err := store.Put(t.Context(), "d1", bytes.NewReader(make([]byte, 300_000)))
	is.NoErr(err)
	is.NoErr(objectStream(t, nc).DeleteMsg(t.Context(), 3)) // the last of them
	r, err := store.Get(t.Context(), "d1")
	is.NoErr(err)
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	is.Equal(n, int64(2*(128<<10)))
	is.True(err != nil && strings.Contains(err.Error(), "upload them again: 37856 bytes are missing")) // and what to do
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

// BenchmarkGet reads 64 MiB; nats.go's own reading of the same object is the limit to compare with.
func BenchmarkGet(b *testing.B) {
	is := is.New(b)
	const size = 64 << 20
	nc := natstest.Connect(b)
	store, err := droplets.Open(b.Context(), nc)
	is.NoErr(err)
	_, _, err = store.Put(b.Context(), "d1", io.LimitReader(zeros{}, size))
	is.NoErr(err)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	objects, err := js.ObjectStore(b.Context(), streams.Droplets)
	is.NoErr(err)
	for name, open := range map[string]func() (io.ReadCloser, error){
		"slipway": func() (io.ReadCloser, error) { return store.Get(b.Context(), "d1") },
		"nats.go": func() (io.ReadCloser, error) { return objects.Get(b.Context(), "d1") },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := open()
				is.NoErr(err)
				n, err := io.Copy(io.Discard, r)
				is.NoErr(err)
				is.NoErr(r.Close())
				is.Equal(n, int64(size))
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
