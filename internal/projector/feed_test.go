package projector_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/projector"
)

var errInjected = errors.New("injected")

// fakeFeed is a feed in memory that takes a message at its place only, as the real one does. Before and after each thing it
// does it asks fault whether to fail there.
type fakeFeed struct {
	mu       sync.Mutex
	messages []eventlog.FeedMessage
	aged     int // of the messages, from the first, have aged out
	marked   events.Sequence
	fault    func() error
	grown    func(messages int)
}

func (f *fakeFeed) End(context.Context) (eventlog.FeedEnd, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := eventlog.FeedEnd{Stream: uint64(len(f.messages)), Marked: f.marked}
	if len(f.messages) > f.aged {
		last := f.messages[len(f.messages)-1].Header
		commit, _ := strconv.ParseUint(last[eventlog.FeedHeaderSequence][0], 10, 64)
		end.Commit = events.Sequence(commit)
		end.Index, _ = strconv.Atoi(last[eventlog.FeedHeaderIndex][0])
	}
	return end, f.fail()
}

func (f *fakeFeed) Publish(_ context.Context, after uint64, messages []eventlog.FeedMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range messages {
		if err := f.fail(); err != nil {
			return err // before it was taken
		}
		if after != uint64(len(f.messages)) {
			return eventlog.ErrConflict
		}
		f.messages = append(f.messages, m)
		after++
		if f.grown != nil {
			f.grown(len(f.messages))
		}
		if err := f.fail(); err != nil {
			return err // it was taken, the acknowledgement is lost
		}
	}
	return nil
}

func (f *fakeFeed) Mark(_ context.Context, seq events.Sequence) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail(); err != nil {
		return err
	}
	f.marked = seq
	return f.fail()
}

func (f *fakeFeed) fail() error {
	if f.fault == nil {
		return nil
	}
	return f.fault()
}

func (f *fakeFeed) subjects() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, m := range f.messages {
		all = append(all, m.Subject)
	}
	return all
}

func feedOf(log eventlog.Log, stream projector.FeedStream) *projector.Feed {
	return &projector.Feed{Log: log, Stream: stream, Registry: events.NewRegistry(), Logger: quiet()}
}

func TestFeedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		w := newWriter(t, log)
		w.history()
		scaled := w.heads[events.AppSubject("a1")]
		ctx, cancel := context.WithCancel(t.Context())
		stream := &fakeFeed{grown: func(n int) {
			if n == len(subjects()) {
				cancel()
			}
		}}
		is.NoErr(feedOf(log, stream).Run(ctx))
		is.Equal(stream.subjects(), subjects()) // names people know; nothing of names being claimed
		m := stream.messages[6]
		is.Equal(m.Header, map[string][]string{
			"Nats-Msg-Id": {scaled.EventID(0)}, "Content-Type": {"application/json"}, "ce-specversion": {"1.0"},
			"ce-id": {scaled.EventID(0)}, "ce-type": {"process.scaled"}, "ce-source": {"/slipway/app/a1"}, "ce-subject": {"p1"},
			"ce-time": {"2026-01-01T00:00:00Z"}, "ce-dataversion": {"1"}, "ce-sequence": {"6"}, "ce-index": {"0"},
			"ce-app": {"a1"}, "ce-process": {"p1"}, "ce-deployment": {"x1"}, "ce-organization": {"default"}, "ce-space": {"default"},
		})
		is.Equal(string(m.Data), `{"app":"a1","process":"p1","process_type":"web","from":1,"instances":2,"memory_in_mb":0,`+
			`"disk_in_mb":0,"log_rate_limit_in_bytes_per_second":0,"deployment":"x1","reason":""}`)
	})
}

// TestFeedCrash stops the feed at every step it takes, once each, and starts it again.
func TestFeedCrash(t *testing.T) {
	for step, more := 0, true; more; step++ {
		synctest.Test(t, func(t *testing.T) {
			is := is.New(t)
			log := eventlog.NewMemory(events.NewRegistry())
			newWriter(t, log).history()
			stream := &fakeFeed{}
			more = crashAt(t, log, stream, step)
			ctx, cancel := context.WithCancel(t.Context())
			stream.fault, stream.grown = nil, func(n int) {
				if n == len(subjects()) {
					cancel()
				}
			}
			if len(stream.messages) == len(subjects()) {
				cancel()
			}
			is.NoErr(feedOf(log, stream).Run(ctx))
			is.Equal(stream.subjects(), subjects()) // complete, in order, each once
		})
	}
}

// crashAt runs the feed until its n-th step, and says whether there was one.
func crashAt(t *testing.T, log eventlog.Log, stream *fakeFeed, n int) bool {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	crashed := false
	stream.fault = func() error {
		if n--; n >= 0 {
			return nil
		}
		crashed = true
		cancel()
		return errInjected
	}
	if err := feedOf(log, stream).Run(ctx); err != nil {
		t.Fatal(err)
	}
	return crashed
}

// TestFeedFaults lets steps fail at random while two writers run.
func TestFeedFaults(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) {
			is := is.New(t)
			random := rand.New(rand.NewPCG(seed, 1))
			log := eventlog.NewMemory(events.NewRegistry())
			newWriter(t, log).history()
			ctx, cancel := context.WithCancel(t.Context())
			stream := &fakeFeed{
				fault: func() error {
					if random.IntN(3) == 0 {
						return errInjected
					}
					return nil
				},
				grown: func(n int) {
					if n == len(subjects()) {
						cancel()
					}
				},
			}
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { is.NoErr(feedOf(log, stream).Run(ctx)) })
			}
			both.Wait()
			is.Equal(stream.subjects(), subjects()) // complete, in order, each once
		})
	})
}

func TestFeedAgedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		w := newWriter(t, log)
		w.history()
		stream := &fakeFeed{}
		first, stop := context.WithTimeout(t.Context(), time.Minute) // on the bubble's clock
		defer stop()
		is.NoErr(feedOf(log, stream).Run(first))
		stream.aged = len(stream.messages)
		w.add(events.AppSubject("a1"), events.AppStopped{App: "a1"})
		second, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		is.NoErr(feedOf(log, stream).Run(second))
		is.Equal(stream.subjects(), append(subjects(), "rollouts.default.default.pay=20ments.app.stopped")) // only what is new
	})
}

func TestFeedOnJetStream(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	log, err := eventlog.Open(t.Context(), nc, events.NewRegistry(), eventlog.Config{})
	is.NoErr(err)
	newWriter(t, log).history()
	stream, err := eventlog.OpenFeed(t.Context(), nc)
	is.NoErr(err)
	want, err := log.Newest(t.Context())
	is.NoErr(err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	feed := feedOf(log, stream)
	feed.Observe = func(p projector.Progress) {
		if p.Sequence == want {
			cancel()
		}
	}
	is.NoErr(feed.Run(ctx))
	end, err := stream.End(t.Context())
	is.NoErr(err)
	is.Equal(end, eventlog.FeedEnd{Stream: uint64(len(subjects())), Commit: want, Marked: want}) // all of it, marked at the end
}
