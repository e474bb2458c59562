package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/resource"
	"slipway/projections"
)

// moment is up to where history counts: a sequence of the log, or a time.
type moment struct {
	until events.Sequence // 0: by time
	at    time.Time

	second bool // at means all of its second
}

// momentOf reads ?at=: a sequence from 1, or a time in RFC 3339.
func momentOf(text string) (moment, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 {
		return moment{until: events.Sequence(n)}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return moment{at: at, second: !strings.Contains(text, ".")}, nil
	}
	return moment{}, badQuery("At must be a sequence of the event log, from 1, or a time such as 2026-01-31T23:59:59Z")
}

// covers says whether a commit had been made by then. A time without a fraction means all of its second, so that the times
// which answers show, in whole seconds, can be asked for.
func (m moment) covers(c events.Recorded) bool {
	at := c.Time
	if m.second {
		at = at.Truncate(time.Second)
	}
	return m.until > 0 || !at.After(m.at)
}

// errLater ends reading at the first commit that was made later.
var errLater = errors.New("a later commit")

// read gives the commits of one subject up to the moment, in order.
func (m moment) read(ctx context.Context, log eventlog.Log, s events.Subject, fn func(events.Recorded) error) error {
	err := log.Read(ctx, s, 0, m.until, func(c events.Recorded) error {
		if !m.covers(c) {
			return errLater
		}
		return fn(c)
	})
	if errors.Is(err, errLater) {
		return nil
	}
	return err
}

// asOf is a deployment as it was, with what its app was then.
type asOf struct {
	resource.Deployment
	AsOf resource.AsOf `json:"as_of"`
}

// getPast folds the history of the deployment's app up to a moment and shows the deployment as it stood then.
func (a *API) getPast(c echo.Context, id events.DeploymentID, text string) error {
	m, err := momentOf(text)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := a.mustHavePassed(ctx, m); err != nil {
		return err
	}
	owner, err := a.Store.AppOfDeployment(ctx, id)
	if err != nil {
		return missing(commands.KindDeployment, err)
	}
	if err := a.seeDeployment(c, id); err != nil {
		return err
	}
	p, err := a.past(ctx, owner, id, m)
	if err != nil {
		return err
	}
	if p.row.GUID == "" || p.state.Deleted {
		return aggregates.NotFound(string(commands.KindDeployment))
	}
	seen, err := a.pastInstances(ctx, p.state, m)
	if err != nil {
		return err
	}
	standsAt(c, p.row.Sequence)
	base := a.base(c)
	return answer(c, http.StatusOK, asOf{base.Deployment(p.row), base.AsOf(p.at, p.state, seen)})
}

// mustHavePassed refuses a moment that nobody can know yet.
func (a *API) mustHavePassed(ctx context.Context, m moment) error {
	if m.until == 0 {
		if now := a.Now(); m.at.After(now) {
			return badQuery("At has not come yet: it is " + now.UTC().Format(time.RFC3339))
		}
		return nil
	}
	newest, err := a.Log.Newest(ctx)
	if err != nil {
		return err
	}
	if m.until > newest {
		return badQuery(fmt.Sprintf("At has not come yet: the event log stands at %d", newest))
	}
	return nil
}

// past folds the app's commits. The repository checks that history has no hole.
func (a *API) past(ctx context.Context, owner events.AppID, id events.DeploymentID, m moment) (past, error) {
	p := past{id: id}
	var agg eventlog.Aggregate[app.State]
	err := m.read(ctx, a.Log, events.AppSubject(owner), func(c events.Recorded) (err error) {
		if agg, err = a.Apps.Evolve(agg, c); err == nil {
			p.commit(c)
			p.at = c
		}
		return err
	})
	p.state = agg.State
	return p, err
}

// pastInstances folds what agents had reported of the app's processes by then.
func (a *API) pastInstances(ctx context.Context, s app.State, m moment) (app.Instances, error) {
	all := app.Instances{}
	for _, p := range s.Processes {
		var seen app.ProcessInstances
		err := m.read(ctx, a.Log, events.InstanceSubject(p.ID), func(c events.Recorded) error {
			for _, e := range c.Events {
				if report, ok := e.(events.InstanceEvent); ok {
					seen = app.Observe(seen, report, c.Time)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		all[p.ID] = seen
	}
	return all, nil
}

// past is one deployment while its app's history is folded, with the fold of the read models.
type past struct {
	id    events.DeploymentID
	row   projections.Deployment // without a GUID: it does not exist yet
	state app.State
	at    events.Recorded // the last commit that counted
}

func (p *past) commit(c events.Recorded) {
	for i, e := range c.Events {
		if projections.RefsOf(e).Deployment == p.id {
			p.row = p.row.Evolve(c, i, e)
		}
	}
}
