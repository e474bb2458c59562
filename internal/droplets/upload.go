package droplets

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"slipway/internal/natsboot/streams"
)

const (
	// chunkBytes is the size of one message of an object, NATS's own default.
	chunkBytes = 128 << 10
	// chunksInFlight bounds what is sent and not acknowledged: 2 MiB. nats.go's own upload allows 512 MiB, and a server that
	// puts each write on disk refuses what is above 128 MiB.
	chunksInFlight = 16
	// chunkTimeout is how long the server may take for one chunk.
	chunkTimeout = 30 * time.Second
	// publishTimeout bounds the making visible of an upload.
	publishTimeout = 30 * time.Second
	// replaceAttempts bounds how often the place of an object is contested by other uploads of the same.
	replaceAttempts = 8
)

// upload is one writing of bits. Until its object is published nobody can see it.
type upload struct {
	store  *ObjectStore
	id     string // of the upload: an object's chunks stand under it
	flight []jetstream.PubAckFuture
	size   int64
	chunks uint32
}

// Put implements [Store].
func (s *ObjectStore) Put(ctx context.Context, id string, r io.Reader) (string, int64, error) {
	u := &upload{store: s, id: ulid.Make().String()}
	sum := sha256.New()
	err := u.send(ctx, io.TeeReader(r, sum))
	if err == nil {
		err = u.publish(ctx, id, sum.Sum(nil))
	}
	if err != nil {
		return "", 0, errors.Join(err, u.undo(ctx, id))
	}
	return hex.EncodeToString(sum.Sum(nil)), u.size, nil
}

// send writes all chunks and waits until they are stored.
func (u *upload) send(ctx context.Context, r io.Reader) error {
	for {
		chunk := make([]byte, chunkBytes) // kept by nats.go until it is acknowledged
		n, err := io.ReadFull(r, chunk)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return err
		}
		if n > 0 {
			if err := u.sendChunk(ctx, chunk[:n]); err != nil {
				return err
			}
		}
		if ended {
			return u.await(ctx, 0)
		}
	}
}

func (u *upload) sendChunk(ctx context.Context, chunk []byte) error {
	if u.size += int64(len(chunk)); u.size > u.store.limit {
		return tooLarge(u.store.limit)
	}
	if err := u.await(ctx, chunksInFlight-1); err != nil {
		return err
	}
	ack, err := u.store.js.PublishMsgAsync(&nats.Msg{Subject: chunkSubject + u.id, Data: chunk})
	if err != nil {
		return fmt.Errorf("store chunk %d: %w", u.chunks, err)
	}
	u.flight = append(u.flight, ack)
	u.chunks++
	return nil
}

// await waits until at most so many chunks are in flight.
func (u *upload) await(ctx context.Context, atMost int) error {
	timeout := time.NewTimer(chunkTimeout)
	defer timeout.Stop()
	for len(u.flight) > atMost {
		select {
		case <-u.flight[0].Ok():
			u.flight = u.flight[1:]
		case err := <-u.flight[0].Err():
			return fmt.Errorf("store a chunk: %w", err)
		case <-timeout.C:
			return fmt.Errorf("store a chunk: no answer within %s: %w", chunkTimeout, nats.ErrTimeout)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// publish makes the object visible, in place of one that may have been there.
func (u *upload) publish(ctx context.Context, id string, sum []byte) error {
	data, err := json.Marshal(jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: id, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkBytes}},
		Bucket:     streams.Droplets, NUID: u.id, Size: uint64(u.size), Chunks: u.chunks,
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(sum),
	})
	if err != nil {
		return fmt.Errorf("publish droplet bits: %w", err)
	}
	// From here on an interruption would leave it open what was published.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	subject := metaSubjectOf(id)
	for range replaceAttempts {
		before, last, err := u.store.standing(ctx, subject)
		switch {
		case err != nil:
			return fmt.Errorf("publish droplet bits: %w", err)
		case before == u.id:
			return nil // it was published though the answer got lost
		}
		m := &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}
		m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
		// The expectation makes sure that of two uploads each sees what it replaces: else nobody would remove it.
		_, err = u.store.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(last))
		if err == nil {
			_ = u.store.purge(ctx, before) // if it fails, Sweep finds it: the new bits stand all the same
			return nil
		}
		if !contested(err) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout) {
			return fmt.Errorf("publish droplet bits: %w", err)
		}
	}
	return fmt.Errorf("publish droplet bits: replaced %d times meanwhile", replaceAttempts)
}

func contested(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// standing says which upload an object names now, and at which sequence.
func (s *ObjectStore) standing(ctx context.Context, subject string) (upload string, last uint64, err error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	var info jetstream.ObjectInfo
	if err := json.Unmarshal(m.Data, &info); err != nil {
		return "", 0, fmt.Errorf("object at sequence %d: %w", m.Sequence, err)
	}
	return info.NUID, m.Sequence, nil
}

// undo removes the chunks of an upload that failed, also where it failed because ctx ended. Where it cannot be told that
// no object names them, they stay for Sweep.
func (u *upload) undo(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	for _, ack := range u.flight { // what is still on its way would arrive after the purge
		select {
		case <-ack.Ok():
		case <-ack.Err():
		case <-ctx.Done():
		}
	}
	named, _, err := u.store.standing(ctx, metaSubjectOf(id))
	if err != nil || named == u.id {
		return err
	}
	return u.store.purge(ctx, u.id)
}

// purge removes the chunks of an upload.
func (s *ObjectStore) purge(ctx context.Context, upload string) error {
	if upload == "" {
		return nil
	}
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(chunkSubject+upload)); err != nil {
		return fmt.Errorf("remove chunks of upload %s: %w", upload, err)
	}
	return nil
}
