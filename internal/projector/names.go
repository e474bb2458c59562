package projector

import (
	"context"
	"errors"
	"fmt"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// cachedNames bounds the names of each kind in memory; past it an arbitrary one makes room.
const cachedNames = 10_000

// name is where an event belongs and how that is called: by organization, space and app, as far as it has them.
type name struct {
	organization, space, app string
	home                     home // by ids; zero where it is nowhere
}

var errStop = errors.New("enough was read")

// nameless stands for an app that never was, which a rejected command may name: its token is "=".
var nameless = name{organization: string(events.DefaultOrganization), space: string(events.DefaultSpace)}

// home is where an app or a route is, which never changes, and what an app is called.
type home struct {
	organization events.OrganizationID
	space        events.SpaceID
	app          string
}

// called is how an organization and its spaces are called. Names stay when their bearers go: late events need them.
type called struct {
	organization string
	spaces       map[events.SpaceID]string
}

// names knows how things were called when an event was decided. An app's home is in its first event and never changes; the
// names of organizations and spaces do change, so they are folded: read once up to the event at hand, and from then on kept
// up with by what comes past.
type names struct {
	log           eventlog.Log
	apps          map[events.AppID]home
	routes        map[events.RouteID]home
	groups        map[events.GroupID]home
	rules         map[string]home // where halts and policies hold, by their ids
	organizations map[events.OrganizationID]*called
}

func newNames(log eventlog.Log) *names {
	return &names{
		log: log, apps: map[events.AppID]home{}, routes: map[events.RouteID]home{}, groups: map[events.GroupID]home{},
		rules: map[string]home{}, organizations: map[events.OrganizationID]*called{},
	}
}

// of is how the thing was called that an event at a place of the log is about. Events come in the order of the log.
func (n *names) of(ctx context.Context, e events.Event, at events.Sequence) (name, error) {
	n.learn(e)
	about := projections.RefsOf(e)
	switch {
	case about.Route != "":
		return n.ofRoute(ctx, about.Route, at)
	case about.App != "":
		return n.ofApp(ctx, about.App, at)
	case about.Group != "":
		return n.ofGroup(ctx, about.Group, at)
	case about.Halt != "":
		return n.ofRule(ctx, events.HaltSubject, string(about.Halt), at)
	case about.Policy != "":
		return n.ofRule(ctx, events.PolicySubject, string(about.Policy), at)
	case about.Organization != "":
		return n.in(ctx, home{organization: about.Organization, space: about.Space}, at)
	case about.Domain != "" || about.Quota != "" || about.Strategy != "" || about.Subscription != "":
		return name{}, nil // everybody's
	}
	return nameless, nil
}

// learn takes in what an event says of names.
func (n *names) learn(e events.Event) {
	switch e := e.(type) {
	case events.AppCreated:
		bounded(n.apps)[e.App] = home{organization: e.Organization, space: e.Space, app: e.Name}
	case events.RouteCreated:
		bounded(n.routes)[e.Route] = home{organization: e.Organization, space: e.Space}
	case events.GroupCreated:
		bounded(n.groups)[e.Group] = home{organization: e.Organization, space: e.Space}
	case events.HaltDeclared:
		bounded(n.rules)[string(e.Halt)] = home{organization: e.Organization, space: e.Space}
	case events.PolicyCreated:
		bounded(n.rules)[string(e.Policy)] = home{organization: e.Organization, space: e.Space}
	case events.OrganizationCreated:
		bounded(n.organizations)[e.Organization] = &called{organization: e.Name, spaces: map[events.SpaceID]string{}}
	default:
		n.rename(e)
	}
}

func (n *names) rename(e events.Event) {
	c, known := n.organizations[projections.RefsOf(e).Organization]
	if !known {
		return
	}
	switch e := e.(type) {
	case events.OrganizationUpdated:
		c.organization = e.Name
	case events.SpaceCreated:
		c.spaces[e.Space] = e.Name
	case events.SpaceUpdated:
		c.spaces[e.Space] = e.Name
	}
}

// bounded makes room in a full cache.
func bounded[K comparable, V any](m map[K]V) map[K]V {
	if len(m) >= cachedNames {
		for other := range m {
			delete(m, other)
			break
		}
	}
	return m
}

func (n *names) ofApp(ctx context.Context, id events.AppID, at events.Sequence) (name, error) {
	if _, known := n.apps[id]; !known {
		if err := n.read(ctx, events.AppSubject(id), at, errStop); err != nil { // it is in the first commit or nowhere
			return name{}, fmt.Errorf("name of app %s: %w", id, err)
		}
	}
	if where, known := n.apps[id]; known {
		return n.in(ctx, where, at)
	}
	return nameless, nil
}

// ofRoute reads all of the route's history where it must: a route may have been deleted and made again, elsewhere.
func (n *names) ofRoute(ctx context.Context, id events.RouteID, at events.Sequence) (name, error) {
	if _, known := n.routes[id]; !known {
		if err := n.read(ctx, events.RouteSubject(id), at, nil); err != nil {
			return name{}, fmt.Errorf("name of route %s: %w", id, err)
		}
	}
	return n.in(ctx, n.routes[id], at)
}

// ofGroup is in the space of its apps, or, where they are in several, in their organization.
func (n *names) ofGroup(ctx context.Context, id events.GroupID, at events.Sequence) (name, error) {
	if _, known := n.groups[id]; !known {
		if err := n.read(ctx, events.GroupSubject(id), at, errStop); err != nil { // it is in the first commit or nowhere
			return name{}, fmt.Errorf("name of group %s: %w", id, err)
		}
	}
	return n.in(ctx, n.groups[id], at)
}

// ofRule is where a halt or a policy holds: only the event that made it says so. What holds everywhere is everybody's.
func (n *names) ofRule(ctx context.Context, all events.Subject, id string, at events.Sequence) (name, error) {
	if _, known := n.rules[id]; !known {
		if err := n.read(ctx, all, at, nil); err != nil {
			return name{}, fmt.Errorf("place of %s in %s: %w", id, all, err)
		}
	}
	if where := n.rules[id]; where != (home{}) {
		return n.in(ctx, where, at)
	}
	return name{}, nil
}

// in is how a place was called. What has no name, because it is of the time before there were organizations, is called by
// its id.
func (n *names) in(ctx context.Context, where home, at events.Sequence) (name, error) {
	if _, known := n.organizations[where.organization]; !known {
		if err := n.read(ctx, events.OrganizationSubject(where.organization), at, nil); err != nil {
			return name{}, fmt.Errorf("name of organization %s: %w", where.organization, err)
		}
	}
	found := name{organization: string(where.organization), space: string(where.space), app: where.app, home: where}
	if c, known := n.organizations[where.organization]; known {
		found.organization = c.organization
		if called, named := c.spaces[where.space]; named {
			found.space = called
		}
	}
	return found, nil
}

// read learns from a history up to a place of the log; after its first commit, where stop says so.
func (n *names) read(ctx context.Context, s events.Subject, at events.Sequence, stop error) error {
	if _, _, ok := s.Split(); !ok {
		return nil // no history can stand under it
	}
	err := n.log.Read(ctx, s, 0, at, func(c events.Recorded) error {
		for _, e := range c.Events {
			n.learn(e)
		}
		return stop
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
