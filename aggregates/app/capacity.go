package app

import (
	"fmt"
	"slices"

	"slipway/events"
)

// Capacity is what a rollout serves with: the desired instances of proven versions, of which it is known that they run,
// and the routable ones of versions that have yet to show it.
type Capacity struct {
	Old   int // proven processes, desired; interim ones, routable
	New   int // the new process, routable
	Floor int // what a decision must not go below
}

// Total is old and new together.
func (c Capacity) Total() int { return c.Old + c.New }

func (c Capacity) String() string {
	return fmt.Sprintf("%d old + %d new, floor %d", c.Old, c.New, c.Floor)
}

// MeasureCapacity measures the active deployment. ok is false where there is none, where it is being canceled (that is
// quick, not gradual) and where the app is stopped: then nothing is promised. On the way back of a rollback only what is routable counts.
func MeasureCapacity(s State, seen Instances) (c Capacity, ok bool) {
	if !s.InFlight() || s.Desired != Started || s.Deployment.Hurry {
		return Capacity{}, false
	}
	c.Floor = s.Deployment.Floor
	if s.Deployment.RollingBack {
		c.Floor = s.Deployment.OriginalInstances
	}
	for _, p := range s.Webs() {
		routable := p.present(seen).Count(p.Instances).Routable
		switch {
		case p.ID == s.Deployment.Process:
			c.New = routable
		case s.Deployment.RollingBack: // the old version comes from nothing: what is desired of it does not serve yet
			c.Old += routable
		default:
			c.Old += p.serving(seen)
		}
	}
	return c, true
}

// serves says which instances of an old process are counted on: of a proven version the desired ones, of which it is known
// that they run; but those that a rollout brought back, and all of versions that have yet to show that they run, only where
// they are routable. So a broken version in a train of superseded deployments cannot pass for capacity, nor can what starts.
func (p Process) serves(seen Instances) func(index int) bool {
	present := p.present(seen)
	return func(i int) bool {
		return p.Standing == Proven && i < p.Instances-p.Returned || present[i].State == InstanceRunning
	}
}

// serving is how many instances of an old process are counted on.
func (p Process) serving(seen Instances) int {
	n, serves := 0, p.serves(seen)
	for i := range p.Instances {
		if serves(i) {
			n++
		}
	}
	return n
}

// coming is how many instances of an old process are counted on, or will be: what was brought back is not brought back again
// while it starts. A rejected version is to leave, whatever of it serves.
func (p Process) coming(seen Instances) int {
	switch p.Standing {
	case Proven:
		return p.Instances
	case Interim:
		return p.serving(seen)
	}
	return 0
}

// CheckCapacity is the capacity law: a decision of the updater (before, then after it, with the same instances seen)
// leaves the capacity at the floor or above, or, where failing instances had taken it below, no lower than it was. It
// returns nil where the law holds or promises nothing.
func CheckCapacity(before, after State, seen Instances) error {
	had, ok := MeasureCapacity(before, seen)
	if !ok || restarted(before, after) {
		return nil
	}
	has, ok := MeasureCapacity(after, seen)
	if !ok || after.Deployment.ID() == before.Deployment.ID() {
		has = asBefore(before, after, seen)
	}
	if has.Total() < min(had.Floor, had.Total()) {
		return &CapacityError{Deployment: before.Deployment.ID(), Before: had, After: has}
	}
	return nil
}

// restarted says whether a decision starts web processes anew, all instances at once: that is quick, not gradual.
func restarted(before, after State) bool {
	return slices.ContainsFunc(before.Webs(), func(p Process) bool {
		next, there := after.Process(p.ID)
		return there && next.Generation > p.Generation
	})
}

// asBefore measures after a decision by what held before it: one that ended the rollout, or sent it back, is judged by what
// it left.
func asBefore(before, after State, seen Instances) Capacity {
	last := after
	last.Deployment, last.Desired = before.Deployment, Started
	c, _ := MeasureCapacity(last, seen)
	return c
}

// CapacityError: a decision would have broken the capacity law. It is a fault of the rules, never of a user.
type CapacityError struct {
	Deployment    events.DeploymentID
	Before, After Capacity
}

func (e *CapacityError) Error() string {
	return fmt.Sprintf("capacity of deployment %s falls below its floor: from %v to %v", e.Deployment, e.Before, e.After)
}
