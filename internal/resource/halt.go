package resource

import (
	"time"

	"slipway/projections"
)

// Halt holds all rollouts in its scope (our own addition, in Cloud Foundry's style).
type Halt struct {
	Stamp
	State         string   `json:"state"`       // IN_FORCE, LIFTED, or OVER where it has ended by itself
	Reason        string   `json:"reason"`      // why
	DeclaredBy    string   `json:"declared_by"` // who
	Until         *Time    `json:"until"`       // when it ends by itself; null: when somebody lifts it
	LiftedBy      *string  `json:"lifted_by"`   // who let the deployments go on; null: nobody yet
	LiftedAt      *Time    `json:"lifted_at"`   // when
	Relationships Scope    `json:"relationships"`
	Metadata      Metadata `json:"metadata"`
	Links         Links    `json:"links"`
}

// Scope is where something holds: in a space, in an organization, or with neither everywhere.
type Scope struct {
	Organization ToOne `json:"organization"`
	Space        ToOne `json:"space"`
}

// Halt presents a halt as it stands at a moment.
func (b Base) Halt(h projections.Halt, now time.Time) Halt {
	id, state := string(h.GUID), h.State(now)
	out := Halt{
		Stamp: stamp(h.GUID, h.Stamp), State: string(state), Reason: h.Reason, DeclaredBy: string(h.By),
		Relationships: Scope{toOne(h.Organization), toOne(h.Space)}, Metadata: metadata(h.Metadata),
		Links: Links{"self": b.link("v3", "halts", id)},
	}
	if !h.Until.IsZero() {
		out.Until = moment(h.Until)
	}
	if state == projections.HaltLifted {
		by := string(h.LiftedBy)
		out.LiftedBy, out.LiftedAt = &by, moment(h.LiftedAt)
	}
	if state == projections.HaltInForce {
		out.Links["lift"] = b.link("v3", "halts", id, "actions", "lift").by("POST")
	}
	return out
}
