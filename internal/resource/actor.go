package resource

import (
	"strings"

	"slipway/events"
)

// UserIDs knows the guids of users by their names. History names people, as they call each other; clients want guids.
type UserIDs func(name string) (guid string, known bool)

// called is what an actor is called, and its guid: a client's is its id; that of a user who is not known any more, and of a part
// of Slipway, is how history names it.
func (ids UserIDs) called(a events.Actor) (guid, name string) {
	if id, client := strings.CutPrefix(string(a), "client/"); client {
		return id, id
	}
	name, user := strings.CutPrefix(string(a), "user/")
	if user && ids != nil {
		if guid, known := ids(name); known {
			return guid, name
		}
	}
	if a.System() {
		name, _, _ = strings.Cut(name, "/") // which agent it was is in the guid
	}
	return string(a), name
}
