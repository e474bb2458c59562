package api

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// told is a thing whose history can be read, and followed as it happens.
type told struct {
	about  access.Thing
	filter projections.HistoryFilter // its events
	end    map[string]string         // what a stream says after the last of them
	known  func(context.Context) error
	over   func(context.Context) (bool, error) // nothing comes any more
}

// toldOf finds the thing that a path names.
type toldOf func(a *API, guid string) told

// deploymentTold is all that happened to a deployment's app while it went on. It stays when the deployment is gone.
func deploymentTold(a *API, guid string) told {
	id := events.DeploymentID(guid)
	return told{
		about: thing(commands.KindDeployment, id), filter: projections.HistoryFilter{Deployment: id}, end: map[string]string{"deployment": guid},
		known: func(ctx context.Context) error {
			_, err := a.Store.AppOfDeployment(ctx, id)
			return err
		},
		over: func(ctx context.Context) (bool, error) { // or it is gone with its app
			d, err := a.Store.Deployment(ctx, id)
			if errors.Is(err, projections.ErrNotFound) {
				return true, nil
			}
			return d.StatusValue == projections.StatusFinalized, err
		},
	}
}

// groupTold is what happened to a group, and the history of each of its members.
func groupTold(a *API, guid string) told {
	id := events.GroupID(guid)
	return told{
		about: thing(commands.KindGroup, id), filter: projections.HistoryFilter{Group: id}, end: map[string]string{"deployment_group": guid},
		known: func(ctx context.Context) error {
			_, err := a.Store.Group(ctx, id)
			return err
		},
		over: func(ctx context.Context) (bool, error) {
			ended := projections.HistoryFilter{Group: id, Types: []events.Type{events.TypeGroupEnded}}
			l, err := a.Store.History(ctx, ended, projections.Order{}, projections.Page{Number: 1, PerPage: 1})
			return l.Total > 0, err
		},
	}
}

// appTold is all that happened to an app. It stays when the app is gone; nobody can follow it as it happens.
func appTold(a *API, guid string) told {
	id := events.AppID(guid)
	return told{
		about: thing(commands.KindApp, id), filter: projections.HistoryFilter{App: id},
		known: func(ctx context.Context) error {
			_, err := a.Store.SpaceOfApp(ctx, id)
			return err
		},
	}
}

// listEvents is the history of a thing, with who, when and why.
func (a *API) listEvents(of toldOf) echo.HandlerFunc {
	return func(c echo.Context) error {
		t, q := of(a, c.Param("guid")), listQuery(c, "order_by", "types", "actors", "created_ats")
		q.orderBy()
		t.filter.Types = oneOf(q, "types", a.registry.Types())
		t.filter.Actors, t.filter.At = list[events.Actor](q, "actors"), q.times("created_ats")
		if err := q.err(); err != nil {
			return err
		}
		if err := a.tells(c, t); err != nil {
			return err
		}
		l, err := a.Store.History(c.Request().Context(), t.filter, q.order, q.page)
		if err != nil {
			return err
		}
		show, err := a.showEvents(c, t.about)
		if err != nil {
			return err
		}
		return page(a, c, q, l, show)
	}
}

// tells lets those go on who may see a thing that there is, or was.
func (a *API) tells(c echo.Context, t told) error {
	if err := t.known(c.Request().Context()); err != nil {
		return missing(t.about.Kind, err)
	}
	return a.see(c, auth.Read, t.about, t.about.Kind)
}

// showEvents is how the caller may see the events of a thing.
func (a *API) showEvents(c echo.Context, of access.Thing) (func(projections.HistoryEvent) any, error) {
	secrets, err := a.secrets(c, of)
	base := a.base(c)
	return showing(secrets, func(e projections.HistoryEvent) resource.Event { return base.Event(a.registry, e) }), err
}
