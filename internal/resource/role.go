package resource

import (
	"strings"
	"time"
)

// Role is what somebody is in a space or an organization (Cloud Foundry's form).
type Role struct {
	Stamp
	Type          string            `json:"type"`
	Relationships RoleRelationships `json:"relationships"`
	Links         Links             `json:"links"`
}

// RoleRelationships are who has a role, and where: in an organization or in a space.
type RoleRelationships struct {
	User         ToOne `json:"user"`
	Organization ToOne `json:"organization"`
	Space        ToOne `json:"space"`
}

// Role presents a role that somebody has.
func (b Base) Role(kind, user, organization, space string, at time.Time) Role {
	links := Links{}
	if space != "" {
		links["space"] = b.link("v3", "spaces", space)
	}
	if organization != "" {
		links["organization"] = b.link("v3", "organizations", organization)
	}
	return Role{
		Stamp: Stamp{GUID: strings.Join([]string{kind, organization + space, user}, "."), CreatedAt: Time(at), UpdatedAt: Time(at)},
		Type:  kind, Relationships: RoleRelationships{User: toOne(user), Organization: toOne(organization), Space: toOne(space)}, Links: links,
	}
}
