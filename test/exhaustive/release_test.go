package exhaustive

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/aggregates/halt"
	"slipway/events"
)

// present is the moment of all that happens in a release: nothing in it waits for a time.
var present = epoch.Add(time.Hour)

// part is a member of a release with its app.
type part struct {
	state   app.State
	seen    app.Instances
	handled []events.CommandID // commands that the app has carried out

	last  group.Sighting // how its deployment stood when the app last knew it
	known bool           // the app knows it, or did
	never bool           // it had not begun when the group was rolled back

	sum key // of all that, once it is known
}

// release is several apps rolled out as one group, with the process manager, the updater, agents and people. It is a value: what
// changes one works on a copy.
type release struct {
	group group.State
	parts []part
	look  group.Seen // what the process manager saw when it looked last; nil: it is about to look
	halts halt.State
	left  map[deed]int
}

// team is one configuration of a release.
type team struct {
	name  string
	size  size
	waves []int // of the members
	first []app.CreateDeployment
	left  map[deed]int
}

func (r *release) copy() *release {
	c := *r
	c.parts, c.left = slices.Clone(r.parts), map[deed]int{}
	for k, n := range r.left {
		c.left[k] = n
	}
	return &c
}

// assemble is the release just after it was asked for: each app runs its first version.
func assemble(t *team) (*release, error) {
	r, created := &release{left: t.left}, events.GroupCreated{Group: "g", By: people[0], At: present}
	for i, wave := range t.waves {
		w, err := begin(&scope{instances: 1, first: rolling})
		if err != nil {
			return nil, err
		}
		// The rollout that a scope begins with is not of this world: it is taken back at once.
		decided, err := app.CancelDeployment(w.state, app.Steer{Deployment: w.state.Deployment.ID(), By: people[0], Now: present})
		if err != nil {
			return nil, err
		}
		w.fold(decided)
		w.fold(app.Next(w.state, w.seen(), app.Quota{}, present))
		r.parts = append(r.parts, part{state: w.state, seen: w.seen()})
		r.parts[i].heal()
		m := events.GroupMember{App: events.AppID(fmt.Sprint("app", i)), AppName: "hello", Wave: wave}
		m.Command, m.Deployment = group.MemberIDs("release", i)
		created.Members = append(created.Members, m)
	}
	r.group = group.Evolve(group.State{}, created)
	return r, nil
}

// deed is a kind of thing that may happen in a release, what leads on first.
type deed uint8

const (
	updates deed = iota // the updater considers an app, and where nothing follows an agent has made its instances as they shall be
	looks
	settles
	acts // the process manager does what is due, and records it
	proceeds
	agrees
	letGo   // a halt is lifted
	killed  // the process manager does what is due, and dies before that is on record
	falters // what is due first cannot be done now, and it goes on with the next
	breaks  // a new instance crashes
	goesBack
	takesBack
	refuses
	standStill
	another // rollout of the same app
	deletes
	continueAll
	finalizeAll
	cancelAll
	rollBackAll
	deeds
)

var does = [...]string{
	"the updater considers app", "the process manager looks", "it records what follows", "it does what is due",
	"continue app", "approve app", "lift halt", "it does and dies after", "it cannot do what is due and does the next", "a new instance crashes of app", "roll back app", "cancel app", "deny app", "halt",
	"another rollout of app", "delete app", "continue all", "finalize all", "cancel all", "roll back all",
}

// move is one edge of the graph of releases.
type move struct {
	deed deed
	of   int
}

func (m move) String() string { return fmt.Sprint(does[m.deed], " ", m.of) }

// moves are all that might happen.
func (r *release) moves(do func(move) (more bool)) {
	for d := range deeds {
		n := 1
		switch d {
		case updates, proceeds, agrees, breaks, goesBack, takesBack, refuses, another, deletes:
			n = len(r.parts)
		}
		for i := range n {
			if !do(move{d, i}) {
				return
			}
		}
	}
}

// take does one thing. It gives nothing where that cannot happen, and an error where a law does not hold.
func (t *team) take(r *release, m move) (*release, error) {
	next := r.copy()
	if m.deed > letGo {
		if next.left[m.deed] == 0 {
			return nil, nil
		}
		next.left[m.deed]--
	}
	happened, err := t.do(next, m)
	if err != nil || !happened {
		return nil, err
	}
	return next, next.holds(r)
}

func (t *team) do(r *release, m move) (bool, error) {
	switch m.deed {
	case updates:
		moved, err := r.update(m.of)
		if !moved && err == nil && r.parts[m.of].heal() {
			_, err = r.update(m.of)
			moved = true
		}
		return moved, err
	case looks:
		return r.looks(), nil
	case settles:
		return r.settle()
	case acts, killed, falters:
		return t.act(r, m)
	case letGo:
		if len(r.halts.Halts) == 0 {
			return false, nil
		}
		r.halts = halt.State{}
		return true, nil
	case standStill:
		decided, err := halt.Declare(r.halts, halt.Declaration{Halt: "h", Reason: "incident", By: people[2], Now: present})
		for _, e := range decided {
			r.halts = halt.Evolve(r.halts, e)
		}
		return err == nil, err
	case breaks:
		return r.parts[m.of].crash(), nil
	case continueAll, finalizeAll, cancelAll, rollBackAll:
		return r.direct(m.deed)
	}
	return r.person(m)
}

// heal makes the instances as they shall be.
func (p *part) heal() bool {
	was := p.seen
	p.seen = app.Instances{}
	for _, desired := range p.state.Webs() {
		all := app.ProcessInstances{}
		for i := range desired.Instances {
			at, known := was[desired.ID][i]
			if stays := known && at.Generation == desired.Generation && !slices.Contains(desired.Leaving, at.ID); !stays {
				at = app.Instance{ID: unused(desired, i), Generation: desired.Generation, StartedAt: present, Falls: at.Falls}
			}
			at.State, at.RoutableAt, at.Crashes = app.InstanceRunning, present, 0
			all[i] = at
		}
		p.seen[desired.ID] = all
	}
	p.sum = key{}
	return !reflect.DeepEqual(was, p.seen)
}

// unused names an instance that is not on its way out.
func unused(p app.Process, index int) events.InstanceID {
	for life := 0; ; life++ {
		if id := events.InstanceID(fmt.Sprint(p.ID, index, p.Generation, life)); !slices.Contains(p.Leaving, id) {
			return id
		}
	}
}

// crash is that of the first new instance.
func (p *part) crash() bool {
	d := p.state.Deployment
	if d == nil || p.seen[d.Process][0].State != app.InstanceRunning {
		return false
	}
	ref := events.InstanceRef{Process: d.Process, Instance: p.seen[d.Process][0].ID}
	seen := app.Instances{d.Process: app.Observe(p.seen[d.Process], events.InstanceCrashed{InstanceRef: ref, Crashes: 1}, present)}
	for id, all := range p.seen {
		if id != d.Process {
			seen[id] = all
		}
	}
	p.seen, p.sum = seen, key{}
	return true
}

func (r *release) halt() app.Halt { return r.halts.For("", "default", present) }

// fold brings a decision about an app into its state.
func (r *release) fold(i int, decided []events.Event) {
	p, id := &r.parts[i], r.group.Members[i].Deployment
	p.sum = key{}
	for _, e := range decided {
		p.state = app.Evolve(p.state, e)
		if at, known := group.See(p.state, id); known {
			p.last, p.known = at, true
		}
	}
	if p.known && !p.last.Status.Over() && p.state.Deleted {
		p.last = group.Sighting{Status: group.Deleted}
	}
}

// update is one pass of the updater over an app.
func (r *release) update(i int) (bool, error) {
	p := &r.parts[i]
	if p.state.Deployment == nil && len(p.state.Requests) == 0 {
		return false, nil
	}
	decided := app.Proceed(p.state, p.seen, app.Quota{}, app.Brakes{Halt: r.halt()}, present)
	if len(decided) == 0 {
		return false, nil
	}
	before := p.state
	r.fold(i, decided)
	if decided[len(decided)-1].Type() == events.TypeDeploymentDeployed {
		d := before.Deployment
		if n := p.seen[d.Process].Count(d.Target).Routable; n < d.Target {
			return false, fmt.Errorf("app %d is deployed with %d of %d healthy", i, n, d.Target)
		}
	}
	return true, nil
}

// person is what somebody does about one member.
func (r *release) person(m move) (bool, error) {
	p, id := &r.parts[m.of], r.group.Members[m.of].Deployment
	steer := app.Steer{Deployment: id, By: people[1], Now: present}
	says := app.Answer{Deployment: id, By: people[1], Now: present}
	var decided []events.Event
	var refused error
	switch m.deed {
	case proceeds:
		decided, refused = app.ContinueDeployment(p.state, steer)
	case agrees:
		decided, refused = app.ApproveDeployment(p.state, says)
	case refuses:
		decided, refused = app.DenyDeployment(p.state, says)
	case goesBack:
		decided, refused = app.RollBackDeployment(p.state, steer)
	case takesBack:
		decided, refused = app.CancelDeployment(p.state, steer)
	case another:
		decided, refused = app.DeployApp(p.state, app.CreateDeployment{ID: "another", Droplet: droplet(3), Now: present, By: people[0], Halt: r.halt().Reason})
	case deletes:
		decided, refused = app.DeleteApp(p.state)
	}
	if refused != nil || len(decided) == 0 {
		return false, nil
	}
	r.fold(m.of, decided)
	return true, nil
}
