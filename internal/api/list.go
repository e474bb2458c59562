package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/internal/auth"
	"slipway/internal/resource"
	"slipway/projections"
)

// lister is a list of the read models.
type lister[Row, Filter any] = func(projections.Sight, context.Context, Filter, projections.Order, projections.Page) (projections.List[Row], error)

// listed answers with one page of a list: of the rows that the filter selects and for which the caller may do the action, those that
// the query asks for. All that the list takes must have been read from the query before.
func listed[Row, Filter, Resource any](
	a *API, c echo.Context, q *query, action auth.Action, of lister[Row, Filter], f Filter, show func(Row) Resource,
) error {
	l, err := find(a, c, q, action, of, f)
	if err != nil {
		return err
	}
	return page(a, c, q, l, show)
}

// find is listed for lists that show more than their rows: it only reads them.
func find[Row, Filter any](
	a *API, c echo.Context, q *query, action auth.Action, of lister[Row, Filter], f Filter,
) (l projections.List[Row], err error) {
	if err := q.err(); err != nil {
		return l, err
	}
	seen, err := a.sees(c, action)
	if err != nil {
		return l, err
	}
	return of(seen, c.Request().Context(), f, q.order, q.page)
}

// all reads all rows of a list that a filter selects and for which the caller may do the action.
func all[Row, Filter any](a *API, c echo.Context, action auth.Action, of lister[Row, Filter], f Filter) ([]Row, error) {
	l, err := find(a, c, &query{}, action, of, f)
	return l.Rows, err
}

// page answers with one page of a list.
func page[Row, Resource any](a *API, c echo.Context, q *query, l projections.List[Row], show func(Row) Resource) error {
	return pageBeside(a, c, q, l, show, nil, parents{})
}

// pageBeside is page with what is asked for of the rows' parents beside them.
func pageBeside[Row, Resource any](
	a *API, c echo.Context, q *query, l projections.List[Row], show func(Row) Resource, asked []string, of parents,
) (err error) {
	list := a.base(c).List(c.Request().URL.EscapedPath(), q.links(), q.page, l.Total, resource.Each(l.Rows, show))
	if list.Included, err = a.included(c, asked, of); err != nil {
		return err
	}
	standsAt(c, l.Sequence)
	return answer(c, http.StatusOK, list)
}
