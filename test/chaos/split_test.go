package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	aggregate "slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/client"
	"slipway/internal/demo"
)

// The parts, in the order in which they are started. Two updaters: any number may run.
const (
	natsServer = "nats-server"
	projector  = "projector"
	api        = "api"
	updaterA   = "updater A"
	updaterB   = "updater B"
	agent      = "agent"
)

var parts = []string{natsServer, projector, api, updaterA, updaterB, agent}

// rate is the least load that counts, in requests a second.
const rate = 200

// split starts every part as a process of its own, on free ports. nats-server takes the settings of nats.conf.
func split(t *testing.T, data string) *installation {
	t.Helper()
	leavesNoInstances(t, filepath.Join(data, "agent"))
	i := &installation{data: data, parts: map[string]*process{}}
	for _, part := range parts {
		i.start(t, part)
	}
	return i
}

// start starts a part, at the address that it had before if it had one.
func (i *installation) start(t *testing.T, part string) {
	t.Helper()
	said := func(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }
	switch part {
	case natsServer:
		ready, address := said("Server is ready"), said(`Listening for client connections on (\S+)`)
		i.parts[part] = spawn(t, ready, natsServer, "-c", natsConf(t, i.data, i.nats))
		i.nats = "nats://" + i.parts[part].says(t, address)
	case projector:
		i.parts[part] = spawn(t, said("projector works on"), projector, "--nats", i.nats, "--db", i.views())
	case api:
		ready := said(`api listens on (\S+)\n`)
		i.parts[part] = spawn(t, ready, api, "--nats", i.nats, "--db", i.views(), "--http", listenAt(i.api))
		i.api = i.parts[part].says(t, ready)
	case updaterA, updaterB:
		i.parts[part] = spawn(t, said("updater works on"), "updater", "--nats", i.nats)
	case agent:
		ready := said(`agent routes apps on (\S+)\n`)
		i.parts[part] = spawn(t, ready, agent, "--nats", i.nats, "--apps", listenAt(i.apps), "--data", i.agent())
		i.apps = i.parts[part].says(t, ready)
	}
}

// listenAt is where to listen to be found at a URL; on any port where there is none yet.
func listenAt(url string) string {
	if url == "" {
		return freePort
	}
	return regexp.MustCompile(`^\w+://`).ReplaceAllString(url, "")
}

// natsConf writes a copy of nats.conf with another directory and other ports: all else is as a user has it.
func natsConf(t *testing.T, data, url string) (file string) {
	t.Helper()
	is := is.New(t)
	text, err := os.ReadFile("../../nats.conf")
	is.NoErr(err)
	address := listenAt(url)
	if url == "" {
		address = "127.0.0.1:-1" // how nats-server says: any
	}
	for line, other := range map[string]string{
		`(?m)^listen: .*$`:        "listen: " + address,
		`(?m)^http: .*$`:          "http: 127.0.0.1:-1",
		`(?m)^(\s*)store_dir: .*`: fmt.Sprintf("${1}store_dir: %q", filepath.Join(data, "nats")),
	} {
		pattern := regexp.MustCompile(line)
		is.True(pattern.Match(text)) // nats.conf has the line that is replaced
		text = pattern.ReplaceAll(text, []byte(other))
	}
	file = filepath.Join(data, "nats.conf")
	is.NoErr(os.WriteFile(file, text, 0o600))
	return file
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
	app, droplets := i.upload(ctx, t, 100*time.Millisecond, 2)
	i.deployFirst(ctx, t, app, droplets[0], instances)

	version := 0
	rollout := func(kill string) {
		version++
		deployment := i.deploy(ctx, t, app, droplets[version%len(droplets)], nil)
		if kill != "" {
			i.killMidway(ctx, t, deployment, kill, 1+random.IntN(instances-1))
		}
		i.deployed(ctx, t, deployment)
	}
	result := i.underLoad(ctx, t, func() {
		for _, part := range []string{"", updaterA, updaterB, projector, api, natsServer} {
			rollout(part)
		}
	})
	t.Logf("%d requests, %.0f a second, %d failed", result.Sent, result.Rate, result.Failed)
	is.Equal(result.Faults, nil) // no request failed, whatever was killed
	is.True(result.Rate >= rate) // and there were enough of them
	rollout(agent)
	i.durableDoor(ctx, t, app, droplets[0], instances+1)
	i.readsWhatItWrote(ctx, t)

	for _, part := range i.parts {
		is.True(part.runs()) // whatever was killed, the others went on
	}
	i.waitRoutable(ctx, t, app, instances+1)
	i.noOrphans(ctx, t, instances+1)
	i.sound(ctx, t)
	for n := range parts {
		i.parts[parts[len(parts)-1-n]].stop(t) // last things first
	}
	i.noOrphans(ctx, t, 0)
}

// killMidway kills a part when so many new instances of the rollout run, and starts it again.
func (i *installation) killMidway(ctx context.Context, t *testing.T, deployment, part string, after int) {
	t.Helper()
	up := map[string]bool{} // by event id: a watch that breaks begins anew
	i.watch(ctx, t, deployment, func(e client.Event) bool {
		if e.Type == "instance.running" {
			up[e.ID] = true
		}
		return len(up) >= after
	})
	i.parts[part].kill()
	t.Logf("killed %s with %d new instances up", part, after)
	i.start(t, part)
}

// underLoad does something while requests go through the router.
func (i *installation) underLoad(ctx context.Context, t *testing.T, do func()) demo.Result {
	t.Helper()
	load := &demo.Load{URL: i.apps, Host: appName + ".localhost"}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		load.Run(ctx)
	}()
	defer func() { stop(); <-ended }() // also where do ends the test
	do()
	stop()
	<-ended
	return load.Result()
}

// durableDoor leaves commands at the door while no api is up. They must be carried out, in order and once, when one is.
func (i *installation) durableDoor(ctx context.Context, t *testing.T, app, droplet string, instances int) {
	t.Helper()
	is := is.New(t)
	before := i.deployments(ctx, t)
	i.parts[api].kill()
	nc, err := nats.Connect(i.nats)
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
	i.deployed(ctx, t, string(deployment))
	is.Equal(i.deployments(ctx, t), before+1) // one deployment, although its command came twice
}

// deployments counts all deployments.
func (i *installation) deployments(ctx context.Context, t *testing.T) int {
	t.Helper()
	var list struct {
		Pagination struct {
			Total int `json:"total_results"`
		} `json:"pagination"`
	}
	is.New(t).NoErr(i.client().Call(ctx, http.MethodGet, "/v3/deployments", nil, &list))
	return list.Pagination.Total
}

// readsWhatItWrote creates apps and looks at each at once: the api learns from the projector's process that it may answer.
func (i *installation) readsWhatItWrote(ctx context.Context, t *testing.T) {
	t.Helper()
	is := is.New(t)
	const writes = 30
	began := time.Now()
	for n := range writes {
		name := fmt.Sprintf("written-%d", n)
		guid, err := i.client().App(ctx, name) // looks for the name, then creates it
		is.NoErr(err)
		found, err := i.client().App(ctx, name)
		is.NoErr(err)
		is.Equal(found, guid) // the list shows what was created a moment ago
		is.NoErr(i.client().SetEnvironment(ctx, guid, map[string]string{"KEY": name}))
		var environment struct {
			Var map[string]string `json:"var"`
		}
		is.NoErr(i.client().Call(ctx, http.MethodGet, "/v3/apps/"+guid+"/environment_variables", nil, &environment))
		is.Equal(environment.Var["KEY"], name) // and so does the resource
	}
	t.Logf("a write and the read after it take %v", time.Since(began)/(2*writes))
}
