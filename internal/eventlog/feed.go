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
	"slipway/internal/natsboot/streams"
)

// StreamFeed is the name of the stream that subscribers read.
const StreamFeed = streams.Feed

// keyFeed is where the bucket of checkpoints notes how far the feed is. It counts only while the feed holds no message.
const keyFeed = "feed"

// Headers of a feed message that say which event of the log it carries: the sequence of its commit in EVENTS and its
// index in the commit, from 0.
const (
	FeedHeaderSequence = "ce-sequence"
	FeedHeaderIndex    = "ce-index"
)

// Limits of publishing to the feed.
const (
	maxFeedInFlight = 256             // messages sent and not acknowledged
	feedAckWait     = 5 * time.Second // for all messages in flight
	maxForeign      = 1000            // messages that are none of the feed, passed over to find its end
)

// FeedMessage is one event on its way into the feed.
type FeedMessage struct {
	Subject string
	Header  map[string][]string
	Data    []byte
}

// FeedEnd is where the feed ends.
type FeedEnd struct {
	Stream uint64          // sequence of the stream's last message, also when it has aged out; 0: it never had one
	Commit events.Sequence // of the last event in the feed; 0 where the feed is empty
	Index  int             // of that event in its commit
	Marked events.Sequence // all commits up to here are in the feed, or have been
}

// FeedStream writes the stream of the feed. Any number of writers may do so at once: what comes next is settled by what
// stands last, so they all want to write the same, and a message is taken at the one place it belongs or not at all.
type FeedStream struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	marks  jetstream.KeyValue
}

// OpenFeed opens the stream [StreamFeed], which must have been set up.
func OpenFeed(ctx context.Context, nc *nats.Conn) (*FeedStream, error) {
	// Without a time-out what is never acknowledged would count as in flight for ever, and some day nothing more could be sent.
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(maxFeedInFlight), jetstream.WithPublishAsyncTimeout(feedAckWait))
	if err != nil {
		return nil, fmt.Errorf("open feed: %w", err)
	}
	stream, err := js.Stream(ctx, StreamFeed)
	if err != nil {
		return nil, fmt.Errorf("open feed: stream %s: %w", StreamFeed, err)
	}
	marks, err := js.KeyValue(ctx, streams.Checkpoints)
	if err != nil {
		return nil, fmt.Errorf("open feed: bucket %s: %w", streams.Checkpoints, err)
	}
	return &FeedStream{nc: nc, js: js, stream: stream, marks: marks}, nil
}

// End says where the feed ends. The stream's last sequence is read before its last message: where another writer comes
// between, the sequence is the older of the two and the next Publish is refused, so no event is put in twice.
func (f *FeedStream) End(ctx context.Context) (FeedEnd, error) {
	end, err := f.end(ctx)
	if err != nil {
		return FeedEnd{}, fmt.Errorf("end of the feed: %w", err)
	}
	return end, nil
}

func (f *FeedStream) end(ctx context.Context) (end FeedEnd, err error) {
	info, err := f.stream.Info(ctx)
	if err != nil {
		return end, err
	}
	end.Stream = info.State.LastSeq
	if end.Marked, err = f.marked(ctx); err != nil {
		return end, err
	}
	if info.State.Msgs == 0 {
		return end, nil
	}
	err = f.lastEvent(ctx, &end, max(info.State.FirstSeq, end.Stream-min(end.Stream, maxForeign)))
	return end, err
}

// lastEvent finds the last event in the feed. Whoever may publish can put a message into the stream that is none of the
// feed: such messages are passed over, down to a sequence; beyond it the mark has to do.
func (f *FeedStream) lastEvent(ctx context.Context, end *FeedEnd, downTo uint64) error {
	for seq := end.Stream; seq >= downTo && seq > 0; seq-- {
		header, err := f.header(ctx, seq)
		if err != nil {
			return err
		}
		commit, errCommit := strconv.ParseUint(header.Get(FeedHeaderSequence), 10, 64)
		index, errIndex := strconv.Atoi(header.Get(FeedHeaderIndex))
		if errCommit == nil && errIndex == nil {
			end.Commit, end.Index = events.Sequence(commit), index
			return nil
		}
	}
	return nil
}

// header reads the headers of one message; none where it was deleted or has aged out. It asks the stream's leader: a
// direct get may be answered by a server that does not have the newest message yet, and what stands before it would be
// taken for the end.
func (f *FeedStream) header(ctx context.Context, seq uint64) (nats.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, feedAckWait)
	defer cancel()
	answer, err := f.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+StreamFeed, fmt.Appendf(nil, `{"seq":%d}`, seq))
	if err != nil {
		return nil, err
	}
	var got struct {
		Message struct {
			Header []byte `json:"hdrs"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(answer.Data, &got); {
	case err != nil:
		return nil, fmt.Errorf("answer to a get: %w", err)
	case got.Error != nil && got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, nil
	case got.Error != nil:
		return nil, got.Error
	case len(got.Message.Header) == 0:
		return nil, nil
	}
	return nats.DecodeHeadersMsg(got.Message.Header)
}

func (f *FeedStream) marked(ctx context.Context) (events.Sequence, error) {
	entry, err := f.marks.Get(ctx, keyFeed)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	seq, err := strconv.ParseUint(string(entry.Value()), 10, 64)
	return events.Sequence(seq), err
}

// Mark notes that all commits up to seq are in the feed.
func (f *FeedStream) Mark(ctx context.Context, seq events.Sequence) error {
	if _, err := f.marks.Put(ctx, keyFeed, []byte(strconv.FormatUint(uint64(seq), 10))); err != nil {
		return fmt.Errorf("mark the feed: %w", err)
	}
	return nil
}

// Publish adds messages in order directly after the stream sequence after. Each is sent without waiting for the one
// before, and expects to stand directly behind it: once one is refused, so are all that follow. Errors: [ErrConflict]
// where the stream ends elsewhere, [ErrUnavailable].
func (f *FeedStream) Publish(ctx context.Context, after uint64, messages []FeedMessage) error {
	for len(messages) > 0 {
		n := min(len(messages), maxFeedInFlight)
		added, err := f.publish(ctx, after, messages[:n])
		if err != nil {
			return fmt.Errorf("publish to the feed: %w", err)
		}
		after, messages = after+uint64(added), messages[added:]
	}
	return nil
}

// publish sends a batch and says how many of it were added.
func (f *FeedStream) publish(ctx context.Context, after uint64, messages []FeedMessage) (added int, err error) {
	ctx, cancel := context.WithTimeout(ctx, feedAckWait)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return 0, errors.Join(ErrUnavailable, err) // nothing is sent for a caller who has gone
	}
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		msg := &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}
		if acks[i], err = f.js.PublishMsgAsync(msg, jetstream.WithExpectLastSequence(after+uint64(i))); err != nil {
			return 0, errors.Join(ErrUnavailable, err)
		}
	}
	for i, ack := range acks {
		duplicate, err := awaitFeed(ctx, ack)
		switch {
		case err != nil:
			return 0, err
		case duplicate:
			// Its id is in the feed from another aggregate's commit of the same command; where this event stands is known,
			// so the server's window is wrong. It goes without the id, and what followed it was refused.
			return i + 1, f.publishOnce(ctx, after+uint64(i), messages[i])
		}
	}
	return len(messages), nil
}

// awaitFeed waits for the answer to one message.
func awaitFeed(ctx context.Context, ack jetstream.PubAckFuture) (duplicate bool, err error) {
	select {
	case ok := <-ack.Ok():
		return ok.Duplicate, nil
	case err := <-ack.Err():
		return false, feedError(err)
	case <-ctx.Done():
		return false, errors.Join(ErrUnavailable, ctx.Err())
	}
}

func (f *FeedStream) publishOnce(ctx context.Context, after uint64, m FeedMessage) error {
	msg := &nats.Msg{Subject: m.Subject, Header: nats.Header{}, Data: m.Data}
	for key, values := range m.Header {
		if key != events.HeaderMsgID {
			msg.Header[key] = values
		}
	}
	_, err := f.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequence(after))
	return feedError(err)
}

func feedError(err error) error {
	switch {
	case err == nil:
		return nil
	case apiCode(err) == jetstream.JSErrCodeStreamWrongLastSequence:
		return errors.Join(ErrConflict, err)
	default:
		return errors.Join(ErrUnavailable, err)
	}
}
