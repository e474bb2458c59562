package projections

import (
	"maps"
	"slices"

	"slipway/events"
)

// hiddenData stands for values that an auditor has no business with (Cloud Foundry's text).
const hiddenData = "[PRIVATE DATA HIDDEN]"

// detail is the data of an audit event.
type detail = map[string]any

// auditOf is the one table of what the i-th event of a commit says to an auditor; nothing where the type is empty. Types and
// data are Cloud Foundry's (reference 2.4), but for what it does not tell: how a deployment goes on and ends. of is the
// deployment that the event names, if it does.
func auditOf(c events.Commit, i int, of *Deployment) (kind string, data detail) {
	switch e := c.Events[i].(type) {
	case events.AppCreated:
		return "audit.app.create", request(detail{"name": e.Name, "environment_variables": hiddenKeys(e.Environment)})
	case events.AppUpdated:
		return "audit.app.update", request(detail{"metadata": e.Metadata})
	case events.AppEnvironmentSet:
		return "audit.app.update", request(detail{"environment_variables": hiddenData})
	case events.AppFeatureSet:
		return "audit.app.update", request(detail{"name": e.Name, "enabled": e.Enabled})
	case events.AppStarted:
		return "audit.app.start", detail{}
	case events.AppStopped:
		return "audit.app.stop", detail{}
	case events.AppDeleted:
		return "audit.app.delete-request", request(detail{"recursive": true})
	case events.AppDropletAssigned:
		return "audit.app.droplet.mapped", request(detail{"droplet_guid": e.Droplet})
	case events.RevisionCreated:
		return "audit.app.revision.create", detail{"revision_guid": e.Revision, "revision_version": e.Number}
	}
	if kind, data = auditOfProcess(c, i); kind != "" {
		return kind, data
	}
	if kind, data = auditOfBits(c.Events[i]); kind != "" {
		return kind, data
	}
	if kind, data = auditOfRules(c.Events[i]); kind != "" {
		return kind, data
	}
	return auditOfDeployment(c.Events[i], of)
}

func request(asked detail) detail { return detail{"request": asked} }

// hiddenKeys names variables without their values.
func hiddenKeys(env map[string]string) any {
	if len(env) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(env))
}

// auditOfProcess leaves out what rollouts do to processes: that is told of the deployment.
func auditOfProcess(c events.Commit, i int) (string, detail) {
	switch e := c.Events[i].(type) {
	case events.ProcessCreated:
		if e.Deployment == "" {
			return "audit.app.process.create", detail{"process_guid": e.Process, "process_type": e.ProcessType}
		}
	case events.ProcessUpdated:
		return "audit.app.process.update", detail{"process_guid": e.Process, "request": detail{
			"command": hiddenData, "health_check": e.HealthCheck,
		}}
	case events.ProcessScaled:
		if e.Deployment == "" && !c.Actor.System() {
			return "audit.app.process.scale", detail{"process_guid": e.Process, "process_type": e.ProcessType, "request": detail{
				"instances": e.Instances, "memory_in_mb": e.MemoryMB, "disk_in_mb": e.DiskMB,
				"log_rate_limit_in_bytes_per_second": e.LogRate,
			}}
		}
	case events.ProcessRestarted:
		if restart(c, i) {
			return "audit.app.restart", detail{}
		}
	}
	return "", nil
}

// restart says whether the i-th event is the first of those that a restart consists of. A start restarts processes too, and
// so does the end of a rollout.
func restart(c events.Commit, i int) bool {
	for at, e := range c.Events {
		switch e := e.(type) {
		case events.AppStarted, events.DeploymentCreated, events.DeploymentDeployed:
			return false
		case events.ProcessRestarted:
			if at < i || e.Deployment != "" {
				return false
			}
		}
	}
	return !c.Actor.System()
}

func auditOfBits(e events.Event) (string, detail) {
	switch e := e.(type) {
	case events.DropletCreated:
		return "audit.app.droplet.create", detail{"droplet_guid": e.Droplet, "package_guid": e.Package}
	case events.DropletUploaded:
		return "audit.app.droplet.upload", detail{"droplet_guid": e.Droplet}
	case events.PackageCreated:
		return "audit.app.package.create", detail{"package_guid": e.Package, "request": detail{"type": e.PackageType}}
	case events.PackageUploaded:
		return "audit.app.package.upload", detail{"package_guid": e.Package}
	case events.BuildCreated:
		return "audit.app.build.create", detail{"build_guid": e.Build, "package_guid": e.Package}
	case events.BuildStaged:
		return "audit.app.build.staged", detail{"build_guid": e.Build, "package_guid": e.Package, "droplet_guid": e.Droplet}
	case events.BuildFailed:
		return "audit.app.build.failed", detail{"build_guid": e.Build, "package_guid": e.Package, "error_message": e.Error}
	}
	return "", nil
}

func auditOfDeployment(e events.Event, of *Deployment) (string, detail) {
	about := func(id events.DeploymentID) detail {
		data := detail{"deployment_guid": id}
		if of != nil {
			data["droplet_guid"] = of.Droplet
		}
		return data
	}
	with := func(data detail, key string, value any) detail {
		data[key] = value
		return data
	}
	switch e := e.(type) {
	case events.DeploymentCreated:
		return "audit.app.deployment.create", created(e)
	case events.DeploymentContinued:
		return "audit.app.deployment.continue", about(e.Deployment)
	case events.DeploymentCanceling:
		return "audit.app.deployment.cancel", about(e.Deployment)
	case events.DeploymentPaused:
		return "audit.app.deployment.paused", with(about(e.Deployment), "step", e.Step)
	case events.DeploymentApprovalRequested:
		return "audit.app.deployment.request", with(about(e.Deployment), "strategy", e.Strategy)
	case events.DeploymentApproved:
		return "audit.app.deployment.approve", with(about(e.Deployment), "comment", e.Comment)
	case events.DeploymentHeld:
		return "audit.app.deployment.hold", with(with(about(e.Deployment), "reason", e.Reason), "until", e.Until)
	case events.DeploymentDenied:
		return "audit.app.deployment.deny", with(about(e.Deployment), "reason", e.Reason)
	case events.DeploymentWithdrawn:
		return "audit.app.deployment.withdraw", with(about(e.Deployment), "reason", e.Reason)
	case events.DeploymentHalted:
		return "audit.app.deployment.halt", with(about(e.Deployment), "reason", e.Reason)
	case events.DeploymentResumed:
		return "audit.app.deployment.resume", about(e.Deployment)
	case events.DeploymentBreached:
		return "audit.app.deployment.breached", with(with(about(e.Deployment), "reason", e.Reason), "action", e.Action)
	case events.DeploymentRollingBack:
		return "audit.app.deployment.rollback", with(about(e.Deployment), "reason", e.Reason)
	case events.DeploymentRolledBack:
		return "audit.app.deployment.rolled-back", about(e.Deployment)
	case events.DeploymentDeployed:
		return "audit.app.deployment.deployed", about(e.Deployment)
	case events.DeploymentCanceled:
		return "audit.app.deployment.canceled", about(e.Deployment)
	case events.DeploymentSuperseded:
		return "audit.app.deployment.superseded", with(about(e.Deployment), "by", e.By)
	case events.DeploymentErrorRecorded:
		if e.Error != "" {
			return "audit.app.deployment.error", with(about(e.Deployment), "error", e.Error)
		}
	}
	return "", nil
}

// created is the data of a deployment's creation, with the request as the event tells it.
func created(e events.DeploymentCreated) detail {
	asked := detail{
		"relationships": detail{"app": detail{"data": detail{"guid": e.App}}}, "strategy": e.Strategy, "options": options(e.Options),
	}
	var kind any
	if e.RolledBackTo != "" {
		kind, asked["revision"] = "rollback", detail{"guid": e.RolledBackTo}
	} else {
		asked["droplet"] = detail{"guid": e.Droplet}
	}
	return detail{
		"deployment_guid": e.Deployment, "droplet_guid": e.Droplet, "type": kind, "revision_guid": e.Revision,
		"strategy": e.Strategy, "request": asked,
	}
}

func options(o events.DeploymentOptions) detail {
	asked := detail{"max_in_flight": o.MaxInFlight}
	if o.WebInstances != nil {
		asked["web_instances"] = *o.WebInstances
	}
	if o.MemoryMB != nil {
		asked["memory_in_mb"] = *o.MemoryMB
	}
	if o.DiskMB != nil {
		asked["disk_in_mb"] = *o.DiskMB
	}
	if o.LogRate != nil {
		asked["log_rate_limit_in_bytes_per_second"] = *o.LogRate
	}
	if len(o.CanaryWeights) > 0 {
		var steps []detail
		for _, weight := range o.CanaryWeights {
			steps = append(steps, detail{"instance_weight": weight})
		}
		asked["canary"] = detail{"steps": steps}
	}
	return asked
}
