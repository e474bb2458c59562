package agent

import (
	"context"
	"slices"

	"slipway/events"
)

// ProcessSpec is what shall run of one process.
type ProcessSpec struct {
	App         events.AppID
	AppName     string
	Routed      bool // requests come by routes; else by its name
	Process     events.ProcessID
	Type        string
	Droplet     events.DropletID
	Command     string
	Environment map[string]string
	Instances   int // 0 for a process of a stopped app
	Generation  int // instances of a lower one are out of date
	MemoryMB    int
	DiskMB      int
	HealthCheck events.HealthCheck
	Leaving     []events.InstanceID // they end, though their indexes may be wanted again: a growth relies on new ones
	Dark        bool                // its instances run and take no requests
}

// Update is news about what shall run. An app that is named has exactly these processes from now on. One that is not is as it
// was, or, where Complete is set, has none.
type Update struct {
	Complete bool
	Apps     map[events.AppID][]ProcessSpec
	Unknown  []events.AppID // it cannot be told what they shall have: they are left as they are
}

// about says whether the update says anything of an app.
func (u Update) about(id events.AppID) bool {
	_, named := u.Apps[id]
	return named || (u.Complete && !slices.Contains(u.Unknown, id))
}

// Source says what shall run.
type Source interface {
	// Watch gives a complete update first and then what changes, until ctx ends or it fails. It is called again after
	// a failure.
	Watch(ctx context.Context, fn func(Update)) error
}
