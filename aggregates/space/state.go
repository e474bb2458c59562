// Package space is the rule book of an organization with its spaces and their quotas, and of the quotas that organizations
// have. An organization is one aggregate: that the names of its spaces are unique, and that a quota is not deleted while it
// is being applied, needs no second look. That no two organizations share a name does (docs/adr/0002).
//
// Invariants, each with a law in laws_test.go:
//
//  1. No two spaces of an organization, and no two of its space quotas, have one name.
//  2. A space has no quota, or one that its organization has.
//  3. The same command decides nothing the second time.
package space

import (
	"slices"

	"slipway/events"
)

// State is an organization folded from its events. It is a value: Evolve never changes what an old one refers to. The zero
// State does not exist.
type State struct {
	ID       events.OrganizationID `json:"id"`
	Name     string                `json:"name"`
	Deleted  bool                  `json:"deleted,omitempty"`
	Metadata events.Metadata       `json:"metadata,omitzero"`
	Quota    events.QuotaID        `json:"quota,omitempty"`  // of organizations; its limits stand in its own history
	Spaces   []Space               `json:"spaces,omitempty"` // in order of creation
	Quotas   []Quota               `json:"quotas,omitempty"` // of its spaces, in order of creation
}

// Space is a place apps live in.
type Space struct {
	ID       events.SpaceID  `json:"id"`
	Name     string          `json:"name"`
	Metadata events.Metadata `json:"metadata,omitzero"`
	Quota    events.QuotaID  `json:"quota,omitempty"`
}

// Quota is a named set of limits.
type Quota struct {
	ID      events.QuotaID     `json:"id"`
	Name    string             `json:"name"`
	Limits  events.QuotaLimits `json:"limits"`
	Deleted bool               `json:"deleted,omitempty"` // only of organizations' quotas: those of spaces are taken out
}

// Exists says whether the organization has been created and not deleted.
func (s State) Exists() bool { return s.ID != "" && !s.Deleted }

// Space finds a space by id.
func (s State) Space(id events.SpaceID) (Space, bool) {
	i := slices.IndexFunc(s.Spaces, func(p Space) bool { return p.ID == id })
	if i < 0 {
		return Space{}, false
	}
	return s.Spaces[i], true
}

// SpaceQuota finds a quota of spaces by id.
func (s State) SpaceQuota(id events.QuotaID) (Quota, bool) {
	i := slices.IndexFunc(s.Quotas, func(q Quota) bool { return q.ID == id })
	if i < 0 {
		return Quota{}, false
	}
	return s.Quotas[i], true
}

// Evolve folds one event into the organization. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.OrganizationCreated:
		return State{ID: e.Organization, Name: e.Name, Metadata: e.Metadata}
	case events.OrganizationUpdated:
		s.Name, s.Metadata = e.Name, e.Metadata
	case events.OrganizationDeleted:
		return State{ID: s.ID, Name: s.Name, Deleted: true}
	case events.SpaceCreated:
		s.Spaces = append(slices.Clone(s.Spaces), Space{ID: e.Space, Name: e.Name, Metadata: e.Metadata})
	case events.SpaceUpdated:
		return s.change(e.Space, func(p *Space) { p.Name, p.Metadata = e.Name, e.Metadata })
	case events.SpaceDeleted:
		s.Spaces = slices.DeleteFunc(slices.Clone(s.Spaces), func(p Space) bool { return p.ID == e.Space })
	default:
		return s.evolveQuota(e)
	}
	return s
}

func (s State) evolveQuota(e events.Event) State {
	switch e := e.(type) {
	case events.QuotaCreated:
		s.Quotas = append(slices.Clone(s.Quotas), Quota{ID: e.Quota, Name: e.Name, Limits: e.Limits})
	case events.QuotaUpdated:
		s.Quotas = slices.Clone(s.Quotas)
		for i := range s.Quotas {
			if s.Quotas[i].ID == e.Quota {
				s.Quotas[i].Name, s.Quotas[i].Limits = e.Name, e.Limits
			}
		}
	case events.QuotaDeleted:
		s.Quotas = slices.DeleteFunc(slices.Clone(s.Quotas), func(q Quota) bool { return q.ID == e.Quota })
		s.Spaces = slices.Clone(s.Spaces)
		for i := range s.Spaces {
			if s.Spaces[i].Quota == e.Quota {
				s.Spaces[i].Quota = ""
			}
		}
	case events.QuotaApplied:
		if e.Space == "" {
			s.Quota = e.Quota
			return s
		}
		return s.change(e.Space, func(p *Space) { p.Quota = e.Quota })
	}
	return s
}

func (s State) change(id events.SpaceID, edit func(*Space)) State {
	s.Spaces = slices.Clone(s.Spaces)
	for i := range s.Spaces {
		if s.Spaces[i].ID == id {
			edit(&s.Spaces[i])
		}
	}
	return s
}
