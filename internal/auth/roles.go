package auth

import (
	"slices"
	"strings"
)

// Role is what somebody is in a space or an organization, by Cloud Foundry's name.
type Role string

// The roles.
const (
	SpaceDeveloper    Role = "space_developer"
	SpaceSupporter    Role = "space_supporter"
	SpaceAuditor      Role = "space_auditor"
	SpaceManager      Role = "space_manager"
	OrgManager        Role = "org_manager"
	OrgAuditor        Role = "org_auditor"
	OrgBillingManager Role = "org_billing_manager"
	OrgUser           Role = "org_user"
)

var (
	spaceRoles        = []Role{SpaceDeveloper, SpaceSupporter, SpaceAuditor, SpaceManager}
	organizationRoles = []Role{OrgManager, OrgAuditor, OrgBillingManager, OrgUser}
)

// Roles are all that there are.
func Roles() []Role { return slices.Concat(spaceRoles, organizationRoles) }

// OfSpace says whether somebody has the role in a space, and not in an organization.
func (r Role) OfSpace() bool { return slices.Contains(spaceRoles, r) }

func allRoles() string {
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// Scopes are what a token may be used for. Roles say where.
type Scopes []string

// The scopes, by Cloud Foundry's names.
const (
	ScopeRead          = "cloud_controller.read"
	ScopeWrite         = "cloud_controller.write"
	ScopeAdmin         = "cloud_controller.admin"
	ScopeAdminReadOnly = "cloud_controller.admin_read_only"
	ScopeGlobalAuditor = "cloud_controller.global_auditor"
	ScopeOpenID        = "openid" // clients ask for it; it opens nothing here
)

// GlobalScopes are those that open something everywhere, without a role.
func GlobalScopes() []string { return []string{ScopeAdmin, ScopeAdminReadOnly, ScopeGlobalAuditor} }

var ordinaryScopes = Scopes{ScopeOpenID, ScopeRead, ScopeWrite}

// Has says whether any of some scopes is among s.
func (s Scopes) Has(any ...string) bool {
	return slices.ContainsFunc(any, func(scope string) bool { return slices.Contains(s, scope) })
}

// and gives what is in both, in order.
func (s Scopes) and(other Scopes) Scopes {
	both := Scopes{}
	for _, scope := range s {
		if other.Has(scope) {
			both = append(both, scope)
		}
	}
	return both
}

// scopes is all that r gives.
func (r Rights) scopes() Scopes {
	all := slices.Clone(r.Scopes)
	if len(all) == 0 {
		all = slices.Clone(ordinaryScopes)
	}
	for scope, has := range map[string]bool{
		ScopeAdmin: r.Admin, ScopeAdminReadOnly: r.AdminReadOnly, ScopeGlobalAuditor: r.GlobalAuditor,
	} {
		if has {
			all = append(all, scope)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
