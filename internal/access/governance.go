package access

import (
	"context"
	"errors"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// RolesOf says which roles i has where an app lives.
func (g *Gate) RolesOf(i auth.Identity) commands.Roles {
	return func(ctx context.Context, id events.AppID) (roles []string, err error) {
		places, err := g.finder.PlacesOf(ctx, commands.KindApp, string(id))
		for _, p := range places {
			roles = append(roles, i.RolesIn(p)...)
		}
		return roles, err
	}
}

// ofAnswer: whoever may see a deployment may answer for it as far as the policy names them, which the rule book checks. To start
// one is to deploy.
func ofAnswer(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.ApproveDeployment:
		return discreetly(on(auth.Read, commands.KindDeployment, string(c.Deployment)))
	case commands.DenyDeployment:
		return discreetly(on(auth.Read, commands.KindDeployment, string(c.Deployment)))
	case commands.StartDeployment:
		return on(auth.ManageApps, commands.KindDeployment, string(c.Deployment))
	}
	return nil
}

func ofVersion(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.RejectVersion:
		return onVersion(c.Droplet, c.Revision)
	case commands.AcceptVersion:
		return onVersion(c.Droplet, c.Revision)
	}
	return nil
}

func onVersion(droplet events.DropletID, revision events.RevisionID) []Demand {
	if revision != "" {
		return on(auth.ManageApps, commands.KindRevision, string(revision))
	}
	return on(auth.ManageApps, commands.KindDroplet, string(droplet))
}

func (g *Gate) ofGovernance(ctx context.Context, c commands.Command) ([]Demand, error) {
	switch c := c.(type) {
	case commands.DeclareHalt:
		return inScope(c.Organization, c.Space), nil
	case commands.UpdateHalt:
		return g.scoped(ctx, commands.KindHalt, string(c.Halt))
	case commands.LiftHalt:
		return g.scoped(ctx, commands.KindHalt, string(c.Halt))
	case commands.CreatePolicy:
		return inScope(c.Organization, c.Space), nil
	case commands.UpdatePolicy:
		return g.scoped(ctx, commands.KindPolicy, string(c.Policy))
	case commands.DeletePolicy:
		return g.scoped(ctx, commands.KindPolicy, string(c.Policy))
	}
	return nil, nil
}

// inScope is what whoever governs a scope may do: a space its managers, an organization its own, everything the admins.
func inScope(o events.OrganizationID, s events.SpaceID) []Demand {
	switch {
	case s != "":
		return []Demand{{Action: auth.UpdateSpace, On: space(s), Hidden: commands.InvalidSpace()}}
	case o != "":
		return []Demand{{
			Action: auth.UpdateOrganization, On: Thing{commands.KindOrganization, string(o)}, Hidden: commands.InvalidOrganization(),
		}}
	}
	return administer()
}

// scoped is inScope for something that is there: whoever could make it may change it.
func (g *Gate) scoped(ctx context.Context, kind commands.Kind, id string) ([]Demand, error) {
	places, err := g.finder.PlacesOf(ctx, kind, id)
	demand := Demand{Action: auth.Administer, On: Thing{kind, id}, Hidden: aggregates.NotFound(string(kind))}
	switch {
	case errors.Is(err, commands.ErrUnknown):
		return []Demand{demand}, nil
	case err != nil:
		return nil, err
	case len(places) == 0: // everybody may know of what holds everywhere
		demand.Hidden = auth.ErrScope
	case places[0].Space == "":
		demand.Action = auth.UpdateOrganization
	default:
		demand.Action = auth.UpdateSpace
	}
	return []Demand{demand}, nil
}
