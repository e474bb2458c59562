package projections

import (
	"time"

	"slipway/events"
)

// Place is where an event stands in the log: the sequence of its commit and its index in it, from 0. It orders all events.
type Place struct {
	Sequence events.Sequence
	Index    int
}

// After says whether p comes later in the log than q.
func (p Place) After(q Place) bool {
	return p.Sequence > q.Sequence || p.Sequence == q.Sequence && p.Index > q.Index
}

// Stamp is what all resources carry.
type Stamp struct {
	CreatedAt time.Time
	UpdatedAt time.Time
	Created   Place           // orders resources by creation
	Sequence  events.Sequence // of the last commit that changed the row
}

func (s *Stamp) columns() []column {
	return []column{
		{"created_at", asTime(&s.CreatedAt)}, {"updated_at", asTime(&s.UpdatedAt)},
		{"created_sequence", &s.Created.Sequence}, {"created_index", &s.Created.Index}, {"sequence", &s.Sequence},
	}
}

// moment is the event being folded: where it stands, when it was and who asked.
type moment struct {
	Place
	time  time.Time
	actor events.Actor
}

func (m moment) stamp() Stamp {
	return Stamp{CreatedAt: m.time, UpdatedAt: m.time, Created: m.Place, Sequence: m.Sequence}
}

// touch notes that the event changed what the row says of its resource.
func (s *Stamp) touch(m moment) { s.UpdatedAt, s.Sequence = m.time, m.Sequence }
