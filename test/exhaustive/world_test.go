package exhaustive

import (
	"fmt"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
)

// appID is the app that everything happens to; its first web process has this id, too.
const appID = events.AppID("app")

// epoch is when a scope begins.
var epoch = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// budget is how often each kind of thing may still happen, of those that are bounded.
type budget [kinds]uint8

// world is everything there is at one moment. It is a value: what changes one works on a copy.
type world struct {
	state app.State
	now   time.Time
	procs []proc // web processes, in order of creation; of deleted ones nothing can matter any more
	left  budget

	halts  halt.State
	freeze freeze
	ledger ledger
}

func (w *world) copy() *world {
	c := *w
	c.procs = slices.Clone(w.procs)
	return &c
}

// begin is the world of a scope just after its first deployment was created: the app's instances run and are reported so.
func begin(sc *scope) (*world, error) {
	w := &world{now: epoch, left: sc.left, ledger: ledger{serving: -1}}
	decided, err := app.CreateApp(w.state, app.Create{ID: appID, Name: "hello", Space: "default"})
	if err != nil {
		return nil, err
	}
	w.fold(decided)
	first := app.CreateDeployment{ID: commandOf(1), Droplet: droplet(1), Options: events.DeploymentOptions{WebInstances: &sc.instances}}
	if decided, err = app.DeployApp(w.state, first); err != nil {
		return nil, err
	}
	w.fold(decided)
	w.sync()
	for i := range sc.instances {
		p := &w.procs[0]
		p.log(w.now)
		p.up(i)
		p.log(w.now)
	}
	for w.procs[0].log(w.now) {
	}
	w.now = w.now.Add(time.Hour)
	w.ledger.fates[0].stage, w.ledger.fates[1].robot = over, sc.first.Automation
	if decided, err = app.DeployApp(w.state, sc.request(w, 2)); err != nil {
		return nil, err
	}
	return w, w.commit(decided, action{kind: deploys})
}

func (w *world) fold(decided []events.Event) {
	for _, e := range decided {
		w.state = app.Evolve(w.state, e)
	}
}

func droplet(n int) *app.Droplet {
	return &app.Droplet{
		ID: events.DropletID(fmt.Sprintf("droplet-%d", n)), App: appID, Staged: true, ProcessTypes: map[string]string{"web": "./web"},
	}
}

// seen is what the log says of the instances.
func (w *world) seen() app.Instances {
	all := make(app.Instances, len(w.procs))
	for _, p := range w.procs {
		all[p.id] = p.seen
	}
	return all
}

func (w *world) proc(id events.ProcessID) *proc {
	i := slices.IndexFunc(w.procs, func(p proc) bool { return p.id == id })
	if i < 0 {
		return nil
	}
	return &w.procs[i]
}
