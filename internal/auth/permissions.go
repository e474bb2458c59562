package auth

import (
	"net/http"
	"slices"

	"slipway/events"
)

// Action is a kind of thing to do. Each endpoint and command is one of them.
type Action uint8

// The actions. What is said of each is for people in its space or organization; admins may do all.
const (
	// Read: apps, processes, stats, droplets, packages, builds, revisions, deployments, spaces, jobs.
	Read Action = iota
	// ReadEnvironment: an app's environment variables.
	ReadEnvironment
	// ReadSecrets: start commands, a revision's environment variables, bits of packages.
	ReadSecrets
	// ReadAuditEvents: who did what.
	ReadAuditEvents
	// ReadRoutes: routes and domains.
	ReadRoutes
	// DownloadDroplet: a droplet's bits.
	DownloadDroplet
	// ManageApps: keep apps going with what is there. Create, cancel and continue deployments; start, stop, restart, scale,
	// end an instance, change a process, set environment variables, assign a droplet, stage, map routes.
	ManageApps
	// Write: bring in or take away what runs. Create, change and delete apps, droplets, packages and their bits; metadata of
	// everything, deployments too; manifests.
	Write
	// UpdateSpace: change a space's name and metadata, and say what may be deployed in it and when: halts and policies.
	UpdateSpace
	// ReadOrganization: an organization and its quota.
	ReadOrganization
	// UpdateOrganization: change an organization, create and delete its spaces.
	UpdateOrganization
	// Administer: create and delete organizations, set quotas. Admins only.
	Administer
	actions // how many there are
)

// rule says who may do an action.
type rule struct {
	writes  bool // needs the scope to write, else the one to read
	global  []string
	allowed []Role
}

// Everywhere, by scope, instead of by role.
var (
	readers       = []string{ScopeAdmin, ScopeAdminReadOnly, ScopeGlobalAuditor}
	secretReaders = []string{ScopeAdmin, ScopeAdminReadOnly}
	admins        = []string{ScopeAdmin}
)

// rules is the table of permissions: Cloud Foundry's (cloud_controller_ng, lib/cloud_controller/permissions.rb and the v3
// controllers).
var rules = [actions]rule{
	Read:               {global: readers, allowed: []Role{SpaceDeveloper, SpaceSupporter, SpaceAuditor, SpaceManager, OrgManager}},
	ReadEnvironment:    {global: secretReaders, allowed: []Role{SpaceDeveloper, SpaceSupporter}},
	ReadSecrets:        {global: secretReaders, allowed: []Role{SpaceDeveloper}},
	ReadAuditEvents:    {global: readers, allowed: []Role{SpaceDeveloper, SpaceSupporter, SpaceAuditor, OrgAuditor}},
	ReadRoutes:         {global: readers, allowed: append(slices.Clone(spaceRoles), OrgManager, OrgAuditor)},
	DownloadDroplet:    {global: readers, allowed: []Role{SpaceDeveloper, SpaceAuditor, SpaceManager, OrgManager}},
	ManageApps:         {writes: true, global: admins, allowed: []Role{SpaceDeveloper, SpaceSupporter}},
	Write:              {writes: true, global: admins, allowed: []Role{SpaceDeveloper}},
	UpdateSpace:        {writes: true, global: admins, allowed: []Role{SpaceManager, OrgManager}},
	ReadOrganization:   {global: readers, allowed: slices.Concat(spaceRoles, organizationRoles)},
	UpdateOrganization: {writes: true, global: admins, allowed: []Role{OrgManager}},
	Administer:         {writes: true, global: admins},
}

// Place is a space, or an organization alone, as what is in it is looked up. Names may be left out where grants use guids.
type Place struct {
	Organization, OrganizationName string
	Space                          events.SpaceID
	SpaceName                      string
}

// Verdict is how a request is to be answered.
type Verdict uint8

// The verdicts.
const (
	Hidden    Verdict = iota // as if it did not exist: 404, or 422 where a body names it
	Forbidden                // the caller may know of it, not do this: 403, but for deployments, which say 404 again
	Allowed
)

// Judge says whether i may do a in p.
func (i Identity) Judge(a Action, p Place) Verdict {
	switch {
	case i.Can(a, p):
		return Allowed
	case p.Space != "" && i.Can(Read, p), p.Space == "" && i.Can(ReadOrganization, p):
		return Forbidden
	}
	return Hidden
}

// Can says whether i may do a in p.
func (i Identity) Can(a Action, p Place) bool {
	return i.Everywhere(a) || i.hasScope(a) && slices.ContainsFunc(i.Grants, func(g Grant) bool {
		return slices.Contains(rules[a].allowed, g.Role) && g.covers(p)
	})
}

// RoleAdmin is what an admin is in every place, beside roles.
const RoleAdmin = "admin"

// RolesIn are the roles that i has in p, by name.
func (i Identity) RolesIn(p Place) (roles []string) {
	if i.Scopes.Has(ScopeAdmin) {
		roles = append(roles, RoleAdmin)
	}
	for _, g := range i.Grants {
		if g.covers(p) && !slices.Contains(roles, string(g.Role)) {
			roles = append(roles, string(g.Role))
		}
	}
	return roles
}

// Everywhere says whether i may do a without regard to places: lists need no filter then.
func (i Identity) Everywhere(a Action) bool { return i.Scopes.Has(rules[a].global...) }

// Anywhere says whether there is a role at all that lets i do a somewhere.
func (i Identity) Anywhere(a Action) bool {
	return i.Everywhere(a) || i.hasScope(a) && slices.ContainsFunc(i.Grants, func(g Grant) bool {
		return slices.Contains(rules[a].allowed, g.Role)
	})
}

func (i Identity) hasScope(a Action) bool {
	if rules[a].writes {
		return i.Scopes.Has(ScopeWrite)
	}
	return i.Scopes.Has(ScopeRead)
}

// Filter is what of a list may be shown.
type Filter struct {
	All    bool
	Spaces []events.SpaceID // unless All: of these spaces only; none is nothing
}

// Filter picks of all known spaces those in which i may do a.
func (i Identity) Filter(a Action, known []Place) Filter {
	if i.Everywhere(a) {
		return Filter{All: true}
	}
	f := Filter{Spaces: []events.SpaceID{}}
	for _, p := range known {
		if i.Can(a, p) {
			f.Spaces = append(f.Spaces, p.Space)
		}
	}
	return f
}

// ReadableSpaces is the filter of lists of apps, processes, droplets, revisions and deployments.
func (i Identity) ReadableSpaces(known []Place) Filter { return i.Filter(Read, known) }

// ReadableOrganizations picks the organizations that i may know of from all known places: an organization without spaces
// is a place too. A role in a space is enough to know of its organization.
func (i Identity) ReadableOrganizations(known []Place) (all bool, guids []string) {
	if i.Everywhere(ReadOrganization) {
		return true, nil
	}
	for _, p := range known {
		if !slices.Contains(guids, p.Organization) && i.Can(ReadOrganization, p) {
			guids = append(guids, p.Organization)
		}
	}
	return false, guids
}

// Permits says whether the scopes of i let it send a request with this method at all, wherever. [ErrScope] if not.
func (i Identity) Permits(method string) error {
	enough := i.Scopes.Has(ScopeAdmin, ScopeWrite)
	if method == http.MethodGet || method == http.MethodHead {
		enough = i.Scopes.Has(ScopeAdmin, ScopeAdminReadOnly, ScopeGlobalAuditor, ScopeRead)
	}
	if !enough {
		return ErrScope
	}
	return nil
}

// everything, as the name of a place in a grant, means each.
const everything = "*"

// covers says whether a role that g gives holds in p.
func (g Grant) covers(p Place) bool {
	if g.Organization != "" && !names(g.Organization, p.Organization, p.OrganizationName) {
		return false
	}
	return g.Space == "" || p.Space != "" && names(g.Space, string(p.Space), p.SpaceName)
}

// names says whether a grant's word for a place means the one with this guid and name.
func names(word, guid, name string) bool {
	return word == everything || word == guid || name != "" && word == name
}
