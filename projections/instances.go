package projections

import (
	"context"
	"database/sql"
	"time"

	"slipway/events"
)

// InstanceState is Cloud Foundry's state of an instance.
type InstanceState string

// The states of an instance. An index that is desired and of which nothing is known is DOWN.
const (
	InstanceStarting InstanceState = "STARTING"
	InstanceRunning  InstanceState = "RUNNING"
	InstanceCrashed  InstanceState = "CRASHED"
	InstanceDown     InstanceState = "DOWN"
)

// Instance is what is known of one index of a process. A stopped instance is gone from here; its history stays.
type Instance struct {
	Process    events.ProcessID
	Index      int
	App        events.AppID
	Instance   events.InstanceID // names one start of the index; empty when DOWN
	Agent      events.AgentID
	Generation int // of the process, when it was started
	State      InstanceState
	Routable   bool
	Address    string    // host:port, where it has one
	Reason     string    // of the last crash, or why it is not routable
	Crashes    int       // in a row
	ExitStatus *int      // of the last crash, where it is known
	Since      time.Time // in this state; zero when DOWN
	Sequence   events.Sequence
}

type instanceKey struct {
	process events.ProcessID
	index   int
}

var instances = view[instanceKey, Instance]{
	table: "instances", keys: 2,
	key:   func(i *Instance) instanceKey { return instanceKey{i.Process, i.Index} },
	where: func(k instanceKey) []any { return []any{k.process, k.index} },
	columns: func(i *Instance) []column {
		return []column{
			{"process", &i.Process}, {"idx", &i.Index}, {"app", &i.App}, {"instance", &i.Instance}, {"agent", &i.Agent},
			{"generation", &i.Generation}, {"state", &i.State}, {"routable", &i.Routable}, {"address", &i.Address},
			{"reason", &i.Reason}, {"crashes", &i.Crashes}, {"exit_status", asJSON(&i.ExitStatus)},
			{"since", asTime(&i.Since)}, {"sequence", &i.Sequence},
		}
	},
}.ready()

// instance folds an agent's report by the rules the updater decides by (aggregates/app): what starts or runs is the
// index's instance now; the end of an instance that is not the present one is late news. Reports on a process that is gone
// are late too, and no anomaly: agents report until they have stopped its instances.
func (f *fold) instance(m moment, e events.InstanceEvent) {
	ref := e.Ref()
	p := f.processes.get(ref.Process)
	if p == nil || p.App != ref.App {
		return
	}
	key := instanceKey{ref.Process, ref.Index}
	known := f.instances.get(key)
	late := known != nil && known.Instance != ref.Instance
	switch e := e.(type) {
	case events.InstanceStarting:
		f.report(m, ref, InstanceStarting, func(*Instance) {})
	case events.InstanceRunning:
		f.report(m, ref, InstanceRunning, func(i *Instance) {
			i.Routable, i.Address = true, e.Address
			i.Reason, i.Crashes, i.ExitStatus = "", 0, nil
		})
	case events.InstanceUnready:
		f.report(m, ref, InstanceRunning, func(i *Instance) { i.Reason = e.Reason })
	case events.InstanceCrashed:
		if !late {
			f.report(m, ref, InstanceCrashed, func(i *Instance) {
				i.Reason, i.Crashes, i.ExitStatus, i.Address = e.Reason, e.Crashes, e.ExitStatus, ""
			})
		}
	case events.InstanceStopped:
		if !late {
			f.instances.remove(key)
		}
	}
}

// report makes the reported instance the index's present one. What an earlier start left, such as why it crashed, stays
// until change says otherwise.
func (f *fold) report(m moment, ref events.InstanceRef, state InstanceState, change func(*Instance)) {
	next := Instance{Since: m.time}
	if known := f.instances.get(instanceKey{ref.Process, ref.Index}); known != nil {
		next = *known
		if known.State != state || known.Instance != ref.Instance {
			next.Since = m.time
		}
		if known.Instance != ref.Instance {
			next.Address = ""
		}
	}
	next.Process, next.Index, next.App, next.Instance = ref.Process, ref.Index, ref.App, ref.Instance
	next.Agent, next.Generation, next.State, next.Routable = ref.Agent, ref.Generation, state, false
	next.Sequence = m.Sequence
	change(&next)
	f.instances.put(next)
}

// Instances gives the desired instances of a process, one for each index below its count, by index. An index of which
// nothing is known is DOWN. A process that is unknown gives [ErrNotFound].
func (s *Store) Instances(ctx context.Context, id events.ProcessID) (List[Instance], error) {
	var l List[Instance]
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		p, err := processes.get(ctx, tx, id)
		if err != nil {
			return err
		}
		if l.Sequence, err = checkpoint(ctx, tx); err != nil {
			return err
		}
		known, err := instances.find(ctx, tx, "WHERE process = ? AND idx >= 0 AND idx < ? ORDER BY idx", id, p.Instances)
		l.Rows, l.Total = fillDown(p, known), p.Instances
		return err
	})
	return l, err
}

// InstancesOf gives the desired instances of several processes, each as [Store.Instances] does.
func (s *Store) InstancesOf(ctx context.Context, of []Process) (map[events.ProcessID][]Instance, error) {
	all := make(map[events.ProcessID][]Instance, len(of))
	if len(of) == 0 {
		return all, nil
	}
	var w where
	ids := make([]events.ProcessID, len(of))
	for i, p := range of {
		ids[i] = p.GUID
	}
	in(&w, "process", ids)
	known, err := instances.find(ctx, s.readers, w.sql()+" AND idx >= 0 ORDER BY process, idx", w.args...)
	if err != nil {
		return nil, err
	}
	by := map[events.ProcessID][]Instance{}
	for _, i := range known {
		by[i.Process] = append(by[i.Process], i)
	}
	for _, p := range of {
		all[p.GUID] = fillDown(p, by[p.GUID])
	}
	return all, nil
}

func fillDown(p Process, known []Instance) []Instance {
	all := make([]Instance, 0, len(known))
	for i := range p.Instances {
		if len(known) > 0 && known[0].Index == i {
			all, known = append(all, known[0]), known[1:]
			continue
		}
		all = append(all, Instance{Process: p.GUID, Index: i, App: p.App, State: InstanceDown})
	}
	return all
}
