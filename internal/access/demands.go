package access

import (
	"context"
	"errors"
	"fmt"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// Demands says what a command needs, in the order in which its handler looks at things. Which role is enough is for package
// auth to say; actions are chosen after Cloud Foundry's v3 controllers.
func (g *Gate) Demands(ctx context.Context, c commands.Command) ([]Demand, error) {
	for _, known := range []func(commands.Command) []Demand{
		ofApp, ofProcess, ofDeployment, ofBits, ofPlace, ofRoute, ofStrategy, ofAnswer, ofVersion, ofSubscription, ofGroup,
	} {
		if demands := known(c); len(demands) > 0 {
			return demands, nil
		}
	}
	if demands, err := g.ofGovernance(ctx, c); len(demands) > 0 || err != nil {
		return demands, err
	}
	return g.ofQuota(ctx, c)
}

func ofApp(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateApp:
		return []Demand{{Action: auth.Write, On: space(c.Space), Hidden: commands.InvalidSpace()}}
	case commands.StartApp:
		return onApp(auth.ManageApps, c.App)
	case commands.StopApp:
		return onApp(auth.ManageApps, c.App)
	case commands.RestartApp:
		return onApp(auth.ManageApps, c.App)
	case commands.SetEnvironment:
		return onApp(auth.ManageApps, c.App)
	case commands.AssignDroplet:
		return onApp(auth.ManageApps, c.App)
	case commands.SignalApp: // it can undo a rollout
		return onApp(auth.ManageApps, c.App)
	case commands.UpdateApp:
		return onApp(auth.Write, c.App)
	case commands.SetFeature:
		return onApp(auth.Write, c.App)
	case commands.ReleaseAutomation:
		return onApp(auth.ManageApps, c.App)
	case commands.DeleteApp:
		return onApp(auth.Write, c.App)
	}
	return nil
}

func ofProcess(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateProcess:
		return onApp(auth.Write, c.App)
	case commands.ScaleProcess:
		if c.Process == "" {
			return onApp(auth.ManageApps, c.App)
		}
		return on(auth.ManageApps, commands.KindProcess, string(c.Process))
	case commands.UpdateProcess:
		return on(auth.ManageApps, commands.KindProcess, string(c.Process))
	}
	return nil
}

// ofDeployment is discreet with whoever may see an app but not deploy it where Cloud Foundry is (reference 2.3).
func ofDeployment(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateDeployment:
		return []Demand{{
			Action: auth.ManageApps, On: Thing{commands.KindApp, string(c.App)}, Discreet: true,
			Hidden: aggregates.Reject("Unable to use app. Ensure that the app exists and you have access to it."),
		}}
	case commands.ContinueDeployment:
		return discreetly(on(auth.ManageApps, commands.KindDeployment, string(c.Deployment)))
	case commands.CancelDeployment:
		return discreetly(on(auth.ManageApps, commands.KindDeployment, string(c.Deployment)))
	case commands.RollBackDeployment:
		return on(auth.ManageApps, commands.KindDeployment, string(c.Deployment))
	case commands.UpdateDeployment:
		return on(auth.Write, commands.KindDeployment, string(c.Deployment))
	}
	return nil
}

// ofGroup needs what each deployment of the group would need, and so does what is asked of the whole.
func ofGroup(c commands.Command) (demands []Demand) {
	switch c := c.(type) {
	case commands.CreateGroup:
		for i, m := range c.Members {
			d := ofDeployment(m.CreateDeployment)[0]
			d.Hidden = commands.OfMember(i, d.Hidden)
			demands = append(demands, d)
		}
		if len(demands) == 0 { // it is refused for that, whoever asks
			return []Demand{{Action: auth.ManageApps, Anywhere: true, Hidden: auth.ErrScope}}
		}
		return demands
	case commands.ContinueGroup:
		return on(auth.ManageApps, commands.KindGroup, string(c.Group))
	case commands.FinalizeGroup:
		return on(auth.ManageApps, commands.KindGroup, string(c.Group))
	case commands.CancelGroup:
		return on(auth.ManageApps, commands.KindGroup, string(c.Group))
	case commands.RollBackGroup:
		return on(auth.ManageApps, commands.KindGroup, string(c.Group))
	case commands.UpdateGroup:
		return on(auth.Write, commands.KindGroup, string(c.Group))
	}
	return nil
}

func ofBits(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateDroplet:
		return []Demand{{
			Action: auth.Write, On: Thing{commands.KindApp, string(c.App)},
			Hidden: aggregates.Reject("App with guid %q does not exist, or you do not have access to it.", string(c.App)),
		}}
	case commands.CreatePackage:
		return []Demand{{
			Action: auth.Write, On: Thing{commands.KindApp, string(c.App)},
			Hidden: aggregates.Reject("App is invalid. Ensure it exists and you have access to it."),
		}}
	case commands.CreateBuild:
		return []Demand{{
			Action: auth.ManageApps, On: Thing{commands.KindPackage, string(c.Package)},
			Hidden: aggregates.Reject("Unable to use package. Ensure that the package exists and you have access to it."),
		}}
	}
	return nil
}

// UploadDroplet is what the bits of a droplet need: they come without a command.
func UploadDroplet(id events.DropletID) Demand {
	return on(auth.Write, commands.KindDroplet, string(id))[0]
}

// UploadPackage is what the bits of a package need.
func UploadPackage(id events.PackageID) Demand {
	return on(auth.Write, commands.KindPackage, string(id))[0]
}

// ApplyManifest is what a manifest needs, and a look at what it would change: it may bring in and show all that an app has.
// Its commands are about that space alone, so they need nothing more.
func ApplyManifest(id events.SpaceID) Demand {
	return on(auth.Write, commands.KindSpace, string(id))[0]
}

func ofPlace(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateOrganization:
		return administer()
	case commands.UpdateOrganization:
		return on(auth.UpdateOrganization, commands.KindOrganization, string(c.Organization))
	case commands.DeleteOrganization:
		return on(auth.Administer, commands.KindOrganization, string(c.Organization))
	case commands.CreateSpace:
		return []Demand{{
			Action: auth.UpdateOrganization, On: Thing{commands.KindOrganization, string(c.Organization)},
			Hidden: aggregates.Reject("Invalid organization. Ensure the organization exists and you have access to it."),
		}}
	case commands.UpdateSpace:
		return on(auth.UpdateSpace, commands.KindSpace, string(c.Space))
	case commands.DeleteSpace:
		return on(auth.UpdateOrganization, commands.KindSpace, string(c.Space))
	}
	return nil
}

func ofRoute(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateDomain:
		if c.Organization == "" {
			return administer()
		}
		return []Demand{{
			Action: auth.UpdateOrganization, On: Thing{commands.KindOrganization, string(c.Organization)},
			Hidden: aggregates.Reject("Organization with guid '%s' does not exist or you do not have access to it.", c.Organization),
		}}
	case commands.CreateRoute:
		return []Demand{{Action: auth.ManageApps, On: space(c.Space), Hidden: commands.InvalidSpace()}}
	case commands.UpdateRoute:
		return onRoute(c.Route, nil)
	case commands.SetDestinations:
		return onRoute(c.Route, c.Destinations)
	case commands.AddDestinations:
		return onRoute(c.Route, c.Destinations)
	case commands.RemoveDestination:
		return onRoute(c.Route, nil)
	case commands.DeleteRoute:
		return onRoute(c.Route, nil)
	}
	return nil
}

// onRoute needs the apps to be visible where a route shall lead. That they are in its space is the handler's rule.
func onRoute(id events.RouteID, to []commands.Destination) []Demand {
	var demands []Demand
	for _, d := range to {
		demands = append(demands, Demand{
			Action: auth.Read, On: Thing{commands.KindApp, string(d.App)}, Discreet: true,
			Hidden: aggregates.Reject("App(s) with guid(s) %q do not exist or you do not have access.", string(d.App)),
		})
	}
	return append(demands, on(auth.ManageApps, commands.KindRoute, string(id))...)
}

// ofStrategy: deployment strategies are the installation's (docs/adr/0015). Everybody may know of them.
func ofStrategy(c commands.Command) []Demand {
	switch c.(type) {
	case commands.CreateStrategy, commands.UpdateStrategy, commands.DeleteStrategy:
		return []Demand{{Action: auth.Write, Anywhere: true, Hidden: auth.ErrScope}}
	}
	return nil
}

// ofSubscription: who has things sent to them hears all of it, environment variables and start commands too. So it takes who may
// read and write all that is there: where it listens.
func ofSubscription(c commands.Command) []Demand {
	switch c := c.(type) {
	case commands.CreateSubscription:
		switch {
		case c.Space != "":
			return []Demand{{Action: auth.Write, On: space(c.Space), Hidden: commands.InvalidSpace()}}
		case c.Organization != "":
			return []Demand{{
				Action: auth.Write, On: Thing{commands.KindWholeOrganization, string(c.Organization)}, Hidden: commands.InvalidOrganization(),
			}}
		}
		return administer()
	case commands.UpdateSubscription:
		return on(auth.Write, commands.KindSubscription, string(c.Subscription))
	case commands.RotateSubscription:
		return on(auth.Write, commands.KindSubscription, string(c.Subscription))
	case commands.TestSubscription:
		return on(auth.Write, commands.KindSubscription, string(c.Subscription))
	case commands.DeleteSubscription:
		return on(auth.Write, commands.KindSubscription, string(c.Subscription))
	}
	return nil
}

// ofQuota: a quota of organizations is the administrator's, one of an organization's spaces its manager's.
func (g *Gate) ofQuota(ctx context.Context, c commands.Command) ([]Demand, error) {
	var id events.QuotaID
	switch c := c.(type) {
	case commands.CreateQuota:
		if c.Organization == "" {
			return administer(), nil
		}
		return []Demand{{
			Action: auth.UpdateOrganization, On: Thing{commands.KindOrganization, string(c.Organization)},
			Hidden: aggregates.Reject("Organization with guid '%s' does not exist, or you do not have access to it.", c.Organization),
		}}, nil
	case commands.UpdateQuota:
		id = c.Quota
	case commands.ApplyQuota:
		id = c.Quota
	case commands.RemoveQuota:
		id = c.Quota
	case commands.DeleteQuota:
		id = c.Quota
	default:
		return nil, fmt.Errorf("nothing says who may %s", c.Name())
	}
	demand := Demand{Action: auth.Administer, On: Thing{commands.KindOrganizationQuota, string(id)}, Hidden: aggregates.NotFound("Quota")}
	home, err := g.finder.OrganizationOfQuota(ctx, id)
	if errors.Is(err, commands.ErrUnknown) {
		return []Demand{demand}, nil
	}
	if home != "" {
		demand.Action, demand.On.Kind = auth.UpdateOrganization, commands.KindSpaceQuota
	}
	return []Demand{demand}, err
}

// administer is what only admins may do; there is no thing that could be hidden.
func administer() []Demand { return []Demand{{Action: auth.Administer, Hidden: auth.ErrScope}} }

func onApp(action auth.Action, id events.AppID) []Demand {
	return on(action, commands.KindApp, string(id))
}

// on is a demand about a thing that is "not found" where it is hidden.
func on(action auth.Action, kind commands.Kind, id string) []Demand {
	return []Demand{{Action: action, On: Thing{kind, id}, Hidden: aggregates.NotFound(string(kind))}}
}

func discreetly(demands []Demand) []Demand {
	for i := range demands {
		demands[i].Discreet = true
	}
	return demands
}

// space is a space of a command; none is the default one.
func space(id events.SpaceID) Thing {
	if id == "" {
		id = events.DefaultSpace
	}
	return Thing{commands.KindSpace, string(id)}
}
