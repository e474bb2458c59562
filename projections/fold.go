package projections

import (
	"context"

	"slipway/aggregates/pack"
	"slipway/events"
)

// fold is one batch on its way into the views: first every event says which rows it may need, then all are read, then the
// events are folded in memory without any I/O, then what changed is written.
type fold struct {
	apps        table[events.AppID, App]
	processes   table[events.ProcessID, Process]
	instances   table[instanceKey, Instance]
	droplets    table[events.DropletID, Droplet]
	packages    table[events.PackageID, Package]
	builds      table[events.BuildID, Build]
	revisions   table[events.RevisionID, Revision]
	deployments table[events.DeploymentID, Deployment]

	organizations table[events.OrganizationID, Organization]
	spaces        table[events.SpaceID, Space]
	quotas        table[events.QuotaID, Quota]
	domains       table[events.DomainID, Domain]
	routes        table[events.RouteID, Route]
	destinations  table[destinationKey, Destination]
	strategies    table[events.StrategyID, Strategy]
	groups        table[events.GroupID, Group] // not among tables: it is read after the deployments
	halts         table[events.HaltID, Halt]
	subscriptions table[events.SubscriptionID, Subscription]
	policies      table[events.PolicyID, Policy]

	history     table[Place, HistoryEvent]
	auditEvents table[Place, AuditEvent]
	anomalies   table[Place, Anomaly]
	recorded    map[report]bool // the history has them
}

func newFold() *fold {
	return &fold{
		apps: newTable(apps), processes: newTable(processes), instances: newTable(instances),
		droplets: newTable(droplets), packages: newTable(packages), builds: newTable(builds), revisions: newTable(revisions), deployments: newTable(deployments),
		organizations: newTable(organizations), spaces: newTable(spaces), quotas: newTable(quotas),
		domains: newTable(domains), routes: newTable(routes), destinations: newTable(destinations),
		strategies: newTable(strategies), groups: newTable(groups), halts: newTable(halts), policies: newTable(policies), subscriptions: newTable(subscriptions),
		history: newTable(history), auditEvents: newTable(auditEvents), anomalies: newTable(anomalies), recorded: map[report]bool{},
	}
}

// rows is what all tables can do, whatever their rows are.
type rows interface {
	load(ctx context.Context, tx writing) error
	store(ctx context.Context, tx writing) error
}

func (f *fold) tables() []rows {
	return []rows{
		&f.apps, &f.processes, &f.instances, &f.droplets, &f.packages, &f.builds, &f.revisions, &f.deployments,
		&f.organizations, &f.spaces, &f.quotas, &f.domains, &f.routes, &f.destinations, &f.strategies, &f.halts, &f.policies, &f.subscriptions,
		&f.history, &f.auditEvents, &f.anomalies,
	}
}

// want asks for all rows that the event may need.
func (f *fold) want(e events.Event) {
	r := RefsOf(e)
	f.apps.want(r.App)
	f.processes.want(r.Process)
	f.deployments.want(r.Deployment)
	f.packages.want(r.Package)
	f.builds.want(r.Build)
	f.organizations.want(r.Organization)
	f.spaces.want(r.Space)
	f.quotas.want(r.Quota)
	f.domains.want(r.Domain)
	f.routes.want(r.Route)
	f.strategies.want(r.Strategy)
	f.groups.want(r.Group)
	f.policies.want(r.Policy)
	f.halts.want(r.Halt)
	f.subscriptions.want(r.Subscription)
	switch e := e.(type) {
	case events.InstanceEvent:
		f.instances.want(instanceKey{r.Process, r.Index})
	case events.DropletCreated, events.DropletUploaded:
		f.droplets.want(r.Droplet)
	case events.VersionRejected, events.VersionAccepted:
		f.droplets.want(r.Droplet)
		f.revisions.want(r.Revision)
	case events.RevisionCreated:
		f.revisions.want(r.Revision)
		f.revisions.wantAll("app = ? AND number = ?", e.App, e.Number)
	case events.ProcessDeleted:
		f.instances.wantAll("process = ?", r.Process)
	case events.AppDeleted:
		f.wantAllOf(e.App)
	case events.GroupCreated:
		for _, m := range e.Members {
			f.apps.want(m.App)
		}
	case events.QuotaDeleted:
		f.spaces.wantAll("quota = ?", e.Quota)
		f.organizations.wantAll("quota = ?", e.Quota)
	case events.RouteDestinationsSet:
		f.destinations.wantAll("route = ?", e.Route)
		for _, d := range e.Destinations {
			f.apps.want(d.App)
		}
	case events.RouteDeleted:
		f.destinations.wantAll("route = ?", e.Route)
	}
}

func (f *fold) wantAllOf(app events.AppID) {
	f.processes.wantAll("app = ?", app)
	f.instances.wantAll("app = ?", app)
	f.droplets.wantAll("app = ?", app)
	f.packages.wantAll("app = ?", app)
	f.builds.wantAll("app = ?", app)
	f.revisions.wantAll("app = ?", app)
	f.deployments.wantAll("app = ?", app)
	f.destinations.wantAll("app = ?", app)
}

// commit folds one commit, event by event.
func (f *fold) commit(c events.Recorded) {
	for i, e := range c.Events {
		if c.Version == 0 && f.duplicate(report{c.EventID(i), e.Type()}) {
			continue
		}
		m := moment{Place: Place{c.Sequence, i}, time: c.Time, actor: c.Actor}
		f.record(m, c, e)
		f.audit(m, c, e)
		if problem := f.event(m, e); problem != nil {
			f.anomaly(m, e, problem)
		}
	}
}

// report names an event of an unversioned commit, which may stand in the log twice. Its id alone does not: the commits
// that one command leads to in different aggregates share ids.
type report struct {
	id   string
	kind events.Type
}

// duplicate says whether the history has the report already, and notes that it has it now.
func (f *fold) duplicate(r report) bool {
	known := f.recorded[r]
	f.recorded[r] = true
	return known
}

// event folds one event into the views. It is total: of what fits nothing it says why.
func (f *fold) event(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.AppCreated:
		return f.appCreated(m, e)
	case events.AppUpdated:
		return f.apps.change(m, e.App, func(a *App) { a.Metadata = e.Metadata })
	case events.AppEnvironmentSet:
		return f.apps.change(m, e.App, func(a *App) { a.Environment = e.Environment })
	case events.AppFeatureSet:
		return f.appFeatureSet(m, e)
	case events.AppStarted:
		return f.apps.change(m, e.App, func(a *App) { a.State = AppStarted })
	case events.AppStopped:
		return f.apps.change(m, e.App, func(a *App) { a.State = AppStopped })
	case events.AppDropletAssigned:
		return f.apps.change(m, e.App, func(a *App) { a.Droplet = e.Droplet })
	case events.AppDeleted:
		return f.appDeleted(e)
	case events.RevisionCreated:
		return f.revisionCreated(m, e)
	case events.DropletCreated:
		return f.dropletCreated(m, e)
	case events.DropletUploaded:
		return f.dropletUploaded(m, e)
	case events.PackageCreated:
		return f.packageCreated(m, e)
	case events.PackageUploaded:
		return f.packageUploaded(m, e)
	case events.BuildCreated:
		return f.buildCreated(m, e)
	case events.BuildStaged:
		return f.buildEnded(m, e.App, e.Build, pack.Staged, "")
	case events.BuildFailed:
		return f.buildEnded(m, e.App, e.Build, pack.Failed, e.Error)
	case events.InstanceEvent:
		f.instance(m, e)
		return nil
	case events.VersionRejected, events.VersionAccepted, events.AutomationHeld, events.AutomationReleased, events.HaltDeclared,
		events.HaltMetadataSet, events.HaltLifted:
		return f.governed(m, e)
	case events.SubscriptionEvent:
		return f.subscription(m, e)
	case events.PolicyCreated, events.PolicyUpdated, events.PolicyDeleted:
		return f.policy(m, e)
	case events.NameClaimed, events.NameReleased, events.CommandRejected, events.SignalReceived, events.ManifestApplied, events.ManifestFailed,
		events.VersionRequested:
		return nil // the history is all there is to say of them
	default:
		return f.rollout(m, e)
	}
}

func (f *fold) rollout(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.ProcessCreated:
		return f.processCreated(m, e)
	case events.ProcessUpdated:
		return f.processUpdated(m, e)
	case events.ProcessScaled:
		err := f.processScaled(m, e)
		f.membership(m, e.Deployment)
		return err
	case events.ProcessRestarted:
		return f.processRestarted(m, e)
	case events.ProcessDeleted:
		return f.processDeleted(e)
	case events.DeploymentCreated, events.DeploymentPaused, events.DeploymentContinued, events.DeploymentErrorRecorded,
		events.DeploymentMetadataSet, events.DeploymentCanceling, events.DeploymentCanceled, events.DeploymentSuperseded,
		events.DeploymentDeployed, events.DeploymentStepStarted, events.DeploymentBakeStarted, events.DeploymentCheckRecorded,
		events.DeploymentBreached, events.DeploymentRollingBack, events.DeploymentRolledBack, events.DeploymentApprovalRequested,
		events.DeploymentApproved, events.DeploymentHeld, events.DeploymentDenied, events.DeploymentWithdrawn, events.DeploymentHalted,
		events.DeploymentResumed, events.DeploymentDeleted:
		err := f.deployment(m, e)
		f.membership(m, RefsOf(e).Deployment)
		return err
	default:
		return f.place(m, e)
	}
}
