package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/api/apitest"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/internal/resource"
	"slipway/projections"
	"slipway/projections/storetest"
)

// table is what each command is answered, by who asks: x it is let through, . forbidden (403), - as if the thing did not exist.
// All are about things of the space prod, where the roles are.
const table = `
                          developer supporter auditor manager org_manager org_auditor foreign admin read_only reader
app.create                x         .         .       .       .           -           -       x     .         .
app.start                 x         x         .       .       .           -           -       x     .         .
app.stop                  x         x         .       .       .           -           -       x     .         .
app.restart               x         x         .       .       .           -           -       x     .         .
app.delete                x         .         .       .       .           -           -       x     .         .
app.update                x         .         .       .       .           -           -       x     .         .
app.set-environment       x         x         .       .       .           -           -       x     .         .
app.set-feature           x         .         .       .       .           -           -       x     .         .
app.assign-droplet        x         x         .       .       .           -           -       x     .         .
app.signal                x         x         .       .       .           -           -       x     .         .
droplet.create            x         .         .       .       .           -           -       x     .         .
package.create            x         .         .       .       .           -           -       x     .         .
build.create              x         x         .       .       .           -           -       x     .         .
process.create            x         .         .       .       .           -           -       x     .         .
process.scale             x         x         .       .       .           -           -       x     .         .
process.update            x         x         .       .       .           -           -       x     .         .
deployment.create         x         x         -       -       -           -           -       x     .         .
deployment.continue       x         x         -       -       -           -           -       x     .         .
deployment.cancel         x         x         -       -       -           -           -       x     .         .
deployment.rollback       x         x         .       .       .           -           -       x     .         .
deployment.update         x         .         .       .       .           -           -       x     .         .
deployment.approve        x         x         x       x       x           -           -       x     .         .
deployment.deny           x         x         x       x       x           -           -       x     .         .
deployment.start          x         x         .       .       .           -           -       x     .         .
policy.create             .         .         .       x       x           -           -       x     .         .
policy.update             .         .         .       x       x           -           -       x     .         .
policy.delete             .         .         .       x       x           -           -       x     .         .
halt.declare              .         .         .       x       x           -           -       x     .         .
halt.update               .         .         .       x       x           -           -       x     .         .
halt.lift                 .         .         .       x       x           -           -       x     .         .
version.reject            x         x         .       .       .           -           -       x     .         .
version.accept            x         x         .       .       .           -           -       x     .         .
app.release-automation    x         x         .       .       .           -           -       x     .         .
group.create              x         x         -       -       -           -           -       x     .         .
group.continue            x         x         .       .       .           -           -       x     .         .
group.finalize            x         x         .       .       .           -           -       x     .         .
group.cancel              x         x         .       .       .           -           -       x     .         .
group.rollback            x         x         .       .       .           -           -       x     .         .
group.update              x         .         .       .       .           -           -       x     .         .
organization.create       .         .         .       .       .           .           .       x     .         .
organization.update       .         .         .       .       x           .           -       x     .         .
organization.delete       .         .         .       .       .           .           -       x     .         .
space.create              .         .         .       .       x           .           -       x     .         .
space.update              .         .         .       x       x           -           -       x     .         .
space.delete              .         .         .       .       x           -           -       x     .         .
quota.create              .         .         .       .       x           .           -       x     .         .
quota.update              .         .         .       .       .           .           -       x     .         .
quota.apply               .         .         .       .       x           .           -       x     .         .
quota.remove              .         .         .       .       x           .           -       x     .         .
quota.delete              .         .         .       .       x           .           -       x     .         .
domain.create             .         .         .       .       x           .           -       x     .         .
route.create              x         x         .       .       .           -           -       x     .         .
route.update              x         x         .       .       .           -           -       x     .         .
route.set-destinations    x         x         .       .       .           -           -       x     .         .
route.add-destinations    x         x         .       .       .           -           -       x     .         .
route.remove-destination  x         x         .       .       .           -           -       x     .         .
route.delete              x         x         .       .       .           -           -       x     .         .
strategy.create           x         .         .       .       .           .           x       x     .         .
strategy.update           x         .         .       .       .           .           x       x     .         .
strategy.delete           x         .         .       .       .           .           x       x     .         .
subscription.create       x         .         .       .       .           -           -       x     .         .
subscription.update       x         .         .       .       .           -           -       x     .         .
subscription.rotate-secret x        .         .       .       .           -           -       x     .         .
subscription.test         x         .         .       .       .           -           -       x     .         .
subscription.delete       x         .         .       .       .           -           -       x     .         .
`

var callers = map[string]auth.Identity{
	"developer":   in(auth.SpaceDeveloper),
	"supporter":   in(auth.SpaceSupporter),
	"auditor":     in(auth.SpaceAuditor),
	"manager":     in(auth.SpaceManager),
	"org_manager": {Scopes: ordinary, Grants: []auth.Grant{{Role: auth.OrgManager, Organization: "acme"}}},
	"org_auditor": {Scopes: ordinary, Grants: []auth.Grant{{Role: auth.OrgAuditor, Organization: "acme"}}},
	"foreign":     {Scopes: ordinary, Grants: []auth.Grant{{Role: auth.SpaceDeveloper, Organization: "umbrella", Space: "*"}}},
	"admin":       {Scopes: auth.Scopes{auth.ScopeAdmin}},
	"read_only":   {Scopes: auth.Scopes{auth.ScopeAdminReadOnly}},
	"reader":      {Scopes: auth.Scopes{auth.ScopeRead}, Grants: in(auth.SpaceDeveloper).Grants},
}

var ordinary = auth.Scopes{auth.ScopeRead, auth.ScopeWrite}

func in(role auth.Role) auth.Identity {
	return auth.Identity{Scopes: ordinary, Grants: []auth.Grant{{Role: role, Organization: "acme", Space: "prod"}}}
}

// world is a handler, and a gate over the read models of its log.
type world struct {
	t       testing.TB
	log     *eventlog.Memory
	store   *projections.Store
	handler *commands.Handler
	gate    *access.Gate
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := storetest.Open(t)
	w := &world{t: t, log: eventlog.NewMemory(events.NewRegistry()), store: store}
	finder := resource.Finder{Reader: resource.Reader{Store: store, Patience: 20 * time.Second}, Log: w.log}
	w.handler = commands.NewHandler(w.log, nil, finder, commandstest.NewBits(), slog.New(slog.DiscardHandler))
	w.gate = access.New(finder)
	apitest.Run(t, (&projector.Runner{Log: w.log, Store: store, Logger: slog.New(slog.DiscardHandler)}).Run)
	return w
}

func (w *world) handle(c commands.Command) (commands.Result, error) {
	return w.handler.Handle(w.t.Context(), c, commands.Caller{CommandID: events.CommandID(events.NewID()), Actor: "tester", Door: "test"})
}

func (w *world) must(c commands.Command) string {
	w.t.Helper()
	result, err := w.handle(c)
	if err != nil {
		w.t.Fatalf("given %s: %v", c.Name(), err)
	}
	return result.ID
}

// things are ids that commands are about.
type things struct{ org, space, app, droplet, pkg, process, deployment, orgQuota, spaceQuota, route, halt, policy, subscription, group string }

// prod makes a space with something of everything.
func (w *world) prod() (th things) {
	w.t.Helper()
	th.org = w.must(commands.CreateOrganization{Called: "acme"})
	th.space = w.must(commands.CreateSpace{Organization: events.OrganizationID(th.org), Called: "prod"})
	th.app = w.must(commands.CreateApp{AppName: "hello", Space: events.SpaceID(th.space), NoRoute: true})
	th.droplet = w.must(commands.CreateDroplet{App: events.AppID(th.app), ProcessTypes: map[string]string{"web": "./web"}})
	_, err := w.handler.UploadDroplet(w.t.Context(), events.DropletID(th.droplet), strings.NewReader("bits"),
		commands.Caller{CommandID: events.CommandID(events.NewID()), Actor: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	th.pkg = w.must(commands.CreatePackage{App: events.AppID(th.app), Type: "docker", Image: "i"})
	th.deployment = w.must(commands.CreateDeployment{App: events.AppID(th.app), Droplet: events.DropletID(th.droplet)})
	th.process = w.must(commands.ScaleProcess{App: events.AppID(th.app), Type: "web", Instances: new(2)})
	th.orgQuota = w.must(commands.CreateQuota{Called: "large", Organizations: []events.OrganizationID{events.OrganizationID(th.org)}})
	th.spaceQuota = w.must(commands.CreateQuota{
		Called: "small", Organization: events.OrganizationID(th.org), Spaces: []events.SpaceID{events.SpaceID(th.space)},
	})
	th.route = w.must(commands.CreateRoute{Space: events.SpaceID(th.space), Domain: events.DefaultDomain, Host: "hello"})
	th.group = w.must(commands.CreateGroup{Members: []commands.Member{{CreateDeployment: commands.CreateDeployment{App: events.AppID(th.app)}}}})
	th.policy = w.must(commands.CreatePolicy{Space: events.SpaceID(th.space), Called: "none", Rule: allowing})
	th.halt = w.must(commands.DeclareHalt{Space: events.SpaceID(th.space), Reason: "incident"})
	th.subscription = w.must(commands.CreateSubscription{
		Called: "chat", Space: events.SpaceID(th.space), URL: "https://hooks.test", Types: []string{"*"},
	})
	return th
}

// allowing is a rule that holds nothing back.
var allowing = events.PolicyRule{Outcome: events.OutcomeAllow}

// unknown are ids of nothing.
var unknown = things{"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n8", "n9", "n10", "n11", "n12", "n13"}

// requests has a command of each name about things.
func (th things) requests() map[string]commands.Command {
	org, space, app, route := events.OrganizationID(th.org), events.SpaceID(th.space), events.AppID(th.app), events.RouteID(th.route)
	quota, deployment := events.QuotaID(th.spaceQuota), events.DeploymentID(th.deployment)
	subscription := events.SubscriptionID(th.subscription)
	to := []commands.Destination{{App: app}}
	group, members := events.GroupID(th.group), []commands.Member{{CreateDeployment: commands.CreateDeployment{App: app}}}
	byName := map[string]commands.Command{}
	for _, c := range []commands.Command{
		commands.CreateApp{AppName: "new", Space: space}, commands.StartApp{App: app}, commands.StopApp{App: app},
		commands.RestartApp{App: app}, commands.DeleteApp{App: app}, commands.UpdateApp{App: app},
		commands.SetEnvironment{App: app, Var: map[string]*string{}}, commands.SetFeature{App: app, Feature: "revisions"},
		commands.AssignDroplet{App: app, Droplet: events.DropletID(th.droplet)}, commands.CreateDroplet{App: app},
		commands.SignalApp{App: app, Called: "a", Firing: new(true)}, commands.CreatePackage{App: app, Type: "bits"}, commands.CreateBuild{Package: events.PackageID(th.pkg)},
		commands.CreateProcess{App: app, Type: "worker"}, commands.ScaleProcess{Process: events.ProcessID(th.process), Instances: new(3)},
		commands.UpdateProcess{Process: events.ProcessID(th.process)}, commands.CreateDeployment{App: app},
		commands.ContinueDeployment{Deployment: deployment}, commands.CancelDeployment{Deployment: deployment},
		commands.RollBackDeployment{Deployment: deployment}, commands.ApproveDeployment{Deployment: deployment},
		commands.DenyDeployment{Deployment: deployment}, commands.StartDeployment{Deployment: deployment},
		commands.DeclareHalt{Space: space, Reason: "incident"}, commands.LiftHalt{Halt: events.HaltID(th.halt)},
		commands.UpdateHalt{Halt: events.HaltID(th.halt)},
		commands.RejectVersion{Droplet: events.DropletID(th.droplet), Reason: "leaks"}, commands.AcceptVersion{Droplet: events.DropletID(th.droplet)},
		commands.ReleaseAutomation{App: app}, commands.CreatePolicy{Space: space, Called: "new", Rule: allowing},
		commands.UpdatePolicy{Policy: events.PolicyID(th.policy)}, commands.DeletePolicy{Policy: events.PolicyID(th.policy)},
		commands.UpdateDeployment{Deployment: deployment}, commands.CreateOrganization{Called: "other"},
		commands.UpdateOrganization{Organization: org}, commands.DeleteOrganization{Organization: org},
		commands.CreateSpace{Organization: org, Called: "dev"}, commands.UpdateSpace{Space: space}, commands.DeleteSpace{Space: space},
		commands.CreateQuota{Organization: org, Called: "q"}, commands.UpdateQuota{Quota: events.QuotaID(th.orgQuota)},
		commands.ApplyQuota{Quota: quota, Spaces: []events.SpaceID{space}}, commands.RemoveQuota{Quota: quota, Space: space},
		commands.DeleteQuota{Quota: quota}, commands.CreateDomain{Organization: org, Called: "acme.test"},
		commands.CreateRoute{Space: space, Host: "x"}, commands.UpdateRoute{Route: route},
		commands.SetDestinations{Route: route, Destinations: to}, commands.AddDestinations{Route: route, Destinations: to},
		commands.RemoveDestination{Route: route, Destination: "d"}, commands.DeleteRoute{Route: route},
		commands.CreateGroup{Members: members}, commands.UpdateGroup{Group: group}, commands.ContinueGroup{Group: group},
		commands.FinalizeGroup{Group: group}, commands.CancelGroup{Group: group}, commands.RollBackGroup{Group: group},
		commands.CreateStrategy{}, commands.UpdateStrategy{Strategy: "1225qzk"}, commands.DeleteStrategy{Strategy: "1225qzk"},
		commands.CreateSubscription{Called: "chat", Space: space, URL: "https://hooks.test", Types: []string{"deployment.*"}},
		commands.UpdateSubscription{Subscription: subscription}, commands.RotateSubscription{Subscription: subscription},
		commands.TestSubscription{Subscription: subscription}, commands.DeleteSubscription{Subscription: subscription},
	} {
		byName[c.Name()] = c
	}
	return byName
}

// TestEveryCommandByEveryRole holds the table against the catalogue. A new command that is not in both fails.
func TestEveryCommandByEveryRole(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	there, absent := w.prod().requests(), unknown.requests()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	heads, rows := strings.Fields(lines[0]), map[string][]string{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		rows[fields[0]] = fields[1:]
	}
	is.Equal(len(rows), len(commands.Names())) // no line too many
	for _, name := range commands.Names() {
		row, c := rows[name], there[name]
		if c == nil || len(row) != len(heads) {
			t.Errorf("%s: say here who may send it, and in package access what it needs", name)
			continue
		}
		for n, head := range heads {
			t.Run(name+" by "+head, func(t *testing.T) {
				is := is.New(t)
				err := w.gate.Allow(t.Context(), callers[head], c)
				switch row[n] {
				case "x":
					is.NoErr(err)
				case ".":
					is.True(errors.Is(err, auth.ErrScope)) // forbidden
				default:
					is.Equal(text(err, c), text(w.gate.Allow(t.Context(), callers[head], absent[name]), absent[name])) // as of none
					if _, refused := w.handle(absent[name]); name != "route.delete" {                                  // which is done where there is none
						is.Equal(text(err, c), text(refused, absent[name])) // in the handler's words
					}
				}
			})
		}
	}
}

// TestOpenings: whom the gate is said to let through is whom it lets through.
func TestOpenings(t *testing.T) {
	w := newWorld(t)
	people := map[auth.Role]string{
		auth.SpaceDeveloper: "developer", auth.SpaceSupporter: "supporter", auth.SpaceAuditor: "auditor", auth.SpaceManager: "manager",
		auth.OrgManager: "org_manager", auth.OrgAuditor: "org_auditor",
	}
	for name, c := range w.prod().requests() {
		if strings.HasPrefix(name, "quota.") { // whose places are several
			continue
		}
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			openings, err := access.OfCommand(c)
			is.NoErr(err)
			is.Equal(openings[0].Where, access.InSpace)
			is.Equal(openings[0].Global, []string{auth.ScopeAdmin}) // who may only read everything may send nothing
			for role, who := range people {
				is.Equal(slices.Contains(openings[0].Roles, role), w.gate.Allow(t.Context(), callers[who], c) == nil)
			}
		})
	}
	is := is.New(t)
	openings, err := access.OfCommand(commands.DeclareHalt{})
	is.NoErr(err)
	is.Equal(openings[1].Roles, []auth.Role{auth.OrgManager}) // of an organization
	is.Equal(len(openings[2].Roles), 0)                       // of everything
	read, err := access.OfReading(auth.ReadSecrets)
	is.NoErr(err)
	is.Equal(read, access.Opening{
		Where: access.InSpace, Scopes: auth.Scopes{auth.ScopeRead}, Roles: []auth.Role{auth.SpaceDeveloper},
		Global: []string{auth.ScopeAdmin, auth.ScopeAdminReadOnly},
	})
	_, err = access.OfCommand(command{})
	is.True(err != nil) // one that nothing is written of is open to nobody
}

// text is what a command is answered, without the ids it names.
func text(err error, c commands.Command) string {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		return fmt.Sprintf("no refusal: %v", err)
	}
	said := rejected.Message
	for _, word := range strings.FieldsFunc(fmt.Sprintf("%v", c), func(r rune) bool { return strings.ContainsRune("{}[] ", r) }) {
		said = strings.ReplaceAll(said, "'"+word+"'", "'ID'")
		said = strings.ReplaceAll(said, `"`+word+`"`, `"ID"`)
	}
	return string(rejected.Code) + " " + said
}

// TestAsIfItWereNotThere: about unknown things everybody hears the same, but for who may do it everywhere: those hear it of
// the handler.
func TestAsIfItWereNotThere(t *testing.T) {
	w := newWorld(t)
	w.prod()
	for name, c := range unknown.requests() {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.NoErr(w.gate.Allow(t.Context(), callers["admin"], c))
			is.True(w.gate.Allow(t.Context(), auth.Identity{}, c) != nil) // nobody
			if strings.HasPrefix(name, "strategy.") {
				return // everybody may know of strategies
			}
			is.True(w.gate.Allow(t.Context(), callers["developer"], c) != nil)
		})
	}
}

// command is one that is in no catalogue.
type command struct{}

func (command) Name() string { return "moon.land" }

func TestClosedByDefault(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	err := w.gate.Allow(t.Context(), callers["admin"], command{})
	is.True(err != nil && !errors.Is(err, auth.ErrScope)) // a fault of ours, not of the caller's
}

// TestDestinations: a route leads to no app that the caller may not know of.
func TestDestinations(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	th := w.prod()
	foreign := w.must(commands.CreateApp{AppName: "secret"}) // in the default space
	add := commands.AddDestinations{Route: events.RouteID(th.route), Destinations: []commands.Destination{{App: events.AppID(foreign)}}}
	err := w.gate.Allow(t.Context(), callers["developer"], add)
	is.Equal(err.Error(), fmt.Sprintf("App(s) with guid(s) %q do not exist or you do not have access.", foreign))
}

// TestDeletedThings: whoever could delete a thing may ask again after its end.
func TestDeletedThings(t *testing.T) {
	w := newWorld(t)
	th := w.prod()
	w.must(commands.DeleteApp{App: events.AppID(th.app)})
	t.Run("an app", func(t *testing.T) {
		is := is.New(t)
		again := commands.DeleteApp{App: events.AppID(th.app)}
		is.NoErr(w.gate.Allow(t.Context(), callers["developer"], again))
		is.Equal(w.gate.Allow(t.Context(), callers["foreign"], again).Error(), "App not found")
	})
	t.Run("a deployment of it", func(t *testing.T) {
		is := is.New(t)
		cancel := commands.CancelDeployment{Deployment: events.DeploymentID(th.deployment)}
		is.NoErr(w.gate.Allow(t.Context(), callers["developer"], cancel))
		is.Equal(w.gate.Allow(t.Context(), callers["foreign"], cancel).Error(), "Deployment not found")
	})
	t.Run("a space", func(t *testing.T) {
		is := is.New(t)
		again := commands.DeleteSpace{Space: events.SpaceID(th.space)}
		w.must(again)
		is.NoErr(w.gate.Allow(t.Context(), callers["org_manager"], again))
		is.Equal(w.gate.Allow(t.Context(), callers["developer"], again).Error(), "Space not found") // its name has gone
		byGUID := auth.Identity{Scopes: ordinary, Grants: []auth.Grant{{Role: auth.SpaceDeveloper, Space: th.space}}}
		is.True(errors.Is(w.gate.Allow(t.Context(), byGUID, again), auth.ErrScope))
	})
}

// TestUploads: bits come without a command.
func TestUploads(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	th := w.prod()
	for _, d := range []access.Demand{
		access.UploadDroplet(events.DropletID(th.droplet)), access.UploadPackage(events.PackageID(th.pkg)), access.ApplyManifest(events.SpaceID(th.space)),
	} {
		is.NoErr(w.gate.Check(t.Context(), callers["developer"], d))
		is.True(errors.Is(w.gate.Check(t.Context(), callers["supporter"], d), auth.ErrScope))
		is.Equal(w.gate.Check(t.Context(), callers["foreign"], d), error(aggregates.NotFound(string(d.On.Kind))))
	}
}

// TestRenamedSpace: a grant by name holds where the name is now.
func TestRenamedSpace(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	th := w.prod()
	stop := commands.StopApp{App: events.AppID(th.app)}
	is.NoErr(w.gate.Allow(t.Context(), callers["developer"], stop))
	result, err := w.handle(commands.UpdateSpace{Space: events.SpaceID(th.space), Called: new("old")})
	is.NoErr(err)
	is.NoErr(w.store.Wait(t.Context(), result.Sequence))
	is.Equal(w.gate.Allow(t.Context(), callers["developer"], stop).Error(), "App not found")
}

// failing is a finder that has no read models.
type failing struct{}

func (failing) PlacesOf(context.Context, commands.Kind, string) ([]auth.Place, error) {
	return []auth.Place{{Organization: "o", OrganizationName: "acme", Space: "s", SpaceName: "prod"}}, io.ErrUnexpectedEOF
}

func (failing) OrganizationOfQuota(context.Context, events.QuotaID) (events.OrganizationID, error) {
	return "", io.ErrUnexpectedEOF
}

// TestFailedLookUp: who cannot be judged is not let through, and is told to ask again, not that nothing is there.
func TestFailedLookUp(t *testing.T) {
	gate := access.New(failing{})
	for name, c := range unknown.requests() {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			err := gate.Allow(t.Context(), callers["developer"], c)
			if strings.HasPrefix(name, "strategy.") {
				is.NoErr(err) // there is nothing to look up
				return
			}
			if name == "organization.create" {
				is.True(errors.Is(err, auth.ErrScope)) // there is nothing to look up
				return
			}
			is.True(errors.Is(err, io.ErrUnexpectedEOF))
		})
	}
}
