package projections

import (
	"context"

	"slipway/events"
)

// Anomaly is an event that fitted nothing: history has it, no other view does. A person should look.
type Anomaly struct {
	Place
	Type    events.Type
	Problem string
}

var anomalies = view[Place, Anomaly]{
	table: "anomalies", keys: 2,
	key:   func(a *Anomaly) Place { return a.Place },
	where: func(p Place) []any { return []any{p.Sequence, p.Index} },
	columns: func(a *Anomaly) []column {
		return []column{{"sequence", &a.Sequence}, {"idx", &a.Index}, {"type", &a.Type}, {"problem", &a.Problem}}
	},
}.ready()

func (f *fold) anomaly(m moment, e events.Event, problem error) {
	f.anomalies.put(Anomaly{Place: m.Place, Type: e.Type(), Problem: problem.Error()})
}

// Anomalies lists what fitted nothing, in the order of the log.
func (s *Store) Anomalies(ctx context.Context, p Page) (List[Anomaly], error) {
	return list(ctx, s, anomalies, where{}, "ORDER BY sequence, idx", p)
}
