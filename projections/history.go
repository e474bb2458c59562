package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/events"
)

// HistoryEvent is one event of the log. An agent's report that was sent twice stands here once.
//
// It belongs to the deployment it names; an event of an app or of its instances that names none belongs to the deployment
// the app had going on at that moment. So the history of a deployment tells all that happened to the app meanwhile.
type HistoryEvent struct {
	Place
	ID         string // CloudEvents id
	Type       events.Type
	Subject    string // id of the thing the event is about
	App        events.AppID
	Deployment events.DeploymentID
	Process    events.ProcessID
	Actor      events.Actor
	Cause      string
	Time       time.Time
	Data       string // JSON object, in today's version of the event
}

var history = view[Place, HistoryEvent]{
	table: "history", keys: 2,
	key:   func(e *HistoryEvent) Place { return e.Place },
	where: func(p Place) []any { return []any{p.Sequence, p.Index} },
	columns: func(e *HistoryEvent) []column {
		return []column{
			{"sequence", &e.Sequence}, {"idx", &e.Index}, {"event_id", &e.ID}, {"type", &e.Type}, {"subject", &e.Subject},
			{"app", &e.App}, {"deployment", &e.Deployment}, {"process", &e.Process}, {"actor", &e.Actor},
			{"cause", &e.Cause}, {"at", asTime(&e.Time)}, {"data", &e.Data},
		}
	},
}.ready()

func (f *fold) record(m moment, c events.Recorded, e events.Event) {
	about := RefsOf(e)
	row := HistoryEvent{
		Place: m.Place, ID: c.EventID(m.Index), Type: e.Type(), Subject: e.Subject(), App: about.App,
		Deployment: about.Deployment, Process: about.Process, Actor: c.Actor, Cause: c.Cause, Time: m.time,
	}
	if row.Deployment == "" {
		row.Deployment = f.goingOn(c.Subject, about.App)
	}
	data, err := json.Marshal(e)
	if err != nil {
		data = []byte("{}")
		f.anomaly(m, e, fmt.Errorf("its data does not encode: %w", err))
	}
	row.Data = string(data)
	f.history.put(row)
}

// goingOn is the app's active deployment, for events of the app and of its instances.
func (f *fold) goingOn(s events.Subject, app events.AppID) events.DeploymentID {
	aggregate, _, _ := s.Split()
	if aggregate != events.AggregateApp && aggregate != events.AggregateInstance {
		return ""
	}
	if a := f.apps.get(app); a != nil {
		return a.Deployment
	}
	return ""
}

// HistoryFilter selects events. Empty fields select all; all that are set must hold.
type HistoryFilter struct {
	App        events.AppID
	Deployment events.DeploymentID
	Group      events.GroupID // its own events, and those that belong to its members
	Types      []events.Type
	Actors     []events.Actor
	At         TimeFilter
	After      Place // events later than this; the zero Place comes before all
}

// History lists events in the order of the log, or the latest first: that order is the one by any time. It reads by history_by_app or
// history_by_deployment, from either end, and looks through what they give.
func (s *Store) History(ctx context.Context, f HistoryFilter, o Order, p Page) (List[HistoryEvent], error) {
	var w where
	if f.App != "" {
		w.add("app = ?", f.App)
	}
	if f.Deployment != "" {
		w.add("deployment = ?", f.Deployment)
	}
	if f.Group != "" { // by history_of_groups, whose condition the query must repeat
		w.add("(type LIKE 'group.%' AND subject = ? OR deployment IN (SELECT json_extract(value, '$.deployment') "+
			"FROM deployment_groups, json_each(members) WHERE guid = ?))", f.Group, f.Group)
	}
	in(&w, "type", f.Types)
	in(&w, "actor", f.Actors)
	w.times("at", f.At)
	if f.After != (Place{}) {
		w.add("(sequence, idx) > (?, ?)", f.After.Sequence, f.After.Index)
	}
	order := "ORDER BY sequence, idx"
	if o.Descending {
		order = "ORDER BY sequence DESC, idx DESC"
	}
	return list(ctx, s, history, w, order, p)
}

// Deletion finds the latest event that deleted a place: an organization, a space, a quota or a route; or it gives
// [ErrNotFound]. It reads by history_of_deletions, whose condition the query must repeat.
func (s *Store) Deletion(ctx context.Context, kind events.Type, id string) (HistoryEvent, error) {
	const tail = ` WHERE subject = ? AND type = ?
		AND type IN ('organization.deleted', 'space.deleted', 'quota.deleted', 'route.deleted') ORDER BY sequence DESC LIMIT 1`
	return history.one(ctx, s.readers, history.sql.all+tail, id, kind)
}

// Event finds the latest event with this CloudEvents id, which is also what causes name; or it gives [ErrNotFound].
func (s *Store) Event(ctx context.Context, id string) (HistoryEvent, error) {
	return history.one(ctx, s.readers, history.sql.all+" WHERE event_id = ? ORDER BY sequence DESC LIMIT 1", id)
}
