package resource

import (
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/projections"
)

// Deployment is one rollout: Cloud Foundry's object (reference 2.2), and where there is more to say fields of our own, which are
// absent from what Cloud Foundry's own strategies make.
type Deployment struct {
	Stamp
	Status          Status           `json:"status"`             // how it stands
	Approval        *Approval        `json:"approval,omitempty"` // of one that policies had something to say about
	Strategy        string           `json:"strategy"`           // how it moves
	Growth          *events.Growth   `json:"growth,omitempty"`   // the numbers of its deployment strategy, as they were when it began
	Options         commands.Options `json:"options"`            // of the request; those that were not given are absent
	Droplet         GUID             `json:"droplet"`            // what it rolls out
	PreviousDroplet GUID             `json:"previous_droplet"`   // what ran before, and what it goes back to
	NewProcesses    []ProcessRef     `json:"new_processes"`      // the processes that it made
	Revision        *RevisionRef     `json:"revision"`           // the one that it made; null where the app keeps none
	Relationships   OfDeployment     `json:"relationships"`
	Metadata        Metadata         `json:"metadata"`
	Links           Links            `json:"links"`
}

// ProcessRef names a process that a deployment made, which may be gone by now.
type ProcessRef struct {
	GUID string `json:"guid"` // its id
	Type string `json:"type"` // web, worker and so on
}

// RevisionRef names a revision.
type RevisionRef struct {
	GUID    string `json:"guid"`    // its id
	Version int    `json:"version"` // from 1, in its app
}

// OfApp is the relationship of what belongs to an app.
type OfApp struct {
	App ToOne `json:"app"`
}

// OfDeployment are the relationships of a deployment.
type OfDeployment struct {
	OfApp
	DeploymentStrategy *ToOne `json:"deployment_strategy,omitempty"` // the stored one that its numbers were copied from
	DeploymentGroup    *ToOne `json:"deployment_group,omitempty"`    // it is a member of
}

func ofDeployment(d projections.Deployment) OfDeployment {
	of := OfDeployment{OfApp: OfApp{toOne(d.App)}}
	if d.Watch.StoredStrategy != "" {
		strategy := toOne(d.Watch.StoredStrategy)
		of.DeploymentStrategy = &strategy
	}
	if d.Watch.Group != "" {
		of.DeploymentGroup = new(toOne(d.Watch.Group))
	}
	return of
}

// Deployment presents a deployment.
func (b Base) Deployment(d projections.Deployment) Deployment {
	return Deployment{
		Stamp:  stamp(d.GUID, d.Stamp),
		Status: status(d), Approval: approval(d.Watch.Asked), Strategy: d.Strategy, Growth: d.Watch.Growth, Options: given(d.Options),
		Droplet: guid(d.Droplet), PreviousDroplet: guid(d.PreviousDroplet),
		NewProcesses: Each(d.NewProcesses, func(p projections.ProcessRef) ProcessRef {
			return ProcessRef{GUID: string(p.GUID), Type: p.Type}
		}),
		Revision:      revisionRef(d.Revision, d.RevisionNumber),
		Relationships: ofDeployment(d), Metadata: metadata(d.Metadata), Links: b.deploymentLinks(d),
	}
}

// given are the options as the request could have given them: a deadline that every rollout has is not one of them.
func given(o events.DeploymentOptions) commands.Options {
	if o.ProgressDeadline == app.DefaultProgressDeadline {
		o.ProgressDeadline = 0
	}
	return commands.OptionsOf(o)
}

func revisionRef(id events.RevisionID, number int) *RevisionRef {
	if id == "" {
		return nil
	}
	return &RevisionRef{GUID: string(id), Version: number}
}

// deploymentLinks offers cancel, rollback and continue as long as they mean something; cancel may be asked for again while it
// goes on.
func (b Base) deploymentLinks(d projections.Deployment) Links {
	id := string(d.GUID)
	links := Links{
		"self": b.link("v3", "deployments", id), "app": b.link("v3", "apps", string(d.App)),
		"events": b.link("v3", "deployments", id, "events"), "stream": b.link("v3", "deployments", id, "stream"),
	}
	if d.StatusValue == projections.StatusActive {
		links["cancel"] = b.link("v3", "deployments", id, "actions", "cancel").by("POST")
	}
	if d.StatusValue == projections.StatusActive && d.PreviousDroplet != "" && d.State != projections.Canceling && d.State != projections.RollingBack {
		links["rollback"] = b.link("v3", "deployments", id, "actions", "rollback").by("POST")
	}
	if d.State == projections.Requested {
		b.answerLinks(d, links)
	}
	if d.State == projections.Paused {
		links["continue"] = b.link("v3", "deployments", id, "actions", "continue").by("POST")
	}
	return links
}
