package resource

import (
	"encoding/json"

	"slipway/events"
	"slipway/projections"
)

// AuditEvent is what somebody did to an app, or what became of it (reference 2.4); or, our own addition, to what governs deployments.
type AuditEvent struct {
	Stamp
	Type         string          `json:"type"`   // audit.app.deployment.create and so on
	Actor        AuditActor      `json:"actor"`  // who did it
	Target       AuditTarget     `json:"target"` // what it was done to
	Data         json.RawMessage `json:"data"`   // what there is to say about it
	Space        *GUID           `json:"space"`
	Organization *GUID           `json:"organization"`
	Links        Links           `json:"links"`
}

// AuditActor is who did it: a user, or a part of Slipway.
type AuditActor struct {
	GUID string `json:"guid"` // of somebody who is not known any more: how history names them
	Type string `json:"type"` // user or system
	Name string `json:"name"`
}

// AuditTarget is what it was done to.
type AuditTarget struct {
	GUID string `json:"guid"` // its id
	Type string `json:"type"` // app, policy, halt, subscription or deployment_group
	Name string `json:"name"`
}

// AuditEvent presents an audit event. ids may be nil.
func (b Base) AuditEvent(e projections.AuditEvent, ids UserIDs) AuditEvent {
	return AuditEvent{
		Stamp: Stamp{GUID: e.GUID, CreatedAt: Time(e.CreatedAt), UpdatedAt: Time(e.CreatedAt)}, Type: e.Type,
		Actor: actor(e.Actor, ids), Target: AuditTarget{GUID: e.Target, Type: e.TargetType, Name: e.TargetName},
		Data: json.RawMessage(e.Data), Space: within(e.Space), Organization: within(e.Organization),
		Links: Links{"self": b.link("v3", "audit_events", e.GUID)},
	}
}

func actor(a events.Actor, ids UserIDs) AuditActor {
	kind := "user"
	if a.System() {
		kind = "system"
	}
	guid, name := ids.called(a)
	return AuditActor{GUID: guid, Type: kind, Name: name}
}

func within[ID ~string](id ID) *GUID {
	if id == "" {
		return nil
	}
	g := guid(id)
	return &g
}
