package doors

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/aggregates/strategy"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/natsboot/streams"
)

// patience bounds every wait of these tests; it is never the measure of anything.
const patience = 30 * time.Second

// rig is a server with a log and a handler, and a client's connection. The doors are opened by the test.
type rig struct {
	server  *natsboot.Server
	nc      *nats.Conn
	js      jetstream.JetStream
	log     *eventlog.JetStream
	handler *commands.Handler
}

func newRig(t testing.TB) *rig {
	t.Helper()
	is := is.New(t)
	server := natstest.Start(t)
	nc := natstest.ConnectTo(t, server)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	log, err := eventlog.Open(t.Context(), nc, events.NewRegistry(), eventlog.Config{})
	is.NoErr(err)
	return &rig{
		server: server, nc: nc, js: js, log: log,
		handler: commands.NewHandler(log, nil, commandstest.Finder{Log: log}, commandstest.NewBits(), natstest.Quiet()),
	}
}

func (r *rig) config() Config {
	return Config{
		NC: r.nc, Handler: r.handler, Log: r.log, Logger: natstest.Quiet(), Callers: callers{},
		Allow: func(_ context.Context, i auth.Identity, _ commands.Command) error {
			if i.UserName == "eve" {
				return auth.ErrScope
			}
			return nil
		},
		Present: func(_ context.Context, _ auth.Identity, result commands.Result) (any, error) {
			return map[string]any{"guid": result.ID, "kind": result.Kind}, nil
		},
	}
}

// open opens both doors until the test ends, or until the function it returns is called.
func open(t testing.TB, cfg Config) (closeDoors func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, failed := make(chan struct{}), make(chan error, 1)
	cfg.Ready = func() { close(ready) }
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := Run(ctx, cfg); err != nil {
			failed <- err
		}
	})
	stop := sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	select {
	case <-ready:
	case err := <-failed:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("the doors do not open")
	}
	return stop
}

func header(id string) nats.Header {
	if id == "" {
		return nats.Header{}
	}
	return nats.Header{events.HeaderMsgID: {id}}
}

// callers know ann and eve by name, and bob by his token, which is good for an hour.
type callers struct{}

var tokenGood = time.Now()

const bobsToken = "bearer bob"

func (callers) Vouched(caller string) (auth.Identity, error) {
	if caller != "ann" && caller != "eve" {
		return auth.Identity{}, auth.ErrBadToken
	}
	return auth.Identity{UserID: "guid-" + caller, UserName: caller}, nil
}

func (callers) VerifyAt(_ context.Context, authorization []string, at time.Time) (auth.Identity, error) {
	if len(authorization) != 1 || authorization[0] != bobsToken || at.After(tokenGood.Add(time.Hour)) {
		return auth.Identity{}, auth.ErrBadToken
	}
	return auth.Identity{UserID: "guid-bob", UserName: "bob"}, nil
}

// asAnn is a subject as the server makes it of what ann sends.
func asAnn(subject string) string {
	door, rest, _ := strings.Cut(subject, ".")
	return door + "." + vouched + "ann." + rest
}

// request sends a command of ann's through the rpc door.
func (r *rig) request(t testing.TB, name, id, body string) *nats.Msg {
	t.Helper()
	answer, err := r.nc.RequestMsg(&nats.Msg{Subject: asAnn(RPCSubjects + name), Header: header(id), Data: []byte(body)}, patience)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return answer
}

// publish sends a command of ann's through the durable door, past the stream's own window for duplicates.
func (r *rig) publish(t testing.TB, subject, id, body string) {
	t.Helper()
	_, err := r.js.PublishMsg(t.Context(), &nats.Msg{Subject: asAnn(subject), Header: header(id), Data: []byte(body)})
	is.New(t).NoErr(err) // COMMANDS takes it
}

// forgetful makes COMMANDS take the same id again at once, as it does after two minutes.
func (r *rig) forgetful(t testing.TB) {
	t.Helper()
	is := is.New(t)
	s, err := r.js.Stream(t.Context(), streams.Commands)
	is.NoErr(err)
	cfg := s.CachedInfo().Config
	cfg.Duplicates = 100 * time.Millisecond // the shortest there is
	_, err = r.js.UpdateStream(t.Context(), cfg)
	is.NoErr(err)
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// settled waits until no command waits any more.
func (r *rig) settled(t testing.TB) {
	t.Helper()
	eventually(t, "COMMANDS is empty", func() bool {
		s, err := r.js.Stream(t.Context(), streams.Commands)
		return err == nil && s.CachedInfo().State.Msgs == 0
	})
}

// history is all commits of the log.
func (r *rig) history(t testing.TB) []events.Recorded {
	t.Helper()
	var all []events.Recorded
	err := r.log.Replay(t.Context(), eventlog.Query{}, func(c events.Recorded) error {
		all = append(all, c)
		return nil
	})
	is.New(t).NoErr(err)
	return all
}

// types is what happened, commit by commit.
func types(history []events.Recorded) []string {
	var all []string
	for _, c := range history {
		for _, e := range c.Events {
			all = append(all, string(e.Type()))
		}
	}
	return all
}

// refusals are the refused commands on record, by command id.
func (r *rig) refusals(t testing.TB) map[events.CommandID]events.CommandRejected {
	t.Helper()
	refused := map[events.CommandID]events.CommandRejected{}
	for _, c := range r.history(t) {
		if e, ok := c.Events[0].(events.CommandRejected); ok {
			refused[e.Command] = e
		}
	}
	return refused
}

// letters are the dead letters.
func (r *rig) letters(t testing.TB) []*jetstream.RawStreamMsg {
	t.Helper()
	is := is.New(t)
	s, err := r.js.Stream(t.Context(), DeadLetters)
	is.NoErr(err)
	var all []*jetstream.RawStreamMsg
	for seq := s.CachedInfo().State.FirstSeq; seq > 0 && seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		is.NoErr(err)
		all = append(all, m)
	}
	return all
}

// step is one command of a scenario.
type step struct{ name, id, body string }

// everything is a scenario that has every command of the catalogue in it. A droplet gets its bits in between.
func everything() (before, after []step) {
	appID, dropletID := events.DeriveID("create", "app", 0), events.DeriveID("droplet", "droplet", 0)
	deploy, id := group.MemberIDs("group", 0)
	deployment, j := string(id), `{"group":"`+string(group.IDOf("group"))+`"`
	a := strconv.Quote(appID)
	derived := func(command events.CommandID, kind string) string {
		return strconv.Quote(events.DeriveID(command, kind, 0))
	}
	o, s, q := derived("org", "organization"), derived("space", "space"), derived("quota", "quota")
	r, d := strconv.Quote(string(events.RouteIDOf("www.example.org"))), strconv.Quote(string(events.DomainIDOf("example.org")))
	w := derived("hook", "subscription")
	g := strconv.Quote(string(strategy.IDOf("strategy", 0)))
	return []step{
			{"organization.create", "org", `{"name":"acme"}`},
			{"organization.update", "org-update", `{"organization":` + o + `,"name":"emca"}`},
			{"space.create", "space", `{"organization":` + o + `,"name":"prod"}`},
			{"space.update", "space-update", `{"space":` + s + `,"metadata":{"labels":{"env":"prod"}}}`},
			{"quota.create", "quota", `{"organization":` + o + `,"name":"small","limits":{"total_instances":4}}`},
			{"quota.update", "quota-update", `{"quota":` + q + `,"limits":{"total_instances":5}}`},
			{"quota.apply", "quota-apply", `{"quota":` + q + `,"spaces":[` + s + `]}`},
			{"quota.remove", "quota-remove", `{"quota":` + q + `,"space":` + s + `}`},
			{"quota.delete", "quota-delete", `{"quota":` + q + `}`},
			{"domain.create", "domain", `{"name":"example.org"}`},
			{"route.create", "route", `{"domain":` + d + `,"host":"www"}`},
			{"route.update", "route-update", `{"route":` + r + `,"metadata":{"labels":{"env":"prod"}}}`},
			{"strategy.create", "strategy", `{"name":"careful","growth":{"growth_factor":20,"deployment_duration_minutes":30}}`},
			{"strategy.update", "strategy-update", `{"strategy":` + g + `,"growth":{"final_bake_minutes":5}}`},
			{"strategy.delete", "strategy-delete", `{"strategy":` + g + `}`},
			{"policy.create", "policy", `{"space":` + s + `,"name":"freeze","rule":{"outcome":"deny"}}`},
			{"policy.update", "policy-update", `{"policy":` + derived("policy", "policy") + `,"rule":{"outcome":"allow"}}`},
			{"policy.delete", "policy-delete", `{"policy":` + derived("policy", "policy") + `}`},
			{"halt.declare", "halt", `{"space":` + s + `,"reason":"incident","until":"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`},
			{"halt.update", "halt-update", `{"halt":` + derived("halt", "halt") + `,"metadata":{"labels":{"incident":"42"}}}`},
			{"halt.lift", "halt-lift", `{"halt":` + derived("halt", "halt") + `}`},
			{"subscription.create", "hook", `{"name":"chat","space":` + s + `,"url":"https://hooks.test","types":["deployment.*"]}`},
			{"subscription.update", "hook-update", `{"subscription":` + w + `,"content_mode":"binary"}`},
			{"subscription.rotate-secret", "hook-rotate", `{"subscription":` + w + `}`},
			{"subscription.test", "hook-test", `{"subscription":` + w + `}`},
			{"subscription.delete", "hook-delete", `{"subscription":` + w + `}`},
			{"space.delete", "space-delete", `{"space":` + s + `}`},
			{"app.create", "create", `{"name":"hello"}`},
			{"droplet.create", "droplet", `{"app":` + a + `,"process_types":{"web":"./web","worker":"./worker"}}`},
		}, []step{
			{"app.update", "label", `{"app":` + a + `,"metadata":{"labels":{"team":"checkout"}}}`},
			{"process.create", "clock", `{"app":` + a + `,"type":"clock"}`},
			{"app.set-feature", "feature", `{"app":` + a + `,"feature":"revisions","enabled":false}`},
			{"package.create", "package", `{"app":` + a + `,"type":"docker","image":"shop/web:3"}`},
			{"build.create", "build", `{"package":"` + events.DeriveID("package", "package", 0) + `"}`},
			{"route.set-destinations", "lead", `{"route":` + r + `,"destinations":[{"app":` + a + `}]}`},
			{"route.add-destinations", "lead-too", `{"route":` + r + `,"destinations":[{"app":` + a + `,"type":"worker"}]}`},
			{"route.remove-destination", "lead-less", `{"route":` + r + `,"destination":` + derived("lead", "destination") + `}`},
			{"route.delete", "route-delete", `{"route":` + r + `}`},
			{"app.assign-droplet", "assign", `{"app":` + a + `,"droplet":"` + dropletID + `"}`},
			{"version.reject", "reject", `{"droplet":"` + dropletID + `","reason":"leaks"}`},
			{"version.accept", "accept", `{"droplet":"` + dropletID + `"}`},
			{"app.set-environment", "env", `{"app":` + a + `,"var":{"LOG_LEVEL":"debug"}}`},
			{"app.signal", "signal", `{"app":` + a + `,"name":"errors","firing":true}`},
			{"process.scale", "scale", `{"app":` + a + `,"type":"web","instances":3}`},
			{"process.update", "update", `{"process":` + a + `,"command":"./web --verbose"}`},
			{"app.start", "start", `{"app":` + a + `}`},
			{"group.create", "group", `{"members":[{"app":` + a + `,"strategy":"canary"}]}`},
			{"deployment.create", string(deploy), `{"app":` + a + `,"strategy":"canary"}`},
			{"group.continue", "group-continue", j + `}`},
			{"group.rollback", "group-roll-back", j + `}`},
			{"group.cancel", "group-cancel", j + `}`},
			{"group.finalize", "group-finalize", j + `}`},
			{"group.update", "group-update", j + `,"metadata":{"labels":{"team":"checkout"}}}`},
			{"deployment.continue", "continue", `{"deployment":"` + deployment + `","expected_step":1}`},
			{"deployment.update", "label", `{"deployment":"` + deployment + `","metadata":{"labels":{"release":"stable"}}}`},
			{"deployment.rollback", "roll-back", `{"deployment":"` + deployment + `"}`},
			{"deployment.cancel", "cancel", `{"deployment":"` + deployment + `"}`},
			{"app.release-automation", "release", `{"app":` + a + `}`},
			{"app.restart", "restart", `{"app":` + a + `}`},
			{"app.stop", "stop", `{"app":` + a + `}`},
			{"app.delete", "delete", `{"app":` + a + `}`},
			{"organization.delete", "delete-org", `{"organization":` + o + `}`},
		}
}

// upload gives the scenario's droplet its bits.
func (r *rig) upload(t testing.TB) {
	t.Helper()
	_, err := r.handler.UploadDroplet(t.Context(), events.DropletID(events.DeriveID("droplet", "droplet", 0)),
		bytes.NewReader([]byte("bits")), commands.Caller{CommandID: "upload", Actor: "tester", Door: "test"})
	is.New(t).NoErr(err) // the droplet takes its bits
}

// handlerFunc is a Handler.
type handlerFunc func(context.Context, commands.Command, commands.Caller) (commands.Result, error)

func (f handlerFunc) Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
	return f(ctx, c, by)
}

// begin lets the group of the scenario have begun, as its process manager would: the scenario creates the deployment itself.
func (r *rig) begin(t testing.TB) {
	t.Helper()
	is, id := is.New(t), group.IDOf("group")
	meta := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: events.ActorGroups, Time: time.Now().UTC()}
	_, err := commands.Groups(r.log).Decide(t.Context(), string(id), meta, func(s group.State) ([]events.Event, error) {
		return group.Next(s, nil, meta.Time), nil
	})
	is.NoErr(err)
}

// pause lets the canary of the scenario be seen running, as an updater would: it pauses then.
func (r *rig) pause(t testing.TB) {
	t.Helper()
	is := is.New(t)
	meta := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: events.ActorUpdater, Time: time.Now().UTC()}
	out, err := commands.Apps(r.log, nil).Decide(t.Context(), events.DeriveID("create", "app", 0), meta, func(s app.State) ([]events.Event, error) {
		running := app.ProcessInstances{0: {ID: "i", State: app.InstanceRunning}}
		return app.Next(s, app.Instances{s.Deployment.Process: running}, app.Quota{}, meta.Time), nil
	})
	is.NoErr(err)
	is.Equal(out.State.Deployment.Phase(), app.Paused)
}
