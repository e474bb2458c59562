package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Revision is a numbered snapshot of what an app runs (reference 2.4).
type Revision struct {
	Stamp
	Version       int                        `json:"version"`     // from 1, in its app
	Droplet       GUID                       `json:"droplet"`     // what it runs
	Processes     map[string]RevisionProcess `json:"processes"`   // the start commands, by type of process
	Sidecars      []struct{}                 `json:"sidecars"`    // always empty
	Description   string                     `json:"description"` // how it came to be
	Relationships OfApp                      `json:"relationships"`
	Metadata      Metadata                   `json:"metadata"`
	Deployable    bool                       `json:"deployable"`         // its droplet is still there
	Rejected      *Rejected                  `json:"rejected,omitempty"` // our own addition
	Links         Links                      `json:"links"`
}

// RevisionProcess is the start command that a user gave; null where the droplet's counts.
type RevisionProcess struct {
	Command *string `json:"command"` // the start command; null: that of the droplet
}

// Revision presents a revision. It is deployable as long as its droplet is there, which goes only with its app, and nobody has
// rejected it.
func (b Base) Revision(r projections.Revision) Revision {
	id := string(r.GUID)
	processes := map[string]RevisionProcess{}
	for _, t := range r.Types {
		p := RevisionProcess{}
		if command, custom := r.Commands[t]; custom {
			p.Command = &command
		}
		processes[t] = p
	}
	return Revision{
		Stamp: stamp(r.GUID, r.Stamp), Version: r.Number, Droplet: guid(r.Droplet), Processes: processes,
		Sidecars: []struct{}{}, Description: r.Description, Relationships: OfApp{toOne(r.App)},
		Metadata: metadata(events.Metadata{}), Deployable: r.Rejected == "", Rejected: rejected(r.Rejected), Links: Links{
			"self": b.link("v3", "revisions", id), "app": b.link("v3", "apps", string(r.App)),
			"environment_variables": b.link("v3", "revisions", id, "environment_variables"),
		},
	}
}

// RevisionVariables presents the environment variables of a revision.
func (b Base) RevisionVariables(r projections.Revision) Variables {
	id := string(r.GUID)
	return Variables{Var: filled(r.Environment), Links: Links{
		"self":     b.link("v3", "revisions", id, "environment_variables"),
		"revision": b.link("v3", "revisions", id), "app": b.link("v3", "apps", string(r.App)),
	}}
}
