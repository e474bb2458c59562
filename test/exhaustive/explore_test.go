package exhaustive

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/aggregates/app"
	"slipway/events"
)

// scope is one configuration that is walked through.
type scope struct {
	name      string
	size      size
	instances int                  // of the version before
	first     app.CreateDeployment // what is rolled out
	second    app.CreateDeployment // what is rolled out at any moment after, if left[deploys] says so
	third     app.CreateDeployment // and after that, if left[deploys] says so
	promised  bool                 // they are members of groups that were let in before any halt
	lag       int                  // how many reports of a process may be on their way to the log
	left      budget
}

// graph is what was found of a scope.
type graph struct {
	*scope
	walk
	keys    keys
	visited map[key]int32 // worlds, in the order of their discovery
	courses []course
	by      []action // what led to each
}

// explore walks through a scope, breadth first.
func explore(sc *scope) (*graph, error) {
	g := &graph{scope: sc, walk: begun(sc.name), visited: map[key]int32{}, courses: courses()}
	root, err := begin(sc)
	if err != nil {
		return nil, err
	}
	frontier := []*world{root}
	g.visit(root, -1, action{})
	for at := int32(0); len(frontier) > 0; at++ {
		w := frontier[0]
		frontier[0], frontier = nil, frontier[1:]
		for _, c := range g.courses {
			if err := g.follow(w, c); err != nil {
				return g, fmt.Errorf("%w\n%s", err, g.path(at))
			}
		}
		if w.idle() && w.left[deploys] == 0 {
			if err := sc.restarts(w); err != nil {
				return g, fmt.Errorf("%w\n%s", err, g.path(at))
			}
			continue
		}
		w.each(func(a action) bool {
			var next *world
			if next, err = sc.take(w, a); err != nil {
				err = fmt.Errorf("%v: %w\n%s", a, err, g.path(at))
				return false
			}
			if next != nil {
				g.edges++
				if g.visit(next, at, a) {
					frontier = append(frontier, next)
				}
			}
			return true
		})
		if err != nil {
			return g, err
		}
		if err = g.going(len(frontier)); err != nil {
			return g, err
		}
	}
	return g, nil
}

func (g *graph) visit(w *world, from int32, by action) bool {
	k := g.keys.of(w)
	if _, known := g.visited[k]; known {
		return false
	}
	g.visited[k] = int32(len(g.from))
	g.from, g.by = append(g.from, from), append(g.by, by)
	return true
}

// longest bounds a fair continuation: it is longer than any that ends.
const longest = 1000

// restarts holds the laws of stops where all is over: the app is stopped, started and stopped again.
func (sc *scope) restarts(w *world) error {
	w = w.copy()
	w.left = budget{stops: 2}
	for _, k := range []kind{stops, starts, stops} {
		next, err := sc.take(w, action{kind: k})
		if err != nil {
			return fmt.Errorf("%s when all is over: %w", names[k], err)
		}
		if next != nil {
			w = next
		}
	}
	return nil
}

// course is one way to go on from any world.
type course struct {
	last  kind               // the actions that are taken, with all before it
	left  budget             // for each step
	over  func(*world) error // judges where nothing can happen any more
	known map[key]bool       // worlds that it has been followed from
}

// courses are the ways that are followed from each world.
func courses() []course {
	return []course{
		{last: begins, left: budget{continues: 1, passes: 1}, known: map[key]bool{}, over: func(w *world) error {
			return errors.New("nothing can happen any more")
		}},
		{last: ticks, known: map[key]bool{}, over: (*world).tells},
	}
}

// follow goes from a world from one to the next, until all is over, nothing is left to happen, or what follows is known.
func (g *graph) follow(w *world, c course) error {
	var way []key
	var steps []string
	w = w.copy()
	for w.left = c.left; !w.idle(); w.left = c.left {
		k := g.keys.of(w)
		if c.known[k] {
			break
		}
		if way = append(way, k); len(way) > longest {
			return fmt.Errorf("it does not end: %s", strings.Join(steps[len(steps)-40:], ", "))
		}
		next, by, err := g.fair(w, c.last)
		if next == nil && err == nil {
			if err = c.over(w); err == nil {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("%s, then %v: %w", strings.Join(steps, ", "), by, err)
		}
		steps = append(steps, by.String())
		w = next
	}
	for _, k := range way {
		c.known[k] = true
	}
	return nil
}

// fair is the first of what should happen: agents and the log catch up, the updater decides, people and checks are of
// good will, and only when nothing else is left to do time passes.
func (g *graph) fair(w *world, last kind) (next *world, by action, err error) {
	try := func(a action) bool {
		if a.kind > last {
			return false
		}
		if a.kind == waits || a.kind == passes && w.state.Deployment != nil && w.passed() {
			return true
		}
		by = a
		next, err = g.take(w, a)
		return next == nil && err == nil
	}
	w.each(try)
	if next == nil && err == nil {
		by = action{kind: waits}
		next, err = g.take(w, by)
	}
	return next, by, err
}

// passed says whether all checks have passed just now, so that another pass would tell nothing new.
func (w *world) passed() bool {
	d := w.state.Deployment
	for _, c := range d.Options.Checks {
		if last := d.Checks[c.Name]; last.Verdict != events.VerdictPass || last.At.Before(w.now) {
			return false
		}
	}
	return true
}

// path is how a world came about, with what there is on the way.
func (g *graph) path(at int32) string {
	var taken []action
	for ; at > 0; at = g.from[at] {
		taken = append(taken, g.by[at])
	}
	slices.Reverse(taken)
	w, err := begin(g.scope)
	if err != nil {
		return err.Error()
	}
	text := "it came about by\n" + w.String()
	for _, a := range taken {
		if w, err = g.take(w, a); err != nil || w == nil {
			return text + fmt.Sprint(a, err)
		}
		text += fmt.Sprintf("- %v\n%v", a, w)
	}
	return text
}

// String is a world in a few lines.
func (w *world) String() string {
	text := fmt.Sprintf("    %v after the start: %s", w.now.Sub(epoch), w.state.Desired)
	if d := w.state.Deployment; d != nil {
		text += fmt.Sprintf(", %s step %d", d.Phase(), d.Step)
	}
	for i := range w.procs {
		p := &w.procs[i]
		desired, _ := w.state.Process(p.id)
		text += fmt.Sprintf("\n    process %d %s wants %d, leaving %d; the agent knows %d:", i, desired.Standing, desired.Instances,
			len(desired.Leaving), p.size)
		for index, s := range p.slots {
			if seen := p.seen[index]; s.is != none || seen.ID != "" {
				text += fmt.Sprintf(" [%d %s (%d), seen %s %s]", index, truths[s.is], s.life, seen.State, seen.ID[max(len(seen.ID)-1, 0):])
			}
		}
	}
	return text + "\n" + w.governance()
}

var truths = [...]string{"nothing", "starting", "running", "stopping", "fallen"}
