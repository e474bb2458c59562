package droplets

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/natsboot/streams"
)

// Names of the object store's stream and subjects, as NATS's object stores have them (ADR-20 of NATS), so that
// `nats object ls DROPLETS` and every client library can read what is written here.
const (
	streamName   = "OBJ_" + streams.Droplets
	chunkSubject = "$O." + streams.Droplets + ".C." // and an id of the upload
	metaSubject  = "$O." + streams.Droplets + ".M." // and the object's name in base64
)

// cleanUpTimeout bounds the removal of what a failed upload wrote.
const cleanUpTimeout = 10 * time.Second

// ObjectStore is a Store in the object store [streams.Droplets] of JetStream.
type ObjectStore struct {
	js      jetstream.JetStream
	stream  jetstream.Stream
	objects jetstream.ObjectStore
	limit   int64
}

// Open opens the object store, which must have been set up. It takes droplets up to [MaxBytes].
func Open(ctx context.Context, nc *nats.Conn) (*ObjectStore, error) {
	return OpenLimited(ctx, nc, MaxBytes)
}

// OpenLimited is Open with another limit, in bytes.
func OpenLimited(ctx context.Context, nc *nats.Conn, limit int64) (*ObjectStore, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open droplet store: %w", err)
	}
	objects, err := js.ObjectStore(ctx, streams.Droplets)
	if err != nil {
		return nil, fmt.Errorf("open droplet store: bucket %s: %w", streams.Droplets, err)
	}
	stream, err := js.Stream(ctx, streamName)
	if err != nil {
		return nil, fmt.Errorf("open droplet store: stream %s: %w", streamName, err)
	}
	return &ObjectStore{js: js, stream: stream, objects: objects, limit: limit}, nil
}

// Get implements [Store]. Its context bounds the reading too, which may take as long as it gets on: only a single chunk must
// come within half a minute.
func (s *ObjectStore) Get(ctx context.Context, id string) (io.ReadCloser, error) {
	info, err := s.objects.GetInfo(ctx, id)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	var r io.ReadCloser
	if err == nil {
		r, err = s.read(ctx, info)
	}
	if err != nil {
		return nil, fmt.Errorf("read droplet bits %s: %w", id, err)
	}
	return r, nil
}

// Delete implements [Store].
func (s *ObjectStore) Delete(ctx context.Context, id string) error {
	err := s.objects.Delete(ctx, id)
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return fmt.Errorf("delete droplet bits %s: %w", id, err)
	}
	return nil
}

// Sweep removes what uploads left behind whose process was killed: chunks that no object names and that are older than
// age, which should be far more than an upload takes. It says how many uploads it removed.
func (s *ObjectStore) Sweep(ctx context.Context, age time.Duration) (removed int, err error) {
	// The chunks are listed first: what is named later cannot be taken for left behind.
	info, err := s.stream.Info(ctx, jetstream.WithSubjectFilter(chunkSubject+">"))
	if err != nil {
		return 0, fmt.Errorf("sweep droplet store: %w", err)
	}
	named, err := s.named(ctx)
	if err != nil {
		return 0, fmt.Errorf("sweep droplet store: %w", err)
	}
	for subject := range info.State.Subjects {
		if named[strings.TrimPrefix(subject, chunkSubject)] {
			continue
		}
		last, err := s.stream.GetLastMsgForSubject(ctx, subject)
		if err != nil || time.Since(last.Time) < age {
			continue // gone meanwhile, or perhaps still under way
		}
		if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return removed, fmt.Errorf("sweep droplet store: %w", err)
		}
		removed++
	}
	return removed, nil
}

// named lists the uploads that objects name.
func (s *ObjectStore) named(ctx context.Context) (map[string]bool, error) {
	objects, err := s.objects.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil, err
	}
	named := map[string]bool{}
	for _, o := range objects {
		named[o.NUID] = true
	}
	return named, nil
}

func metaSubjectOf(id string) string {
	return metaSubject + base64.URLEncoding.EncodeToString([]byte(id))
}
