package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/events"
)

// AuditEvent is what somebody did to an app, or what became of it, in Cloud Foundry's words. It stays when the app is gone.
type AuditEvent struct {
	Place
	GUID         string // the CloudEvents id of the event it is made of
	Type         string // e.g. "audit.app.deployment.create"
	App          events.AppID
	AppName      string
	Space        events.SpaceID
	Organization events.OrganizationID
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
			{"app", &e.App}, {"app_name", &e.AppName}, {"space", &e.Space}, {"organization", &e.Organization},
			{"actor", &e.Actor}, {"created_at", asTime(&e.CreatedAt)}, {"data", &e.Data},
		}
	},
}.ready()

// audit records what an event says to an auditor, before it is folded: an app that is deleted by it still has its name.
func (f *fold) audit(m moment, c events.Recorded, e events.Event) {
	about := RefsOf(e)
	owner := f.apps.get(about.App)
	if made, ok := e.(events.AppCreated); ok && owner == nil {
		owner = &App{GUID: made.App, Name: made.Name, Space: made.Space, Organization: made.Organization}
	}
	if owner == nil {
		return
	}
	kind, data := auditOf(c.Commit, m.Index, f.deployments.get(about.Deployment))
	if kind == "" {
		return
	}
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("{}")
		f.anomaly(m, e, fmt.Errorf("its audit data does not encode: %w", err))
	}
	f.auditEvents.put(AuditEvent{
		Place: m.Place, GUID: c.EventID(m.Index), Type: kind, App: owner.GUID, AppName: owner.Name, Space: owner.Space,
		Organization: owner.Organization, Actor: c.Actor, CreatedAt: m.time, Data: string(text),
	})
}

// AuditFilter selects audit events. Empty fields select all; all that are set must hold.
type AuditFilter struct {
	GUIDs         []string
	Types         []string
	Apps          []events.AppID
	NotApps       []events.AppID
	Spaces        []events.SpaceID
	Organizations []events.OrganizationID
	Actors        []events.Actor
	Created       TimeFilter
}

// AuditEvent reads one audit event, or gives [ErrNotFound].
func (s *Store) AuditEvent(ctx context.Context, id string) (AuditEvent, error) {
	return auditEvents.one(ctx, s.readers, auditEvents.sql.all+" WHERE guid = ? ORDER BY created_sequence DESC LIMIT 1", id)
}

// AuditEvents lists audit events. They never change, so an order by update is one by creation.
func (s Sight) AuditEvents(ctx context.Context, f AuditFilter, o Order, p Page) (List[AuditEvent], error) {
	if o.By == ByUpdated {
		o.By = ByCreated
	}
	var w where
	s.inSpaces(&w, "space")
	in(&w, "guid", f.GUIDs)
	in(&w, "type", f.Types)
	in(&w, "app", f.Apps)
	if len(f.NotApps) > 0 {
		var not where
		in(&not, "app", f.NotApps)
		w.add("NOT "+not.conditions[0], not.args...)
	}
	in(&w, "space", f.Spaces)
	in(&w, "organization", f.Organizations)
	in(&w, "actor", f.Actors) // by audit_events_by_actor
	w.times("created_at", f.Created)
	return list(ctx, s.store, auditEvents, w, o.sql(), p)
}
