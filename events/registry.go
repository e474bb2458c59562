package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// ErrUnknownType: the log holds an event that this program has no type for; it is older than what wrote it.
var ErrUnknownType = errors.New("unknown event type")

// Upcaster turns the data of one version of an event into the data of the next.
type Upcaster func(json.RawMessage) (json.RawMessage, error)

// entry is what the registry knows of one event type.
type entry struct {
	meaning   string
	decode    func(json.RawMessage) (Event, error)
	upcasters []Upcaster // upcasters[i] leads from version i+1 to i+2
}

func (e entry) version() int { return len(e.upcasters) + 1 }

// Registry maps wire names to event types and brings old versions up to date. It is a value, filled once by [NewRegistry].
type Registry struct {
	entries map[Type]entry
}

// NewRegistry knows every event of Slipway. It panics where a type does not survive its own round trip: such a type
// could be written and never read.
func NewRegistry() *Registry {
	r := &Registry{entries: map[Type]entry{}}
	register[AppCreated](r, "An app exists; it is stopped and has no droplet yet.")
	register[AppUpdated](r, "The app's metadata changed.")
	register[AppEnvironmentSet](r, "The app's environment variables are now these.")
	register[AppStarted](r, "The app shall run.")
	register[AppStopped](r, "No instance of the app shall run.")
	register[AppDropletAssigned](r, "The app's current droplet is this one.")
	register[AppDeleted](r, "The app is gone.")
	register[RevisionCreated](r, "A numbered snapshot of droplet, environment and commands.")
	register[ProcessCreated](r, "The app has a further process.")
	register[ProcessUpdated](r, "The process's command and health check are now these.")
	register[ProcessScaled](r, "So many instances of the process shall run, each of this size.")
	register[ProcessRestarted](r, "All instances of the process shall be stopped and started.")
	register[ProcessDeleted](r, "The process is gone.")
	register[DeploymentCreated](r, "A rollout has begun; its plan is frozen here.", deploymentCreatedV1)
	register[DeploymentCanceling](r, "Someone asked to go back.")
	register[DeploymentCanceled](r, "The rollout ended by going back.")
	register[DeploymentSuperseded](r, "A newer deployment took over.")
	register[DeploymentDeployed](r, "The rollout ended; only the new version serves.")
	register[InstanceStarting](r, "The agent started an instance.")
	register[InstanceRunning](r, "The instance is healthy and gets traffic.")
	register[InstanceUnready](r, "The instance runs but gets no traffic.")
	register[InstanceCrashed](r, "The instance ended or failed its health check.")
	register[InstanceStopped](r, "The instance was stopped because it was no longer wanted.")
	register[DropletCreated](r, "A droplet exists and waits for its bits.")
	register[DropletUploaded](r, "The droplet's bits are stored; it can be deployed.")
	register[NameClaimed](r, "The name belongs to this app.")
	register[NameReleased](r, "The name is free again.")
	register[CommandRejected](r, "A command from the durable door was refused.")
	return r
}

func register[E Event](r *Registry, meaning string, upcasters ...Upcaster) {
	var zero E
	if _, twice := r.entries[zero.Type()]; twice {
		panic(fmt.Sprintf("events: %s is registered twice", zero.Type()))
	}
	decode := func(data json.RawMessage) (Event, error) {
		var e E
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, err
		}
		return e, nil
	}
	encoded, err := json.Marshal(zero)
	if err != nil {
		panic(fmt.Sprintf("events: %s does not encode: %v", zero.Type(), err))
	}
	if back, err := decode(encoded); err != nil || !reflect.DeepEqual(back, Event(zero)) {
		panic(fmt.Sprintf("events: %s does not survive its round trip: %v", zero.Type(), err))
	}
	r.entries[zero.Type()] = entry{meaning: meaning, decode: decode, upcasters: upcasters}
}

// Types lists all registered types, sorted.
func (r *Registry) Types() []Type {
	types := make([]Type, 0, len(r.entries))
	for t := range r.entries {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// Version is the version that is written today, from 1; 0 for an unknown type.
func (r *Registry) Version(t Type) int {
	e, ok := r.entries[t]
	if !ok {
		return 0
	}
	return e.version()
}

// Meaning is the sentence that documents a type.
func (r *Registry) Meaning(t Type) string { return r.entries[t].meaning }

// Decode reads the data of an event of any version up to today's. It returns [ErrUnknownType] for a name it does not
// know and for a version newer than it knows: guessing would misread history.
func (r *Registry) Decode(t Type, version int, data json.RawMessage) (Event, error) {
	e, ok := r.entries[t]
	if !ok {
		return nil, fmt.Errorf("%q: %w", t, ErrUnknownType)
	}
	if version < 1 || version > e.version() {
		return nil, fmt.Errorf("%q version %d, known up to %d: %w", t, version, e.version(), ErrUnknownType)
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, fmt.Errorf("%q: data is no JSON object", t)
	}
	for v := version; v < e.version(); v++ {
		var err error
		if data, err = e.upcasters[v-1](data); err != nil {
			return nil, fmt.Errorf("%q from version %d: %w", t, v, err)
		}
	}
	event, err := e.decode(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", t, err)
	}
	return event, nil
}
