package exhaustive

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/aggregates/app"
	"slipway/aggregates/group"
)

// broken is a rollout that goes back by itself when a new instance crashes.
var broken = guarded(1, fallBack)

// teams are the releases that are walked through.
var teams = []team{
	{name: "two members", size: small, waves: []int{1, 1}, first: members(rolling, rolling), left: map[deed]int{cancelAll: 1, killed: 1}},
	{name: "two waves", size: small, waves: []int{1, 2}, first: members(rolling, asked), left: map[deed]int{rollBackAll: 1, goesBack: 1, killed: 1}},
	{name: "two waves in halts", size: small, waves: []int{1, 2}, first: members(rolling, rolling), left: map[deed]int{standStill: 2, takesBack: 1}},
	{name: "a bad version first", size: small, waves: []int{1, 2}, first: members(broken, rolling), left: map[deed]int{breaks: 1, rollBackAll: 1}},
	{name: "pauses", size: ci, waves: []int{1, 1}, first: members(halves, rolling), left: map[deed]int{continueAll: 2}},

	{name: "approvals", size: ci, waves: []int{1, 2}, first: members(asked, asked), left: map[deed]int{refuses: 1, takesBack: 1, rollBackAll: 1, killed: 1}},
	{name: "side by side", size: ci, waves: []int{1, 1}, first: members(asked, asked), left: map[deed]int{refuses: 1, deletes: 1, standStill: 1}},
	{name: "apps that are deleted", size: ci, waves: []int{1, 2}, first: members(rolling, rolling), left: map[deed]int{deletes: 2, cancelAll: 1, killed: 1}},
	{name: "superseded", size: ci, waves: []int{1, 2}, first: members(canary, rolling), left: map[deed]int{another: 2, rollBackAll: 1}},
	{name: "finalized", size: ci, waves: []int{1, 1}, first: members(canary, rolling), left: map[deed]int{finalizeAll: 1, continueAll: 1, killed: 1}},
	{name: "canceled and rolled back", size: ci, waves: []int{1, 1}, first: members(canary, rolling), left: map[deed]int{cancelAll: 1, rollBackAll: 1, falters: 1}},
	{name: "three waves", size: ci, waves: []int{1, 2, 3}, first: members(rolling, broken, asked), left: map[deed]int{breaks: 1, refuses: 1, rollBackAll: 1, standStill: 1}},
	{name: "three members", size: ci, waves: []int{1, 1, 2}, first: members(rolling, rolling, rolling), left: map[deed]int{cancelAll: 1, rollBackAll: 1, killed: 1}},

	{name: "all directives", size: night, waves: []int{1, 1}, first: members(canary, rolling), left: map[deed]int{continueAll: 1, finalizeAll: 1, cancelAll: 1, rollBackAll: 1}},
	{name: "pauses, killed", size: night, waves: []int{1, 1}, first: members(canary, canary), left: map[deed]int{continueAll: 2, killed: 1}},
	{name: "three members, by people", size: night, waves: []int{1, 1, 2}, first: members(asked, rolling, asked), left: map[deed]int{refuses: 1, goesBack: 1, rollBackAll: 1, killed: 1}},
	{name: "three members, superseded and deleted", size: night, waves: []int{1, 1, 2}, first: members(rolling, broken, rolling), left: map[deed]int{another: 1, deletes: 1, breaks: 1, cancelAll: 1}},
	{name: "three waves in halts", size: night, waves: []int{1, 2, 3}, first: members(canary, asked, broken), left: map[deed]int{standStill: 1, breaks: 1, rollBackAll: 1, finalizeAll: 1}},
}

// asked waits until somebody agrees.
var asked = judged(rolling, lasting(approval("p", 1)))

func members(first ...app.CreateDeployment) []app.CreateDeployment { return first }

// groups is what was found of a team.
type groups struct {
	*team
	walk
	visited map[key]int32
	by      []move
	status  map[string]group.Value // by how the members stand and what was directed
	known   [2]map[key]bool        // releases from which each course has been followed
}

func TestReleases(t *testing.T) {
	for _, tm := range teams {
		if tm.size > sizes[*walked] {
			continue
		}
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			g := &groups{team: &tm, walk: begun("group: " + tm.name), visited: map[key]int32{}, status: map[string]group.Value{}, known: [2]map[key]bool{{}, {}}}
			if err := g.explore(); err != nil {
				t.Fatal(err)
			}
			g.tell("")
		})
	}
}

// explore walks through all that can happen to a release, breadth first.
func (g *groups) explore() error {
	root, err := assemble(g.team)
	if err != nil {
		return err
	}
	frontier := []*release{root}
	g.visit(root, -1, move{})
	for at := int32(0); len(frontier) > 0 && err == nil; at++ {
		r := frontier[0]
		frontier[0], frontier = nil, frontier[1:]
		if err = g.judge(r); err != nil {
			return fmt.Errorf("%w\n%s", err, g.path(at))
		}
		r.moves(func(m move) bool {
			var next *release
			if next, err = g.take(r, m); err != nil {
				err = fmt.Errorf("%v: %w\n%s", m, err, g.path(at))
			}
			if next != nil && err == nil {
				if g.edges++; g.visit(next, at, m) {
					frontier = append(frontier, next)
				}
			}
			return err == nil
		})
		if err == nil {
			err = g.going(len(frontier))
		}
	}
	return err
}

func (g *groups) visit(r *release, from int32, by move) bool {
	k := r.key()
	if _, known := g.visited[k]; known {
		return false
	}
	g.visited[k] = int32(len(g.from))
	g.from, g.by = append(g.from, from), append(g.by, by)
	return true
}

// key tells releases apart that differ in anything a rule or a law reads.
func (r *release) key() key {
	var left [deeds]int
	for k, n := range r.left {
		left[k] = n
	}
	b := hashed(r.group, r.look, r.look == nil, len(r.halts.Halts), left)
	var all []byte
	for i := range r.parts {
		p := &r.parts[i]
		if p.sum == (key{}) { // most of what happens changes one of them
			slices.Sort(p.handled)
			w := world{state: p.state, now: present}
			p.sum = hashed(w.relative(), p.seen, p.handled, p.last, p.known, p.never)
		}
		all = append(all, p.sum[:]...)
	}
	sum := sha256.Sum256(append(all, b[:]...))
	return key(sum[:16])
}

func hashed(values ...any) key {
	data, err := json.Marshal(values)
	if err != nil {
		panic(err) // all of them can always be written
	}
	sum := sha256.Sum256(data)
	return key(sum[:16])
}

// judge holds what is true of a release at any time, and follows both courses from it: people of good will, and nobody.
func (g *groups) judge(r *release) error {
	stands := r.stand()
	status := r.group.Status(r.see())
	slices.Sort(stands)
	of := fmt.Sprint(stands, r.group.Course)
	if was, known := g.status[of]; known && was != status {
		return fmt.Errorf("the group is %s, and was %s with the same members: %s", status, was, of)
	}
	g.status[of] = status
	over := !slices.ContainsFunc(stands, func(m group.Member) bool { return !m.Over() })
	if ends := slices.Contains([]group.Value{group.StatusFinalized, group.StatusCanceled, group.StatusFailed, group.StatusDenied}, status); ends != over {
		return fmt.Errorf("the group is %s, and its members are %s", status, of)
	}
	if err := g.follow(r, 0, letGo, func(*release) error { return errors.New("nothing can happen any more") }); err != nil {
		return err
	}
	return g.follow(r, 1, acts, (*release).tells)
}

func (g *groups) follow(r *release, course int, last deed, rest func(*release) error) error {
	var way []key
	var steps []string
	r = r.copy()
	for r.left = nil; !r.over(); {
		k := r.key()
		if g.known[course][k] {
			break
		}
		if way = append(way, k); len(way) > longest {
			return fmt.Errorf("it does not end: %s", strings.Join(steps[len(steps)-40:], ", "))
		}
		next, by, err := g.fair(r, last)
		if next == nil && err == nil {
			if err = rest(r); err == nil {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("%s, then %v: %w", strings.Join(steps, ", "), by, err)
		}
		steps, r = append(steps, by.String()), next
	}
	for _, k := range way {
		g.known[course][k] = true
	}
	return nil
}

// fair is the first of what should happen.
func (g *groups) fair(r *release, last deed) (next *release, by move, err error) {
	r.moves(func(m move) bool {
		if m.deed > last {
			return false
		}
		by = m
		next, err = g.take(r, m)
		return next == nil && err == nil
	})
	return next, by, err
}

// path is how a release came about.
func (g *groups) path(at int32) string {
	var taken []move
	for ; at > 0; at = g.from[at] {
		taken = append(taken, g.by[at])
	}
	slices.Reverse(taken)
	r, err := assemble(g.team)
	text := "it came about by\n"
	for _, m := range taken {
		if err == nil {
			r, err = g.take(r, m)
		}
		if err != nil || r == nil {
			return text + fmt.Sprint(m, err)
		}
		text += fmt.Sprintf("- %v: members are %v, seen as %v\n", m, r.stand(), r.look)
	}
	return text
}
