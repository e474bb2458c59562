package droplets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// readerGone is after how long without a request the server forgets a reading whose process was killed.
	readerGone = time.Minute
	// readAttempts is how often a reading that lost its server is taken up again, with a pause of a second and then of two.
	readAttempts = 3
	// lagTimeout is how long a chunk is waited for that the server does not have: one of a cluster may lag behind another.
	lagTimeout = 3 * time.Second
)

// errDamaged: what is stored is not what was written.
var errDamaged = errors.New("the stored bits are damaged; upload them again")

// reading is one object on its way. nats.go's own reading is not used: while it waits for a chunk it does not see that its
// context ends, and where a chunk has gone it waits until the context's deadline.
type reading struct {
	chunks jetstream.MessagesContext
	chunk  []byte // what is left of the one that was read last
	stored uint64 // chunks that the server has and that are still to come
	left   uint64 // bytes of the object that are still to come
	sum    hash.Hash
	digest string       // of the whole object, as its description has it
	ended  func() error // the error of the context of Get: Read has none of its own
	unbind func() bool  // from that context
}

// read begins to read an object.
func (s *ObjectStore) read(ctx context.Context, info *jetstream.ObjectInfo) (io.ReadCloser, error) {
	if info.Size == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	consumer, err := s.js.OrderedConsumer(ctx, streamName, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{chunkSubject + info.NUID}, InactiveThreshold: readerGone, MaxResetAttempts: readAttempts,
	})
	if err != nil {
		return nil, err
	}
	chunks, err := consumer.Messages(jetstream.PullMaxMessages(chunksInFlight))
	if err != nil {
		return nil, err
	}
	return &reading{
		chunks: chunks, stored: consumer.CachedInfo().NumPending, left: info.Size, sum: sha256.New(), digest: info.Digest,
		ended: ctx.Err, unbind: context.AfterFunc(ctx, chunks.Stop),
	}, nil
}

// Read implements io.Reader. Errors: that of the context of Get once it ends, [nats.ErrTimeout] where a chunk does not come.
func (r *reading) Read(p []byte) (int, error) {
	for len(r.chunk) == 0 {
		if r.left == 0 {
			return 0, r.compare()
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// next waits for the next chunk.
func (r *reading) next() error {
	wait := chunkTimeout
	if r.stored == 0 {
		wait = lagTimeout
	}
	m, err := r.chunks.Next(jetstream.NextMaxWait(wait))
	switch ended := r.ended(); {
	case ended != nil:
		return ended
	case errors.Is(err, nats.ErrTimeout) && r.stored == 0:
		return fmt.Errorf("%w: %d bytes are missing", errDamaged, r.left)
	case errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("read a chunk: no answer within %s: %w", wait, err)
	case err != nil:
		return fmt.Errorf("read a chunk: %w", err)
	}
	return r.take(m)
}

// take makes a chunk the next to be read.
func (r *reading) take(m jetstream.Msg) error {
	about, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("read a chunk: %w", err)
	}
	if uint64(len(m.Data())) > r.left {
		return errDamaged
	}
	r.chunk, r.stored = m.Data(), about.NumPending
	r.left -= uint64(len(r.chunk))
	r.sum.Write(r.chunk)
	return nil
}

// compare ends a reading: with io.EOF where the object is as it was written.
func (r *reading) compare() error {
	if jetstream.GetObjectDigestValue(r.sum) != r.digest {
		return errDamaged
	}
	return io.EOF
}

// Close implements io.Closer. What is still to come is not read.
func (r *reading) Close() error {
	if r.unbind() {
		r.chunks.Stop()
	}
	return nil
}
