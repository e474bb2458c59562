package resource

import (
	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/projections"
)

// Deployment is one rollout (reference 2.2).
type Deployment struct {
	Stamp
	Status          Status            `json:"status"`
	Strategy        string            `json:"strategy"`
	Options         DeploymentOptions `json:"options"`
	Droplet         GUID              `json:"droplet"`
	PreviousDroplet GUID              `json:"previous_droplet"`
	NewProcesses    []ProcessRef      `json:"new_processes"`
	Revision        *RevisionRef      `json:"revision"`
	Relationships   OfApp             `json:"relationships"`
	Metadata        Metadata          `json:"metadata"`
	Links           Links             `json:"links"`
}

// Status is where a deployment stands.
type Status struct {
	Value   string        `json:"value"`  // ACTIVE or FINALIZED
	Reason  string        `json:"reason"` // DEPLOYING, PAUSED, CANCELING, DEPLOYED, CANCELED, SUPERSEDED
	Details StatusDetails `json:"details"`
	Canary  *CanaryStatus `json:"canary,omitempty"` // of a canary deployment, in every state
}

// CanaryStatus tells how many of a canary's steps are behind it.
type CanaryStatus struct {
	Steps struct {
		Current int `json:"current"` // from 1; stays at the last one once the rollout goes on to its end
		Total   int `json:"total"`
	} `json:"steps"`
}

// StatusDetails tells when it last moved, and why it does not.
type StatusDetails struct {
	LastSuccessfulHealthcheck Time   `json:"last_successful_healthcheck"`
	LastStatusChange          Time   `json:"last_status_change"`
	Error                     string `json:"error,omitempty"`
}

// DeploymentOptions are the options of the request; those that were not given are absent.
type DeploymentOptions struct {
	MaxInFlight  int            `json:"max_in_flight"`
	WebInstances *int           `json:"web_instances,omitempty"`
	MemoryMB     *int           `json:"memory_in_mb,omitempty"`
	DiskMB       *int           `json:"disk_in_mb,omitempty"`
	LogRate      *int64         `json:"log_rate_limit_in_bytes_per_second,omitempty"`
	Canary       *CanaryOptions `json:"canary,omitempty"` // of a canary deployment with steps
}

// CanaryOptions are the steps at which a canary deployment pauses.
type CanaryOptions struct {
	Steps []CanaryStep `json:"steps"`
}

// CanaryStep is one pause, at a percentage of the instances.
type CanaryStep struct {
	InstanceWeight int `json:"instance_weight"`
}

// ProcessRef names a process that a deployment made, which may be gone by now.
type ProcessRef struct {
	GUID string `json:"guid"`
	Type string `json:"type"`
}

// RevisionRef names a revision.
type RevisionRef struct {
	GUID    string `json:"guid"`
	Version int    `json:"version"`
}

// OfApp is the relationship of what belongs to an app.
type OfApp struct {
	App ToOne `json:"app"`
}

// Deployment presents a deployment.
func (b Base) Deployment(d projections.Deployment) Deployment {
	return Deployment{
		Stamp: stamp(d.GUID, d.Stamp),
		Status: Status{Value: d.StatusValue, Reason: d.StatusReason, Details: StatusDetails{
			LastSuccessfulHealthcheck: Time(d.LastHealthyAt), LastStatusChange: Time(d.LastStatusChange), Error: d.Error,
		}, Canary: canaryStatus(d)},
		Strategy: d.Strategy, Options: deploymentOptions(d.Options),
		Droplet: guid(d.Droplet), PreviousDroplet: guid(d.PreviousDroplet),
		NewProcesses: Each(d.NewProcesses, func(p projections.ProcessRef) ProcessRef {
			return ProcessRef{GUID: string(p.GUID), Type: p.Type}
		}),
		Revision:      revisionRef(d.Revision, d.RevisionNumber),
		Relationships: OfApp{toOne(d.App)}, Metadata: metadata(d.Metadata), Links: b.deploymentLinks(d),
	}
}

func canaryStatus(d projections.Deployment) *CanaryStatus {
	if d.Strategy != events.StrategyCanary {
		return nil
	}
	var s CanaryStatus
	s.Steps.Total = max(plan.Pauses(d.Plan), 1)
	s.Steps.Current = min(d.Step+1, s.Steps.Total)
	return &s
}

func deploymentOptions(o events.DeploymentOptions) DeploymentOptions {
	shown := DeploymentOptions{
		MaxInFlight: o.MaxInFlight, WebInstances: o.WebInstances, MemoryMB: o.MemoryMB, DiskMB: o.DiskMB, LogRate: o.LogRate,
	}
	if len(o.CanaryWeights) > 0 {
		shown.Canary = &CanaryOptions{Steps: Each(o.CanaryWeights, func(weight int) CanaryStep { return CanaryStep{weight} })}
	}
	return shown
}

func revisionRef(id events.RevisionID, number int) *RevisionRef {
	if id == "" {
		return nil
	}
	return &RevisionRef{GUID: string(id), Version: number}
}

// deploymentLinks offers cancel and continue as long as they mean something; cancel may be asked for again while it goes on.
func (b Base) deploymentLinks(d projections.Deployment) Links {
	id := string(d.GUID)
	links := Links{
		"self": b.link("v3", "deployments", id), "app": b.link("v3", "apps", string(d.App)),
		"events": b.link("v3", "deployments", id, "events"), "stream": b.link("v3", "deployments", id, "stream"),
	}
	if d.StatusValue == projections.StatusActive {
		links["cancel"] = b.link("v3", "deployments", id, "actions", "cancel").by("POST")
	}
	if d.State == projections.Paused {
		links["continue"] = b.link("v3", "deployments", id, "actions", "continue").by("POST")
	}
	return links
}
