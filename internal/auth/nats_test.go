package auth

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
)

// checker asks an Authority who connects: what a server needs to be told of [Authority.CheckNATS].
type checker struct {
	authority *Authority
	server    func() *server.Server
}

func (c checker) Check(client server.ClientAuthentication) bool {
	opts := client.GetOpts()
	access, err := c.authority.CheckNATS(context.Background(), opts.Username, opts.Password, "127.0.0.1", []Place{prod, dev, other})
	if err != nil {
		return false
	}
	account, err := c.server().LookupAccount(access.Account)
	if err != nil {
		return false
	}
	client.RegisterUser(&server.User{Username: opts.Username, Account: account, Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: access.Publish}, Subscribe: &server.SubjectPermission{Allow: access.Subscribe},
	}})
	return true
}

// natsRig is a server with the accounts, Slipway's streams and a door.
type natsRig struct {
	*rig
	server *server.Server
	js     jetstream.JetStream // Slipway's
}

func newNATSRig(t *testing.T) *natsRig {
	t.Helper()
	is := is.New(t)
	r := &natsRig{rig: newRig(t)}
	r.edit(t, func(c *Config) {
		c.Users = append(c.Users, User{Name: "bob", GUID: "guid-bob", Password: c.Users[1].Password, Rights: Rights{
			Roles: []Grant{{Role: SpaceAuditor, Space: "space-3"}},
		}}, User{Name: "eve", GUID: "guid-eve", Password: c.Users[1].Password},
			User{Name: "aud", GUID: "guid-aud", Password: c.Users[1].Password, Rights: Rights{GlobalAuditor: true}})
	})
	opts := &server.Options{}
	is.NoErr(opts.ProcessConfigString(NATSAccounts))
	opts.Host, opts.Port, opts.JetStream, opts.StoreDir, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, t.TempDir(), true, true
	opts.CustomClientAuthentication = checker{r.Authority, func() *server.Server { return r.server }}
	var err error
	r.server, err = server.NewServer(opts)
	is.NoErr(err)
	r.server.Start()
	t.Cleanup(func() { r.server.Shutdown(); r.server.WaitForShutdown() })
	is.True(r.server.ReadyForConnections(10 * time.Second))
	r.prepare(t)
	return r
}

// prepare makes the streams, the copy of the feed and a service.
func (r *natsRig) prepare(t *testing.T) {
	t.Helper()
	is := is.New(t)
	secret, err := ServiceSecret(r.dir)
	is.NoErr(err)
	nc := r.connect(t, ServiceUser, secret)
	r.js, err = jetstream.New(nc)
	is.NoErr(err)
	for name, subjects := range map[string]string{"EVENTS": "events.>", "FEED": "rollouts.>", "COMMANDS": "commands.>"} {
		_, err := r.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{subjects}, AllowDirect: true})
		is.NoErr(err)
	}
	_, err = micro.AddService(nc, micro.Config{Name: "slipway", Version: "1.0.0", Endpoint: &micro.EndpointConfig{
		Subject: "rpc.app.create", Handler: micro.HandlerFunc(func(request micro.Request) { _ = request.Respond([]byte("done")) }),
	}})
	is.NoErr(err)
	js, err := jetstream.New(r.connect(t, ServiceFeedUser, secret))
	is.NoErr(err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "FEED", AllowDirect: true, Mirror: &jetstream.StreamSource{
		Name: "FEED", External: &jetstream.ExternalStream{APIPrefix: MirrorAPIPrefix, DeliverPrefix: MirrorDeliverPrefix},
	}})
	is.NoErr(err)
	for _, subject := range []string{"rollouts.acme.prod.app.deployment.paused", "rollouts.umbrella.prod.app.deployment.paused"} {
		_, err := r.js.Publish(t.Context(), subject, []byte("fact"))
		is.NoErr(err)
	}
	mirror, err := js.Stream(t.Context(), "FEED")
	is.NoErr(err)
	until(t, "the copy of the feed is complete", func() bool {
		info, err := mirror.Info(t.Context())
		return err == nil && info.State.Msgs == 2
	})
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func (r *natsRig) connect(t *testing.T, user, secret string) *nats.Conn {
	t.Helper()
	nc, err := r.dial(user, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (r *natsRig) dial(user, secret string) (*nats.Conn, error) {
	opts := []nats.Option{nats.UserInfo(user, secret), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}
	if user != ServiceUser && user != ServiceFeedUser && user != AdminUser {
		opts = append(opts, nats.CustomInboxPrefix(InboxPrefix(user)))
	}
	return nats.Connect(r.server.ClientURL(), opts...)
}

// subjects of a stream of Slipway's, which tells what got in.
func (r *natsRig) subjects(t *testing.T, stream string) map[string]uint64 {
	t.Helper()
	s, err := r.js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Subjects
}

func TestWhoMayConnect(t *testing.T) {
	r := newNATSRig(t)
	for name, tt := range map[string]struct {
		user, secret string
		ok           bool
	}{
		"user":                {"ann", annPassword, true},
		"admin":               {AdminUser, adminPassword, true},
		"client":              {"ci", ciSecret, true},
		"user without roles":  {"eve", annPassword, true},
		"wrong password":      {"bob", "wrong wrong", false},
		"unknown":             {"mallory", annPassword, false},
		"nobody":              {"", "", false},
		"public client":       {"cf", "", false},
		"public, with secret": {"cf", "x", false},
		"Slipway, no secret":  {ServiceUser, "", false},
		"Slipway, guessed":    {ServiceUser, adminPassword, false},
		"the feed, guessed":   {ServiceFeedUser, "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			nc, err := r.dial(tt.user, tt.secret)
			is.Equal(err == nil, tt.ok)
			if err == nil {
				nc.Close()
			}
		})
	}
	t.Run("guessing locks here too", func(t *testing.T) {
		is := is.New(t)
		for range maxFailures {
			_, err := r.dial("aud", "wrong wrong")
			is.True(err != nil)
		}
		_, err := r.dial("aud", annPassword)
		is.True(err != nil)
	})
}

// TestAUserOverNATS: everything that a developer does with the nats CLI.
func TestAUserOverNATS(t *testing.T) {
	is := is.New(t)
	r := newNATSRig(t)
	nc := r.connect(t, "ann", annPassword)
	reply, err := nc.Request("rpc.app.create", nil, 5*time.Second)
	is.NoErr(err)
	is.Equal(string(reply.Data), "done")
	info, err := nc.Request("$SRV.INFO", nil, 5*time.Second)
	is.NoErr(err)
	is.True(strings.Contains(string(info.Data), "rpc.app.create"))
	js, err := jetstream.New(nc)
	is.NoErr(err)
	ack, err := js.Publish(t.Context(), "commands.app.create", []byte("{}"))
	is.NoErr(err)
	is.Equal(ack.Stream, "COMMANDS") // it is told that the command is kept

	live, err := nc.SubscribeSync("rollouts.acme.prod.>")
	is.NoErr(err)
	is.NoErr(nc.Flush())
	_, err = r.js.Publish(t.Context(), "rollouts.acme.prod.app.deployment.deployed", []byte("new"))
	is.NoErr(err)
	m, err := live.NextMsg(5 * time.Second)
	is.NoErr(err)
	is.Equal(string(m.Data), "new")

	replay, err := js.OrderedConsumer(t.Context(), "FEED", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"rollouts.acme.prod.>"}})
	is.NoErr(err)
	batch, err := replay.Fetch(2, jetstream.FetchMaxWait(5*time.Second))
	is.NoErr(err)
	var seen []string
	for m := range batch.Messages() {
		seen = append(seen, m.Subject())
	}
	is.Equal(seen, []string{"rollouts.acme.prod.app.deployment.paused", "rollouts.acme.prod.app.deployment.deployed"})
}

// TestAnAuditorOverNATS reads every space's feed.
func TestAnAuditorOverNATS(t *testing.T) {
	is := is.New(t)
	r := newNATSRig(t)
	js, err := jetstream.New(r.connect(t, "aud", annPassword))
	is.NoErr(err)
	replay, err := js.OrderedConsumer(t.Context(), "FEED", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"rollouts.>"}})
	is.NoErr(err)
	batch, err := replay.Fetch(2, jetstream.FetchMaxWait(5*time.Second))
	is.NoErr(err)
	n := 0
	for range batch.Messages() {
		n++
	}
	is.Equal(n, 2)
}

// TestAnAdminOverNATS reads every stream and writes to none but by commands.
func TestAnAdminOverNATS(t *testing.T) {
	is := is.New(t)
	r := newNATSRig(t)
	_, err := r.js.Publish(t.Context(), "events.app.a", []byte("commit"))
	is.NoErr(err)
	nc := r.connect(t, AdminUser, adminPassword)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	log, err := js.Stream(t.Context(), "EVENTS")
	is.NoErr(err)
	m, err := log.GetLastMsgForSubject(t.Context(), "events.app.a")
	is.NoErr(err)
	is.Equal(string(m.Data), "commit")
	_, err = nc.Request("rpc.app.create", nil, 5*time.Second)
	is.NoErr(err)
	is.NoErr(nc.Publish("events.app.a", []byte("forged")))
	is.NoErr(nc.Publish("$JS.API.STREAM.DELETE.EVENTS", nil))
	is.NoErr(nc.Publish("$JS.API.STREAM.PURGE.FEED", nil))
	is.NoErr(nc.Publish("$JS.API.STREAM.UPDATE.FEED", []byte(`{"name":"FEED","subjects":["x"]}`)))
	is.NoErr(nc.Flush())
	is.Equal(r.subjects(t, "EVENTS"), map[string]uint64{"events.app.a": 1})
	is.Equal(len(r.subjects(t, "FEED")), 2)
}

// TestNobodyWritesHistory: neither by publishing there, nor by naming it as where an answer shall go, nor as where a
// consumer shall deliver.
func TestNobodyWritesHistory(t *testing.T) {
	for _, user := range []string{"ann", "eve", "ci", "aud"} {
		t.Run(user, func(t *testing.T) {
			is := is.New(t)
			r := newNATSRig(t)
			secret := annPassword
			if user == "ci" {
				secret = ciSecret
			}
			nc := r.connect(t, user, secret)
			for _, subject := range []string{"events.app.a", "rollouts.acme.prod.x", "deadletter.x", "timers.set.x", "$KV.SNAPSHOTS.x",
				"$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.DELETE.FEED", "$JS.API.STREAM.PURGE.FEED", "$JS.API.CONSUMER.CREATE.EVENTS.x",
				"$JS.API.STREAM.MSG.GET.EVENTS", MirrorAPIPrefix + ".CONSUMER.CREATE.FEED.x", "$SYS.REQ.SERVER.PING"} {
				is.NoErr(nc.Publish(subject, []byte("{}")))
				is.NoErr(nc.PublishRequest(subject, "events.app.b", []byte("{}")))
			}
			for _, subject := range []string{"rpc.app.create", "rpc.nobody", "commands.x", "$SRV.INFO", "$SRV.PING", "$JS.API.INFO",
				"$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.FEED", "$JS.API.DIRECT.GET.FEED.rollouts.acme.prod.app.deployment.paused"} {
				is.NoErr(nc.PublishRequest(subject, "events.app.c", nil))
			}
			filter := "rollouts.acme.prod.>"
			for n, deliver := range []string{"events.app.d", MirrorAPIPrefix + ".x", "rpc.app.create"} {
				name := fmt.Sprintf("push%d", n)
				is.NoErr(nc.PublishRequest("$JS.API.CONSUMER.CREATE.FEED."+name+"."+filter, "events.app.e",
					fmt.Appendf(nil, `{"stream_name":"FEED","config":{"name":%q,"deliver_subject":%q,"deliver_policy":"all","ack_policy":"none",`+
						`"filter_subject":%q}}`, name, deliver, filter)))
			}
			is.NoErr(nc.Flush())
			_, err := nc.Request("rpc.app.create", nil, 5*time.Second) // what was sent before has arrived
			is.NoErr(err)
			is.Equal(len(r.subjects(t, "EVENTS")), 0)
			is.Equal(len(r.subjects(t, "FEED")), 2)
			for subject := range r.subjects(t, "COMMANDS") {
				is.Equal(subject, "commands.x")
			}
		})
	}
}

// TestNobodyReadsElsewhere: a foreign space's feed and other people's answers stay theirs.
func TestNobodyReadsElsewhere(t *testing.T) {
	is := is.New(t)
	r := newNATSRig(t)
	nc := r.connect(t, "bob", annPassword) // who may read the other space
	var heard []*nats.Subscription
	for _, subject := range []string{">", "rollouts.>", "rollouts.acme.prod.>", "_INBOX.>", InboxPrefix("ann") + ".>", "rpc.>", "commands.>", "events.>", "$JS.>"} {
		sub, err := nc.SubscribeSync(subject)
		is.NoErr(err)
		heard = append(heard, sub)
	}
	own, err := nc.SubscribeSync("rollouts.umbrella.prod.>")
	is.NoErr(err)
	is.NoErr(nc.Flush())
	_, err = r.connect(t, "ann", annPassword).Request("rpc.app.create", nil, 5*time.Second)
	is.NoErr(err)
	for _, org := range []string{"acme", "umbrella"} {
		_, err := r.js.Publish(t.Context(), "rollouts."+org+".prod.app.deployment.deployed", []byte("new"))
		is.NoErr(err)
	}
	_, err = own.NextMsg(5 * time.Second)
	is.NoErr(err) // the last message has come
	for _, sub := range heard {
		_, err := sub.NextMsg(time.Millisecond)
		is.True(err != nil) // and none of the others
	}

	js, err := jetstream.New(nc)
	is.NoErr(err)
	for name, config := range map[string]string{
		"a wider filter than its subject":   `{"stream_name":"FEED","config":{"name":"x","filter_subject":"rollouts.>","ack_policy":"none"}}`,
		"several filters beside its":        `{"stream_name":"FEED","config":{"name":"x","filter_subjects":["rollouts.umbrella.prod.>","rollouts.acme.>"],"ack_policy":"none"}}`,
		"no filter at all":                  `{"stream_name":"FEED","config":{"name":"x","ack_policy":"none"}}`,
		"another stream than its subject's": `{"stream_name":"EVENTS","config":{"name":"x","filter_subject":"rollouts.umbrella.prod.>","ack_policy":"none"}}`,
	} {
		m, err := nc.Request("$JS.API.CONSUMER.CREATE.FEED.x.rollouts.umbrella.prod.>", []byte(config), 5*time.Second)
		is.NoErr(err)
		if !strings.Contains(string(m.Data), `"error"`) {
			t.Errorf("%s: %s", name, m.Data)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = js.OrderedConsumer(short, "FEED", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"rollouts.acme.>"}})
	is.True(err != nil)
}
