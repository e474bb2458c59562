package resource

import (
	"encoding/json"
	"strconv"
	"strings"

	"slipway/events"
	"slipway/projections"
)

// Event is one event of the history: a CloudEvent in JSON format, with where it stands in the log, who did it and why as
// extensions. Lists and streams show the same.
type Event struct {
	events.CloudEvent
	Sequence string `json:"sequence"`        // of its commit; text, because CloudEvents numbers end at 32 bits
	Index    int    `json:"index"`           // in its commit, from 0
	Actor    string `json:"actor"`           // user/<name>, client/<id>, or a part of Slipway: updater, agent/<id>
	Cause    string `json:"cause,omitempty"` // a door, or the id of the event that led to it
}

// Event presents an event. The registry knows the version its data are in.
func (b Base) Event(r *events.Registry, e projections.HistoryEvent) Event {
	return Event{
		CloudEvent: events.CloudEvent{
			SpecVersion: "1.0", ID: e.ID, Type: e.Type, Source: events.Source(aggregate(e)), Subject: e.Subject,
			Time: e.Time.UTC(), DataVersion: r.Version(e.Type), Data: json.RawMessage(e.Data),
		},
		Sequence: strconv.FormatUint(uint64(e.Sequence), 10), Index: e.Index, Actor: string(e.Actor), Cause: e.Cause,
	}
}

// aggregate is where the event stands in the log. The history does not keep it; the event's type says it.
func aggregate(e projections.HistoryEvent) events.Subject {
	thing, _, _ := strings.Cut(string(e.Type), ".")
	switch thing {
	case events.AggregateInstance:
		return events.InstanceSubject(e.Process)
	case events.AggregateDroplet:
		return events.DropletSubject(events.DropletID(e.Subject))
	case events.AggregatePackage:
		return events.PackageSubject(events.PackageID(e.Subject))
	case events.AggregateBuild:
		return events.BuildSubject(events.BuildID(e.Subject))
	case events.AggregateGroup:
		return events.GroupSubject(events.GroupID(e.Subject))
	case events.AggregateManifest:
		return events.ManifestSubject(events.CommandID(e.Subject))
	case events.AggregateCommand:
		return events.CommandSubject(events.CommandID(e.Subject))
	default:
		return events.AppSubject(e.App)
	}
}
