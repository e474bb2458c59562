package doors

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/natsboot/natstest"
	"slipway/internal/projector"
	"slipway/internal/resource"
	"slipway/projections"
	"slipway/projections/storetest"
)

// logins are people and a program with roles in the default space, each by the name that they log in with.
type logins map[string]auth.Identity

func inDefault(name string, role auth.Role, automation bool) auth.Identity {
	return auth.Identity{
		UserID: "guid-" + name, UserName: name, Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Automation: automation,
		Grants: []auth.Grant{{Role: role, Organization: "default", Space: "default"}},
	}
}

var staff = logins{
	"dev":    inDefault("dev", auth.SpaceDeveloper, false),
	"boss":   inDefault("boss", auth.SpaceManager, false),
	"audrey": inDefault("audrey", auth.SpaceAuditor, false),
	"robot":  inDefault("robot", auth.SpaceDeveloper, true),
}

func (l logins) Vouched(caller string) (auth.Identity, error) {
	i, known := l[caller]
	if !known {
		return auth.Identity{}, auth.ErrBadToken
	}
	return i, nil
}

func (logins) VerifyAt(context.Context, []string, time.Time) (auth.Identity, error) {
	return auth.Identity{}, auth.ErrBadToken
}

// staffed is a rig with the gate that HTTP has too, over read models that follow the log.
func staffed(t *testing.T) (*rig, Config) {
	t.Helper()
	r, cfg, _ := staffedOver(t)
	return r, cfg
}

func staffedOver(t *testing.T) (*rig, Config, *projections.Store) {
	t.Helper()
	r, store := newRig(t), storetest.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&projector.Runner{Log: r.log, Store: store, Logger: natstest.Quiet()}).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	reader := resource.Reader{Store: store, Patience: patience}
	finder := resource.Finder{Reader: reader, Log: r.log}
	r.handler = commands.NewHandler(r.log, nil, finder, commandstest.NewBits(), natstest.Quiet())
	is.New(t).NoErr(r.handler.Bootstrap(t.Context()))
	gate, cfg := access.New(finder), r.config()
	cfg.Handler, cfg.Callers, cfg.Allow, cfg.Roles = r.handler, staff, gate.Allow, gate.RolesOf
	cfg.Present = func(ctx context.Context, _ auth.Identity, result commands.Result) (any, error) {
		return reader.Load(ctx, "http://slipway.test", result)
	}
	cfg.Answer = func(ctx context.Context, q commands.Question, by commands.Caller) (any, events.Sequence, error) {
		return resource.Ask(ctx, r.handler, q, by)
	}
	return r, cfg, store
}

// turn is one command of somebody's, and before it the same of somebody who may not, with the title of their refusal.
type turn struct {
	step
	by, not, title string
}

// governance has every command that governs deployments, and what they need to be there.
func governance() []turn {
	id := func(command events.CommandID, kind string) string {
		return strconv.Quote(events.DeriveID(command, kind, 0))
	}
	a, d, y, h, w := id("create", "app"), id("droplet", "droplet"), id("policy", "policy"), id("halt", "halt"), id("hook", "subscription")
	g := `{"group":"` + string(group.IDOf("group")) + `"`
	member, grouped := group.MemberIDs("group", 0)
	first, second := `{"deployment":`+id("first", "deployment"), `{"deployment":`+id("second", "deployment")
	const forbidden, hidden, wrong = "CF-NotAuthorized", "CF-ResourceNotFound", "CF-UnprocessableEntity"
	rule := `"rule":{"outcome":"require_approval","approval":{"needed":1,"approvers":["space_manager"],"manual_start":true}}`
	return []turn{
		{step{"app.create", "create", `{"name":"hello"}`}, "dev", "audrey", forbidden},
		{step{"droplet.create", "droplet", `{"app":` + a + `,"process_types":{"web":"./web"}}`}, "dev", "audrey", forbidden},
		{step{"upload", "", ""}, "", "", ""},
		{step{"app.assign-droplet", "assign", `{"app":` + a + `,"droplet":` + d + `}`}, "dev", "audrey", forbidden},
		{step{"app.start", "start", `{"app":` + a + `}`}, "dev", "boss", forbidden},

		{step{"policy.create", "policy", `{"space":"default","name":"four eyes",` + rule + `}`}, "boss", "dev", forbidden},
		{step{"deployment.create", "first", `{"app":` + a + `}`}, "dev", "boss", wrong},
		{step{"deployment.approve", "approve", first + `,"comment":"fine"}`}, "boss", "audrey", forbidden}, // she may see it and is no approver
		{step{"deployment.start", "begin", first + `}`}, "dev", "boss", forbidden},                         // to start one is to deploy
		{step{"deployment.create", "second", `{"app":` + a + `}`}, "dev", "audrey", wrong},
		{step{"deployment.deny", "deny", second + `,"comment":"not now"}`}, "boss", "dev", forbidden}, // nobody answers for what they asked for
		{step{"policy.update", "policy-update", `{"policy":` + y + `,"name":"two pairs of eyes"}`}, "boss", "dev", forbidden},
		{step{"policy.delete", "policy-delete", `{"policy":` + y + `}`}, "boss", "dev", forbidden},

		{step{"halt.declare", "halt", `{"space":"default","reason":"incident","metadata":{"labels":{"incident":"42"}}}`}, "boss", "dev", forbidden},
		{step{"halt.update", "halt-update", `{"halt":` + h + `,"metadata":{"labels":{"incident":null}}}`}, "boss", "dev", forbidden},
		{step{"halt.lift", "halt-lift", `{"halt":` + h + `}`}, "boss", "dev", forbidden},

		{step{"version.reject", "reject", `{"droplet":` + d + `,"reason":"leaks"}`}, "dev", "audrey", forbidden},
		{step{"version.accept", "accept", `{"droplet":` + d + `}`}, "dev", "audrey", forbidden},

		{step{"group.create", "group", `{"members":[{"app":` + a + `,"strategy":"canary"}]}`}, "dev", "audrey", wrong},
		{step{"deployment.create", string(member), `{"app":` + a + `,"strategy":"canary"}`}, "dev", "audrey", wrong},
		{step{"pause", string(grouped), ""}, "", "", ""},
		{step{"group.continue", "group-continue", g + `}`}, "dev", "audrey", forbidden},
		{step{"group.rollback", "group-roll-back", g + `}`}, "dev", "boss", forbidden},
		{step{"group.cancel", "group-cancel", g + `}`}, "dev", "audrey", forbidden},
		{step{"group.finalize", "group-finalize", g + `}`}, "dev", "audrey", forbidden},
		{step{"group.update", "group-update", g + `,"metadata":{"labels":{"team":"checkout"}}}`}, "dev", "audrey", forbidden},
		{step{"deployment.rollback", "back", `{"deployment":"` + string(grouped) + `"}`}, "dev", "boss", forbidden}, // by hand: automation is held
		{step{"app.release-automation", "release", `{"app":` + a + `}`}, "dev", "robot", forbidden},

		{step{"subscription.create", "hook", `{"name":"chat","space":"default","url":"https://hooks.test","types":["*"]}`}, "dev", "boss", forbidden},
		{step{"subscription.update", "hook-update", `{"subscription":` + w + `,"content_mode":"binary"}`}, "dev", "boss", forbidden},
		{step{"subscription.rotate-secret", "hook-rotate", `{"subscription":` + w + `}`}, "dev", "boss", forbidden},
		{step{"subscription.test", "hook-test", `{"subscription":` + w + `}`}, "dev", "audrey", forbidden},
		{step{"subscription.delete", "hook-delete", `{"subscription":` + w + `}`}, "dev", "boss", forbidden},
	}
}

// governing are the commands of which there is a turn.
func governing() (names []string) {
	for _, prefix := range []string{"policy.", "halt.", "version.", "group.", "subscription."} {
		for _, name := range commands.Names() {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
	}
	return append(names, "deployment.approve", "deployment.deny", "deployment.start", "app.release-automation")
}

// TestGovernanceThroughEachDoor sends each command twice with one id, by somebody who may, after somebody who may not: it is carried
// out once, in their name, and the other is refused as HTTP would, in the answer or on record.
func TestGovernanceThroughEachDoor(t *testing.T) {
	var histories [][]string
	for door, send := range map[string]func(*testing.T, *rig, string, step) (title string){
		doorRPC: func(t *testing.T, r *rig, who string, s step) string {
			answer, err := r.nc.RequestMsg(&nats.Msg{Subject: RPCSubjects + vouched + who + "." + s.name, Header: header(s.id), Data: []byte(s.body)}, patience)
			is.New(t).NoErr(err)
			title, _, _ := strings.Cut(answer.Header.Get(micro.ErrorHeader), ":")
			return title
		},
		doorCommands: func(t *testing.T, r *rig, who string, s step) string {
			_, err := r.js.PublishMsg(t.Context(), &nats.Msg{Subject: commandsPrefix + vouched + who + "." + s.name, Header: header(s.id), Data: []byte(s.body)})
			is.New(t).NoErr(err)
			r.settled(t)
			return r.refusals(t)[events.CommandID(s.id)].Code
		},
	} {
		t.Run(door, func(t *testing.T) {
			is := is.New(t)
			r, cfg := staffed(t)
			r.forgetful(t)
			open(t, cfg)
			asked := map[string]bool{}
			for _, next := range governance() {
				switch next.name {
				case "upload":
					r.upload(t)
					continue
				case "pause":
					r.begin(t)
					r.pause(t)
					continue
				}
				asked[next.name] = true
				other := next.step
				other.id += "-not"
				if got := send(t, r, next.not, other); got != next.title {
					t.Errorf("%s by %s: refused with %q, want %q", next.name, next.not, got, next.title)
				}
				for range 2 {
					if got := send(t, r, next.by, next.step); got != "" {
						t.Fatalf("%s by %s is refused: %s", next.name, next.by, got)
					}
				}
				done := r.commitsOf(t, next.id)
				if len(done) != 1 || done[0].Actor != events.Actor("user/"+next.by) || done[0].Cause != door {
					t.Errorf("%s by %s: on record as %v", next.name, next.by, done)
				}
			}
			for _, name := range governing() {
				is.True(asked[name]) // each command has its turn
			}
			histories = append(histories, slices.DeleteFunc(types(r.history(t)), func(kind string) bool { return kind == string(events.TypeCommandRejected) }))
		})
	}
	if len(histories) == 2 {
		is.New(t).Equal(histories[0], histories[1]) // both doors wrote the same history
	}
}

// commitsOf are the commits that a command wrote.
func (r *rig) commitsOf(t *testing.T, id string) []events.Recorded {
	t.Helper()
	return slices.DeleteFunc(r.history(t), func(c events.Recorded) bool { return c.CommandID != events.CommandID(id) })
}
