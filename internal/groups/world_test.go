package groups_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/events"
	"slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/groups"
	"slipway/internal/policy"
	"slipway/internal/resource"
	"slipway/internal/updater"
)

var quiet = slog.New(slog.DiscardHandler)

// world is a whole Slipway in one process, in a bubble of its own time, with an agent whose instances are fakes.
type world struct {
	t       *testing.T
	log     *eventlog.Memory
	api     *api.API
	handler *commands.Handler

	mu        sync.Mutex
	lives     map[events.DropletID]sim.Life
	meanwhile func() // happens once, while a policy asks for the last deployments of an app: after halts were looked for
}

// interrupted is a finder that lets something happen in the midst of a decision.
type interrupted struct {
	resource.Finder
	w *world
}

// interrupt lets something happen in the midst of the next decision.
func (w *world) interrupt(happens func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meanwhile = happens
}

func (f interrupted) LastDeployments(ctx context.Context, id events.AppID, most int) ([]policy.Past, error) {
	f.w.mu.Lock()
	happens := f.w.meanwhile
	f.w.meanwhile = nil
	f.w.mu.Unlock()
	if happens != nil {
		happens()
	}
	return f.Finder.LastDeployments(ctx, id, most)
}

// inWorld runs a test in a world without a process manager of groups.
func inWorld(t *testing.T, test func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, lives: map[events.DropletID]sim.Life{}}
	s := apitest.New(t, apitest.Parts{
		Finder: func(f resource.Finder) commands.Finder { return interrupted{f, w} }, API: api.Config{Auth: people{}},
	})
	w.log, w.handler, w.api = s.Log, s.Handler, s.API
	w.try(w.handler.Bootstrap(t.Context()))
	w.begins(updater.New(w.log, eventlog.NewMemoryTimers(), commands.Apps(w.log, nil), nil, quiet).Run)
	agents, err := agent.New(agent.Config{
		ID: "agent-1", Driver: sim.New(w.life), Source: agent.Apps{Log: w.log, Apps: commands.Apps(w.log, nil)}, Log: w.log,
	})
	w.try(err)
	w.begins(agents.Run)
	return w
}

func (w *world) try(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// manager lets a process manager work; stop ends it as a kill would, between two calls.
func (w *world) manager() (stop func()) { return w.managerOver(w.handler) }

func (w *world) managerOver(c groups.Commands) (stop func()) {
	return w.begins(groups.New(w.log, commands.Apps(w.log, nil), c, quiet).Run)
}

// begins lets a part work until it is stopped or the test ends.
func (w *world) begins(run func(context.Context) error) (stop func()) {
	stop = apitest.Run(w.t, run)
	synctest.Wait()
	return stop
}

// people lets in whoever says name@space/role: as a developer of the space if no role is given, as automation that develops if it is
// "robot"; and who says nothing as the admin.
type people struct{}

func (people) Verify(ctx context.Context, header []string) (auth.Identity, error) {
	if len(header) == 0 {
		return apitest.Admin{}.Verify(ctx, header)
	}
	name, place, _ := strings.Cut(header[0], "@")
	space, role, _ := strings.Cut(place, "/")
	robot := role == "robot"
	if role == "" || robot {
		role = string(auth.SpaceDeveloper)
	}
	return auth.Identity{
		UserID: name, UserName: name, Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Automation: robot,
		Grants: []auth.Grant{{Role: auth.Role(role), Organization: "default", Space: space}},
	}, nil
}

// life is what becomes of an instance of a droplet.
func (w *world) life(s driver.Spec, _ int) sim.Life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lives[s.Droplet]
}

// never lets no instance of a droplet become healthy.
func (w *world) never(droplet string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives[events.DropletID(droplet)] = sim.Life{NeverHealthy: true}
}

// settling is how long lost races and what is tried again may take, by the clock of the test.
const settling = 100 * time.Millisecond

// call sends a request and waits until all parts are at rest again.
func (w *world) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	got := apitest.Call(w.api, method, path, body, header...)
	w.passes(settling)
	return got
}

// must sends a request that is to be answered with this status, and reads the answer.
func (w *world) must(status int, method, path, body string, header ...string) map[string]any {
	w.t.Helper()
	got := w.call(method, path, body, header...)
	if got.Code != status {
		w.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.Code, got.Body, status)
	}
	return apitest.Object(w.t, got.Body.Bytes())
}

// refused sends a request that is to be refused, and gives the reason.
func (w *world) refused(status int, method, path, body string, header ...string) string {
	w.t.Helper()
	return text(w.must(status, method, path, body, header...), "errors", 0, "detail")
}

// How answers are read.
var (
	at   = apitest.At
	text = apitest.Text
)

// subject is an app that runs, and a droplet to deploy to it.
type subject struct{ app, droplet, space, name string }

// called is how people read of its app.
func (s subject) called() string { return s.name + " (" + s.app + ")" }

// subjects makes apps of these names, each with two instances that run.
func (w *world) subjects(names ...string) (all []subject) {
	w.t.Helper()
	for _, name := range names {
		s := subject{name: name, app: text(w.must(201, "POST", "/v3/apps", `{"name":"`+name+`"}`), "guid")}
		first := w.bits(s.app)
		w.must(200, "PATCH", "/v3/apps/"+s.app+"/relationships/current_droplet", `{"data":{"guid":"`+first+`"}}`)
		w.must(200, "POST", "/v3/apps/"+s.app+"/actions/start", "")
		w.must(202, "POST", "/v3/apps/"+s.app+"/processes/web/actions/scale", `{"instances":2}`)
		s.droplet = w.bits(s.app)
		all = append(all, s)
	}
	return all
}

// elsewhere makes a stopped app in a space of its own.
func (w *world) elsewhere(space string) (s subject) {
	w.t.Helper()
	const organization = `"relationships":{"organization":{"data":{"guid":"default"}}}`
	s.space = text(w.must(201, "POST", "/v3/spaces", `{"name":"`+space+`",`+organization+`}`), "guid")
	s.name = "c"
	s.app = text(w.must(201, "POST", "/v3/apps", `{"name":"c","relationships":{"space":{"data":{"guid":"`+s.space+`"}}}}`), "guid")
	s.droplet = w.bits(s.app)
	return s
}

// bits makes a droplet.
func (w *world) bits(app string) string {
	w.t.Helper()
	id := text(w.must(201, "POST", "/v3/droplets", `{"relationships":`+of(app)+`,"process_types":{"web":"./web"}}`), "guid")
	w.must(202, "POST", "/v3/droplets/"+id+"/upload", "bits")
	return id
}

func of(app string) string { return `{"app":{"data":{"guid":"` + app + `"}}}` }

// member is the body of a member; more is JSON that begins with a comma, or nothing.
func (s subject) member(more string) string {
	return fmt.Sprintf(`{"relationships":%s,"droplet":{"guid":%q}%s}`, of(s.app), s.droplet, more)
}

const paths = "/v3/deployment_groups"

func body(members ...string) string { return `{"members":[` + strings.Join(members, ",") + `]}` }

// group makes a group.
func (w *world) group(members ...string) (id string) {
	w.t.Helper()
	return text(w.must(201, "POST", paths, body(members...)), "guid")
}

// stands gives the status of a group and of its members, in one line.
func (w *world) stands(id string) string {
	w.t.Helper()
	v := w.must(200, "GET", paths+"/"+id, "")
	line := text(v, "status", "value") + ":"
	members, _ := at(v, "members").([]any)
	for _, m := range members {
		line += " " + text(m, "status")
	}
	return line
}

func (w *world) direct(id, what string) {
	w.t.Helper()
	w.must(200, "POST", paths+"/"+id+"/actions/"+what, "")
}

// cannot gives why a directive is refused.
func (w *world) cannot(id, what string) string {
	w.t.Helper()
	return w.refused(422, "POST", paths+"/"+id+"/actions/"+what, "")
}

// deployment is the n-th member's.
func (w *world) deployment(id string, n int) string {
	w.t.Helper()
	return text(w.must(200, "GET", paths+"/"+id, ""), "members", n, "deployment", "guid")
}

// why is the reason that the n-th member gives for its end; empty where it gives none.
func (w *world) why(id string, n int) string {
	w.t.Helper()
	reason, _ := at(w.must(200, "GET", paths+"/"+id, ""), "members", n, "reason").(string)
	return reason
}

// passes lets time go by.
func (w *world) passes(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// created counts the deployments of each app that were created as members.
func (w *world) created() map[string]int {
	w.t.Helper()
	n := map[string]int{}
	w.each(func(c events.Recorded, e events.Event) {
		if d, ok := e.(events.DeploymentCreated); ok && d.Group != "" {
			n[string(d.App)]++
		}
	})
	return n
}

// each reads the whole log.
func (w *world) each(fn func(events.Recorded, events.Event)) {
	w.t.Helper()
	w.try(w.log.Replay(w.t.Context(), eventlog.Query{}, func(c events.Recorded) error {
		for _, e := range c.Events {
			fn(c, e)
		}
		return nil
	}))
}

// types are those of the events of a group, in order.
func (w *world) types(id string) (all []events.Type) {
	w.t.Helper()
	w.each(func(c events.Recorded, e events.Event) {
		if c.Subject == events.GroupSubject(events.GroupID(id)) {
			all = append(all, e.Type())
		}
	})
	return all
}

func once(apps map[string]int) bool {
	return !slices.ContainsFunc(slices.Collect(maps.Values(apps)), func(n int) bool { return n != 1 })
}
