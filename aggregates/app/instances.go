package app

import (
	"maps"
	"slices"
	"time"

	"slipway/events"
)

// InstanceState is how an instance was last reported.
type InstanceState string

// The states of an instance. DOWN is never reported: it is what an index without a report is.
const (
	InstanceStarting InstanceState = "STARTING"
	InstanceRunning  InstanceState = "RUNNING" // and routable
	InstanceUnready  InstanceState = "UNREADY" // running, not routable
	InstanceCrashed  InstanceState = "CRASHED"
)

// Instance is what is known of one index of a process.
type Instance struct {
	ID      events.InstanceID `json:"id"`
	State   InstanceState     `json:"state"`
	Reason  string            `json:"reason,omitempty"`  // why it crashed last
	Crashes int               `json:"crashes,omitempty"` // in a row; 0 once it is routable
	Falls   int               `json:"falls,omitempty"`   // crashes of this index in all

	Generation int `json:"generation,omitempty"` // of the process when this start of it began

	StartedAt  time.Time `json:"started_at,omitzero"`  // when this start of it was first reported
	RoutableAt time.Time `json:"routable_at,omitzero"` // when the index was first routable; a crash does not take that back
}

// ProcessInstances is what is known of a process's instances, by index. Like State it is a value.
type ProcessInstances map[int]Instance

// Instances is what is known of all processes of an app.
type Instances map[events.ProcessID]ProcessInstances

// Observe folds an agent's report, recorded at that time. A report on an earlier start of an index than the one known is
// late and changes nothing; so does one that tells nothing new.
func Observe(seen ProcessInstances, e events.InstanceEvent, at time.Time) ProcessInstances {
	ref := e.Ref()
	known, any := seen[ref.Index]
	late := any && known.ID != ref.Instance
	next := known
	if known.ID != ref.Instance {
		next.ID, next.StartedAt, next.Generation = ref.Instance, at, ref.Generation
	}
	switch e := e.(type) {
	case events.InstanceStarting:
		next.State = InstanceStarting
	case events.InstanceRunning:
		next.State, next.Reason, next.Crashes = InstanceRunning, "", 0
		if next.RoutableAt.IsZero() {
			next.RoutableAt = at
		}
	case events.InstanceUnready:
		next.State, next.Reason = InstanceUnready, e.Reason
	case events.InstanceCrashed:
		if late {
			return seen
		}
		if known.State != InstanceCrashed {
			next.Falls++
		}
		next.State, next.Reason, next.Crashes = InstanceCrashed, e.Reason, e.Crashes
	case events.InstanceStopped:
		if late || !any {
			return seen
		}
		rest := maps.Clone(seen)
		delete(rest, ref.Index)
		return rest
	default:
		return seen
	}
	if next == known {
		return seen
	}
	changed := maps.Clone(seen)
	if changed == nil {
		changed = ProcessInstances{}
	}
	changed[ref.Index] = next
	return changed
}

// present is what is seen of a process without the instances that are on their way out. A process that shrinks and grows
// again, or is started anew, has reports of instances that are being stopped: they look routable, and are not to be relied on.
// Agents end them.
func (p Process) present(all Instances) ProcessInstances {
	seen := all[p.ID]
	leaves := func(_ int, i Instance) bool { return i.Generation < p.Generation || slices.Contains(p.Leaving, i.ID) }
	for index, i := range seen {
		if leaves(index, i) {
			rest := maps.Clone(seen)
			maps.DeleteFunc(rest, leaves)
			return rest
		}
	}
	return seen
}

// leaving names the instances that a process of this size does not want any more and that still are there.
func (p Process) leaving(seen ProcessInstances) []events.InstanceID {
	var ids []events.InstanceID
	for _, i := range slices.Sorted(maps.Keys(seen)) {
		if i >= p.Instances || slices.Contains(p.Leaving, seen[i].ID) {
			ids = append(ids, seen[i].ID)
		}
	}
	return ids
}

// Count sorts the desired instances of a process as Cloud Foundry's updater does.
type Count struct {
	Routable  int // R: RUNNING and routable
	Starting  int // S: STARTING, or RUNNING but not routable
	Unhealthy int // U: crashed, and every desired index without a report
}

// Count looks at the indexes 0 to desired-1; what runs beyond them is on its way out.
func (seen ProcessInstances) Count(desired int) Count {
	var c Count
	for i, instance := range seen {
		if i < 0 || i >= desired {
			continue
		}
		switch instance.State {
		case InstanceRunning:
			c.Routable++
		case InstanceStarting, InstanceUnready:
			c.Starting++
		}
	}
	c.Unhealthy = desired - c.Routable - c.Starting
	return c
}
