package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/events"
)

// AuditEvent is what somebody did to an app, or what became of it, in Cloud Foundry's words; or to what governs deployments. It stays
// when its target is gone.
type AuditEvent struct {
	Place
	GUID         string // the CloudEvents id of the event it is made of
	Type         string // e.g. "audit.app.deployment.create"
	TargetType   string // [TargetApp] and so on
	Target       string // its id
	TargetName   string
	Space        events.SpaceID        // of the target; empty: it is of all of the organization, or of several of its spaces
	Organization events.OrganizationID // empty: it is of everything
	Actor        events.Actor
	CreatedAt    time.Time
	Data         string // JSON object
}

var auditEvents = view[Place, AuditEvent]{
	table: "audit_events", keys: 2,
	key:   func(e *AuditEvent) Place { return e.Place },
	where: func(p Place) []any { return []any{p.Sequence, p.Index} },
	columns: func(e *AuditEvent) []column {
		return []column{
			{"created_sequence", &e.Sequence}, {"created_index", &e.Index}, {"guid", &e.GUID}, {"type", &e.Type},
			{"target_type", &e.TargetType}, {"target", &e.Target}, {"target_name", &e.TargetName}, {"space", &e.Space}, {"organization", &e.Organization},
			{"actor", &e.Actor}, {"created_at", asTime(&e.CreatedAt)}, {"data", &e.Data},
		}
	},
}.ready()

// audit records what an event says to an auditor, before it is folded: an app that is deleted by it still has its name.
func (f *fold) audit(m moment, c events.Recorded, e events.Event) {
	about, known := f.targetOf(e)
	if !known {
		return
	}
	kind, data := auditOf(c.Commit, m.Index, f.deployments.get(RefsOf(e).Deployment))
	if kind == "" {
		return
	}
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("{}")
		f.anomaly(m, e, fmt.Errorf("its audit data does not encode: %w", err))
	}
	f.auditEvents.put(AuditEvent{
		Place: m.Place, GUID: c.EventID(m.Index), Type: kind, TargetType: about.kind, Target: about.id, TargetName: about.name,
		Space: about.space, Organization: about.organization, Actor: c.Actor, CreatedAt: m.time, Data: string(text),
	})
}

// AuditFilter selects audit events. Empty fields select all; all that are set must hold.
type AuditFilter struct {
	GUIDs         []string
	Types         []string
	Targets       []string
	NotTargets    []string
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	Actors        []events.Actor
	Created       TimeFilter
}

// AuditEvent reads one audit event, or gives [ErrNotFound].
func (s *Store) AuditEvent(ctx context.Context, id string) (AuditEvent, error) {
	return auditEvents.one(ctx, s.readers, auditEvents.sql.all+" WHERE guid = ? ORDER BY created_sequence DESC LIMIT 1", id)
}

// AuditEvents lists audit events: of the spaces that somebody may see, and of what is an organization's own. They never change, so an order by update is one by creation.
func (s Sight) AuditEvents(ctx context.Context, f AuditFilter, o Order, p Page) (List[AuditEvent], error) {
	if o.By == ByUpdated {
		o.By = ByCreated
	}
	var w where
	if !s.all {
		w.add("("+among("space")+" OR space = '' AND "+among("organization")+")", s.spaces, s.organizations)
	}
	in(&w, "guid", f.GUIDs)
	in(&w, "type", f.Types)
	in(&w, "target", f.Targets)
	if len(f.NotTargets) > 0 {
		var not where
		in(&not, "target", f.NotTargets)
		w.add("NOT "+not.conditions[0], not.args...)
	}
	in(&w, "space", f.Spaces)
	in(&w, "organization", f.Organizations)
	in(&w, "actor", f.Actors) // by audit_events_by_actor
	w.times("created_at", f.Created)
	return list(ctx, s.store, auditEvents, w, o.sql(), p)
}
