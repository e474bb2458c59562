package agent

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

// Sizes of a rush.
const (
	rushes  = 4  // as many as are tried
	changes = 25 // of what shall run, in each
	// quickest is the longest time between two of them: most come before what the one before meant has been done.
	quickest = 60 * time.Millisecond
)

// store is a Bits over a real object store.
type store struct{ *droplets.ObjectStore }

func (s store) Open(ctx context.Context, id events.DropletID) (io.ReadCloser, error) {
	return s.Get(ctx, string(id))
}

// newStore has droplets "d0" to "d2", each of several chunks.
func newStore(t *testing.T) store {
	t.Helper()
	objects, err := droplets.Open(t.Context(), natstest.Connect(t))
	for n := range 3 {
		if err == nil {
			_, _, err = objects.Put(t.Context(), fmt.Sprintf("d%d", n), bytes.NewReader(dropletOf(uint64(n), 400<<10)))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return store{objects}
}

// dropletOf is a .tgz with a file of noise.
func dropletOf(seed uint64, size int) []byte {
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(noise) // it never fails
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	tape := tar.NewWriter(zip)
	err := errors.Join(tape.WriteHeader(&tar.Header{Name: "noise", Mode: 0o644, Size: int64(size)}), write(tape, noise), tape.Close(), zip.Close())
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

func write(w io.Writer, data []byte) error {
	_, err := w.Write(data)
	return err
}

// TestRush: an app is started, scaled, restarted, given another droplet and stopped in whatever haste; what is wanted last is what
// runs in the end. SEED=n repeats one rush.
func TestRush(t *testing.T) {
	bits := newStore(t)
	first, n := uint64(1), rushes
	if seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		first, n = seed, 1
	}
	t.Run("all", func(t *testing.T) {
		for i := range n {
			seed := first + uint64(i)
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				rush(t, newSiteOf(t, t.TempDir(), bits), rand.New(rand.NewPCG(seed, 0)))
			})
		}
	})
}

func rush(t *testing.T, s *site, random *rand.Rand) {
	is := is.New(t)
	wanted := appSpec("v1", 1)
	for range changes {
		switch random.IntN(4) {
		case 0:
			wanted.Generation++
		case 1:
			wanted.Generation++
			wanted.Droplet = events.DropletID(fmt.Sprintf("d%d", random.IntN(3)))
		default:
			wanted.Instances = random.IntN(3)
		}
		s.want(wanted)
		<-time.After(time.Duration(random.Int64N(int64(quickest))))
	}
	wanted.Instances = 2
	s.want(wanted)
	s.settles(wanted)
	for index := range wanted.Instances {
		_, err := fetch(http.DefaultClient, s.address, fmt.Sprintf("v1:%d", index))
		is.NoErr(err) // each takes requests
	}
	is.Equal(len(instancesOf(t, s.id)), wanted.Instances) // and there are no others
	s.stop()
	is.Equal(instancesOf(t, s.id), []string{}) // an orderly end leaves nothing
}

// settles waits until the reports say that what runs is just what is wanted.
func (s *site) settles(wanted ProcessSpec) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	alive, settled := map[events.InstanceID]events.InstanceEvent{}, errors.New("settled")
	err := s.log.Follow(ctx, eventlog.Query{Filters: []string{string(events.InstanceSubject(wanted.Process))}}, func(batch []events.Recorded) error {
		for _, c := range batch {
			for _, e := range c.Events {
				note(alive, e.(events.InstanceEvent))
			}
		}
		for _, e := range alive {
			if e.Type() != events.TypeInstanceRunning || e.Ref().Generation != wanted.Generation {
				return nil
			}
		}
		if len(alive) == wanted.Instances {
			return settled
		}
		return nil
	})
	if !errors.Is(err, settled) {
		s.t.Fatalf("wanted %d of generation %d; a minute later there are %v: %v", wanted.Instances, wanted.Generation, alive, err)
	}
}

func note(alive map[events.InstanceID]events.InstanceEvent, e events.InstanceEvent) {
	switch id := e.Ref().Instance; e.(type) {
	case events.InstanceStopped, events.InstanceCrashed:
		delete(alive, id)
	default:
		alive[id] = e
	}
}
