package chaos

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	aggregate "slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/client"
	"slipway/test/installation"
)

// The parts, in the order in which they are started. Two updaters: any number may run.
const (
	natsServer = installation.NATSServer
	projector  = "projector"
	api        = "api"
	updaterA   = "updater A"
	updaterB   = "updater B"
	agent      = "agent"
)

var parts = []string{natsServer, projector, api, updaterA, updaterB, agent}

// rate is the least load that counts, in requests a second.
const rate = 200

// inParts is an installation whose parts are processes of their own.
type inParts struct{ *installation.Installation }

// split starts every part as a process of its own, on free ports. The NATS server takes the settings of nats.conf.
func split(t *testing.T, data string) inParts {
	t.Helper()
	i := inParts{installation.New(t, data)}
	for _, part := range parts {
		i.start(t, part)
	}
	return i
}

// start starts a part, at the address that it had before if it had one.
func (i inParts) start(t *testing.T, part string) {
	t.Helper()
	said := func(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }
	switch part {
	case natsServer:
		i.StartNATS(t)
	case projector:
		i.Parts[part] = installation.Spawn(t, said("projector works on"), projector, "--nats", i.NATS, "--auth", i.Auth(), "--db", i.Views())
	case api:
		ready := said(`api listens on (\S+)\n`)
		i.Parts[part] = installation.Spawn(t, ready, api, "--nats", i.NATS, "--auth", i.Auth(), "--db", i.Views(), "--http", installation.ListenAt(i.API))
		i.API = i.Parts[part].Says(t, ready)
	case updaterA, updaterB:
		i.Parts[part] = installation.Spawn(t, said("updater works on"), "updater", "--nats", i.NATS, "--auth", i.Auth(), "--db", i.Views())
	case agent:
		ready := said(`agent routes apps on (\S+)\n`)
		i.Parts[part] = installation.Spawn(t, ready, agent, "--nats", i.NATS, "--auth", i.Auth(), "--apps", installation.ListenAt(i.Apps), "--data", i.Agent())
		i.Apps = i.Parts[part].Says(t, ready)
	}
}

// TestSplit runs every part as a process of its own, as in production, and kills each in mid-rollout. Only the agent carries
// traffic: with any other part gone, no request fails.
func TestSplit(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	random := seeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const instances = 4
	i := split(t, t.TempDir())
	app, droplets := i.Upload(ctx, t, 100*time.Millisecond, 2)
	i.DeployFirst(ctx, t, app, droplets[0], instances)

	version := 0
	rollout := func(kill string) {
		version++
		deployment := i.Deploy(ctx, t, app, droplets[version%len(droplets)], nil)
		if kill != "" {
			i.killMidway(ctx, t, deployment, kill, 1+random.IntN(instances-1))
		}
		i.Deployed(ctx, t, deployment)
	}
	result := i.UnderLoad(ctx, t, installation.AppName, func() {
		for _, part := range []string{"", updaterA, updaterB, projector, api, natsServer} {
			rollout(part)
		}
	})
	is.Equal(result.Faults, nil) // no request failed, whatever was killed
	is.True(result.Rate >= rate) // and there were enough of them
	rollout(agent)
	i.durableDoor(ctx, t, app, droplets[0], instances+1)
	i.readsWhatItWrote(ctx, t)

	for _, part := range i.Parts {
		is.True(part.Runs()) // whatever was killed, the others went on
	}
	i.WaitRoutable(ctx, t, app, instances+1)
	i.NoOrphans(ctx, t, instances+1)
	i.Sound(ctx, t)
	for n := range parts {
		i.Parts[parts[len(parts)-1-n]].Stop(t) // last things first
	}
	i.NoOrphans(ctx, t, 0)
}

// killMidway kills a part when so many new instances of the rollout run, and starts it again.
func (i inParts) killMidway(ctx context.Context, t *testing.T, deployment, part string, after int) {
	t.Helper()
	up := map[string]bool{} // by event id: a watch that breaks begins anew
	i.Watch(ctx, t, deployment, func(e client.Event) bool {
		if e.Type == "instance.running" {
			up[e.ID] = true
		}
		return len(up) >= after
	})
	i.Parts[part].Kill()
	t.Logf("killed %s with %d new instances up", part, after)
	i.start(t, part)
}

// durableDoor leaves commands at the door while no api is up. They must be carried out, in order and once, when one is.
func (i inParts) durableDoor(ctx context.Context, t *testing.T, app, droplet string, instances int) {
	t.Helper()
	is := is.New(t)
	before := i.deployments(ctx, t)
	i.Parts[api].Kill()
	nc, err := nats.Connect(i.NATS, nats.UserInfo(auth.AdminUser, installation.AdminPassword))
	is.NoErr(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	is.NoErr(err)
	id := events.CommandID(events.NewID())
	for _, order := range []struct{ subject, id, body string }{
		{"commands.process.scale", events.NewID(), fmt.Sprintf(`{"app":%q,"type":"web","instances":%d}`, app, instances)},
		{"commands.deployment.create", string(id), fmt.Sprintf(`{"app":%q,"droplet":%q}`, app, droplet)},
		{"commands.deployment.create", string(id), fmt.Sprintf(`{"app":%q,"droplet":%q}`, app, droplet)}, // sent again
	} {
		_, err := js.Publish(ctx, order.subject, []byte(order.body), jetstream.WithMsgID(order.id))
		is.NoErr(err) // accepted although nobody is there to carry it out
	}
	i.start(t, api)
	deployment := aggregate.CreateDeployment{ID: id}.DeploymentID()
	i.Deployed(ctx, t, string(deployment))
	is.Equal(i.deployments(ctx, t), before+1) // one deployment, although its command came twice
}

// deployments counts all deployments.
func (i inParts) deployments(ctx context.Context, t *testing.T) int {
	t.Helper()
	var list struct {
		Pagination struct {
			Total int `json:"total_results"`
		} `json:"pagination"`
	}
	is.New(t).NoErr(i.Client().Call(ctx, http.MethodGet, "/v3/deployments", nil, &list))
	return list.Pagination.Total
}

// readsWhatItWrote creates apps and looks at each at once: the api learns from the projector's process that it may answer.
func (i inParts) readsWhatItWrote(ctx context.Context, t *testing.T) {
	t.Helper()
	is := is.New(t)
	const writes = 30
	began := time.Now()
	for n := range writes {
		name := fmt.Sprintf("written-%d", n)
		guid, err := i.Client().App(ctx, name) // looks for the name, then creates it
		is.NoErr(err)
		found, err := i.Client().App(ctx, name)
		is.NoErr(err)
		is.Equal(found, guid) // the list shows what was created a moment ago
		is.NoErr(i.Client().SetEnvironment(ctx, guid, map[string]string{"KEY": name}))
		var environment struct {
			Var map[string]string `json:"var"`
		}
		is.NoErr(i.Client().Call(ctx, http.MethodGet, "/v3/apps/"+guid+"/environment_variables", nil, &environment))
		is.Equal(environment.Var["KEY"], name) // and so does the resource
	}
	t.Logf("a write and the read after it take %v", time.Since(began)/(2*writes))
}
