package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/aggregates/strategy"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/projections"
)

// Deployment strategies as AWS AppConfig has them on the wire: paths, names and answers are those of its API of 2019-10-09, so
// that AWS's SDKs work unmodified (docs/adr/0015).

// strategiesPath is where strategies are; misspelt is the path that AWS's SDKs delete them by.
const (
	strategiesPath = "/deploymentstrategies"
	misspelt       = "/deployementstrategies"
)

// ofAppConfig says whether a path is one of AppConfig's.
func ofAppConfig(path string) bool {
	for _, own := range []string{strategiesPath, misspelt} {
		if path == own || strings.HasPrefix(path, own+"/") {
			return true
		}
	}
	return false
}

func (a *API) appConfigRoutes() {
	a.echo.POST(strategiesPath, a.createStrategy)
	a.get(strategiesPath, a.listStrategies)
	a.get(strategiesPath+"/:id", a.getStrategy)
	a.echo.PATCH(strategiesPath+"/:id", a.updateStrategy)
	a.echo.DELETE(strategiesPath+"/:id", a.deleteStrategy)
	a.echo.DELETE(misspelt+"/:id", a.deleteStrategy)
}

// strategyBody is a strategy as AppConfig shows it.
type strategyBody struct {
	ID          string  `json:"Id"`
	Name        string  `json:"Name"`
	Description *string `json:"Description,omitempty"`
	Duration    int     `json:"DeploymentDurationInMinutes"`
	GrowthType  string  `json:"GrowthType"`
	Factor      float64 `json:"GrowthFactor"`
	Bake        int     `json:"FinalBakeTimeInMinutes"`
	ReplicateTo string  `json:"ReplicateTo"`
}

// asAppConfig shows a strategy. An empty description is none, but for whoever has just given it: see changed.
func asAppConfig(s projections.Strategy) strategyBody {
	shown := strategyBody{
		ID: string(s.GUID), Name: s.Name, Duration: s.Growth.DeploymentDurationMinutes, GrowthType: s.Growth.GrowthType,
		Factor: s.Growth.GrowthFactor, Bake: s.Growth.FinalBakeMinutes, ReplicateTo: s.ReplicateTo,
	}
	if s.Description != "" {
		shown.Description = &s.Description
	}
	return shown
}

func predefinedAsAppConfig(s strategy.State) strategyBody {
	return asAppConfig(projections.Strategy{
		GUID: s.ID, Name: s.Name, Description: s.Description, Growth: s.Growth, ReplicateTo: s.ReplicateTo,
	})
}

func (a *API) createStrategy(c echo.Context) error {
	body, err := readMembers(c)
	if err != nil {
		return err
	}
	create := commands.CreateStrategy{
		Called: member[string](body, "Name"), Description: member[string](body, "Description"), Growth: body.numbers(),
		ReplicateTo: member[string](body, "ReplicateTo"),
	}
	if tags := member[map[string]string](body, "Tags"); tags != nil {
		create.Tags = *tags
	}
	if body.err != nil {
		return body.err
	}
	return a.changed(c, http.StatusCreated, create, create.Description)
}

func (a *API) updateStrategy(c echo.Context) error {
	body, err := readMembers(c)
	if err != nil {
		return err
	}
	update := commands.UpdateStrategy{Strategy: strategyID(c), Description: member[string](body, "Description"), Growth: body.numbers()}
	if body.err != nil {
		return body.err
	}
	return a.changed(c, http.StatusOK, update, update.Description)
}

// changed carries out a command and answers with the strategy it was about. A description is given back as it was given, an
// empty one too, as AppConfig does.
func (a *API) changed(c echo.Context, status int, command commands.Command, description *string) error {
	result, err := a.carryOut(c, command)
	if err != nil {
		return err
	}
	s, err := a.storedStrategy(c, events.StrategyID(result.ID))
	if err != nil {
		return err
	}
	shown := asAppConfig(s)
	if description != nil && *description == s.Description {
		shown.Description = description
	}
	return answerAppConfig(c, status, shown)
}

func (a *API) deleteStrategy(c echo.Context) error {
	if _, err := a.carryOut(c, commands.DeleteStrategy{Strategy: strategyID(c)}); err != nil {
		return err
	}
	sendAppConfig(c, http.StatusNoContent, nil)
	return nil
}

func (a *API) getStrategy(c echo.Context) error {
	anybody(c)
	id := strategyID(c)
	if s, ok := strategy.Predefined(id); ok {
		return answerAppConfig(c, http.StatusOK, predefinedAsAppConfig(s))
	}
	if err := strategy.CheckID(id); err != nil {
		return err
	}
	s, err := a.storedStrategy(c, id)
	if err != nil {
		return err
	}
	standsAt(c, s.Sequence)
	return answerAppConfig(c, http.StatusOK, asAppConfig(s))
}

func (a *API) storedStrategy(c echo.Context, id events.StrategyID) (projections.Strategy, error) {
	s, err := a.Store.Strategy(c.Request().Context(), id)
	if errors.Is(err, projections.ErrNotFound) {
		err = strategy.NotFound(id)
	}
	return s, err
}

func strategyID(c echo.Context) events.StrategyID { return events.StrategyID(c.Param("id")) }

// answerAppConfig sends v as AppConfig would.
func answerAppConfig(c echo.Context, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	sendAppConfig(c, status, b.Bytes())
	return nil
}

// headerRequestID is AWS's name for the id of a request. Its SDKs show it with every error.
const headerRequestID = "X-Amzn-RequestId"

func sendAppConfig(c echo.Context, status int, body []byte) {
	w := c.Response()
	w.Header().Set(headerRequestID, events.NewID())
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if c.Request().Method != http.MethodHead {
		_, _ = w.Write(body) // it fails where the client has gone, and then there is nobody to tell
	}
}
