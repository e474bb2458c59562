package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// TestFeedReader reads in two processes at once, of which each fails now and then: each message is done once and in order.
func TestFeedReader(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	began := time.Now().Add(-time.Minute)
	const messages = 20
	for n := range messages {
		_, err := js.Publish(t.Context(), "rollouts.a.b.c.app.started", fmt.Append(nil, n))
		is.NoErr(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen, ended := make(chan string, 10*messages), make(chan error, 2)
	for process := range 2 {
		reader, err := eventlog.OpenFeedReader(t.Context(), nc, eventlog.Config{})
		is.NoErr(err)
		calls := 0
		go func() {
			ended <- reader.Read(ctx, "one", began, func(_ context.Context, m eventlog.Raw) error {
				if calls++; calls%5 == process {
					return errors.New("not now")
				}
				seen <- string(m.Data)
				return nil
			})
		}()
	}
	var got, want []string
	for n := range messages {
		want = append(want, fmt.Sprint(n))
		select {
		case one := <-seen:
			got = append(got, one)
		case <-ctx.Done():
			t.Fatalf("only %v was read", got)
		}
	}
	is.Equal(slices.Compact(got), want) // in order; after a failure, again before any later one
	cancel()
	is.NoErr(errors.Join(<-ended, <-ended))
}

func TestFeedReadersComeAndGo(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: streams.DeadLetters, Subjects: []string{streams.DeadLettersSubjects}})
	is.NoErr(err)
	_, err = js.Publish(t.Context(), "rollouts.a.b.c.app.started", []byte("x"))
	is.NoErr(err)
	reader, err := eventlog.OpenFeedReader(t.Context(), nc, eventlog.Config{})
	is.NoErr(err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	is.NoErr(reader.Read(ctx, "one", time.Now().Add(-time.Minute), func(ctx context.Context, m eventlog.Raw) error {
		defer cancel()
		return reader.Bury(ctx, "one", m, "HTTP 500\r\nX: y")
	}))
	letters, err := js.Stream(t.Context(), streams.DeadLetters)
	is.NoErr(err)
	letter, err := letters.GetLastMsgForSubject(t.Context(), "deadletter.webhook.one")
	is.NoErr(err)
	is.Equal(string(letter.Data), "x")
	is.Equal(letter.Header.Get("Slipway-Reason"), "HTTP 500  X: y") // on one line
	readers, err := reader.Readers(t.Context())
	is.NoErr(err)
	is.Equal(readers, []string{"one"}) // its place stays
	is.NoErr(reader.Forget(t.Context(), "one"))
	is.NoErr(reader.Forget(t.Context(), "one")) // forgotten already
	readers, err = reader.Readers(t.Context())
	is.NoErr(err)
	is.Equal(len(readers), 0)
}
