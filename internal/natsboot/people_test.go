package natsboot_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"slipway/internal/auth"
	"slipway/internal/natsboot/natstest"
)

// patience bounds every wait of these tests; it is never the measure of anything.
const patience = 30 * time.Second

const (
	password = "battery staple"
	ciSecret = "ci secret/+%"
)

var (
	prod  = auth.Place{Organization: "o1", OrganizationName: "acme", Space: "s1", SpaceName: "prod"}
	dev   = auth.Place{Organization: "o1", OrganizationName: "acme", Space: "s2", SpaceName: "dev"}
	other = auth.Place{Organization: "o2", OrganizationName: "umbrella", Space: "s3", SpaceName: "prod"}
)

func in(role auth.Role, p auth.Place) auth.Rights {
	return auth.Rights{Roles: []auth.Grant{{Role: role, Organization: p.OrganizationName, Space: p.SpaceName}}}
}

// rig is a server with a door, and two facts in the feed.
type rig struct {
	*natstest.Guarded
	js jetstream.JetStream // Slipway's
}

func newRig(t *testing.T) *rig {
	t.Helper()
	is := is.New(t)
	users := []auth.User{
		{Name: "ann", GUID: "guid-ann", Password: password, Rights: in(auth.SpaceDeveloper, prod)},
		{Name: "bob", GUID: "guid-bob", Password: password, Rights: auth.Rights{Roles: []auth.Grant{{Role: auth.SpaceAuditor, Space: "s3"}}}},
		{Name: "eve", GUID: "guid-eve", Password: password},
		{Name: "aud", GUID: "guid-aud", Password: password, Rights: auth.Rights{GlobalAuditor: true}},
	}
	clients := []auth.Client{{ID: "ci", Secret: ciSecret, Rights: in(auth.SpaceSupporter, prod)}}
	r := &rig{Guarded: natstest.StartGuarded(t, users, clients, prod, dev, other)}
	nc := r.As(t, auth.ServiceUser, r.Secret)
	var err error
	r.js, err = jetstream.New(nc)
	is.NoErr(err)
	_, err = micro.AddService(nc, micro.Config{Name: "slipway", Version: "1.0.0", Endpoint: &micro.EndpointConfig{
		Subject: "rpc.by.*.app.create", Handler: micro.HandlerFunc(func(request micro.Request) { _ = request.Respond([]byte(request.Subject())) }),
	}})
	is.NoErr(err)
	is.NoErr(nc.Flush())
	for _, organization := range []string{"acme", "umbrella"} {
		r.happens(t, organization, "paused")
	}
	reader, err := jetstream.New(r.As(t, auth.ServiceFeedUser, r.Secret))
	is.NoErr(err)
	until(t, "the copy of the feed is complete", func() bool {
		mirror, err := reader.Stream(t.Context(), "FEED")
		return err == nil && mirror.CachedInfo().State.Msgs == 2
	})
	return r
}

// happens puts a fact into the feed.
func (r *rig) happens(t *testing.T, organization, what string) {
	t.Helper()
	_, err := r.js.Publish(t.Context(), "rollouts."+organization+".prod.app.deployment."+what, []byte(what))
	is.New(t).NoErr(err)
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// subjects of a stream of Slipway's, which tells what got in.
func (r *rig) subjects(t *testing.T, stream string) map[string]uint64 {
	t.Helper()
	is := is.New(t)
	s, err := r.js.Stream(t.Context(), stream)
	is.NoErr(err)
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	is.NoErr(err)
	return info.State.Subjects
}

// replay reads so many messages of FEED as somebody: their subjects.
func replay(t *testing.T, nc *nats.Conn, filter string, n int) (subjects []string) {
	t.Helper()
	is := is.New(t)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	consumer, err := js.OrderedConsumer(t.Context(), "FEED", jetstream.OrderedConsumerConfig{FilterSubjects: []string{filter}})
	is.NoErr(err)
	batch, err := consumer.Fetch(n, jetstream.FetchMaxWait(patience))
	is.NoErr(err)
	for m := range batch.Messages() {
		subjects = append(subjects, m.Subject())
	}
	is.NoErr(batch.Error())
	return subjects
}

func TestWhoMayConnect(t *testing.T) {
	r := newRig(t)
	for name, tt := range map[string]struct {
		user, secret string
		ok           bool
	}{
		"user":                {"ann", password, true},
		"admin":               {auth.AdminUser, natstest.AdminPassword, true},
		"client":              {"ci", ciSecret, true},
		"user without roles":  {"eve", password, true},
		"wrong password":      {"bob", "wrong wrong", false},
		"unknown":             {"mallory", password, false},
		"nobody":              {"", "", false},
		"public client":       {"cf", "", false},
		"public, with secret": {"cf", "x", false},
		"Slipway, no secret":  {auth.ServiceUser, "", false},
		"Slipway, guessed":    {auth.ServiceUser, natstest.AdminPassword, false},
		"the feed, guessed":   {auth.ServiceFeedUser, "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			nc, err := r.Dial(tt.user, tt.secret)
			is.Equal(err == nil, tt.ok)
			if err == nil {
				nc.Close()
			}
		})
	}
	t.Run("not even as a guest", func(t *testing.T) {
		_, err := nats.Connect(r.ClientURL())
		is.New(t).True(err != nil)
	})
	t.Run("guessing locks here too", func(t *testing.T) {
		is := is.New(t)
		for range 5 {
			_, err := r.Dial("aud", "wrong wrong")
			is.True(err != nil)
		}
		_, err := r.Dial("aud", password)
		is.True(err != nil)
	})
}

// TestManyAtOnce: connections of one program that come back at once, as they do when a server was away, are no guessing.
func TestManyAtOnce(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	failed := make(chan error)
	const connections = 30
	for range connections {
		go func() {
			nc, err := r.Dial("ann", password)
			if err == nil {
				nc.Close()
			}
			failed <- err
		}()
	}
	for range connections {
		is.NoErr(<-failed)
	}
}

// TestAUserOverNATS: everything that a developer does with the nats CLI, with no setting but name and password.
func TestAUserOverNATS(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	nc := r.As(t, "ann", password)
	reply, err := nc.Request("rpc.app.create", nil, patience)
	is.NoErr(err)
	is.Equal(string(reply.Data), "rpc.by.ann.app.create") // who asks stands in the subject
	info, err := nc.Request("$SRV.INFO", nil, patience)
	is.NoErr(err)
	is.True(strings.Contains(string(info.Data), "app.create"))
	js, err := jetstream.New(nc)
	is.NoErr(err)
	ack, err := js.Publish(t.Context(), "commands.app.create", []byte("{}"))
	is.NoErr(err)
	is.Equal(ack.Stream, "COMMANDS") // it is told that the command is kept
	_, err = js.Publish(t.Context(), "signals.a1", []byte("{}"))
	is.NoErr(err)
	is.Equal(r.subjects(t, "COMMANDS"), map[string]uint64{"commands.by.ann.app.create": 1, "commands.by.ann.signals.a1": 1})

	live, err := nc.SubscribeSync("rollouts.>") // of all there is, it hears its own space
	is.NoErr(err)
	is.NoErr(nc.Flush())
	r.happens(t, "umbrella", "deployed")
	r.happens(t, "acme", "deployed")
	m, err := live.NextMsg(patience)
	is.NoErr(err)
	is.Equal(m.Subject, "rollouts.acme.prod.app.deployment.deployed")
	is.Equal(replay(t, nc, "rollouts.acme.prod.>", 2), []string{"rollouts.acme.prod.app.deployment.paused", m.Subject})
	is.Equal(replay(t, nc, "rollouts.acme.prod.app.deployment.deployed", 1), []string{m.Subject})
}

// TestSecretsOfTheFeed are heard by those who may read an app's secrets.
func TestSecretsOfTheFeed(t *testing.T) {
	for user, want := range map[string][]string{
		"ann": {"rollouts.acme.prod.app.app.environment-set", "rollouts.acme.prod.app.deployment.deployed"}, // a developer
		"aud": {"rollouts.acme.prod.app.deployment.deployed"},
	} {
		t.Run(user, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			nc := r.As(t, user, password)
			live, err := nc.SubscribeSync("rollouts.>")
			is.NoErr(err)
			is.NoErr(nc.Flush())
			for _, subject := range []string{"rollouts.acme.prod.app.app.environment-set", "rollouts.acme.prod.app.deployment.deployed"} {
				_, err := r.js.Publish(t.Context(), subject, nil)
				is.NoErr(err)
			}
			for _, subject := range want {
				m, err := live.NextMsg(patience)
				is.NoErr(err)
				is.Equal(m.Subject, subject)
			}
		})
	}
}

// TestAnAuditorOverNATS reads of every space how rollouts go, and nothing that may hold a secret.
func TestAnAuditorOverNATS(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	is.Equal(len(replay(t, r.As(t, "aud", password), "rollouts.*.*.*.deployment.>", 2)), 2)
}

// TestAnAdminOverNATS reads every stream and writes to none but by commands.
func TestAnAdminOverNATS(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	_, err := r.js.Publish(t.Context(), "events.app.a", []byte("commit"))
	is.NoErr(err)
	nc := r.As(t, auth.AdminUser, natstest.AdminPassword)
	js, err := jetstream.New(nc)
	is.NoErr(err)
	log, err := js.Stream(t.Context(), "EVENTS")
	is.NoErr(err)
	m, err := log.GetLastMsgForSubject(t.Context(), "events.app.a")
	is.NoErr(err)
	is.Equal(string(m.Data), "commit")
	is.Equal(len(replay(t, nc, "rollouts.>", 2)), 2)
	reply, err := nc.Request("rpc.app.create", nil, patience)
	is.NoErr(err)
	is.Equal(string(reply.Data), "rpc.by.admin.app.create")
	for subject, body := range map[string]string{
		"events.app.a": "forged", "rpc.by.ann.app.create": "forged", "commands.by.ann.app.create": "forged",
		"$JS.API.STREAM.DELETE.EVENTS": "", "$JS.API.STREAM.PURGE.FEED": "", "$JS.API.STREAM.UPDATE.FEED": `{"name":"FEED","subjects":["x"]}`,
	} {
		is.NoErr(nc.PublishRequest(subject, "events.app.b", []byte(body)))
	}
	for n, deliver := range []string{"events.app.d", "$JS.API.STREAM.DELETE.EVENTS", "commands.by.ann.app.create"} {
		push(t, nc, fmt.Sprintf("push%d", n), deliver)
	}
	_, err = nc.Request("rpc.app.create", nil, patience) // what was sent before has arrived
	is.NoErr(err)
	is.Equal(r.subjects(t, "EVENTS"), map[string]uint64{"events.app.a": 1})
	is.Equal(len(r.subjects(t, "FEED")), 2)
	for subject := range r.subjects(t, "COMMANDS") {
		is.True(strings.HasPrefix(subject, "commands.by.admin.")) // as itself, whatever it asks for
	}
}

// TestNobodyWritesHistory: neither by publishing there, nor by naming it as where an answer shall go, nor as where a
// consumer shall deliver. And nobody is somebody else.
func TestNobodyWritesHistory(t *testing.T) {
	for user, secret := range map[string]string{"ann": password, "eve": password, "ci": ciSecret, "aud": password} {
		t.Run(user, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			nc := r.As(t, user, secret)
			for _, subject := range []string{"events.app.a", "rollouts.acme.prod.x", "deadletter.x", "timers.set.x", "$KV.SNAPSHOTS.x",
				"$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.DELETE.FEED", "$JS.API.STREAM.PURGE.FEED", "$JS.API.CONSUMER.CREATE.EVENTS.x",
				"$JS.API.STREAM.MSG.GET.EVENTS", "SLIPWAY.JS.API.CONSUMER.CREATE.FEED.x", "$SYS.REQ.SERVER.PING"} {
				is.NoErr(nc.Publish(subject, []byte("{}")))
				is.NoErr(nc.PublishRequest(subject, "events.app.b", []byte("{}")))
			}
			for _, subject := range []string{"rpc.app.create", "rpc.nobody", "commands.x", "commands.by.admin.x", "rpc.by.admin.app.create", "signals.x", "signals.by.admin.x",
				"$SRV.INFO", "$SRV.PING", "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.FEED",
				"$JS.API.DIRECT.GET.FEED.rollouts.acme.prod.app.deployment.paused"} {
				is.NoErr(nc.PublishRequest(subject, "events.app.c", nil))
			}
			for n, deliver := range []string{"events.app.d", "SLIPWAY.JS.API.x", "rpc.by.admin.app.create", "commands.by.admin.app.create"} {
				push(t, nc, fmt.Sprintf("push%d", n), deliver)
			}
			_, err := nc.Request("rpc.app.create", nil, patience) // what was sent before has arrived
			is.NoErr(err)
			is.Equal(len(r.subjects(t, "EVENTS")), 0)
			is.Equal(len(r.subjects(t, "FEED")), 2)
			for subject := range r.subjects(t, "COMMANDS") {
				is.True(strings.HasPrefix(subject, "commands.by."+user+".")) // as itself, whatever it asks for
			}
		})
	}
}

// push asks for a consumer that delivers somewhere.
func push(t *testing.T, nc *nats.Conn, name, deliver string) {
	t.Helper()
	const filter = "rollouts.acme.prod.>"
	err := nc.PublishRequest("$JS.API.CONSUMER.CREATE.FEED."+name+"."+filter, "events.app.e",
		fmt.Appendf(nil, `{"stream_name":"FEED","config":{"name":%q,"deliver_subject":%q,"deliver_policy":"all","ack_policy":"none",`+
			`"headers_only":true,"filter_subject":%q}}`, name, deliver, filter))
	is.New(t).NoErr(err)
}

// TestNobodyReadsElsewhere: a foreign space's feed and other people's answers stay theirs.
func TestNobodyReadsElsewhere(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	nc := r.As(t, "bob", password) // who may read the other space
	var heard []*nats.Subscription
	for _, subject := range []string{">", "rollouts.acme.prod.>", "_INBOX.>", "_R_.>", "rpc.>", "commands.>", "events.>", "$JS.>"} {
		sub, err := nc.SubscribeSync(subject)
		is.NoErr(err)
		heard = append(heard, sub)
	}
	own, err := nc.SubscribeSync("rollouts.>")
	is.NoErr(err)
	is.NoErr(nc.Flush())
	_, err = r.As(t, "ann", password).Request("rpc.app.create", nil, patience)
	is.NoErr(err)
	for _, organization := range []string{"acme", "umbrella"} {
		r.happens(t, organization, "deployed")
	}
	m, err := own.NextMsg(patience)
	is.NoErr(err)
	is.Equal(m.Subject, "rollouts.umbrella.prod.app.deployment.deployed") // the last message has come
	for _, sub := range heard {
		_, err := sub.NextMsg(time.Millisecond)
		is.True(err != nil) // and none of the others
	}

	js, err := jetstream.New(nc)
	is.NoErr(err)
	for name, config := range map[string]string{
		"a wider filter than its subject":   `{"stream_name":"FEED","config":{"name":"x","filter_subject":"rollouts.>","ack_policy":"none"}}`,
		"several filters beside its":        `{"stream_name":"FEED","config":{"name":"x","filter_subjects":["rollouts.umbrella.prod.*.deployment.>","rollouts.acme.>"],"ack_policy":"none"}}`,
		"no filter at all":                  `{"stream_name":"FEED","config":{"name":"x","ack_policy":"none"}}`,
		"another stream than its subject's": `{"stream_name":"EVENTS","config":{"name":"x","filter_subject":"rollouts.umbrella.prod.*.deployment.>","ack_policy":"none"}}`,
	} {
		m, err := nc.Request("$JS.API.CONSUMER.CREATE.FEED.x.rollouts.umbrella.prod.*.deployment.>", []byte(config), patience)
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

// TestWhoLosesRights loses open connections, others do not.
func TestWhoLosesRights(t *testing.T) {
	for name, change := range map[string]func(*auth.User){
		"gone":             func(u *auth.User) { u.Name = "anna" },
		"another password": func(u *auth.User) { u.Password = strings.Replace(u.Password, "$2a$04$", "$2a$04$A", 1)[:60] },
		"another role":     func(u *auth.User) { u.Rights = in(auth.SpaceAuditor, prod) },
		"another space":    func(u *auth.User) { u.Rights = in(auth.SpaceDeveloper, dev) },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			lost := make(chan struct{})
			nc, err := r.Dial("ann", password, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(lost) }))
			is.NoErr(err)
			defer nc.Close()
			others := []*nats.Conn{r.As(t, "aud", password), r.As(t, auth.AdminUser, natstest.AdminPassword), r.As(t, "ci", ciSecret)}
			r.Edit(t, func(c *auth.Config) {
				for i := range c.Users {
					if c.Users[i].Name == "ann" {
						change(&c.Users[i])
					} else if c.Users[i].Name == "aud" {
						c.Users[i].Admin = true // more than before
					}
				}
			})
			select {
			case <-lost:
			case <-time.After(patience):
				t.Fatal("still connected")
			}
			for _, nc := range others {
				is.NoErr(nc.Flush())
				is.Equal(nc.Stats().Reconnects, uint64(0))
			}
		})
	}
}

// TestRightsThatChange count from the next login on.
func TestRightsThatChange(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	r.Edit(t, func(c *auth.Config) {
		for i, u := range c.Users {
			switch u.Name {
			case "eve":
				c.Users[i].Rights = in(auth.SpaceAuditor, other)
			case "ann":
				c.Users[i].Roles = nil
			}
		}
		c.Clients = nil
	})
	nc := r.As(t, "eve", password)
	is.Equal(replay(t, nc, "rollouts.umbrella.prod.*.deployment.>", 1), []string{"rollouts.umbrella.prod.app.deployment.paused"})
	after, err := nc.SubscribeSync("rollouts.>")
	is.NoErr(err)
	is.NoErr(nc.Flush())
	nc = r.As(t, "ann", password)
	before, err := nc.SubscribeSync("rollouts.>")
	is.NoErr(err)
	is.NoErr(nc.Flush())
	r.happens(t, "acme", "deployed")
	r.happens(t, "umbrella", "deployed")
	_, err = after.NextMsg(patience)
	is.NoErr(err) // the last message has come
	_, err = before.NextMsg(time.Millisecond)
	is.True(err != nil)
	_, err = r.Dial("ci", ciSecret)
	is.True(err != nil) // gone
}

// TestASmuggledHeader: what the server says in the header Nats-Request-Info can be hidden behind a forged one, since it looks
// for its own after CR LF, and clients end lines at LF and headers at the first empty line. The subject cannot.
func TestASmuggledHeader(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	parts := r.As(t, auth.ServiceUser, r.Secret)
	door, err := parts.SubscribeSync("rpc.by.*.probe")
	is.NoErr(err)
	is.NoErr(parts.Flush())
	c, err := net.Dial("tcp", strings.TrimPrefix(r.ClientURL(), "nats://"))
	is.NoErr(err)
	defer c.Close()
	const header = "NATS/1.0\nNats-Request-Info: {\"user\":\"admin\"}\n\nX: y\r\n\r\n"
	_, err = fmt.Fprintf(c, "CONNECT {\"headers\":true,\"user\":\"ann\",\"pass\":%q}\r\nHPUB rpc.probe %d %[2]d\r\n%[3]s\r\n", password, len(header), header)
	is.NoErr(err)
	m, err := door.NextMsg(patience)
	is.NoErr(err)
	is.Equal(m.Header, nats.Header{"Nats-Request-Info": {`{"user":"admin"}`}})
	is.Equal(m.Subject, "rpc.by.ann.probe")
}
