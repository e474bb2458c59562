package aggregates

import "slipway/events"

// Within says whether what holds in a scope (a space of an organization, or a whole organization, or with neither everywhere) is about
// a place and nothing else: a space, or where that is empty an organization and what is in it.
func Within(scopeOrganization events.OrganizationID, scopeSpace events.SpaceID, organization events.OrganizationID, space events.SpaceID) bool {
	if space != "" {
		return scopeSpace == space
	}
	return organization != "" && scopeOrganization == organization
}
