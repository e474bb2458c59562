package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/resource"
)

// planDeployment is the body of a request for a simulation.
type planDeployment struct {
	createDeployment
	Simulate commands.Assumptions `json:"simulate"` // what is taken for given
}

// planDeployment says how a deployment would go, and writes nothing. Its body is that of a request for one, and what the
// simulation takes for given. Whoever could ask for the deployment may ask for this (our own addition).
func (a *API) planDeployment(c echo.Context) error {
	var body planDeployment
	fault := bind(c, &body)
	create, err := body.command(commands.Together(fault, body.Simulate.Check()))
	if err != nil {
		return err
	}
	if err := a.allow(c, create); err != nil {
		return err
	}
	ctx := c.Request().Context()
	forecast, err := a.Commands.Forecast(ctx, create, body.Simulate, a.caller(c, events.CommandID(events.NewID())))
	if err != nil {
		return err
	}
	standsAt(c, forecast.Sequence)
	return answer(c, http.StatusOK, resource.ForecastOf(forecast))
}
