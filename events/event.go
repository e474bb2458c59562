package events

import (
	"fmt"
	"maps"
	"time"
)

// Type is the wire name of an event, such as "process.scaled".
type Type string

// Event is one fact. Its implementations are the structs of this package, all in the registry.
type Event interface {
	// Type is the fact's wire name.
	Type() Type
	// Subject is the id of the thing the fact is about: the CloudEvents subject.
	Subject() string
}

// The wire names. They are literals, never derived from Go names, so that a rename in code cannot rename history.
const (
	TypeAppCreated         Type = "app.created"
	TypeAppUpdated         Type = "app.updated"
	TypeAppEnvironmentSet  Type = "app.environment-set"
	TypeAppFeatureSet      Type = "app.feature-set"
	TypeAppStarted         Type = "app.started"
	TypeAppStopped         Type = "app.stopped"
	TypeAppDropletAssigned Type = "app.droplet-assigned"
	TypeAppDeleted         Type = "app.deleted"

	TypeRevisionCreated Type = "revision.created"

	TypeProcessCreated   Type = "process.created"
	TypeProcessUpdated   Type = "process.updated"
	TypeProcessScaled    Type = "process.scaled"
	TypeProcessRestarted Type = "process.restarted"
	TypeProcessDeleted   Type = "process.deleted"

	TypeDeploymentCreated           Type = "deployment.created"
	TypeDeploymentApprovalRequested Type = "deployment.approval-requested"
	TypeDeploymentApproved          Type = "deployment.approved"
	TypeDeploymentHeld              Type = "deployment.held"
	TypeDeploymentDenied            Type = "deployment.denied"
	TypeDeploymentWithdrawn         Type = "deployment.withdrawn"
	TypeDeploymentHalted            Type = "deployment.halted"
	TypeDeploymentResumed           Type = "deployment.resumed"
	TypeDeploymentDeleted           Type = "deployment.deleted"

	TypeHaltDeclared    Type = "halt.declared"
	TypeHaltLifted      Type = "halt.lifted"
	TypeHaltMetadataSet Type = "halt.metadata-set"

	TypePolicyCreated Type = "policy.created"
	TypePolicyUpdated Type = "policy.updated"
	TypePolicyDeleted Type = "policy.deleted"

	TypeVersionRequested   Type = "version.requested"
	TypeVersionRejected    Type = "version.rejected"
	TypeVersionAccepted    Type = "version.accepted"
	TypeAutomationHeld     Type = "automation.held"
	TypeAutomationReleased Type = "automation.released"

	TypeDeploymentStepStarted   Type = "deployment.step-started"
	TypeDeploymentBakeStarted   Type = "deployment.bake-started"
	TypeDeploymentCheckRecorded Type = "deployment.check-recorded"
	TypeDeploymentBreached      Type = "deployment.breached"
	TypeDeploymentRollingBack   Type = "deployment.rolling-back"
	TypeDeploymentRolledBack    Type = "deployment.rolled-back"
	TypeDeploymentPaused        Type = "deployment.paused"
	TypeDeploymentContinued     Type = "deployment.continued"
	TypeDeploymentErrorRecorded Type = "deployment.error-recorded"
	TypeDeploymentMetadataSet   Type = "deployment.metadata-set"
	TypeDeploymentCanceling     Type = "deployment.canceling"
	TypeDeploymentCanceled      Type = "deployment.canceled"
	TypeDeploymentSuperseded    Type = "deployment.superseded"
	TypeDeploymentDeployed      Type = "deployment.deployed"

	TypeSignalReceived Type = "signal.received"

	TypeInstanceStarting Type = "instance.starting"
	TypeInstanceRunning  Type = "instance.running"
	TypeInstanceUnready  Type = "instance.unready"
	TypeInstanceCrashed  Type = "instance.crashed"
	TypeInstanceStopped  Type = "instance.stopped"

	TypeDropletCreated  Type = "droplet.created"
	TypeDropletUploaded Type = "droplet.uploaded"

	TypePackageCreated  Type = "package.created"
	TypePackageUploaded Type = "package.uploaded"

	TypeBuildCreated        Type = "build.created"
	TypeBuildStaged         Type = "build.staged"
	TypeBuildFailed         Type = "build.failed"
	TypeOrganizationCreated Type = "organization.created"
	TypeOrganizationUpdated Type = "organization.updated"
	TypeOrganizationDeleted Type = "organization.deleted"

	TypeSpaceCreated Type = "space.created"
	TypeSpaceUpdated Type = "space.updated"
	TypeSpaceDeleted Type = "space.deleted"

	TypeQuotaCreated Type = "quota.created"
	TypeQuotaUpdated Type = "quota.updated"
	TypeQuotaDeleted Type = "quota.deleted"
	TypeQuotaApplied Type = "quota.applied"

	TypeStrategyCreated Type = "strategy.created"
	TypeStrategyUpdated Type = "strategy.updated"
	TypeStrategyDeleted Type = "strategy.deleted"

	TypeGroupCreated        Type = "group.created"
	TypeGroupMemberStarted  Type = "group.member-started"
	TypeGroupMemberEnded    Type = "group.member-ended"
	TypeGroupDirected       Type = "group.directed"
	TypeGroupMemberDirected Type = "group.member-directed"
	TypeGroupEnded          Type = "group.ended"
	TypeGroupMetadataSet    Type = "group.metadata-set"

	TypeSubscriptionCreated        Type = "subscription.created"
	TypeSubscriptionUpdated        Type = "subscription.updated"
	TypeSubscriptionSecretRotated  Type = "subscription.secret-rotated"
	TypeSubscriptionTested         Type = "subscription.tested"
	TypeSubscriptionDelivered      Type = "subscription.delivered"
	TypeSubscriptionDeliveryFailed Type = "subscription.delivery-failed"
	TypeSubscriptionDeadLettered   Type = "subscription.dead-lettered"
	TypeSubscriptionDisabled       Type = "subscription.disabled"
	TypeSubscriptionDeleted        Type = "subscription.deleted"

	TypeDomainCreated Type = "domain.created"

	TypeRouteCreated         Type = "route.created"
	TypeRouteUpdated         Type = "route.updated"
	TypeRouteDestinationsSet Type = "route.destinations-set"
	TypeRouteDeleted         Type = "route.deleted"

	TypeNameTaken Type = "name.taken"
	TypeNameFreed Type = "name.freed"

	TypeManifestApplied Type = "manifest.applied"
	TypeManifestFailed  Type = "manifest.failed"

	TypeNameClaimed  Type = "name.claimed"
	TypeNameReleased Type = "name.released"

	TypeCommandRejected Type = "command.rejected"
)

// Commit is one decision: what one command decided about one aggregate, written as one message or not at all.
type Commit struct {
	Subject   Subject   // where it is written: the aggregate
	CommandID CommandID // who repeats this id repeats this commit
	Version   Version   // 1, 2, 3... within the aggregate; 0 for unversioned facts
	Previous  Hash      // hash of the commit before it in the aggregate
	Actor     Actor     // who asked
	Cause     string    // what led to it: a door ("http", "rpc", "commands") or the id of an event
	Trace     string    // W3C traceparent, may be empty
	Time      time.Time // when it was decided, UTC
	Events    []Event   // at least one, in order
}

// EventID is the id of the commit's n-th event, counted from 0.
func (c Commit) EventID(n int) string { return fmt.Sprintf("%s.%d", c.CommandID, n) }

// Recorded is a commit that stands in the log.
type Recorded struct {
	Commit
	Sequence Sequence // its place in the EVENTS stream
	Hash     Hash     // what the aggregate's next commit must name as its Previous
}

// Metadata is the labels and annotations of a resource. Keys follow Cloud Foundry's rules.
type Metadata struct {
	Labels      map[string]string `json:"labels,omitempty"`      // key to value, to select by
	Annotations map[string]string `json:"annotations,omitempty"` // key to value, for people
}

// Equal says whether two hold the same.
func (m Metadata) Equal(n Metadata) bool {
	return maps.Equal(m.Labels, n.Labels) && maps.Equal(m.Annotations, n.Annotations)
}

// IsZero says whether there is nothing in it, so that empty and absent metadata are written alike.
func (m Metadata) IsZero() bool { return len(m.Labels) == 0 && len(m.Annotations) == 0 }
