package access

import (
	"context"
	"errors"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// Where is a kind of place that what is asked for can be in.
type Where string

// The kinds of places. Most things live in an app's space; what governs others is also an organization's, or holds everywhere.
const (
	InSpace        Where = "space"
	InOrganization Where = "organization"
	Everywhere     Where = "everywhere"
)

// Opening says who may do something where it is about a kind of place. It is not written down anywhere: the gate is asked about
// somebody of each kind, and this is whom it lets through.
type Opening struct {
	Where  Where
	Scopes auth.Scopes // what a token needs for the roles to count: all of them
	Roles  []auth.Role // each is enough; none: no role is
	Global []string    // scopes of which each is enough without a role
}

// OfCommand says who may send a command. It is about nothing in particular, but has what the gate asks for.
func OfCommand(c commands.Command) (all []Opening, err error) {
	for _, w := range wheres(c) {
		gate, c := New(standing(w)), placed(c, w)
		o, err := opening(w, func(i auth.Identity) error { return gate.Allow(context.Background(), i, c) })
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// OfReading says who may read what lives in a space.
func OfReading(a auth.Action) (Opening, error) {
	gate := New(standing(InSpace))
	return opening(InSpace, func(i auth.Identity) error {
		if err := i.Permits("GET"); err != nil {
			return err
		}
		return gate.Check(context.Background(), i, Demand{Action: a, On: Thing{commands.KindApp, here}, Hidden: auth.ErrScope})
	})
}

// opening asks about everybody.
func opening(w Where, let func(auth.Identity) error) (Opening, error) {
	o := Opening{Where: w}
	for _, scope := range auth.GlobalScopes() {
		if let(auth.Identity{Scopes: auth.Scopes{scope}}) == nil {
			o.Global = append(o.Global, scope)
		}
	}
	if len(o.Global) == 0 {
		return o, errors.New("access: not even admins may") // the gate has failed, or knows no such command
	}
	for _, scopes := range []auth.Scopes{{auth.ScopeRead}, {auth.ScopeWrite}, {auth.ScopeRead, auth.ScopeWrite}} {
		for _, role := range auth.Roles() {
			if let(auth.Identity{Scopes: scopes, Grants: []auth.Grant{grant(role)}}) == nil {
				o.Roles = append(o.Roles, role)
			}
		}
		if o.Roles != nil {
			o.Scopes = scopes
			break
		}
	}
	return o, nil
}

// here is the guid of everything that a [standing] knows.
const here = "here"

func grant(r auth.Role) auth.Grant {
	if r.OfSpace() {
		return auth.Grant{Role: r, Organization: here, Space: here}
	}
	return auth.Grant{Role: r, Organization: here}
}

// standing is a world in which everything is in one place.
type standing Where

func (s standing) PlacesOf(context.Context, commands.Kind, string) ([]auth.Place, error) {
	switch Where(s) {
	case Everywhere:
		return nil, nil
	case InOrganization:
		return []auth.Place{{Organization: here}}, nil
	}
	return []auth.Place{{Organization: here, Space: here}}, nil
}

func (s standing) OrganizationOfQuota(context.Context, events.QuotaID) (events.OrganizationID, error) {
	return "", nil
}

// wheres are the kinds of places that a command can be about.
func wheres(c commands.Command) []Where {
	switch c.(type) {
	case commands.CreatePolicy, commands.UpdatePolicy, commands.DeletePolicy, commands.DeclareHalt, commands.UpdateHalt,
		commands.LiftHalt, commands.CreateSubscription, commands.UpdateSubscription, commands.RotateSubscription, commands.TestSubscription,
		commands.DeleteSubscription:
		return []Where{InSpace, InOrganization, Everywhere}
	}
	return []Where{InSpace}
}

// placed is a command that says itself which place it is about, about that one.
func placed(c commands.Command, w Where) commands.Command {
	var o events.OrganizationID
	var s events.SpaceID
	switch w {
	case InSpace:
		s = here
	case InOrganization:
		o = here
	}
	switch c := c.(type) {
	case commands.CreatePolicy:
		c.Organization, c.Space = o, s
		return c
	case commands.DeclareHalt:
		c.Organization, c.Space = o, s
		return c
	case commands.CreateSubscription:
		c.Organization, c.Space = o, s
		return c
	}
	return c
}
