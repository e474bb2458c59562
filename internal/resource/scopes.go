package resource

import (
	"context"
	"errors"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/projections"
)

// placesOfScope is where something holds: a space, or an organization, first alone and then with each of its spaces, in which people may
// know of it; none where it holds everywhere.
func (f Finder) placesOfScope(ctx context.Context, o events.OrganizationID, s events.SpaceID) ([]auth.Place, error) {
	switch {
	case s != "":
		p, err := f.placeOf(ctx, s)
		return []auth.Place{p}, err
	case o != "":
		places, err := f.placesIn(ctx, o)
		if errors.Is(err, projections.ErrNotFound) { // it is deleted: roles for its guid hold
			return []auth.Place{{Organization: string(o)}}, nil
		}
		return places, err
	}
	return nil, nil
}

// placesJudged is where a policy holds, or did: only the event that made it says so when it is gone.
func (f Finder) placesJudged(ctx context.Context, id events.PolicyID) ([]auth.Place, error) {
	p, err := f.Store.Policy(ctx, id)
	if !errors.Is(err, projections.ErrNotFound) {
		if err != nil {
			return nil, err
		}
		return f.placesOfScope(ctx, p.Organization, p.Space)
	}
	var made *events.PolicyCreated
	err = f.Log.Read(ctx, events.PolicySubject, 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if e, ok := e.(events.PolicyCreated); ok && e.Policy == id {
				made = &e
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case made == nil:
		return nil, projections.ErrNotFound
	}
	return f.placesOfScope(ctx, made.Organization, made.Space)
}

// placesHeard is where a subscription listens, or did: a space, or an organization as a whole. Of one that hears everything it is
// nowhere.
func (f Finder) placesHeard(ctx context.Context, id events.SubscriptionID) ([]auth.Place, error) {
	subject, ref, found := events.SubscriptionSubject(id), events.SubscriptionRef{}, errors.New("found")
	if _, _, ok := subject.Split(); !ok {
		return nil, projections.ErrNotFound
	}
	err := f.Log.Read(ctx, subject, 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if made, ok := e.(events.SubscriptionCreated); ok {
				ref = made.Ref()
			}
		}
		return found
	})
	switch {
	case err == nil:
		return nil, projections.ErrNotFound
	case !errors.Is(err, found):
		return nil, err
	case ref.Space != "":
		p, err := f.placeOf(ctx, ref.Space)
		return []auth.Place{p}, err
	case ref.Organization == "":
		return nil, nil
	}
	o, err := f.Store.Organization(ctx, ref.Organization)
	if errors.Is(err, projections.ErrNotFound) {
		err = nil // its name is gone; roles for its guid hold
	}
	return []auth.Place{place(projections.Home{Organization: ref.Organization, OrganizationName: o.Name})}, err
}
