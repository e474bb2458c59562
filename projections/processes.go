package projections

import (
	"context"

	"slipway/events"
)

// Process is a runnable unit of an app. During a deployment several of type web stand side by side, the oldest first.
type Process struct {
	GUID        events.ProcessID
	App         events.AppID
	Type        string
	Command     string
	Custom      bool // the command is the user's, not the droplet's
	Instances   int  // desired
	MemoryMB    int
	DiskMB      int
	LogRate     int64 // bytes per second; -1: no limit
	HealthCheck events.HealthCheck
	Droplet     events.DropletID
	Revision    events.RevisionID
	Deployment  events.DeploymentID // the one that brought it; empty where none did
	Generation  int                 // counts restarts
	Stamp
}

var processes = view[events.ProcessID, Process]{
	table: "processes", keys: 1,
	key:   func(p *Process) events.ProcessID { return p.GUID },
	where: func(id events.ProcessID) []any { return []any{id} },
	columns: func(p *Process) []column {
		return append([]column{
			{"guid", &p.GUID}, {"app", &p.App}, {"type", &p.Type}, {"command", &p.Command}, {"custom", &p.Custom},
			{"instances", &p.Instances}, {"memory_mb", &p.MemoryMB}, {"disk_mb", &p.DiskMB}, {"log_rate", &p.LogRate},
			{"health_check", asJSON(&p.HealthCheck)}, {"droplet", &p.Droplet}, {"revision", &p.Revision},
			{"deployment", &p.Deployment}, {"generation", &p.Generation},
		}, p.Stamp.columns()...)
	},
}.ready()

func (f *fold) processCreated(m moment, e events.ProcessCreated) {
	if f.processes.get(e.Process) != nil {
		f.anomaly(m, e, "process %s exists already", e.Process)
		return
	}
	if f.apps.get(e.App) == nil {
		f.anomaly(m, e, "app %s is unknown", e.App)
		return
	}
	f.processes.put(Process{
		GUID: e.Process, App: e.App, Type: e.ProcessType, Command: e.Command, Custom: e.Custom, Instances: e.Instances,
		MemoryMB: e.MemoryMB, DiskMB: e.DiskMB, LogRate: e.LogRate, HealthCheck: e.HealthCheck, Droplet: e.Droplet,
		Revision: e.Revision, Deployment: e.Deployment, Stamp: m.stamp(),
	})
}

// processOf is the process that e is about. One of another app than the event says is as good as unknown.
func (f *fold) processOf(m moment, e events.Event) *Process {
	about := RefsOf(e)
	p := f.processes.get(about.Process)
	if p == nil || p.App != about.App {
		f.anomaly(m, e, "app %q has no process %q", about.App, about.Process)
		return nil
	}
	return p
}

// process changes the process that e is about.
func (f *fold) process(m moment, e events.Event, change func(*Process)) {
	if p := f.processOf(m, e); p != nil {
		p = f.processes.edit(p.GUID)
		change(p)
		p.touch(m)
	}
}

func (f *fold) processUpdated(m moment, e events.ProcessUpdated) {
	f.process(m, e, func(p *Process) {
		p.Command, p.Custom, p.HealthCheck = e.Command, e.Custom, e.HealthCheck
	})
}

func (f *fold) processScaled(m moment, e events.ProcessScaled) {
	f.process(m, e, func(p *Process) {
		p.Instances, p.MemoryMB, p.DiskMB, p.LogRate = e.Instances, e.MemoryMB, e.DiskMB, e.LogRate
	})
	if e.Deployment != "" {
		f.deployment(m, e)
	}
}

func (f *fold) processRestarted(m moment, e events.ProcessRestarted) {
	f.process(m, e, func(p *Process) {
		p.Droplet, p.Command, p.Custom = e.Droplet, e.Command, e.Custom
		p.Revision, p.Generation = e.Revision, e.Generation
	})
}

func (f *fold) processDeleted(m moment, e events.ProcessDeleted) {
	if f.processOf(m, e) == nil {
		return
	}
	f.processes.remove(e.Process)
	f.instances.removeIf(func(i *Instance) bool { return i.Process == e.Process })
}

// ProcessFilter selects processes. Empty fields select all; all that are set must hold.
type ProcessFilter struct {
	GUIDs         []events.ProcessID
	Apps          []events.AppID
	Types         []string
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	Created       TimeFilter
	Updated       TimeFilter
}

// Process reads one process, or gives [ErrNotFound].
func (s *Store) Process(ctx context.Context, id events.ProcessID) (Process, error) {
	return processes.get(ctx, s.readers, id)
}

// ProcessOfType reads the newest process of the type, which is what Cloud Foundry means by an app's process of a type; or
// it gives [ErrNotFound].
func (s *Store) ProcessOfType(ctx context.Context, app events.AppID, processType string) (Process, error) {
	const tail = " WHERE app = ? AND type = ? ORDER BY created_sequence DESC, created_index DESC LIMIT 1"
	return processes.one(ctx, s.readers, processes.sql.all+tail, app, processType)
}

// Processes lists processes, by default in order of creation: old before new.
func (s Sight) Processes(ctx context.Context, f ProcessFilter, o Order, p Page) (List[Process], error) {
	var w where
	s.ofApps(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "app", f.Apps)
	in(&w, "type", f.Types)
	w.ofSpaces(f.Spaces)
	w.ofOrganizations(f.Organizations)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	return list(ctx, s.store, processes, w, o.sql(), p)
}
