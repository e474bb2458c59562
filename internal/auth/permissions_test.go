package auth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

var (
	prod  = Place{Organization: "org-1", OrganizationName: "acme", Space: "space-1", SpaceName: "prod"}
	dev   = Place{Organization: "org-1", OrganizationName: "acme", Space: "space-2", SpaceName: "dev"}
	other = Place{Organization: "org-2", OrganizationName: "umbrella", Space: "space-3", SpaceName: "prod"}
	acme  = Place{Organization: "org-1", OrganizationName: "acme"}
)

// table is the whole table of permissions, once more and by hand. In the order of its head: x allowed, . forbidden (403),
// - hidden (404).
const table = `
                    developer supporter auditor manager org_manager org_auditor org_billing org_user nobody admin read_only global_auditor
Read                x         x         x       x       x           -           -           -        -      x     x         x
ReadEnvironment     x         x         .       .       .           -           -           -        -      x     x         .
ReadSecrets         x         .         .       .       .           -           -           -        -      x     x         .
ReadAuditEvents     x         x         x       .       .           x           -           -        -      x     x         x
ReadRoutes          x         x         x       x       x           x           -           -        -      x     x         x
DownloadDroplet     x         .         x       x       x           -           -           -        -      x     x         x
ManageApps          x         x         .       .       .           -           -           -        -      x     .         .
Write               x         .         .       .       .           -           -           -        -      x     .         .
UpdateSpace         .         .         .       x       x           -           -           -        -      x     .         .
ReadOrganization    x         x         x       x       x           x           x           x        -      x     x         x
UpdateOrganization  .         .         .       .       x           -           -           -        -      x     .         .
Administer          .         .         .       .       .           -           -           -        -      x     .         .
`

var callers = map[string]Rights{
	"developer":      {Roles: []Grant{{Role: SpaceDeveloper, Space: "space-1"}}},
	"supporter":      {Roles: []Grant{{Role: SpaceSupporter, Space: "space-1"}}},
	"auditor":        {Roles: []Grant{{Role: SpaceAuditor, Space: "space-1"}}},
	"manager":        {Roles: []Grant{{Role: SpaceManager, Space: "space-1"}}},
	"org_manager":    {Roles: []Grant{{Role: OrgManager, Organization: "org-1"}}},
	"org_auditor":    {Roles: []Grant{{Role: OrgAuditor, Organization: "org-1"}}},
	"org_billing":    {Roles: []Grant{{Role: OrgBillingManager, Organization: "org-1"}}},
	"org_user":       {Roles: []Grant{{Role: OrgUser, Organization: "org-1"}}},
	"nobody":         {},
	"admin":          {Admin: true},
	"read_only":      {AdminReadOnly: true},
	"global_auditor": {GlobalAuditor: true},
}

func caller(r Rights) Identity { return Identity{UserID: "u", Scopes: r.scopes(), Grants: r.Roles} }

// TestPermissions holds every action against every role, in its space and in a foreign one.
func TestPermissions(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	heads := strings.Fields(lines[0])
	is := is.New(t)
	is.Equal(len(lines)-1, int(actions)) // every action is in the table
	is.Equal(len(heads), len(callers))
	verdicts := map[string]Verdict{"x": Allowed, ".": Forbidden, "-": Hidden}
	for a, line := range lines[1:] {
		fields := strings.Fields(line)
		for n, head := range heads {
			t.Run(fmt.Sprint(fields[0], " by ", head), func(t *testing.T) {
				is := is.New(t)
				i, want := caller(callers[head]), verdicts[fields[n+1]]
				is.Equal(i.Judge(Action(a), prod), want)
				if !i.Everywhere(Read) {
					is.Equal(i.Judge(Action(a), other), Hidden) // whatever somebody is elsewhere
				}
				if !slices.Contains([]string{"org_manager", "org_auditor", "org_billing", "org_user"}, head) && !i.Everywhere(Read) {
					is.Equal(i.Judge(Action(a), dev), Hidden) // the next space of the same organization is as foreign
				}
				is.Equal(i.Anywhere(Action(a)), want == Allowed)
				for _, scopes := range []Scopes{nil, {ScopeOpenID}} {
					is.True(!Identity{UserID: "u", Scopes: scopes, Grants: i.Grants}.Can(Action(a), prod)) // roles alone open nothing
				}
			})
		}
	}
}

// TestReadOnlyTokens: who may not write with a token, may not with any role.
func TestReadOnlyTokens(t *testing.T) {
	is := is.New(t)
	for a := range actions {
		i := caller(callers["developer"])
		i.Scopes = Scopes{ScopeRead}
		is.Equal(i.Can(a, prod), !rules[a].writes && caller(callers["developer"]).Can(a, prod))
		i.Scopes = Scopes{ScopeWrite}
		is.Equal(i.Can(a, prod), rules[a].writes && caller(callers["developer"]).Can(a, prod))
	}
}

func TestPermits(t *testing.T) {
	for name, tt := range map[string]struct {
		scopes      Scopes
		read, write bool
	}{
		"none":            {nil, false, false},
		"openid":          {Scopes{ScopeOpenID}, false, false},
		"read":            {Scopes{ScopeRead}, true, false},
		"write":           {Scopes{ScopeWrite}, false, true},
		"admin":           {Scopes{ScopeAdmin}, true, true},
		"admin read only": {Scopes{ScopeAdminReadOnly}, true, false},
		"global auditor":  {Scopes{ScopeGlobalAuditor}, true, false},
		"something else":  {Scopes{"uaa.admin"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			i := Identity{Scopes: tt.scopes}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				is.Equal(i.Permits(method) == nil, tt.read)
			}
			for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, "get", ""} {
				is.Equal(i.Permits(method) == nil, tt.write)
			}
		})
	}
}

// TestPlaces: what a grant's words mean.
func TestPlaces(t *testing.T) {
	for name, tt := range map[string]struct {
		grant Grant
		want  []events.SpaceID // of prod, dev and other
	}{
		"a space by guid":                  {Grant{SpaceDeveloper, "", "space-1"}, []events.SpaceID{"space-1"}},
		"a space by name, in each":         {Grant{SpaceDeveloper, "", "prod"}, []events.SpaceID{"space-1", "space-3"}},
		"a space by both names":            {Grant{SpaceDeveloper, "acme", "prod"}, []events.SpaceID{"space-1"}},
		"a guid and a name":                {Grant{SpaceDeveloper, "org-2", "prod"}, []events.SpaceID{"space-3"}},
		"a space of another org":           {Grant{SpaceDeveloper, "umbrella", "space-1"}, []events.SpaceID{}},
		"all spaces of an org":             {Grant{SpaceDeveloper, "acme", "*"}, []events.SpaceID{"space-1", "space-2"}},
		"all spaces":                       {Grant{SpaceDeveloper, "", "*"}, []events.SpaceID{"space-1", "space-2", "space-3"}},
		"all spaces of all":                {Grant{SpaceDeveloper, "*", "*"}, []events.SpaceID{"space-1", "space-2", "space-3"}},
		"an org":                           {Grant{OrgManager, "acme", ""}, []events.SpaceID{"space-1", "space-2"}},
		"all orgs":                         {Grant{OrgManager, "*", ""}, []events.SpaceID{"space-1", "space-2", "space-3"}},
		"a prefix is no name":              {Grant{SpaceDeveloper, "", "pro"}, []events.SpaceID{}},
		"an org's role that reads nothing": {Grant{OrgAuditor, "acme", ""}, []events.SpaceID{}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.NoErr(tt.grant.validate())
			i := caller(Rights{Roles: []Grant{tt.grant}})
			is.Equal(i.ReadableSpaces([]Place{prod, dev, other}), Filter{Spaces: tt.want})
		})
	}
	t.Run("global readers need no filter", func(t *testing.T) {
		is := is.New(t)
		for _, head := range []string{"admin", "read_only", "global_auditor"} {
			is.Equal(caller(callers[head]).ReadableSpaces(nil), Filter{All: true})
		}
	})
	t.Run("a place without a space", func(t *testing.T) {
		is := is.New(t)
		is.True(!caller(Rights{Roles: []Grant{{SpaceDeveloper, "", "*"}}}).Can(Read, acme)) // is no space of anybody
		is.True(!caller(Rights{Roles: []Grant{{SpaceDeveloper, "", "prod"}}}).Can(Read, Place{Space: "x"}))
	})
}

func TestReadableOrganizations(t *testing.T) {
	is := is.New(t)
	known := []Place{acme, prod, dev, other}
	orgs := func(r Rights) []string {
		all, guids := caller(r).ReadableOrganizations(known)
		if all {
			return []string{"all"}
		}
		return guids
	}
	is.Equal(orgs(callers["admin"]), []string{"all"})
	is.Equal(orgs(callers["org_user"]), []string{"org-1"})
	is.Equal(orgs(callers["supporter"]), []string{"org-1"}) // by the role in its space
	is.Equal(orgs(callers["nobody"]), nil)
	is.Equal(caller(callers["org_billing"]).Judge(UpdateOrganization, acme), Forbidden)
	is.Equal(caller(callers["org_manager"]).Judge(UpdateOrganization, acme), Allowed)
	is.Equal(caller(callers["nobody"]).Judge(ReadOrganization, acme), Hidden)
}

// TestActors: history knows people and programs by names that no part of Slipway has.
func TestActors(t *testing.T) {
	is := is.New(t)
	for _, name := range []string{"updater", "agent/x", "ann"} {
		user, client := Identity{UserID: "1", UserName: name}.Actor(), Identity{ClientID: name}.Actor()
		is.True(!user.System())
		is.True(!client.System())
		is.True(user != client)
	}
	is.Equal(Identity{UserID: "1", UserName: "ann", ClientID: "cf"}.Actor(), events.Actor("user/ann"))
}

func TestNobodyByDefault(t *testing.T) {
	is := is.New(t)
	i := FromContext(t.Context())
	is.True(!i.Can(Read, prod))
	is.Equal(i.Permits(http.MethodGet), ErrScope)
	ann := caller(callers["developer"])
	is.Equal(FromContext(NewContext(t.Context(), ann)), ann)
}
