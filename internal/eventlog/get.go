package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// What one batched read may bring: few enough that a reader never falls behind its connection's buffer.
const (
	readBatch      = 256
	readBatchBytes = 8 << 20
)

// Subjects of JetStream's API for reading without a consumer. nats.go has no batched read, so they are spoken here.
const (
	subjectDirectGet = "$JS.API.DIRECT.GET." + StreamEvents
	subjectLeaderGet = "$JS.API.STREAM.MSG.GET." // and the stream
)

// Headers that the server adds to what it hands out. They are no part of the message.
const (
	headerStatus      = "Status"
	headerDescription = "Description"
	headerNumPending  = "Nats-Num-Pending"
	headerUpTo        = "Nats-UpTo-Sequence"
)

// The server's statuses for a direct get.
const (
	statusEndOfBatch = "204"
	statusNotFound   = "404"
)

// getRequest asks for the first message from Sequence on, of one subject or of all; for the last of a subject; or for a
// batch of them.
type getRequest struct {
	Sequence      events.Sequence `json:"seq,omitempty"`
	LastBySubject string          `json:"last_by_subj,omitempty"`
	NextBySubject string          `json:"next_by_subj,omitempty"`
	Batch         int             `json:"batch,omitempty"`
	MaxBytes      int             `json:"max_bytes,omitempty"`
}

func (r getRequest) message(subject string) (*nats.Msg, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return &nats.Msg{Subject: subject, Data: data}, nil
}

// leaderRaw takes a message out of the leader's answer.
func leaderRaw(answer []byte) (raw Raw, found bool, err error) {
	var got struct {
		Message *storedMessage      `json:"message"`
		Error   *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(answer, &got); {
	case err != nil:
		return Raw{}, false, fmt.Errorf("answer to a get: %w", err)
	case got.Error != nil && got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return Raw{}, false, nil
	case got.Error != nil:
		return Raw{}, false, got.Error
	case got.Message == nil:
		return Raw{}, false, errors.New("answer to a get holds no message")
	}
	raw, err = got.Message.raw()
	return raw, err == nil, err
}

// storedMessage is a message in JetStream's API.
type storedMessage struct {
	Subject  events.Subject  `json:"subject"`
	Sequence events.Sequence `json:"seq"`
	Header   []byte          `json:"hdrs"`
	Data     []byte          `json:"data"`
	Time     time.Time       `json:"time"`
}

func (m *storedMessage) raw() (Raw, error) {
	raw := Raw{Sequence: m.Sequence, Stored: m.Time}
	raw.Subject, raw.Data = m.Subject, m.Data
	if len(m.Header) == 0 {
		return raw, nil
	}
	header, err := nats.DecodeHeadersMsg(m.Header)
	if err != nil {
		return Raw{}, fmt.Errorf("headers at sequence %d: %w", m.Sequence, err)
	}
	raw.Header = header
	return raw, nil
}

// directLast gives the newest message of a subject as some server that has the stream knows it, or
// jetstream.ErrMsgNotFound.
func (j *JetStream) directLast(ctx context.Context, s events.Subject) (Raw, error) {
	answer, err := j.request(ctx, &nats.Msg{Subject: subjectDirectGet + "." + string(s)})
	if err != nil {
		return Raw{}, err
	}
	return directRaw(answer)
}

// directGet gives the message at a sequence, or jetstream.ErrMsgNotFound.
func (j *JetStream) directGet(ctx context.Context, seq events.Sequence) (Raw, error) {
	m, err := getRequest{Sequence: seq}.message(subjectDirectGet)
	if err != nil {
		return Raw{}, err
	}
	answer, err := j.request(ctx, m)
	if err != nil {
		return Raw{}, err
	}
	return directRaw(answer)
}

// directBatch reads a subject's messages from a sequence on, as many as a batch holds. more says whether there are more
// after them.
func (j *JetStream) directBatch(ctx context.Context, s events.Subject, from events.Sequence) (batch []Raw, more bool, err error) {
	answers := make(chan *nats.Msg, readBatch+1) // the end of the batch is one more
	sub, err := j.ask(getRequest{Sequence: from, NextBySubject: string(s), Batch: readBatch, MaxBytes: readBatchBytes}, answers)
	if err != nil {
		return nil, false, err
	}
	defer sub.Unsubscribe() //nolint:errcheck // fails only on a closed connection, where it is gone anyway
	for {
		answer, err := j.await(ctx, answers)
		if err != nil {
			return nil, false, err
		}
		if err := unbroken(batch, answer); err != nil {
			return nil, false, err
		}
		if answer.Header.Get(headerStatus) == statusEndOfBatch {
			return batch, answer.Header.Get(headerNumPending) != "0", nil
		}
		raw, err := directRaw(answer)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		batch = append(batch, raw)
	}
}

// unbroken asserts that an answer follows the last message of the batch: each names the one sent before it. A message
// lost on the way must not look like a hole in history.
func unbroken(batch []Raw, answer *nats.Msg) error {
	if len(batch) == 0 {
		return nil
	}
	want := strconv.FormatUint(uint64(batch[len(batch)-1].Sequence), 10)
	if got := answer.Header.Get(jetstream.LastSequenceHeader); got != want {
		return fmt.Errorf("a batch goes on after %s, its last message is %s: %w", got, want, errInDoubt)
	}
	return nil
}

// ask sends a direct get whose answer is several messages. A channel of our own, since nats.go's would have room for
// 65,536 and making that takes longer than the whole read.
func (j *JetStream) ask(r getRequest, answers chan *nats.Msg) (*nats.Subscription, error) {
	m, err := r.message(subjectDirectGet)
	if err != nil {
		return nil, err
	}
	m.Reply = j.nc.NewInbox()
	sub, err := j.nc.ChanSubscribe(m.Reply, answers)
	if err != nil {
		return nil, err
	}
	if err := j.nc.PublishMsg(m); err != nil {
		return nil, errors.Join(err, sub.Unsubscribe())
	}
	return sub, nil
}

// await waits for the next message of an answer, for at most AckWait.
func (j *JetStream) await(ctx context.Context, answers <-chan *nats.Msg) (*nats.Msg, error) {
	t := time.NewTimer(j.cfg.AckWait)
	defer t.Stop()
	select {
	case m, ok := <-answers:
		if !ok {
			return nil, nats.ErrConnectionClosed
		}
		return m, nil
	case <-t.C:
		return nil, nats.ErrTimeout
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// directRaw takes a message out of the answer to a direct get.
func directRaw(m *nats.Msg) (Raw, error) {
	switch status := m.Header.Get(headerStatus); {
	case status == statusNotFound:
		return Raw{}, jetstream.ErrMsgNotFound
	case status == "503":
		return Raw{}, nats.ErrNoResponders
	case status != "" && len(m.Data) == 0 && m.Header.Get(jetstream.SequenceHeader) == "":
		return Raw{}, fmt.Errorf("direct get: %s %s", status, m.Header.Get(headerDescription))
	}
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return Raw{}, fmt.Errorf("direct get: sequence: %w", err)
	}
	stored, err := time.Parse(time.RFC3339Nano, m.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return Raw{}, fmt.Errorf("direct get: time: %w", err)
	}
	raw := Raw{Sequence: events.Sequence(seq), Stored: stored}
	raw.Subject, raw.Header, raw.Data = events.Subject(m.Header.Get(jetstream.SubjectHeader)), m.Header, m.Data
	for _, added := range []string{
		jetstream.StreamHeader, jetstream.SubjectHeader, jetstream.SequenceHeader, jetstream.TimeStampHeaer,
		jetstream.LastSequenceHeader, headerNumPending, headerUpTo,
	} {
		delete(raw.Header, added)
	}
	return raw, nil
}
