package projections

import (
	"encoding/json"
	"fmt"

	"slipway/events"
)

// Sight is the lists of the read models as far as somebody may see them: rows and totals. A store has no lists but through a
// sight, so none can be shown unfiltered because somebody forgot; and a sight of no space shows nothing.
type Sight struct {
	store         *Store
	all           bool
	spaces        ids
	organizations ids
}

// All is the sight of whoever may see everything.
func (s *Store) All() Sight { return Sight{store: s, all: true} }

// Only is the sight of what is in these spaces; of organizations, of what is theirs alone, in these organizations. None is
// nothing.
func (s *Store) Only(spaces []events.SpaceID, organizations []events.OrganizationID) Sight {
	return Sight{store: s, spaces: idsOf(spaces), organizations: idsOf(organizations)}
}

// ids is a JSON array: one argument of a statement, however many they are.
type ids string

func idsOf[ID ~string](of []ID) ids {
	if of == nil {
		of = []ID{}
	}
	data, err := json.Marshal(of)
	if err != nil {
		panic(fmt.Sprintf("projections: %v", err)) // strings always encode
	}
	return ids(data)
}

// among is the condition that a column is one of the ids that are its argument.
func among(column string) string { return column + " IN (SELECT value FROM json_each(?))" }

// inSpaces leaves rows whose column names a space that may be seen.
func (s Sight) inSpaces(w *where, column string) {
	if !s.all {
		w.add(among(column), s.spaces)
	}
}

// ofApps leaves rows whose app is in a space that may be seen.
func (s Sight) ofApps(w *where) {
	if !s.all {
		w.add("app IN (SELECT guid FROM apps WHERE "+among("space")+")", s.spaces)
	}
}

// inOrganizations leaves rows whose column names an organization that may be seen.
func (s Sight) inOrganizations(w *where, column string) {
	if !s.all {
		w.add(among(column), s.organizations)
	}
}

// inScope leaves rows whose scope somebody may see: everywhere, an organization that is seen or has a space that is, or a space.
func (s Sight) inScope(w *where) {
	if !s.all {
		w.add("(organization = '' OR space = '' AND (organization IN (SELECT organization FROM spaces WHERE "+among("guid")+") OR "+
			among("organization")+") OR "+among("space")+")", s.spaces, s.organizations, s.spaces)
	}
}

// ofSpaces adds that the row's app is in one of the spaces.
func (w *where) ofSpaces(ids []events.SpaceID) { ofApps(w, "space", ids) }

// ofOrganizations adds that the row's app is in one of the organizations.
func (w *where) ofOrganizations(ids []events.OrganizationID) { ofApps(w, "organization", ids) }

func ofApps[ID any](w *where, column string, values []ID) {
	if len(values) == 0 {
		return
	}
	var owners where
	in(&owners, column, values)
	w.add("app IN (SELECT guid FROM apps "+owners.sql()+")", owners.args...)
}
