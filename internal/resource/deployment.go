package resource

import (
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
	Reason  string        `json:"reason"` // DEPLOYING, CANCELING, DEPLOYED, CANCELED, SUPERSEDED
	Details StatusDetails `json:"details"`
}

// StatusDetails tells when it last moved, and why it does not.
type StatusDetails struct {
	LastSuccessfulHealthcheck Time   `json:"last_successful_healthcheck"`
	LastStatusChange          Time   `json:"last_status_change"`
	Error                     string `json:"error,omitempty"`
}

// DeploymentOptions are the options of the request; those that were not given are absent.
type DeploymentOptions struct {
	MaxInFlight  int    `json:"max_in_flight"`
	WebInstances *int   `json:"web_instances,omitempty"`
	MemoryMB     *int   `json:"memory_in_mb,omitempty"`
	DiskMB       *int   `json:"disk_in_mb,omitempty"`
	LogRate      *int64 `json:"log_rate_limit_in_bytes_per_second,omitempty"`
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
		}},
		Strategy: d.Strategy, Options: DeploymentOptions(d.Options),
		Droplet: guid(d.Droplet), PreviousDroplet: guid(d.PreviousDroplet),
		NewProcesses: Each(d.NewProcesses, func(p projections.ProcessRef) ProcessRef {
			return ProcessRef{GUID: string(p.GUID), Type: p.Type}
		}),
		Revision:      revisionRef(d.Revision, d.RevisionNumber),
		Relationships: OfApp{toOne(d.App)}, Metadata: metadata(d.Metadata), Links: b.deploymentLinks(d),
	}
}

func revisionRef(id events.RevisionID, number int) *RevisionRef {
	if id == "" {
		return nil
	}
	return &RevisionRef{GUID: string(id), Version: number}
}

// deploymentLinks offers cancel as long as it means something; it may be asked for again while it goes on.
func (b Base) deploymentLinks(d projections.Deployment) Links {
	id := string(d.GUID)
	links := Links{
		"self": b.link("v3", "deployments", id), "app": b.link("v3", "apps", string(d.App)),
		"events": b.link("v3", "deployments", id, "events"), "stream": b.link("v3", "deployments", id, "stream"),
	}
	if d.StatusValue == projections.StatusActive {
		links["cancel"] = b.link("v3", "deployments", id, "actions", "cancel").by("POST")
	}
	return links
}
