package projections

import (
	"cmp"
	"context"
	"fmt"

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
	table: "processes", kind: "process",
	key:   func(p *Process) events.ProcessID { return p.GUID },
	stamp: func(p *Process) *Stamp { return &p.Stamp },
	columns: func(p *Process) []column {
		return []column{
			{"guid", &p.GUID}, {"app", &p.App}, {"type", &p.Type}, {"command", &p.Command}, {"custom", &p.Custom},
			{"instances", &p.Instances}, {"memory_mb", &p.MemoryMB}, {"disk_mb", &p.DiskMB}, {"log_rate", &p.LogRate},
			{"health_check", asJSON(&p.HealthCheck)}, {"droplet", &p.Droplet}, {"revision", &p.Revision},
			{"deployment", &p.Deployment}, {"generation", &p.Generation},
		}
	},
}.ready()

func (f *fold) processCreated(m moment, e events.ProcessCreated) error {
	if f.apps.get(e.App) == nil {
		return f.apps.unknown(e.App)
	}
	return f.processes.add(Process{
		GUID: e.Process, App: e.App, Type: e.ProcessType, Command: e.Command, Custom: e.Custom, Instances: e.Instances,
		MemoryMB: e.MemoryMB, DiskMB: e.DiskMB, LogRate: e.LogRate, HealthCheck: e.HealthCheck, Droplet: e.Droplet,
		Revision: e.Revision, Deployment: e.Deployment, Stamp: m.stamp(),
	})
}

// processOf is the process that e is about. One of another app than the event says is as good as unknown.
func (f *fold) processOf(e events.Event) (events.ProcessID, error) {
	about := RefsOf(e)
	p := f.processes.get(about.Process)
	if p == nil || p.App != about.App {
		return "", fmt.Errorf("app %q has no process %q", about.App, about.Process)
	}
	return p.GUID, nil
}

// process changes the process that e is about.
func (f *fold) process(m moment, e events.Event, how func(*Process)) error {
	id, err := f.processOf(e)
	if err != nil {
		return err
	}
	return f.processes.change(m, id, how)
}

func (f *fold) processUpdated(m moment, e events.ProcessUpdated) error {
	return f.process(m, e, func(p *Process) {
		p.Command, p.Custom, p.HealthCheck = e.Command, e.Custom, e.HealthCheck
	})
}

func (f *fold) processScaled(m moment, e events.ProcessScaled) error {
	err := f.process(m, e, func(p *Process) {
		p.Instances, p.MemoryMB, p.DiskMB, p.LogRate = e.Instances, e.MemoryMB, e.DiskMB, e.LogRate
	})
	if e.Deployment == "" {
		return err
	}
	return cmp.Or(f.deployment(m, e), err)
}

func (f *fold) processRestarted(m moment, e events.ProcessRestarted) error {
	return f.process(m, e, func(p *Process) {
		p.Droplet, p.Command, p.Custom = e.Droplet, e.Command, e.Custom
		p.Revision, p.Generation = e.Revision, e.Generation
	})
}

func (f *fold) processDeleted(e events.ProcessDeleted) error {
	id, err := f.processOf(e)
	if err != nil {
		return err
	}
	f.processes.remove(id)
	f.instances.removeIf(func(i *Instance) bool { return i.Process == id })
	return nil
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
