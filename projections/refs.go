package projections

import "slipway/events"

// Refs are the things an event is about; what it does not name is empty.
type Refs struct {
	App        events.AppID
	Deployment events.DeploymentID
	Process    events.ProcessID
	Droplet    events.DropletID
	Revision   events.RevisionID
	Package    events.PackageID
	Build      events.BuildID
	Instance   events.InstanceID
	Index      int // of the instance

	Organization events.OrganizationID
	Space        events.SpaceID
	Quota        events.QuotaID
	Domain       events.DomainID
	Route        events.RouteID
	Strategy     events.StrategyID
	Halt         events.HaltID
	Policy       events.PolicyID
	Group        events.GroupID
	Subscription events.SubscriptionID
}

// RefsOf says which things an event names.
func RefsOf(e events.Event) Refs {
	switch e := e.(type) {
	case events.InstanceEvent:
		ref := e.Ref()
		return Refs{App: ref.App, Process: ref.Process, Instance: ref.Instance, Index: ref.Index}
	case events.SubscriptionEvent:
		ref := e.Ref()
		return Refs{Subscription: ref.Subscription, Organization: ref.Organization, Space: ref.Space}
	case events.AppCreated:
		return Refs{App: e.App}
	case events.AppUpdated:
		return Refs{App: e.App}
	case events.AppEnvironmentSet:
		return Refs{App: e.App}
	case events.AppFeatureSet:
		return Refs{App: e.App}
	case events.AppStarted:
		return Refs{App: e.App}
	case events.AppStopped:
		return Refs{App: e.App}
	case events.AppDropletAssigned:
		return Refs{App: e.App, Droplet: e.Droplet, Deployment: e.Deployment}
	case events.AppDeleted:
		return Refs{App: e.App}
	case events.RevisionCreated:
		return Refs{App: e.App, Revision: e.Revision, Droplet: e.Droplet, Deployment: e.Deployment}
	case events.DropletCreated:
		return Refs{App: e.App, Droplet: e.Droplet, Package: e.Package, Build: e.Build}
	case events.DropletUploaded:
		return Refs{App: e.App, Droplet: e.Droplet}
	case events.PackageCreated:
		return Refs{App: e.App, Package: e.Package}
	case events.PackageUploaded:
		return Refs{App: e.App, Package: e.Package}
	case events.BuildCreated:
		return Refs{App: e.App, Package: e.Package, Build: e.Build, Droplet: e.Droplet}
	case events.BuildStaged:
		return Refs{App: e.App, Package: e.Package, Build: e.Build, Droplet: e.Droplet}
	case events.BuildFailed:
		return Refs{App: e.App, Package: e.Package, Build: e.Build}
	case events.NameClaimed:
		return Refs{App: e.App}
	case events.NameReleased:
		return Refs{App: e.App}
	case events.ManifestApplied:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.ManifestFailed:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.CommandRejected:
		return Refs{App: e.App}
	default:
		return refsOfRollout(e)
	}
}

func refsOfRollout(e events.Event) Refs {
	switch e := e.(type) {
	case events.ProcessCreated:
		return Refs{App: e.App, Process: e.Process, Droplet: e.Droplet, Revision: e.Revision, Deployment: e.Deployment}
	case events.ProcessUpdated:
		return Refs{App: e.App, Process: e.Process}
	case events.ProcessScaled:
		return Refs{App: e.App, Process: e.Process, Deployment: e.Deployment}
	case events.ProcessRestarted:
		return Refs{App: e.App, Process: e.Process, Droplet: e.Droplet, Revision: e.Revision, Deployment: e.Deployment}
	case events.ProcessDeleted:
		return Refs{App: e.App, Process: e.Process, Deployment: e.Deployment}
	case events.DeploymentCreated:
		return Refs{
			App: e.App, Deployment: e.Deployment, Process: e.Process, Droplet: e.Droplet, Revision: e.Revision, Group: e.Group,
		}
	case events.DeploymentStepStarted:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentBakeStarted:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentCheckRecorded:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentBreached:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentRollingBack:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentRolledBack:
		return Refs{App: e.App, Deployment: e.Deployment, Process: e.Kept}
	case events.SignalReceived:
		return Refs{App: e.App}
	case events.DeploymentPaused:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentContinued:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentErrorRecorded:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentMetadataSet:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentCanceling:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentCanceled:
		return Refs{App: e.App, Deployment: e.Deployment, Process: e.Kept}
	case events.DeploymentSuperseded:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentDeployed:
		return Refs{App: e.App, Deployment: e.Deployment}
	default:
		return refsOfRequest(e)
	}
}

func refsOfRequest(e events.Event) Refs {
	switch e := e.(type) {
	case events.DeploymentApprovalRequested:
		return Refs{App: e.App, Deployment: e.Deployment, Droplet: e.Droplet, Group: e.Group}
	case events.DeploymentApproved:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentHeld:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentDenied:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentWithdrawn:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentHalted:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentResumed:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.DeploymentDeleted:
		return Refs{App: e.App, Deployment: e.Deployment}
	case events.VersionRequested:
		return Refs{App: e.App, Deployment: e.Deployment, Droplet: e.Droplet}
	case events.VersionRejected:
		return Refs{App: e.App, Droplet: e.Droplet, Revision: e.Revision}
	case events.VersionAccepted:
		return Refs{App: e.App, Droplet: e.Droplet, Revision: e.Revision}
	case events.HaltDeclared:
		return Refs{Halt: e.Halt, Organization: e.Organization, Space: e.Space}
	case events.HaltMetadataSet:
		return Refs{Halt: e.Halt}
	case events.HaltLifted:
		return Refs{Halt: e.Halt}
	case events.PolicyCreated:
		return Refs{Policy: e.Policy, Organization: e.Organization, Space: e.Space}
	case events.PolicyUpdated:
		return Refs{Policy: e.Policy}
	case events.PolicyDeleted:
		return Refs{Policy: e.Policy}
	case events.AutomationHeld:
		return Refs{App: e.App}
	case events.AutomationReleased:
		return Refs{App: e.App}
	default:
		return refsOfGroup(e)
	}
}

// refsOfGroup names no deployment: the history of a deployment is that of its app.
func refsOfGroup(e events.Event) Refs {
	switch e := e.(type) {
	case events.GroupCreated:
		return Refs{Group: e.Group, Organization: e.Organization, Space: e.Space}
	case events.GroupMemberStarted:
		return Refs{Group: e.Group}
	case events.GroupMemberEnded:
		return Refs{Group: e.Group}
	case events.GroupDirected:
		return Refs{Group: e.Group}
	case events.GroupMemberDirected:
		return Refs{Group: e.Group}
	case events.GroupEnded:
		return Refs{Group: e.Group}
	case events.GroupMetadataSet:
		return Refs{Group: e.Group}
	default:
		return refsOfPlace(e)
	}
}

// refsOfPlace says which things an event about where apps live, or are reached, names.
func refsOfPlace(e events.Event) Refs {
	switch e := e.(type) {
	case events.OrganizationCreated:
		return Refs{Organization: e.Organization}
	case events.OrganizationUpdated:
		return Refs{Organization: e.Organization}
	case events.OrganizationDeleted:
		return Refs{Organization: e.Organization}
	case events.SpaceCreated:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.SpaceUpdated:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.SpaceDeleted:
		return Refs{Organization: e.Organization, Space: e.Space}
	case events.QuotaCreated:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaUpdated:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaDeleted:
		return Refs{Organization: e.Organization, Quota: e.Quota}
	case events.QuotaApplied:
		return Refs{Organization: e.Organization, Space: e.Space, Quota: e.Quota}
	case events.DomainCreated:
		return Refs{Organization: e.Organization, Domain: e.Domain}
	case events.RouteCreated:
		return Refs{App: e.App, Organization: e.Organization, Space: e.Space, Domain: e.Domain, Route: e.Route}
	case events.RouteUpdated:
		return Refs{Route: e.Route}
	case events.RouteDestinationsSet:
		return Refs{Route: e.Route}
	case events.RouteDeleted:
		return Refs{Route: e.Route}
	case events.StrategyCreated:
		return Refs{Strategy: e.Strategy}
	case events.StrategyUpdated:
		return Refs{Strategy: e.Strategy}
	case events.StrategyDeleted:
		return Refs{Strategy: e.Strategy}
	case events.NameTaken:
		return refsOfName(e.Scope, e.Holder)
	case events.NameFreed:
		return refsOfName(e.Scope, e.Holder)
	default:
		return Refs{}
	}
}

func refsOfName(scope events.NameScope, holder string) Refs {
	switch scope {
	case events.ScopeOrganizations:
		return Refs{Organization: events.OrganizationID(holder)}
	case events.ScopeOrganizationQuotas:
		return Refs{Quota: events.QuotaID(holder)}
	}
	return Refs{}
}
