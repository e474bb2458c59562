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

// Upcaster turns the data of one version of an event, a JSON object, into the data of the next.
type Upcaster func(json.RawMessage) (json.RawMessage, error)

// entry is what the registry knows of one event type.
type entry struct {
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
	registerApps(r)
	registerBits(r)
	registerPlaces(r)
	register[HaltDeclared](r)
	register[HaltLifted](r)
	register[HaltMetadataSet](r)
	register[PolicyCreated](r)
	register[PolicyUpdated](r)
	register[PolicyDeleted](r)
	registerGroups(r)
	register[StrategyCreated](r)
	register[StrategyUpdated](r)
	register[StrategyDeleted](r)
	register[CommandRejected](r)
	registerSubscriptions(r)
	return r
}

// registerSubscriptions knows who wants events sent to them, and what became of that.
func registerSubscriptions(r *Registry) {
	register[SubscriptionCreated](r)
	register[SubscriptionUpdated](r)
	register[SubscriptionSecretRotated](r)
	register[SubscriptionTested](r)
	register[SubscriptionDelivered](r)
	register[SubscriptionDeliveryFailed](r)
	register[SubscriptionDeadLettered](r)
	register[SubscriptionDisabled](r)
	register[SubscriptionDeleted](r)
}

// registerApps knows what happens to apps, their processes, instances and deployments.
func registerApps(r *Registry) {
	register[AppCreated](r)
	register[AppUpdated](r)
	register[AppEnvironmentSet](r)
	register[AppFeatureSet](r)
	register[AppStarted](r)
	register[AppStopped](r)
	register[AppDropletAssigned](r)
	register[AppDeleted](r)
	register[RevisionCreated](r)
	register[ProcessCreated](r)
	register[ProcessUpdated](r)
	register[ProcessScaled](r)
	register[ProcessRestarted](r)
	register[ProcessDeleted](r)
	register[DeploymentCreated](r, deploymentCreatedV1)
	register[DeploymentStepStarted](r)
	register[DeploymentBakeStarted](r)
	register[DeploymentCheckRecorded](r)
	register[DeploymentBreached](r)
	register[DeploymentRollingBack](r)
	register[DeploymentRolledBack](r)
	register[SignalReceived](r)
	register[DeploymentApprovalRequested](r)
	register[DeploymentApproved](r)
	register[DeploymentHeld](r)
	register[DeploymentDenied](r)
	register[DeploymentWithdrawn](r)
	register[DeploymentHalted](r)
	register[DeploymentResumed](r)
	register[DeploymentDeleted](r)
	register[VersionRequested](r)
	register[VersionRejected](r)
	register[VersionAccepted](r)
	register[AutomationHeld](r)
	register[AutomationReleased](r)
	register[DeploymentPaused](r)
	register[DeploymentContinued](r)
	register[DeploymentErrorRecorded](r)
	register[DeploymentMetadataSet](r)
	register[DeploymentCanceling](r)
	register[DeploymentCanceled](r)
	register[DeploymentSuperseded](r)
	register[DeploymentDeployed](r)
	register[InstanceStarting](r)
	register[InstanceRunning](r)
	register[InstanceUnready](r)
	register[InstanceCrashed](r)
	register[InstanceStopped](r)
}

// registerGroups knows what happens to groups of deployments.
func registerGroups(r *Registry) {
	register[GroupCreated](r)
	register[GroupMemberStarted](r)
	register[GroupMemberEnded](r)
	register[GroupDirected](r)
	register[GroupMemberDirected](r)
	register[GroupEnded](r)
	register[GroupMetadataSet](r)
}

// registerBits knows what is run, and how it comes about.
func registerBits(r *Registry) {
	register[DropletCreated](r)
	register[DropletUploaded](r)
	register[PackageCreated](r)
	register[PackageUploaded](r)
	register[BuildCreated](r)
	register[BuildStaged](r)
	register[BuildFailed](r)
	register[ManifestApplied](r)
	register[ManifestFailed](r)
}

// registerPlaces knows where apps live, how they are reached, and what they may take.
func registerPlaces(r *Registry) {
	register[OrganizationCreated](r)
	register[OrganizationUpdated](r)
	register[OrganizationDeleted](r)
	register[SpaceCreated](r)
	register[SpaceUpdated](r)
	register[SpaceDeleted](r)
	register[QuotaCreated](r)
	register[QuotaUpdated](r)
	register[QuotaDeleted](r)
	register[QuotaApplied](r)
	register[DomainCreated](r)
	register[RouteCreated](r)
	register[RouteUpdated](r)
	register[RouteDestinationsSet](r)
	register[RouteDeleted](r)
	register[NameTaken](r)
	register[NameFreed](r)
	register[NameClaimed](r)
	register[NameReleased](r)
}

func register[E Event](r *Registry, upcasters ...Upcaster) {
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
	r.entries[zero.Type()] = entry{decode: decode, upcasters: upcasters}
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

// Decode reads the data of an event of any version up to today's. It returns [ErrUnknownType] for a name it does not
// know and for a version newer than it knows: guessing would misread history. Data that is no such event is
// [ErrMalformed].
func (r *Registry) Decode(t Type, version int, data json.RawMessage) (Event, error) {
	e, ok := r.entries[t]
	if !ok {
		return nil, fmt.Errorf("%q: %w", t, ErrUnknownType)
	}
	if version < 1 || version > e.version() {
		return nil, fmt.Errorf("%q version %d, known up to %d: %w", t, version, e.version(), ErrUnknownType)
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, fmt.Errorf("%q: data is no JSON object: %w", t, ErrMalformed)
	}
	for v := version; v < e.version(); v++ {
		var err error
		if data, err = e.upcasters[v-1](data); err != nil {
			return nil, fmt.Errorf("%q from version %d: %w: %w", t, v, ErrMalformed, err)
		}
	}
	event, err := e.decode(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %w", t, ErrMalformed, err)
	}
	return event, nil
}
