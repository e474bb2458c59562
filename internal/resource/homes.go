package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

// PlacesOf implements access.Places: it says where a thing is, or was. Who may do something in any of the places may do it to
// the thing; with a group, in each of them. It fails with commands.ErrUnknown where there never was such a thing, or nothing is left that says where.
func (f Finder) PlacesOf(ctx context.Context, kind commands.Kind, id string) ([]auth.Place, error) {
	if id == "" {
		return nil, commands.ErrUnknown // to a filter of a query it would mean everything
	}
	return find(ctx, f, func() ([]auth.Place, error) {
		switch kind {
		case commands.KindOrganization:
			return f.placesIn(ctx, events.OrganizationID(id))
		case commands.KindWholeOrganization:
			o, err := f.Store.Organization(ctx, events.OrganizationID(id))
			return []auth.Place{place(projections.Home{Organization: o.GUID, OrganizationName: o.Name})}, err
		case commands.KindSubscription:
			return f.placesHeard(ctx, events.SubscriptionID(id))
		case commands.KindDomain:
			d, err := f.Store.Domain(ctx, events.DomainID(id))
			if err != nil {
				return nil, err
			}
			return f.placesIn(ctx, d.Organization)
		case commands.KindHalt:
			h, err := f.Store.Halt(ctx, events.HaltID(id))
			if err != nil {
				return nil, err
			}
			return f.placesOfScope(ctx, h.Organization, h.Space)
		case commands.KindPolicy:
			return f.placesJudged(ctx, events.PolicyID(id))
		case commands.KindOrganizationQuota, commands.KindSpaceQuota:
			return f.placesWith(ctx, events.QuotaID(id))
		case commands.KindGroup:
			return f.placesOfGroup(ctx, events.GroupID(id))
		}
		home, err := f.spaceOf(ctx, kind, id)
		if err != nil {
			return nil, err
		}
		p, err := f.placeOf(ctx, home)
		return []auth.Place{p}, err
	})
}

// Places are all that there are, for the filters of lists.
func (r Reader) Places(ctx context.Context) ([]auth.Place, error) {
	homes, err := r.Store.Homes(ctx)
	return Each(homes, place), err
}

// spaceOf is the space of a thing that lives in one.
func (f Finder) spaceOf(ctx context.Context, kind commands.Kind, id string) (events.SpaceID, error) {
	owner, err := events.AppID(id), error(nil)
	switch kind {
	case commands.KindSpace:
		return events.SpaceID(id), nil
	case commands.KindRoute:
		return f.spaceOfRoute(ctx, events.RouteID(id))
	case commands.KindApp:
	case commands.KindProcess:
		p, missing := f.Store.Process(ctx, events.ProcessID(id))
		owner, err = p.App, missing
	case commands.KindDroplet:
		d, missing := f.Store.Droplet(ctx, events.DropletID(id))
		owner, err = d.App, missing
	case commands.KindPackage:
		p, missing := f.Store.Package(ctx, events.PackageID(id))
		owner, err = p.App, missing
	case commands.KindRevision:
		r, missing := f.Store.Revision(ctx, events.RevisionID(id))
		owner, err = r.App, missing
	case commands.KindBuild:
		b, missing := f.Store.Build(ctx, events.BuildID(id))
		owner, err = b.App, missing
	case commands.KindDeployment:
		owner, err = f.Store.AppOfDeployment(ctx, events.DeploymentID(id))
	default:
		err = fmt.Errorf("nothing says where a resource of kind %q is", kind)
	}
	if err != nil {
		return "", err
	}
	return f.Store.SpaceOfApp(ctx, owner)
}

// spaceOfRoute is where a route is, or was last: its name may come to another space when it is deleted, so only its own history
// can say it then.
func (f Finder) spaceOfRoute(ctx context.Context, id events.RouteID) (space events.SpaceID, err error) {
	r, err := f.Store.Route(ctx, id)
	if !errors.Is(err, projections.ErrNotFound) {
		return r.Space, err
	}
	subject := events.RouteSubject(id)
	if _, _, ok := subject.Split(); !ok {
		return "", projections.ErrNotFound
	}
	err = f.Log.Read(ctx, subject, 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if made, ok := e.(events.RouteCreated); ok {
				space = made.Space
			}
		}
		return nil
	})
	if err == nil && space == "" {
		err = projections.ErrNotFound
	}
	return space, err
}

// placeOf is the place of a space, also when it is deleted: its things may outlive it for a moment. Then its name is gone, and
// only roles in its organization, or for its guid, hold there. The default space is taken to exist until it has been made, as
// the handler of commands does.
func (f Finder) placeOf(ctx context.Context, id events.SpaceID) (auth.Place, error) {
	home, err := f.Store.Home(ctx, id)
	if !errors.Is(err, projections.ErrNotFound) {
		return place(home), err
	}
	organization, err := f.organizationOfDeleted(ctx, id)
	if errors.Is(err, projections.ErrNotFound) && id == events.DefaultSpace {
		return auth.Place{
			Organization: string(events.DefaultOrganization), OrganizationName: string(events.DefaultOrganization),
			Space: id, SpaceName: string(id),
		}, nil
	}
	if err != nil {
		return auth.Place{}, err
	}
	o, err := f.Store.Organization(ctx, organization)
	if errors.Is(err, projections.ErrNotFound) {
		err = nil
	}
	return auth.Place{Organization: string(organization), OrganizationName: o.Name, Space: id}, err
}

// organizationOfDeleted is where a space was that has been deleted.
func (f Finder) organizationOfDeleted(ctx context.Context, id events.SpaceID) (events.OrganizationID, error) {
	gone, err := f.Store.Deletion(ctx, events.TypeSpaceDeleted, string(id))
	if err != nil {
		return "", err
	}
	var deleted events.SpaceDeleted
	if err := json.Unmarshal([]byte(gone.Data), &deleted); err != nil {
		return "", fmt.Errorf("event %s: %w", gone.ID, err)
	}
	return deleted.Organization, nil
}

// placesIn are an organization and its spaces: a role in one of them is enough to know of it.
func (f Finder) placesIn(ctx context.Context, id events.OrganizationID) ([]auth.Place, error) {
	homes, err := f.Store.HomesIn(ctx, id)
	if err == nil && len(homes) == 0 {
		err = projections.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	alone := place(projections.Home{Organization: homes[0].Organization, OrganizationName: homes[0].OrganizationName})
	return append([]auth.Place{alone}, Each(homes, place)...), nil
}

// homeOfQuota is the organization to whose spaces a quota can be given, or could before it was deleted; empty for one of organizations.
func (f Finder) homeOfQuota(ctx context.Context, id events.QuotaID) (events.OrganizationID, error) {
	q, err := f.Store.Quota(ctx, id)
	if !errors.Is(err, projections.ErrNotFound) {
		return q.Organization, err
	}
	gone, err := f.Store.Deletion(ctx, events.TypeQuotaDeleted, string(id))
	if err != nil {
		return "", err
	}
	var deleted events.QuotaDeleted
	if err := json.Unmarshal([]byte(gone.Data), &deleted); err != nil {
		return "", fmt.Errorf("event %s: %w", gone.ID, err)
	}
	return deleted.Organization, nil
}

// placesWith are those that have a quota, and the organization to whose spaces it can be given, also when it is deleted.
func (f Finder) placesWith(ctx context.Context, id events.QuotaID) ([]auth.Place, error) {
	home, err := f.homeOfQuota(ctx, id)
	if err != nil {
		return nil, err
	}
	homes, err := f.Store.HomesWith(ctx, id)
	if err != nil {
		return nil, err
	}
	places := Each(homes, place)
	for _, h := range homes {
		places = append(places, place(projections.Home{Organization: h.Organization, OrganizationName: h.OrganizationName}))
	}
	if home == "" {
		return places, nil
	}
	o, err := f.Store.Organization(ctx, home)
	if errors.Is(err, projections.ErrNotFound) {
		err = nil // only its guid is known then
	}
	return append(places, place(projections.Home{Organization: home, OrganizationName: o.Name})), err
}

// placesOfGroup are the spaces of its members' apps.
func (f Finder) placesOfGroup(ctx context.Context, id events.GroupID) (places []auth.Place, err error) {
	g, err := f.Store.Group(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, space := range g.Spaces {
		p, err := f.placeOf(ctx, space)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, nil
}

func place(h projections.Home) auth.Place {
	return auth.Place{
		Organization: string(h.Organization), OrganizationName: h.OrganizationName, Space: h.Space, SpaceName: h.SpaceName,
	}
}
