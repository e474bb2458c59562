package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/internal/resource"
	"slipway/projections"
)

// maxStrategies is the largest page of strategies, and the usual one: AppConfig's.
const maxStrategies = 50

// strategyList is one page of strategies.
type strategyList struct {
	Items     []strategyBody `json:"Items"`
	NextToken string         `json:"NextToken,omitempty"`
}

// strategyPlace is where a page begins: with the stored strategies created after some place in the log, then with the predefined ones
// from a number on. What is created or deleted between two pages neither doubles nor hides another.
type strategyPlace struct {
	after      projections.Place
	predefined int // 0: among the stored ones; else this many less one of the predefined ones have been shown
}

// listing binds a token to this list: one of another list is none here.
const listing = "deploymentstrategies"

func (p strategyPlace) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d %d", listing, p.after.Sequence, p.after.Index, p.predefined))
}

func parseStrategyPlace(token string) (p strategyPlace, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), listing+" %d %d %d", &p.after.Sequence, &p.after.Index, &p.predefined)
	}
	if err != nil || p.token() != token || p.predefined < 0 || p.predefined > len(strategy.AllPredefined()) {
		return p, aggregates.Reject("Invalid nextToken parameter %.100s.", token)
	}
	return p, nil
}

// listStrategies lists the stored strategies and after them the predefined ones.
func (a *API) listStrategies(c echo.Context) error {
	anybody(c)
	size, at, err := strategyPage(c)
	if err != nil {
		return err
	}
	page := strategyList{Items: []strategyBody{}}
	if at.predefined == 0 {
		stored, err := a.Store.Strategies(c.Request().Context(), at.after, size)
		if err != nil {
			return err
		}
		standsAt(c, stored.Sequence)
		page.Items = resource.Each(stored.Rows, asAppConfig)
		if stored.Total > len(stored.Rows) {
			page.NextToken = strategyPlace{after: stored.Rows[len(stored.Rows)-1].Created}.token()
			return answerAppConfig(c, http.StatusOK, page)
		}
		at = strategyPlace{predefined: 1}
	}
	for _, s := range strategy.AllPredefined()[at.predefined-1:] {
		if len(page.Items) == size {
			page.NextToken = at.token()
			break
		}
		page.Items = append(page.Items, predefinedAsAppConfig(s))
		at.predefined++
	}
	return answerAppConfig(c, http.StatusOK, page)
}

// strategyPage reads which page is asked for.
func strategyPage(c echo.Context) (size int, at strategyPlace, err error) {
	query := c.QueryParams()
	size = maxStrategies
	if query.Has("max_results") {
		given := query.Get("max_results")
		if size, err = strconv.Atoi(given); err != nil || size < 1 || size > maxStrategies {
			return 0, at, aggregates.Reject("1 validation error detected: Value '%.100s' at 'maxResults' failed to satisfy constraint: "+
				"Member must have value between 1 and %d", given, maxStrategies)
		}
	}
	if query.Has("next_token") {
		at, err = parseStrategyPlace(query.Get("next_token"))
	}
	return size, at, err
}
