package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// feedMessage carries event index of commit.
func feedMessage(commit, index int) eventlog.FeedMessage {
	return eventlog.FeedMessage{
		Subject: "rollouts.default.default.hello.process.scaled",
		Header: map[string][]string{
			events.HeaderMsgID:          {fmt.Sprintf("c%d.%d", commit, index)},
			eventlog.FeedHeaderSequence: {strconv.Itoa(commit)},
			eventlog.FeedHeaderIndex:    {strconv.Itoa(index)},
		},
		Data: []byte("{}"),
	}
}

func feedMessages(n int) []eventlog.FeedMessage {
	var messages []eventlog.FeedMessage
	for i := range n {
		messages = append(messages, feedMessage(i+1, 0))
	}
	return messages
}

func openFeed(t *testing.T) (*nats.Conn, *eventlog.FeedStream) {
	t.Helper()
	nc := natstest.Connect(t)
	feed, err := eventlog.OpenFeed(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, feed
}

func TestFeedStream(t *testing.T) {
	end := func(t *testing.T, feed *eventlog.FeedStream) eventlog.FeedEnd {
		t.Helper()
		end, err := feed.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	t.Run("a new one is empty", func(t *testing.T) {
		is := is.New(t)
		_, feed := openFeed(t)
		is.Equal(end(t, feed), eventlog.FeedEnd{})
	})
	t.Run("ends with what was published last", func(t *testing.T) {
		is := is.New(t)
		_, feed := openFeed(t)
		is.NoErr(feed.Publish(t.Context(), 0, append(feedMessages(600), feedMessage(600, 1)))) // more than may be in flight
		is.Equal(end(t, feed), eventlog.FeedEnd{Stream: 601, Commit: 600, Index: 1})
	})
	t.Run("takes a message at its place only", func(t *testing.T) {
		is := is.New(t)
		_, feed := openFeed(t)
		is.NoErr(feed.Publish(t.Context(), 0, feedMessages(3)))
		err := feed.Publish(t.Context(), 1, feedMessages(5)[3:])
		is.True(errors.Is(err, eventlog.ErrConflict)) // somebody else has written
		is.Equal(end(t, feed).Stream, uint64(3))      // nothing was added
	})
	t.Run("an id used before", func(t *testing.T) {
		is := is.New(t)
		_, feed := openFeed(t)
		again := feedMessages(4)
		again[1].Header[events.HeaderMsgID] = again[0].Header[events.HeaderMsgID] // two aggregates, one command
		is.NoErr(feed.Publish(t.Context(), 0, again))
		is.Equal(end(t, feed), eventlog.FeedEnd{Stream: 4, Commit: 4}) // all four are there
	})
	t.Run("passes over what is not of the feed", func(t *testing.T) {
		is := is.New(t)
		nc, feed := openFeed(t)
		is.NoErr(feed.Publish(t.Context(), 0, feedMessages(2)))
		js, err := jetstream.New(nc)
		is.NoErr(err)
		for range 3 {
			_, err = js.Publish(t.Context(), "rollouts.by.hand", []byte("hello"))
			is.NoErr(err)
		}
		is.Equal(end(t, feed), eventlog.FeedEnd{Stream: 5, Commit: 2})
	})
	t.Run("remembers when all has aged out", func(t *testing.T) {
		is := is.New(t)
		nc, feed := openFeed(t)
		is.NoErr(feed.Publish(t.Context(), 0, feedMessages(2)))
		is.NoErr(feed.Mark(t.Context(), 2))
		js, err := jetstream.New(nc)
		is.NoErr(err)
		stream, err := js.Stream(t.Context(), eventlog.StreamFeed)
		is.NoErr(err)
		is.NoErr(stream.Purge(t.Context()))
		is.Equal(end(t, feed), eventlog.FeedEnd{Stream: 2, Marked: 2})
	})
	t.Run("an ended context", func(t *testing.T) {
		is := is.New(t)
		_, feed := openFeed(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := feed.Publish(ctx, 0, feedMessages(1))
		is.True(errors.Is(err, eventlog.ErrUnavailable)) // what became of it is settled by End
	})
}

// A server that loses what it was sent, as one does that was the leader until then, acknowledges none of it, ever. The feed waits for that
// for a while, and then it goes on.
func TestFeedOutlivesAServerThatNeverAcknowledges(t *testing.T) {
	is := is.New(t)
	nc, feed := openFeed(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	is.NoErr(js.DeleteStream(t.Context(), eventlog.StreamFeed))
	mute, err := nc.Subscribe("rollouts.>", func(*nats.Msg) {})
	is.NoErr(err)
	for range 2 { // as many as may be in flight, and more
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err = feed.Publish(ctx, 0, feedMessages(300))
		cancel()
		is.True(errors.Is(err, eventlog.ErrUnavailable))
	}
	is.NoErr(mute.Unsubscribe())
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{}))
	for patience := time.Now().Add(time.Minute); err != nil && time.Now().Before(patience); {
		err = feed.Publish(t.Context(), 0, feedMessages(3))
	}
	is.NoErr(err) // a server that acknowledges is back
}
