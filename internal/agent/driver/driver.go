// Package driver is the port between the agent, which knows what shall run, and what makes it run: real processes
// (package exec) or fakes (package sim). drivertest.Run holds every driver to what is written here.
//
// What every driver guarantees:
//
//  1. Start gives a live instance or an error, never both, and an error leaves nothing running.
//  2. Done closes once, after nothing of the instance runs any more, and Exit is final from then on.
//  3. What an agent that died left running is found by Recover of the next one: alive, to be kept or stopped, or
//     vanished, to be reported. Nothing is forgotten and nothing is found twice.
package driver

import (
	"context"
	"errors"
	"time"

	"slipway/events"
)

// ErrUnsupported: this driver cannot run such a thing at all; trying again will not help.
var ErrUnsupported = errors.New("the driver cannot run this")

// Spec says what one instance is: one start of one index of a process. It is kept as JSON beside the running instance,
// so that a later agent knows what it found.
type Spec struct {
	Instance    events.InstanceID  `json:"instance"`
	App         events.AppID       `json:"app"`
	AppName     string             `json:"app_name"`
	Routed      bool               `json:"routed,omitempty"` // requests come by routes; else by its name
	Hosts       []string           `json:"hosts,omitempty"`  // that led to the app when the instance was started, sorted
	Process     events.ProcessID   `json:"process"`
	Type        string             `json:"type"` // of the process
	Index       int                `json:"index"`
	Generation  int                `json:"generation"`
	Droplet     events.DropletID   `json:"droplet"`
	Image       string             `json:"image,omitempty"` // a container image instead of droplet bits
	Command     string             `json:"command"`         // run by a shell
	Environment map[string]string  `json:"environment,omitempty"`
	MemoryMB    int                `json:"memory_in_mb"`
	DiskMB      int                `json:"disk_in_mb"`
	HealthCheck events.HealthCheck `json:"health_check"`
}

// Ref is how reports name the instance.
func (s Spec) Ref(agent events.AgentID) events.InstanceRef {
	return events.InstanceRef{
		App: s.App, Process: s.Process, ProcessType: s.Type, Index: s.Index, Instance: s.Instance, Agent: agent,
		Generation: s.Generation,
	}
}

// Exit says how an instance ended.
type Exit struct {
	Reason string // in words: "exit status 3", "signal: killed", "ended; its exit status is not known"
	Status *int   // where it exited by itself and the status is known
}

// Instance is one running copy. Its methods may be called from several goroutines.
type Instance interface {
	// Spec is what it was started with.
	Spec() Spec
	// Address is the host:port it serves on; empty where it has none.
	Address() string
	// Probe asks once whether it is healthy, by the health check of its spec, and answers before ctx ends.
	Probe(ctx context.Context) error
	// Done is closed when nothing of it runs any more.
	Done() <-chan struct{}
	// Exit says how it ended. Only after Done.
	Exit() Exit
	// Stop asks it to end, makes it end after the grace time or when ctx ends, whichever is first, and returns when it
	// is gone. Further calls do the same. An error means that something of it may still run.
	Stop(ctx context.Context, grace time.Duration) error
}

// Recovered is what an earlier agent left.
type Recovered struct {
	Alive    []Instance // to be kept, or to be stopped by the caller
	Vanished []Spec     // started once, gone without a trace since
}

// Driver starts instances.
type Driver interface {
	// Start starts one instance and returns once it runs, healthy or not. When ctx ends before that it gives up.
	Start(ctx context.Context, s Spec) (Instance, error)
	// Recover finds what an earlier agent with the same identity left. It is called once, before the first Start.
	Recover(ctx context.Context) (Recovered, error)
	// Close lets go of everything. What still runs stays for the Recover of a later driver.
	Close() error
}
