package events

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/matryer/is"
)

// The things the examples are about: app payments goes from its second revision to its third.
const (
	exampleApp        AppID        = "01K9M2D4R6T8V0X2Z4B6D8F0H2"
	exampleWeb        ProcessID    = "01K9M2D4R7W9Y1A3C5E7G9J1K3"
	exampleNewWeb     ProcessID    = "01K9M5N8Q0S2T4V6X8Z0A2C4E6"
	exampleWorker     ProcessID    = "01K9M2D4R8X0Z2B4D6F8H0J2K4"
	exampleOldDroplet DropletID    = "01K9M2F1A3C5E7G9J1M3P5R7T9"
	exampleDroplet    DropletID    = "01K9M5J2B4D6F8H0K2N4Q6S8V0"
	examplePackage    PackageID    = "01K9M5H1C3E5G7J9M1P3R5T7W9"
	exampleBuild      BuildID      = "01K9M5H2D4F6H8K0N2Q4S6V8X0"
	exampleImage                   = "registry.example.org/shop/payments:3"
	exampleRevision   RevisionID   = "01K9M5N8Q1R3T5W7Y9A1C3E5G7"
	exampleDeployment DeploymentID = "01K9M5N8Q2V4X6Z8B0D2F4H6J8"
	exampleNewer      DeploymentID = "01K9M6C3E5G7J9M1P3R5T7W9Y1"
	exampleInstance   InstanceID   = "01K9M5P0S2T4V6X8Z0B2D4F6H8"
	exampleAgent      AgentID      = "host-a"
	exampleCommand    CommandID    = "01K9M5N8Q0A1B2C3D4E5F6G7H8"

	exampleOrganization OrganizationID = "01K9M1A2B3C5E7G9J1M3P5R7T9"
	exampleSpace        SpaceID        = "01K9M1A2B4D6F8H0K2N4Q6S8V0"
	exampleQuota        QuotaID        = "01K9M1A2B5E7G9J1M3P5R7T9W1"
	examplePolicy       PolicyID       = "01K9M1A2B6F8H0K2N4Q6S8V0X2"
	exampleGroup        GroupID        = "01K9M1A2B7G9J1M3P5R7T9W1Y3"
	exampleHalt         HaltID         = "01K9M1A2B8H0K2N4Q6S8V0X2Z4"
	exampleStrategy     StrategyID     = "1225qzk"
	exampleSubscription SubscriptionID = "01K9M1A2B9J1M3P5R7T9W1Y3A5"
)

var (
	exampleListener = SubscriptionRef{Subscription: exampleSubscription, Organization: exampleOrganization, Space: exampleSpace}
	exampleDelivery = Delivery{ID: "4711-0", Type: "deployment.deployed"}
	exampleTime     = time.Date(2025, 11, 9, 14, 3, 27, 120_456_789, time.UTC)
	exampleMetadata = Metadata{
		Labels:      map[string]string{"team": "checkout"},
		Annotations: map[string]string{"contact": "checkout@example.org"},
	}
	exampleLimits = QuotaLimits{
		MemoryMB: new(4096), InstanceMemoryMB: new(1024), Instances: new(16), LogRate: new(int64(1 << 20)), Routes: new(10),
		AppTasks: new(4), ServiceInstances: new(2), ServiceKeys: new(3), NoPaidServices: true, ReservedPorts: new(1), Domains: new(5),
	}
	exampleGrowth = Growth{GrowthType: GrowthLinear, GrowthFactor: 20, DeploymentDurationMinutes: 30, FinalBakeMinutes: 10}
	exampleCheck  = Check{
		Name: "error-rate", Kind: CheckPrometheus, URL: "http://prometheus.example.org:9090", Query: "sum(rate(errors[1m]))",
		PassWhen: "<= 0.01", FailWhen: "> 0.05", OnEmpty: VerdictPass, OnNaN: VerdictFail, Interval: 10, Timeout: 5, FailureLimit: 2, DryRun: true,
	}
	exampleOptions = DeploymentOptions{
		MaxInFlight: 1, WebInstances: new(4), MemoryMB: new(256), DiskMB: new(1024), LogRate: new(int64(-1)),
		CanaryWeights: []int{20, 50}, CanaryPauses: []Pause{{Seconds: 300, Then: ThenContinue}}, Bake: 600,
		Guard: Guard{
			OnFailure: ThenRollback, Fast: true, ProgressDeadline: 600, StartupTimeout: 120, CrashLimit: 5, CrashPercent: 50,
			IgnoreAlarms: true, Checks: []Check{exampleCheck},
		},
	}
	exampleSnapshot = RevisionCreated{
		App: exampleApp, Revision: exampleRevision, Number: 3, Droplet: exampleDroplet,
		Environment: map[string]string{"LOG_LEVEL": "info"}, Commands: map[string]string{"worker": "./payments work --slow"},
		Types: []string{"web", "worker"}, Description: "New droplet deployed.", Deployment: exampleDeployment,
	}
	exampleRoute = RouteIDOf("payments.localhost")
	exampleTypes = map[string]string{"web": "./payments -listen :$PORT", "worker": "./payments work"}
	exampleRef   = InstanceRef{
		App: exampleApp, Process: exampleNewWeb, ProcessType: "web", Index: 1, Instance: exampleInstance,
		Agent: exampleAgent, Generation: 2,
	}
)

// examples has one event of every type with every field filled. The goldens are made from it.
var examples = []Event{
	AppCreated{
		App: exampleApp, Name: "payments", Space: DefaultSpace, Organization: DefaultOrganization,
		Lifecycle: LifecycleDocker, Environment: map[string]string{"LOG_LEVEL": "info"}, Metadata: exampleMetadata, Routed: true,
	},
	AppUpdated{App: exampleApp, Metadata: exampleMetadata},
	AppEnvironmentSet{App: exampleApp, Environment: map[string]string{"CURRENCY": "EUR", "LOG_LEVEL": "debug"}},
	AppFeatureSet{App: exampleApp, Name: FeatureRevisions, Enabled: true},
	AppStarted{App: exampleApp, At: exampleTime},
	AppStopped{App: exampleApp},
	AppDropletAssigned{
		App: exampleApp, Droplet: exampleDroplet, PreviousDroplet: exampleOldDroplet, ProcessTypes: exampleTypes,
		Deployment: exampleDeployment,
	},
	AppDeleted{App: exampleApp},
	exampleSnapshot,
	ProcessCreated{
		App: exampleApp, Process: exampleNewWeb, ProcessType: ProcessTypeWeb, Droplet: exampleDroplet,
		Command: "./migrate && ./payments -listen :$PORT", Custom: true, Instances: 1, MemoryMB: 256, DiskMB: 1024, LogRate: -1,
		HealthCheck: HealthCheck{
			Kind: HealthCheckHTTP, Endpoint: "/healthz", TimeoutSeconds: 60, InvocationTimeoutSeconds: 1, IntervalSeconds: 30,
		},
		Revision: exampleRevision, Deployment: exampleDeployment,
	},
	ProcessUpdated{
		App: exampleApp, Process: exampleWeb, Command: "./payments -listen :$PORT -cache 64", Custom: true,
		HealthCheck: HealthCheck{
			Kind: HealthCheckHTTP, Endpoint: "/ready", TimeoutSeconds: 90, InvocationTimeoutSeconds: 2, IntervalSeconds: 10,
		},
	},
	ProcessScaled{
		App: exampleApp, Process: exampleNewWeb, ProcessType: ProcessTypeWeb, From: 1, Instances: 2, MemoryMB: 256, DiskMB: 1024,
		LogRate: -1, Deployment: exampleDeployment, Reason: "1 of 4 new instances routable, 1 may start", Leaving: []InstanceID{exampleInstance},
	},
	ProcessRestarted{
		App: exampleApp, Process: exampleWorker, ProcessType: "worker", Droplet: exampleDroplet,
		Command: "./payments work --slow", Custom: true, Revision: exampleRevision, Generation: 2, Deployment: exampleDeployment,
	},
	ProcessDeleted{App: exampleApp, Process: exampleWeb, ProcessType: ProcessTypeWeb, Deployment: exampleDeployment},
	DeploymentCreated{
		App: exampleApp, Deployment: exampleDeployment, Strategy: StrategyRolling,
		Options: exampleOptions,
		Droplet: exampleDroplet, PreviousDroplet: exampleOldDroplet, Revision: exampleRevision, RevisionNumber: 3,
		Process: exampleNewWeb, OriginalInstances: 4, Target: 4, Floor: 4,
		Plan: []Step{
			{New: 1, Old: 4, Gate: GateManual, Share: 20, After: 60_000, Wait: 300_000, Then: ThenContinue, Dark: true},
			{New: 4, Old: 0, Gate: GateBake, Share: 100, After: 300_000, Wait: 600_000},
		},
		Metadata: exampleMetadata, RolledBackTo: exampleRevision, StartedAt: exampleTime, StoredStrategy: exampleStrategy,
		Group: exampleGroup, Requested: true,
		Growth: &exampleGrowth,
	},
	DeploymentStepStarted{App: exampleApp, Deployment: exampleDeployment, Step: 2, Share: 40, At: exampleTime},
	DeploymentBakeStarted{App: exampleApp, Deployment: exampleDeployment, At: exampleTime, Until: exampleTime.Add(10 * time.Minute)},
	DeploymentCheckRecorded{
		App: exampleApp, Deployment: exampleDeployment, Check: exampleCheck.Name, Verdict: VerdictFail, Value: "0.071", Threshold: "<= 0.01",
		Message: "value 0.071 is not <= 0.01", DryRun: true, At: exampleTime,
	},
	DeploymentBreached{
		App: exampleApp, Deployment: exampleDeployment, Cause: CauseCheck, Name: exampleCheck.Name,
		Reason: "check error-rate failed: value 0.071 is not <= 0.01", Value: "0.071", Crashes: 3, Action: ThenRollback, At: exampleTime,
	},
	DeploymentRollingBack{
		App: exampleApp, Deployment: exampleDeployment, Reason: "check error-rate failed: value 0.071 is not <= 0.01", Fast: true, At: exampleTime,
	},
	DeploymentRolledBack{App: exampleApp, Deployment: exampleDeployment, Kept: exampleWeb},
	DeploymentApprovalRequested{
		App: exampleApp, Deployment: exampleDeployment, Request: exampleCommand, By: "user/alice", Strategy: StrategyRolling,
		Options: exampleOptions, Droplet: exampleDroplet, RollBackTo: exampleRevision,
		StoredStrategy: exampleStrategy, Growth: &exampleGrowth, Schedule: "first-step-now", Group: exampleGroup, Metadata: exampleMetadata,
		Verdicts: []PolicyVerdict{{
			Policy: examplePolicy, Name: "two pairs of eyes in production", Outcome: OutcomeApproval, Reason: "space.name is prod", Needed: 1,
			Approvers: []string{"space_manager", "user/bob"}, SelfApproval: true, Expires: exampleTime, ManualStart: true, Until: exampleTime,
		}},
		Context: json.RawMessage(`{"space":{"name":"prod"}}`), At: exampleTime, Automation: true,
	},
	DeploymentApproved{
		App: exampleApp, Deployment: exampleDeployment, By: "user/bob", Policies: []PolicyID{examplePolicy}, Comment: "looks good",
		Granted: true, At: exampleTime,
	},
	DeploymentHeld{
		App: exampleApp, Deployment: exampleDeployment, Policy: examplePolicy, Name: "year end", Reason: "nobody is in the office",
		Until: exampleTime.Add(time.Hour), At: exampleTime,
	},
	DeploymentDenied{
		App: exampleApp, Deployment: exampleDeployment, By: "user/bob", Policy: examplePolicy, Reason: "not on a Friday", At: exampleTime,
	},
	DeploymentWithdrawn{App: exampleApp, Deployment: exampleDeployment, By: "user/alice", Reason: "taken back", At: exampleTime},
	DeploymentHalted{
		App: exampleApp, Deployment: exampleDeployment, Halt: exampleHalt, Reason: "incident 42", By: "user/bob", Until: exampleTime,
	},
	DeploymentResumed{App: exampleApp, Deployment: exampleDeployment, At: exampleTime},
	DeploymentDeleted{App: exampleApp, Deployment: exampleDeployment},
	GroupCreated{
		Group: exampleGroup, Name: "payments 42", Organization: exampleOrganization, Space: exampleSpace, Members: []GroupMember{{
			Deployment: exampleDeployment, Command: exampleCommand, App: exampleApp, AppName: "payments", Wave: 2, Droplet: exampleDroplet, Revision: exampleRevision,
			Strategy: StrategyRolling, StoredStrategy: exampleStrategy, Options: exampleOptions, Metadata: exampleMetadata,
			Roles: []string{"space_developer"},
		}}, Metadata: exampleMetadata, Schedule: "first-step-now", By: "user/alice", Automation: true, At: exampleTime,
	},
	GroupMemberStarted{Group: exampleGroup, Deployment: exampleDeployment, At: exampleTime},
	GroupMemberEnded{
		Group: exampleGroup, Deployment: exampleDeployment, Status: "SKIPPED", At: exampleTime,
		Reason: "wave 1 did not end well: deployment 01K9M1A2B3C4D5E6F7G8H9J0K1 of app 01K9M1A2B3C4D5E6F7G8H9J0K2 is ROLLED_BACK",
	},
	GroupDirected{
		Group: exampleGroup, Directive: DirectiveContinue, Command: exampleCommand, By: "user/alice", At: exampleTime,
		Orders: []GroupOrder{{Deployment: exampleDeployment, Step: 1}}, Automation: true,
	},
	GroupMemberDirected{
		Group: exampleGroup, Deployment: exampleDeployment, Command: exampleCommand,
		Error: "Cannot continue the deployment at step 1: it is at step 2, continued by user/bob",
	},
	GroupEnded{Group: exampleGroup, Status: "FINALIZED", At: exampleTime},
	GroupMetadataSet{Group: exampleGroup, Metadata: exampleMetadata},
	HaltDeclared{
		Halt: exampleHalt, Organization: exampleOrganization, Space: exampleSpace, Reason: "incident 42", By: "user/bob", At: exampleTime,
		Until: exampleTime, Metadata: exampleMetadata,
	},
	HaltLifted{Halt: exampleHalt, By: "user/bob", At: exampleTime},
	HaltMetadataSet{Halt: exampleHalt, Metadata: exampleMetadata},
	PolicyCreated{
		Policy: examplePolicy, Name: "two pairs of eyes in production", Organization: exampleOrganization, Space: exampleSpace,
		Rule: examplePolicyRule, Metadata: exampleMetadata,
	},
	PolicyUpdated{Policy: examplePolicy, Name: "two pairs of eyes", Rule: examplePolicyRule, Metadata: exampleMetadata},
	PolicyDeleted{Policy: examplePolicy},
	VersionRequested{
		App: exampleApp, Deployment: exampleDeployment, Droplet: exampleDroplet, ProcessTypes: exampleTypes, RollBackTo: &exampleSnapshot,
	},
	VersionRejected{App: exampleApp, Droplet: exampleDroplet, Revision: exampleRevision, Reason: "it loses orders", By: "user/bob"},
	VersionAccepted{App: exampleApp, Droplet: exampleDroplet, Revision: exampleRevision, By: "user/bob"},
	AutomationHeld{App: exampleApp, Reason: "rolled back by hand", By: "user/bob", At: exampleTime},
	AutomationReleased{App: exampleApp, By: "user/bob"},
	SignalReceived{
		App: exampleApp, Name: "HighErrorRate", Firing: true, Source: "alertmanager", Value: "0.07", Message: "7% of requests fail", At: exampleTime,
	},
	DeploymentPaused{App: exampleApp, Deployment: exampleDeployment, Step: 1, Until: exampleTime, Then: ThenHold},
	DeploymentContinued{App: exampleApp, Deployment: exampleDeployment, Step: 1, By: "user/alice", At: exampleTime, Crashes: 7},
	DeploymentErrorRecorded{App: exampleApp, Deployment: exampleDeployment, Error: "1 of 2 new instances is unhealthy"},
	DeploymentMetadataSet{App: exampleApp, Deployment: exampleDeployment, Metadata: exampleMetadata},
	DeploymentCanceling{App: exampleApp, Deployment: exampleDeployment},
	DeploymentCanceled{App: exampleApp, Deployment: exampleDeployment, Kept: exampleWeb},
	DeploymentSuperseded{App: exampleApp, Deployment: exampleDeployment, By: exampleNewer, Canceled: true},
	DeploymentDeployed{App: exampleApp, Deployment: exampleDeployment},
	InstanceStarting{InstanceRef: exampleRef},
	InstanceRunning{InstanceRef: exampleRef, Address: "127.0.0.1:61001", Adopted: true},
	InstanceUnready{InstanceRef: exampleRef, Reason: "readiness: status 503 from /ready"},
	InstanceCrashed{InstanceRef: exampleRef, Reason: "exit status 1", ExitStatus: new(1), Crashes: 2, RetryMS: 2000},
	InstanceStopped{InstanceRef: exampleRef, Reason: "scaled down"},
	DropletCreated{
		Droplet: exampleDroplet, App: exampleApp, ProcessTypes: exampleTypes, Image: exampleImage, Package: examplePackage,
		Build: exampleBuild,
	},
	DropletUploaded{
		Droplet: exampleDroplet, App: exampleApp, Bits: "01K3ZB3W9V2J6R0Q8T5M4N7PXC",
		SHA256:    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		SizeBytes: 4_812_345, ProcessTypes: exampleTypes,
	},
	PackageCreated{
		Package: examplePackage, App: exampleApp, PackageType: PackageTypeDocker, Image: exampleImage, Metadata: exampleMetadata,
	},
	PackageUploaded{
		Package: examplePackage, App: exampleApp, Bits: "01K9M5H0A1B2C3D4E5F6G7H8J9",
		SHA256:    "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
		SizeBytes: 5_120_000,
	},
	BuildCreated{
		Build: exampleBuild, Package: examplePackage, App: exampleApp, Droplet: exampleDroplet,
		Bits: "01K9M5H0A1B2C3D4E5F6G7H8J9", Image: exampleImage, Metadata: exampleMetadata,
	},
	BuildStaged{Build: exampleBuild, Package: examplePackage, App: exampleApp, Droplet: exampleDroplet},
	BuildFailed{Build: exampleBuild, Package: examplePackage, App: exampleApp, Error: "no Procfile and no start command"},
	OrganizationCreated{Organization: exampleOrganization, Name: "acme", Metadata: exampleMetadata},
	OrganizationUpdated{Organization: exampleOrganization, Name: "acme", Metadata: exampleMetadata},
	OrganizationDeleted{Organization: exampleOrganization},
	SpaceCreated{Space: exampleSpace, Organization: exampleOrganization, Name: "prod", Metadata: exampleMetadata},
	SpaceUpdated{Space: exampleSpace, Organization: exampleOrganization, Name: "prod", Metadata: exampleMetadata},
	SpaceDeleted{Space: exampleSpace, Organization: exampleOrganization},
	QuotaCreated{Quota: exampleQuota, Organization: exampleOrganization, Name: "small", Limits: exampleLimits},
	QuotaUpdated{Quota: exampleQuota, Organization: exampleOrganization, Name: "small", Limits: exampleLimits},
	QuotaDeleted{Quota: exampleQuota, Organization: exampleOrganization},
	QuotaApplied{Quota: exampleQuota, Organization: exampleOrganization, Space: exampleSpace},
	StrategyCreated{
		Strategy: exampleStrategy, Name: "careful", Description: "A fifth at a time", Growth: exampleGrowth, ReplicateTo: ReplicateToNone,
		Tags: map[string]string{"team": "checkout"},
	},
	StrategyUpdated{Strategy: exampleStrategy, Description: "A fifth at a time, over half an hour", Growth: exampleGrowth},
	StrategyDeleted{Strategy: exampleStrategy},
	SubscriptionCreated{
		SubscriptionRef: exampleListener, Name: "chat", URL: "https://hooks.example.org/slipway", Types: []string{"deployment.*", "app.stopped"},
		ContentMode: ContentStructured, Active: true, Metadata: exampleMetadata, At: exampleTime, Generation: 1,
	},
	SubscriptionUpdated{
		SubscriptionRef: exampleListener, Name: "chat", URL: "https://hooks.example.org/slipway", Types: []string{"*"}, ContentMode: ContentBinary,
		Active: true, Metadata: exampleMetadata,
	},
	SubscriptionSecretRotated{SubscriptionRef: exampleListener, Generation: 2, At: exampleTime},
	SubscriptionTested{exampleListener},
	SubscriptionDelivered{SubscriptionRef: exampleListener, Delivery: exampleDelivery, At: exampleTime},
	SubscriptionDeliveryFailed{
		SubscriptionRef: exampleListener, Delivery: exampleDelivery, Attempt: 2, Reason: "HTTP 503", Since: exampleTime.Add(-time.Minute),
		At: exampleTime, Next: exampleTime.Add(4 * time.Second),
	},
	SubscriptionDeadLettered{
		SubscriptionRef: exampleListener, Delivery: exampleDelivery, Attempts: 61, Reason: "HTTP 503", Since: exampleTime.Add(-24 * time.Hour),
		At: exampleTime,
	},
	SubscriptionDisabled{SubscriptionRef: exampleListener, Delivery: exampleDelivery, Reason: "HTTP 410", At: exampleTime},
	SubscriptionDeleted{exampleListener},
	DomainCreated{Domain: DomainIDOf("example.org"), Name: "example.org", Organization: exampleOrganization},
	RouteCreated{
		Route: exampleRoute, Space: exampleSpace, Organization: exampleOrganization, Domain: DefaultDomain, Host: "payments",
		URL: "payments.localhost", App: exampleApp, Metadata: exampleMetadata,
	},
	RouteUpdated{Route: exampleRoute, Metadata: exampleMetadata},
	RouteDestinationsSet{Route: exampleRoute, Destinations: []Destination{
		{ID: "01K9M2D4R9A1C3E5G7J9M1P3R5", App: exampleApp, ProcessType: "web"},
	}},
	RouteDeleted{Route: exampleRoute},
	NameTaken{Scope: ScopeOrganizations, Name: "acme", Holder: string(exampleOrganization), At: exampleTime},
	NameFreed{Scope: ScopeOrganizations, Name: "acme", Holder: string(exampleOrganization)},
	ManifestApplied{Command: exampleCommand, Space: DefaultSpace, Organization: DefaultOrganization, Apps: []AppID{exampleApp}},
	ManifestFailed{
		Command: exampleCommand, Space: DefaultSpace, Organization: DefaultOrganization, Code: "CF-UnprocessableEntity",
		Message: "For application 'payments': Cannot scale this process while a deployment is in flight.",
	},
	NameClaimed{Space: DefaultSpace, Name: "payments", App: exampleApp, At: exampleTime},
	NameReleased{Space: DefaultSpace, Name: "payments", App: exampleApp},
	CommandRejected{
		Command: exampleCommand, Name: "deployment.create", App: exampleApp, Code: "CF-UnprocessableEntity",
		Message: "The droplet belongs to another app.",
	},
}

func TestExamplesAreComplete(t *testing.T) {
	is := is.New(t)
	seen := map[Type]bool{}
	for _, e := range examples {
		is.True(!seen[e.Type()]) // one example per type
		seen[e.Type()] = true
		for _, path := range unfilled(reflect.ValueOf(e), string(e.Type())) {
			t.Errorf("the example leaves %s empty: documentation and golden would not show it", path)
		}
	}
	for _, typ := range NewRegistry().Types() {
		if !seen[typ] {
			t.Errorf("%s has no example", typ)
		}
	}
}

// unfilled lists the fields below v that are zero. Of a list it is enough that one entry is filled.
func unfilled(v reflect.Value, path string) []string {
	switch {
	case v.IsZero():
		return []string{path}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		var missing []string
		for i := range v.NumField() {
			missing = append(missing, unfilled(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
		return missing
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return unfilled(v.Index(0), path+"[0]")
	case v.Kind() == reflect.Map || v.Kind() == reflect.Slice:
		if v.Len() == 0 {
			return []string{path}
		}
	}
	return nil
}

var examplePolicyRule = PolicyRule{
	AppLabels: map[string]string{"tier": "critical"}, Condition: "!actor.automation",
	Window:  &PolicyWindow{Rule: "FREQ=WEEKLY;BYDAY=FR", Start: "2025-11-07T12:00:00", Seconds: 43200, Zone: "Europe/Berlin", Applies: WindowInside},
	Outcome: OutcomeApproval, Reason: "nobody is there at the weekend",
	Approval: &PolicyApproval{Needed: 2, Approvers: []string{"space_manager", "user/bob"}, Expires: 3600, SelfApproval: true, ManualStart: true},
}
