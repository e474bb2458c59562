package commands_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
)

// rig is a handler over a log in memory, with a finder that reads the log itself.
type rig struct {
	log     *faultyLog
	bits    *commandstest.Bits
	handler *commands.Handler
}

func newRig() *rig {
	log := &faultyLog{Memory: eventlog.NewMemory(events.NewRegistry())}
	bits := commandstest.NewBits()
	return &rig{log: log, bits: bits, handler: commands.NewHandler(log, nil, commandstest.Finder{Log: log}, bits, slog.New(slog.DiscardHandler))}
}

func (r *rig) do(id string, c commands.Command) (commands.Result, error) {
	return r.handler.Handle(context.Background(), c, commands.Caller{CommandID: events.CommandID(id), Actor: "tester", Door: "test"})
}

// must is for the given part of a test.
func (r *rig) must(t testing.TB, id string, c commands.Command) commands.Result {
	t.Helper()
	result, err := r.do(id, c)
	if err != nil {
		t.Fatalf("given %s: %v", c.Name(), err)
	}
	return result
}

// staged gives an app and a droplet of it with bits.
func (r *rig) staged(t testing.TB, name string) (events.AppID, events.DropletID) {
	t.Helper()
	owner := r.must(t, "create-"+name, commands.CreateApp{AppName: name})
	d := r.must(t, "droplet-"+name, commands.CreateDroplet{App: owner.App, ProcessTypes: map[string]string{"web": "./web"}})
	_, err := r.handler.UploadDroplet(context.Background(), events.DropletID(d.ID), bytes.NewReader([]byte("bits")),
		commands.Caller{CommandID: events.CommandID("upload-" + name), Actor: "tester", Door: "test"})
	if err != nil {
		t.Fatalf("given upload: %v", err)
	}
	return owner.App, events.DropletID(d.ID)
}

func (r *rig) types(t testing.TB) []events.Type {
	t.Helper()
	var types []events.Type
	err := r.log.Replay(context.Background(), eventlog.Query{}, func(c events.Recorded) error {
		for _, e := range c.Events {
			types = append(types, e.Type())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func TestTheSameCommandTwiceDoesTheThingOnce(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner, droplet := r.staged(t, "hello")
	for _, test := range []struct {
		id      string
		command commands.Command
	}{
		{"create-hello", commands.CreateApp{AppName: "hello"}},
		{"droplet-hello", commands.CreateDroplet{App: owner, ProcessTypes: map[string]string{"web": "./web"}}},
		{"env", commands.SetEnvironment{App: owner, Var: map[string]*string{"A": ptr("1")}}},
		{"scale", commands.ScaleProcess{App: owner, Type: "web", Instances: ptr(3)}},
		{"deploy", commands.CreateDeployment{App: owner, Droplet: droplet}},
		{"again", commands.CreateDeployment{App: owner}},
	} {
		first, err := r.do(test.id, test.command)
		is.NoErr(err)
		before := len(r.types(t))
		second, err := r.do(test.id, test.command)
		is.NoErr(err)
		is.True(second.Duplicate)         // it is recognised
		is.Equal(first.ID, second.ID)     // and gives the same resource
		is.Equal(len(r.types(t)), before) // and writes nothing
	}
}

func TestARefusedCommandLeavesNothingBehind(t *testing.T) {
	r := newRig()
	owner, droplet := r.staged(t, "hello")
	other, _ := r.staged(t, "other")
	before := len(r.types(t))
	for name, test := range map[string]struct {
		command commands.Command
		want    string
	}{
		"name taken":         {commands.CreateApp{AppName: "hello"}, "App with the name 'hello' already exists."},
		"blank name":         {commands.CreateApp{AppName: "  "}, "Name can't be blank"},
		"foreign space":      {commands.CreateApp{AppName: "x", Space: "moon"}, "Invalid space. Ensure that the space exists and you have access to it."},
		"bad label":          {commands.CreateApp{AppName: "x", Metadata: events.Metadata{Labels: map[string]string{"-a": "b"}}}, "Metadata label key error: '-a' starts or ends with invalid characters"},
		"no app":             {commands.StartApp{App: "nobody"}, "App not found"},
		"wildcard app":       {commands.StartApp{App: "events.>"}, "App not found"},
		"droplet of another": {commands.CreateDeployment{App: other, Droplet: droplet}, "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		"unknown droplet":    {commands.CreateDeployment{App: owner, Droplet: "a.b"}, "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		"unknown deployment": {commands.CancelDeployment{Deployment: "nobody"}, "Deployment not found"},
		"unknown process":    {commands.ScaleProcess{Process: "nobody", Instances: ptr(1)}, "Process not found"},
		"unknown type":       {commands.ScaleProcess{App: owner, Type: "nothing", Instances: ptr(1)}, "Process not found"},
		"no droplet yet":     {commands.StartApp{App: owner}, "Assign a droplet before starting this app."},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := r.do(events.NewID(), test.command)
			is.Equal(refusal(err), test.want)
			is.Equal(len(r.types(t)), before) // nothing was written
		})
	}
	t.Run("command id", func(t *testing.T) {
		is := is.New(t)
		_, err := r.do("a.b *", commands.StartApp{App: owner})
		is.True(err != nil) // no id that could not be a subject token
	})
}

func TestANameIsFreeAgainAfterItsAppIsDeleted(t *testing.T) {
	is := is.New(t)
	r := newRig()
	first := r.must(t, "one", commands.CreateApp{AppName: "hello"})
	r.must(t, "gone", commands.DeleteApp{App: first.App})
	second := r.must(t, "two", commands.CreateApp{AppName: "hello"})
	is.True(first.App != second.App) // a new app, not the old one again
}

// TestACrashBetweenClaimAndCreate: the log fails after the claim; the same command goes on where it stopped.
func TestACrashBetweenClaimAndCreate(t *testing.T) {
	is := is.New(t)
	r := newRig()
	r.log.failOn(events.AggregateApp)
	_, err := r.do("one", commands.CreateApp{AppName: "hello"})
	is.True(errors.Is(err, eventlog.ErrUnavailable))
	is.Equal(r.types(t), []events.Type{events.TypeNameClaimed}) // the claim stands alone
	r.log.failOn("")
	_, err = r.do("two", commands.CreateApp{AppName: "hello"})
	is.Equal(refusal(err), "App with the name 'hello' already exists.") // its app may be on the way
	_, err = r.do("one", commands.CreateApp{AppName: "hello"})
	is.NoErr(err) // the same command finds the claim its own
}

// TestACrashBetweenDeleteAndRelease: the name was not released, and is free all the same.
func TestACrashBetweenDeleteAndRelease(t *testing.T) {
	is := is.New(t)
	r := newRig()
	first := r.must(t, "one", commands.CreateApp{AppName: "hello"})
	r.log.failOn(events.AggregateName)
	r.must(t, "gone", commands.DeleteApp{App: first.App})
	r.log.failOn("")
	_, err := r.do("two", commands.CreateApp{AppName: "hello"})
	is.NoErr(err)
}

func TestManyCreateOneName(t *testing.T) {
	is := is.New(t)
	r := newRig()
	var wg sync.WaitGroup
	var mu sync.Mutex
	created := 0
	for i := range 8 {
		wg.Go(func() {
			if _, err := r.do(fmt.Sprintf("c-%d", i), commands.CreateApp{AppName: "hello"}); err == nil {
				mu.Lock()
				created++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	is.Equal(created, 1) // one of eight
}

func TestUploadOnce(t *testing.T) {
	is := is.New(t)
	r := newRig()
	_, droplet := r.staged(t, "hello")
	is.Equal(len(r.bits.Objects), 1)
	_, err := r.handler.UploadDroplet(context.Background(), droplet, bytes.NewReader([]byte("other")),
		commands.Caller{CommandID: "second", Actor: "tester", Door: "test"})
	is.Equal(refusal(err), "Droplet may be uploaded only once. Create a new droplet to upload bits.")
	again, err := r.handler.UploadDroplet(context.Background(), droplet, bytes.NewReader([]byte("bits")),
		commands.Caller{CommandID: "upload-hello", Actor: "tester", Door: "test"})
	is.NoErr(err)
	is.True(again.Duplicate)         // the same upload again is the same
	is.Equal(len(r.bits.Objects), 1) // and leaves no second object
}

func TestBitsThatCannotBeUnpackedAreDiscarded(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner := r.must(t, "create", commands.CreateApp{AppName: "hello"})
	d := r.must(t, "droplet", commands.CreateDroplet{App: owner.App})
	r.bits.Refuse = aggregates.Reject("no gzip")
	_, err := r.handler.UploadDroplet(context.Background(), events.DropletID(d.ID), bytes.NewReader([]byte("x")),
		commands.Caller{CommandID: "up", Actor: "tester", Door: "test"})
	is.Equal(refusal(err), "no gzip")
	is.Equal(len(r.bits.Objects), 0) // nothing is left behind
}

func ptr[T any](v T) *T { return &v }

func refusal(err error) string {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		return fmt.Sprintf("not a refusal: %v", err)
	}
	return rejected.Message
}

// faultyLog is a log in memory that can be told to fail on the appends of one kind of aggregate.
type faultyLog struct {
	*eventlog.Memory
	mu   sync.Mutex
	kind string
	left int  // appends until one fails; 0: none does
	fell bool // it has
}

func (l *faultyLog) failOn(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kind = kind
}

// failAt lets the n-th append from now on fail, once.
func (l *faultyLog) failAt(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.fell = n, false
}

func (l *faultyLog) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fell
}

func (l *faultyLog) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	l.mu.Lock()
	kind := l.kind
	now := l.left == 1
	l.left = max(l.left-1, 0)
	l.fell = l.fell || now
	l.mu.Unlock()
	if now {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	if aggregate, _, _ := c.Subject.Split(); aggregate == kind {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return l.Memory.Append(ctx, c, last)
}
