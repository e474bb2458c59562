package doors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

func TestAcceptedWhileNoServiceIsUp(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	for i := range 5 {
		is.NoErr(r.nc.Publish(asAnn("commands.app.create"), fmt.Appendf(nil, `{"name":"app-%d"}`, i))) // `nats pub`: no id, no wait
	}
	is.NoErr(r.nc.Flush())
	open(t, r.config())
	r.settled(t)
	var names []string
	for _, c := range r.history(t) {
		if e, ok := c.Events[0].(events.AppCreated); ok {
			names = append(names, e.Name)
		}
	}
	is.Equal(names, []string{"app-0", "app-1", "app-2", "app-3", "app-4"}) // all of them, in order
}

func TestRefusalIsOnRecord(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	r.forgetful(t)
	open(t, r.config())
	app := events.AppID(events.DeriveID("create", "app", 0))
	start := `{"app":"` + string(app) + `"}`
	r.publish(t, "commands.app.start", "early", start)
	r.settled(t)
	is.Equal(r.refusals(t), map[events.CommandID]events.CommandRejected{
		"early": {Command: "early", Name: "app.start", App: app, Code: "CF-ResourceNotFound", Message: "App not found"},
	})
	is.Equal(r.history(t)[0].Subject, events.CommandSubject("early")) // where its sender looks
	is.Equal(len(r.letters(t)), 0)                                    // it was a command

	// The app comes. The refused command stays refused; the same wish under another id is another command.
	for _, s := range []step{
		{"app.create", "create", `{"name":"hello"}`}, {"droplet.create", "droplet", `{"app":"` + string(app) + `","process_types":{"web":"./web"}}`},
	} {
		r.request(t, s.name, s.id, s.body)
	}
	r.upload(t)
	r.request(t, "app.assign-droplet", "", `{"app":"`+string(app)+`","droplet":"`+events.DeriveID("droplet", "droplet", 0)+`"}`)
	before := len(r.history(t))
	r.publish(t, "commands.app.start", "early", start)
	r.settled(t)
	is.Equal(len(r.history(t)), before)
	r.publish(t, "commands.app.start", "late", start)
	r.settled(t)
	is.Equal(len(r.history(t)), before+1)
}

func TestPoison(t *testing.T) {
	long := strings.Repeat("x", events.MaxIDLength+1)
	for name, tt := range map[string]struct {
		subject, id, body string
		code, message     string // of the refusal
	}{
		"no JSON":                 {"commands.app.create", "", "{", "CF-MessageParseError", "parse error"},
		"no UTF-8":                {"commands.app.create", "", "{\"name\":\"\xff\"}", "CF-MessageParseError", "parse error"},
		"as large as may be":      {"commands.app.create", "", strings.Repeat(" {", 250<<10), "CF-MessageParseError", "parse error"},
		"an unknown verb":         {"commands.app.explode", "", `{}`, "CF-ResourceNotFound", "Unknown command 'app.explode'"},
		"too short a subject":     {"commands.app", "", `{}`, "CF-ResourceNotFound", "Unknown command 'app'"},
		"too long a subject":      {"commands.app.create.now", "", `{}`, "CF-ResourceNotFound", "Unknown command"},
		"a subject that is noise": {"commands.\xff\x01.create", "", `{}`, "CF-ResourceNotFound", "Unknown command"},
		"an id with a dot":        {"commands.app.create", "a.b", `{"name":"a"}`, "CF-UnprocessableEntity", `is "a.b"`},
		"an id with a wildcard":   {"commands.app.create", ">", `{"name":"a"}`, "CF-UnprocessableEntity", `is ">"`},
		"an id that is too long":  {"commands.app.create", long, `{"name":"a"}`, "CF-UnprocessableEntity", "command id"},
		"an id that is no UTF-8":  {"commands.app.create", "\xff", `{"name":"a"}`, "CF-UnprocessableEntity", `\xff`},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			open(t, r.config())
			m := &nats.Msg{Subject: asAnn(tt.subject), Header: header(tt.id), Data: []byte(tt.body)}
			m.Header.Set("Team", "checkout")
			m.Header.Set("authorization", bobsToken)
			m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0") // an order to the server
			_, err := r.js.PublishMsg(t.Context(), m)
			is.NoErr(err)
			r.settled(t)
			is.Equal(types(r.history(t)), []string{"command.rejected"}) // its refusal is all that it leaves
			letters := r.letters(t)
			is.Equal(len(letters), 1)
			letter := letters[0]
			is.Equal(letter.Subject, "deadletter."+asAnn(tt.subject))
			is.Equal(string(letter.Data), tt.body)                  // as it came
			is.Equal(letter.Header.Get("Team"), "checkout")         // with its headers
			is.Equal(letter.Header.Get(HeaderSource), "COMMANDS:1") // and where it stood
			is.Equal(len(authorization(letter.Header)), 0)          // without the token
			is.Equal(letter.Header.Get(jetstream.ExpectedLastSubjSeqHeader), "")
			refusal := r.refusals(t)[events.CommandID(letter.Header.Get(HeaderCommand))]
			is.Equal(refusal.Code, tt.code)
			is.True(strings.Contains(refusal.Message, tt.message))                 // the reason stands in history
			is.True(strings.Contains(letter.Header.Get(HeaderReason), tt.message)) // and on the letter
		})
	}
}

func TestHugeIsRefusedAtTheDoor(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	_, err := r.js.Publish(t.Context(), "commands.app.create", make([]byte, 513<<10))
	is.True(err != nil) // the sender is told at once
}

// failing is a handler that fails so often before it does its work.
func (r *rig) failing(times int32, err error) (Handler, *atomic.Int32) {
	var calls atomic.Int32
	return handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
		if calls.Add(1) <= times {
			return commands.Result{}, err
		}
		return r.handler.Handle(ctx, c, by)
	}), &calls
}

// TestWhatPassesIsTriedAgain: as often as it takes, and without losing its place.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"no log": eventlog.ErrUnavailable, "lost races": eventlog.ErrConflict, "out of time": context.DeadlineExceeded, "interrupted": context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			r := newRig(t)
			cfg := r.config()
			handler, calls := r.failing(3, err)
			cfg.Handler = handler
			open(t, cfg)
			r.publish(t, "commands.app.create", "", `{"name":"first"}`)
			r.publish(t, "commands.app.create", "", `{"name":"second"}`)
			r.settled(t)
			is.Equal(calls.Load(), int32(5))
			is.Equal(len(r.refusals(t)), 0)
			is.Equal(r.history(t)[1].Events[0].(events.AppCreated).Name, "first") // nobody passed it
		})
	}
}

// TestTransientNeverBecomesPoison holds the rule beneath: no number of attempts ends a wait for the log.
func TestTransientNeverBecomesPoison(t *testing.T) {
	is := is.New(t)
	d := &durable{}
	for range 1000 {
		is.True(d.again(order{at: place{seq: 1}}, fmt.Errorf("append: %w", eventlog.ErrUnavailable)))
	}
	for range maxFaults - 1 {
		is.True(d.again(order{at: place{seq: 2}}, errors.New("fault"))) // it may be gone next time
	}
	is.True(!d.again(order{at: place{seq: 2}}, errors.New("fault"))) // enough
	is.True(d.again(order{at: place{seq: 3}}, errors.New("fault")))  // another command starts anew
	is.True(!d.again(order{at: place{seq: 4}}, &eventlog.CorruptError{}))
}

func TestDelaysGrow(t *testing.T) {
	is := is.New(t)
	is.Equal(delayAfter(1), firstDelay)
	is.Equal(delayAfter(2), 2*firstDelay)
	is.Equal(delayAfter(1_000_000), longestDelay)
}

// TestWhatNobodyUnderstandsBlocksNobody: a command whose handler fails again and again, or panics, or finds history
// corrupt, ends on record and as a dead letter; the next one gets through.
func TestWhatNobodyUnderstandsBlocksNobody(t *testing.T) {
	for name, fault := range map[string]error{
		"a fault": errors.New("secret"), "corrupt history": &eventlog.CorruptError{Subject: "events.app.a"}, "a panic": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			r := newRig(t)
			cfg := r.config()
			cfg.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
				switch {
				case by.CommandID == "good":
					return r.handler.Handle(ctx, c, by)
				case fault == nil:
					panic("a bug")
				}
				return commands.Result{}, fault
			})
			open(t, cfg)
			r.publish(t, "commands.app.create", "bad", `{"name":"bad"}`)
			r.publish(t, "commands.app.create", "good", `{"name":"good"}`)
			r.settled(t)
			is.Equal(r.refusals(t)["bad"].Code, "CF-UnknownError")
			is.True(!strings.Contains(r.refusals(t)["bad"].Message, "secret")) // that is for the operator
			is.Equal(len(r.letters(t)), 1)
			is.Equal(types(r.history(t)), []string{"command.rejected", "name.claimed", "app.created", "process.created", "route.created", "route.destinations-set"})
		})
	}
}

// TestKilledBetweenHandleAndAck cuts the connection at that line: the command comes again, to another process, and
// changes nothing. So does one that was refused and recorded.
func TestKilledBetweenHandleAndAck(t *testing.T) {
	for name, tt := range map[string]struct {
		command, body string
		want          []string
	}{
		"carried out": {"app.create", `{"name":"hello"}`, []string{"name.claimed", "app.created", "process.created", "route.created", "route.destinations-set"}},
		"refused":     {"app.start", `{"app":"none"}`, []string{"command.rejected"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			r := newRig(t)
			nc, err := r.server.Connect("killed", natstest.Quiet())
			is.NoErr(err)
			killed := r.config()
			killed.NC, killed.ackWait = nc, 200*time.Millisecond
			var handled atomic.Int32
			killed.Log = cutLog{r.log, func() {
				if handled.Load() > 0 {
					nc.Close() // after the refusal was recorded
				}
			}}
			killed.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
				result, err := r.handler.Handle(ctx, c, by)
				if handled.Add(1); err == nil {
					nc.Close() // the acknowledgement will not get out
				}
				return result, err
			})
			ran := make(chan error, 1)
			go func() { ran <- Run(t.Context(), killed) }()
			r.publish(t, "commands."+tt.command, "", tt.body)
			is.True(errors.Is(<-ran, nats.ErrConnectionClosed)) // it says why it stopped
			is.Equal(handled.Load(), int32(1))

			var again atomic.Int32
			cfg := r.config()
			cfg.ackWait = killed.ackWait
			cfg.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
				again.Add(1)
				return r.handler.Handle(ctx, c, by)
			})
			open(t, cfg)
			r.settled(t)
			is.Equal(types(r.history(t)), tt.want) // once
			if tt.want[0] == "command.rejected" {
				is.Equal(again.Load(), int32(0)) // what is on record is not asked again
			} else {
				is.Equal(again.Load(), int32(1)) // the message did come again
			}
		})
	}
}

// cutLog calls after each append.
type cutLog struct {
	eventlog.Log
	after func()
}

func (l cutLog) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	rec, err := l.Log.Append(ctx, c, last)
	l.after()
	return rec, err
}

// brokenLog fails so often before it appends.
type brokenLog struct {
	eventlog.Log
	left *atomic.Int32
}

func (l brokenLog) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	if l.left.Add(-1) >= 0 {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return l.Log.Append(ctx, c, last)
}

// TestRefusalWaitsForTheLog: a refusal that cannot be recorded yet is not forgotten.
func TestRefusalWaitsForTheLog(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	var left atomic.Int32
	left.Store(3)
	cfg := r.config()
	cfg.Log = brokenLog{r.log, &left}
	open(t, cfg)
	r.publish(t, "commands.app.start", "refused", `{"app":"none"}`)
	r.settled(t)
	is.Equal(len(r.refusals(t)), 1)
}

// laggingLog does not know yet what stands in the log, as a server of a cluster may not.
type laggingLog struct{ eventlog.Log }

func (laggingLog) Last(context.Context, events.Subject) (events.Sequence, error) { return 0, nil }

// TestRefusalRecordedByAnother: a delivery that comes too late to record the refusal has nothing left to do.
func TestRefusalRecordedByAnother(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	r.forgetful(t)
	cfg := r.config()
	cfg.Log = laggingLog{r.log}
	open(t, cfg)
	for range 2 {
		r.publish(t, "commands.app.start", "refused", `{"app":"none"}`)
		r.settled(t)
	}
	is.Equal(types(r.history(t)), []string{"command.rejected"})
}

// TestSeveralProcesses share the work: every command once, in order, whoever gets it.
func TestSeveralProcesses(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	var busy atomic.Int32
	for range 3 {
		cfg := r.config()
		nc, err := r.server.Connect("process", natstest.Quiet())
		is.NoErr(err)
		t.Cleanup(nc.Close)
		cfg.NC = nc
		cfg.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
			if busy.Add(1) > 1 {
				t.Error("two commands at once")
			}
			defer busy.Add(-1)
			return r.handler.Handle(ctx, c, by)
		})
		open(t, cfg)
	}
	const n = 60
	var want, got []string
	for i := range n {
		want = append(want, fmt.Sprintf("app-%d", i))
		r.publish(t, "commands.app.create", "", `{"name":"`+want[i]+`"}`)
	}
	r.settled(t)
	for _, c := range r.history(t) {
		if e, ok := c.Events[0].(events.AppCreated); ok {
			got = append(got, e.Name)
		}
	}
	is.Equal(got, want)
}

// TestConsumerThatVanishes is made again; nobody has to restart anything.
func TestConsumerThatVanishes(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	open(t, r.config())
	is.NoErr(r.js.DeleteConsumer(t.Context(), streams.Commands, Consumer))
	r.publish(t, "commands.app.create", "", `{"name":"a"}`)
	r.settled(t)
	is.Equal(len(r.history(t)), 3) // name, app, route
}

// TestCloseFinishesWhatRuns: a command that runs when the door closes is finished and acknowledged.
func TestCloseFinishesWhatRuns(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	cfg := r.config()
	running, release := make(chan struct{}, 1), make(chan struct{})
	cfg.Handler = handlerFunc(func(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
		running <- struct{}{}
		<-release
		return r.handler.Handle(ctx, c, by)
	})
	closeDoors := open(t, cfg)
	r.publish(t, "commands.app.create", "", `{"name":"a"}`)
	<-running
	closed := make(chan struct{})
	go func() { closeDoors(); close(closed) }()
	close(release)
	<-closed
	r.settled(t) // it was acknowledged
	is.Equal(types(r.history(t)), []string{"name.claimed", "app.created", "process.created", "route.created", "route.destinations-set"})
}

// TestIDOfACommandWithoutOne is the same at every delivery, another for every message, and sorts by time.
func TestIDOfACommandWithoutOne(t *testing.T) {
	is := is.New(t)
	at := place{7, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	is.Equal(at.commandID(), at.commandID())
	others := []place{{8, at.stored}, {7, at.stored.Add(time.Second)}}
	is.True(!slices.ContainsFunc(others, func(p place) bool { return p.commandID() == at.commandID() }))
	is.True(at.commandID() < others[1].commandID())
	is.True(events.ValidID(string(at.commandID())))
}

// FuzzReadOrder: whatever a message holds, it becomes a command with a valid id or a fault, and its refusal can be
// written.
func FuzzReadOrder(f *testing.F) {
	f.Add("commands.app.create", "", "", []byte(`{"name":"a"}`))
	f.Add("commands.app.start", "id", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", []byte(`{"app":"a.b"}`))
	f.Add("commands.by.ann.app.create", "", "", []byte(`{"name":"a"}`))
	f.Add("commands.by.", "", "", []byte("{}"))
	f.Add("commands.\xff", "a.b", "\x00", []byte("\xff"))
	f.Add("commands.deployment.create", "\r\n", "", []byte(`{"app":"a","options":{"max_in_flight":"1"}}`))
	reg := events.NewRegistry()
	f.Fuzz(func(t *testing.T, subject, id, traceparent string, body []byte) {
		o := readOrder(subject, nats.Header{events.HeaderMsgID: {id}, "traceparent": {traceparent}}, body, place{1, time.Unix(1, 0)})
		if !events.ValidID(string(o.by.CommandID)) {
			t.Fatalf("command id %q", o.by.CommandID)
		}
		reason := o.fault
		if reason == nil {
			if _, reason = commands.Decode(o.name, o.body); reason == nil {
				reason = errors.New("some fault")
			}
		}
		m, err := reg.Encode(o.refusal(reason, time.Unix(1, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reg.DecodeCommit(m); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkDurableDoor is how many commands a second one door carries out.
func BenchmarkDurableDoor(b *testing.B) {
	r := newRig(b)
	app := events.DeriveID("create", "app", 0)
	if _, err := r.handler.Handle(b.Context(), commands.CreateApp{AppName: "hello"}, commands.Caller{CommandID: "create", Actor: "b", Door: "test"}); err != nil {
		b.Fatal(err)
	}
	open(b, r.config())
	for i := range b.N {
		r.publish(b, "commands.process.scale", "", fmt.Sprintf(`{"app":"%s","type":"web","instances":%d}`, app, 1+i%2))
	}
	r.settled(b)
}
