package eventlog_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// hasty is for tests in which the server does not answer.
var hasty = eventlog.Config{AckWait: 100 * time.Millisecond, Patience: 20 * time.Second}

// lossy dials connections that can be made to lose everything the server says while it still hears the client.
type lossy struct {
	mu    sync.Mutex
	muted bool
	conns []net.Conn
}

func (l *lossy) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conn)
	return &lossyConn{conn, l}, nil
}

// mute loses what the server says from now on.
func (l *lossy) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.muted = true
}

// heal cuts the connections, so that the client makes a whole one.
func (l *lossy) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.muted = false
	for _, conn := range l.conns {
		conn.Close()
	}
	l.conns = nil
}

type lossyConn struct {
	net.Conn
	*lossy
}

func (c *lossyConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		c.mu.Lock()
		muted := c.muted
		c.mu.Unlock()
		if err != nil || !muted {
			return n, err
		}
	}
}

// connectLossy connects over TCP through a lossy dialer.
func connectLossy(t testing.TB, s *natsboot.Server) (*nats.Conn, *lossy) {
	t.Helper()
	l := &lossy{}
	nc, err := streams.Connect(s.ClientURL(), t.Name(), natstest.Quiet(), nats.SetCustomDialer(l), nats.ReconnectWait(time.Millisecond))
	is.New(t).NoErr(err)
	t.Cleanup(nc.Close)
	return nc, l
}

// started is an app's first commit.
func started() events.Commit {
	id := events.AppID(events.NewID())
	return events.Commit{
		Subject: events.AppSubject(id), CommandID: events.CommandID(events.NewID()), Version: 1, Actor: "tester",
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Events: []events.Event{events.AppStarted{App: id}},
	}
}

// stands waits until a log holds as many commits.
func stands(t testing.TB, log eventlog.Log, want events.Sequence) {
	t.Helper()
	err := log.Follow(t.Context(), eventlog.Query{After: want - 1}, func([]events.Recorded) error { return errSeen })
	is.New(t).True(errors.Is(err, errSeen))
}

var errSeen = errors.New("seen")

func TestLostAcknowledgement(t *testing.T) {
	is := is.New(t)
	server := natstest.Start(t)
	witness := open(t, natstest.ConnectTo(t, server), eventlog.Config{})
	nc, line := connectLossy(t, server)
	log := open(t, nc, hasty)
	commit := started()
	line.mute()
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		stands(t, witness, 1) // it was written, and the writer cannot know
		line.heal()
	}()
	rec, err := log.Append(t.Context(), commit, 0)
	<-healed
	is.NoErr(err)
	is.Equal(rec.Sequence, events.Sequence(1))
	newest, err := witness.Newest(t.Context())
	is.NoErr(err)
	is.Equal(newest, events.Sequence(1)) // it stands once
}

func TestNoServer(t *testing.T) {
	server := natstest.Start(t)
	natstest.ConnectTo(t, server)
	nc, line := connectLossy(t, server)
	log := open(t, nc, eventlog.Config{AckWait: 50 * time.Millisecond, Patience: 150 * time.Millisecond})
	ctx, commit := t.Context(), started()
	line.mute()
	both := eventlog.Query{Filters: []string{"events.app.*", "events.droplet.*"}}
	for name, ask := range map[string]func() error{
		"append": func() error { _, err := log.Append(ctx, commit, 0); return err },
		"last":   func() error { _, err := log.Last(ctx, commit.Subject); return err },
		"newest": func() error { _, err := log.Newest(ctx); return err },
		"heads":  func() error { _, err := log.Heads(ctx, events.AllSubjects); return err },
		"scan":   func() error { return log.Scan(ctx, both, func(eventlog.Raw) error { return nil }) },
		"read":   func() error { return log.Read(ctx, commit.Subject, 0, 0, func(events.Recorded) error { return nil }) },
	} {
		t.Run(name, func(t *testing.T) { is.New(t).True(errors.Is(ask(), eventlog.ErrUnavailable)) })
	}
	t.Run("the open outcome is settled by appending again", func(t *testing.T) {
		is := is.New(t)
		line.heal()
		rec, err := open(t, nc, hasty).Append(ctx, commit, 0)
		is.NoErr(err)
		is.Equal(rec.Sequence, events.Sequence(1)) // written by the attempt that got no answer
	})
}

// book is a log of a program, for a test to read.
type book struct{ lines chan string }

func (b book) Write(line []byte) (int, error) {
	b.lines <- string(line)
	return len(line), nil
}

// says waits for a line.
func (b book) says(t *testing.T, text string) {
	t.Helper()
	for patience := time.After(time.Minute); ; {
		select {
		case line := <-b.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-patience:
			t.Fatalf("a minute has passed and nobody said %q", text)
		}
	}
}

// TestAFollowerSaysWhatItWaitsFor: however long a server is away, whoever looks knows why nothing comes.
func TestAFollowerSaysWhatItWaitsFor(t *testing.T) {
	is := is.New(t)
	server := natstest.Start(t)
	natstest.ConnectTo(t, server)
	nc, line := connectLossy(t, server)
	said := book{make(chan string, 1000)}
	log := open(t, nc, eventlog.Config{AckWait: 50 * time.Millisecond, Patience: 150 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(said, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	line.mute()
	ended := make(chan error, 1)
	go func() { ended <- log.Follow(ctx, eventlog.Query{}, func([]events.Recorded) error { return nil }) }()
	said.says(t, "the stream does not answer")
	line.heal()
	said.says(t, "the stream answers again")
	cancel()
	is.NoErr(<-ended)
}

func TestFollowLosesAndDoublesNothing(t *testing.T) {
	is := is.New(t)
	server := natstest.Start(t)
	writer := open(t, natstest.ConnectTo(t, server), eventlog.Config{})
	nc, line := connectLossy(t, server)
	reader := open(t, nc, hasty)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan events.Sequence, 100)
	done := make(chan error, 1)
	go func() { done <- reader.Follow(ctx, eventlog.Query{}, forward(seen)) }()
	next := events.Sequence(1)
	for range 5 {
		write(t, writer, 3)
		next = expect(t, seen, next, 3)
		line.mute()
		write(t, writer, 7) // delivered to nobody
		line.heal()
		next = expect(t, seen, next, 7)
	}
	cancel()
	is.NoErr(<-done)
}

func TestFollowAndWorkOutliveARestart(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	server, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true, StoreDir: dir}, natstest.Quiet())
	is.NoErr(err)
	nc, _ := connectLossy(t, server)
	is.NoErr(streams.Setup(t.Context(), nc, streams.Config{}))
	log := open(t, nc, eventlog.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	followed, worked := make(chan events.Sequence, 100), make(chan events.Sequence, 100)
	var wg sync.WaitGroup
	wg.Go(func() { is.NoErr(log.Follow(ctx, eventlog.Query{}, forward(followed))) })
	wg.Go(func() {
		w := eventlog.Worker{Name: "w", Lanes: 1}
		is.NoErr(log.Work(ctx, w, func(_ context.Context, r events.Recorded) error { worked <- r.Sequence; return nil }))
	})
	next := events.Sequence(1)
	for range 2 {
		write(t, log, 5)
		expect(t, worked, next, 5)
		next = expect(t, followed, next, 5)
		server = restart(t, server, dir)
	}
	write(t, log, 5)
	expect(t, worked, next, 5)
	expect(t, followed, next, 5)
	cancel()
	wg.Wait()
	nc.Close()
	is.NoErr(server.Shutdown())
}

// restart stops a server and starts it again where it was.
func restart(t testing.TB, s *natsboot.Server, dir string) *natsboot.Server {
	t.Helper()
	is := is.New(t)
	port := natstest.Port(t, s.ClientURL())
	is.NoErr(s.Shutdown())
	s, err := natsboot.Start(t.Context(), natsboot.Config{Unguarded: true, StoreDir: dir, Port: port}, natstest.Quiet())
	is.NoErr(err)
	return s
}

// forward sends the sequences of what a follower sees.
func forward(to chan<- events.Sequence) func([]events.Recorded) error {
	return func(batch []events.Recorded) error {
		for _, r := range batch {
			to <- r.Sequence
		}
		return nil
	}
}

func write(t testing.TB, log eventlog.Log, n int) {
	t.Helper()
	for range n {
		_, err := log.Append(t.Context(), started(), 0)
		is.New(t).NoErr(err)
	}
}

// expect receives n sequences that go on from next, and says what comes after them.
func expect(t testing.TB, from <-chan events.Sequence, next events.Sequence, n int) events.Sequence {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for range n {
		select {
		case got := <-from:
			is.New(t).Equal(got, next) // none lost, none twice, in order
			next++
		case <-timeout:
			t.Fatalf("sequence %d did not come", next)
		}
	}
	return next
}

func TestWorkOfAProcessThatVanishes(t *testing.T) {
	short := eventlog.Config{RedeliverAfter: 300 * time.Millisecond, AckWait: 100 * time.Millisecond}
	server := natstest.Start(t)
	rescuer := open(t, natstest.ConnectTo(t, server), short)
	nc, _ := connectLossy(t, server)
	w := eventlog.Worker{Name: "w"}
	doomed := open(t, nc, short)
	write(t, rescuer, 1)
	began, done := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- doomed.Work(ctx, w, func(ctx context.Context, _ events.Recorded) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-began
	nc.Close() // it can neither acknowledge nor say that it is still working
	found, rescued := make(chan events.Sequence, 1), make(chan struct{})
	go func() {
		defer close(rescued)
		_ = rescuer.Work(ctx, w, func(_ context.Context, r events.Recorded) error { found <- r.Sequence; return nil })
	}()
	expect(t, found, 1, 1)
	cancel()
	<-done
	<-rescued
}

// TestLongWorkIsNotHandedOutAgain handles one commit for several times the time after which a silent process loses it.
func TestLongWorkIsNotHandedOutAgain(t *testing.T) {
	is := is.New(t)
	log := open(t, natstest.Connect(t), eventlog.Config{RedeliverAfter: 300 * time.Millisecond})
	write(t, log, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	attempts := 0
	is.NoErr(log.Work(ctx, eventlog.Worker{Name: "w"}, func(context.Context, events.Recorded) error {
		attempts++
		<-time.After(1500 * time.Millisecond) // the work
		cancel()
		return nil
	}))
	is.Equal(attempts, 1)
	again, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	is.NoErr(log.Work(again, eventlog.Worker{Name: "w"}, func(context.Context, events.Recorded) error {
		attempts++
		return nil
	}))
	is.Equal(attempts, 1) // it was acknowledged
}

func TestReadersLeaveNoConsumerBehind(t *testing.T) {
	is := is.New(t)
	nc := natstest.Connect(t)
	log := open(t, nc, eventlog.Config{})
	write(t, log, 10)
	is.NoErr(log.Scan(t.Context(), eventlog.Query{}, func(eventlog.Raw) error { return nil }))
	stands(t, log, 5)
	_, err := log.Heads(t.Context(), events.AllSubjects)
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	is.NoErr(log.Follow(ctx, eventlog.Query{}, func([]events.Recorded) error { cancel(); return nil }))
	js, err := jetstream.New(nc)
	is.NoErr(err)
	stream, err := js.Stream(t.Context(), eventlog.StreamEvents)
	is.NoErr(err)
	is.Equal(stream.CachedInfo().State.Consumers, 0)
}

func TestOpenRefusesAStreamThatForgets(t *testing.T) {
	for name, spoil := range map[string]func(*jetstream.StreamConfig){
		"ages out":             func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"newest per subject":   func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"drops when full":      func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 10, jetstream.DiscardOld },
		"deletes what is read": func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"can be purged":        func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"in memory":            func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"no direct reads":      func(c *jetstream.StreamConfig) { c.AllowDirect = false },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			nc, err := natstest.Start(t).Connect("test", natstest.Quiet())
			is.NoErr(err)
			defer nc.Close()
			js, err := jetstream.New(nc)
			is.NoErr(err)
			cfg := jetstream.StreamConfig{
				Name: eventlog.StreamEvents, Subjects: []string{streams.EventsSubjects}, Discard: jetstream.DiscardNew,
				DenyDelete: true, DenyPurge: true, AllowDirect: true,
			}
			spoil(&cfg)
			_, err = js.CreateStream(t.Context(), cfg)
			is.NoErr(err)
			_, err = eventlog.Open(t.Context(), nc, events.NewRegistry(), eventlog.Config{})
			is.True(err != nil)
		})
	}
}

func TestKVSnapshots(t *testing.T) {
	is := is.New(t)
	snapshots, err := eventlog.OpenSnapshots(t.Context(), natstest.Connect(t))
	is.NoErr(err)
	got, err := snapshots.Get(t.Context(), "app.a")
	is.NoErr(err)
	is.Equal(got, nil) // none yet is no error
	is.NoErr(snapshots.Put(t.Context(), "app.a", []byte("one")))
	is.NoErr(snapshots.Put(t.Context(), "app.a", []byte("two")))
	got, err = snapshots.Get(t.Context(), "app.a")
	is.NoErr(err)
	is.Equal(got, []byte("two"))
}
