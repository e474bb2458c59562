package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
)

func (a *API) signalRoutes() {
	a.get("/v3/apps/:guid/signals", a.listSignals)
	a.echo.POST("/v3/apps/:guid/signals", a.signalApp)
	a.echo.POST(pathAlertmanager, a.receiveAlerts)
	a.get(pathTargets, a.prometheusTargets)
}

// signal is the body in which somebody says what an alarm does.
type signal struct {
	Called  string            `json:"name" jsonschema:"required"`   // the alarm's; one app may have several
	Firing  *bool             `json:"firing" jsonschema:"required"` // true: it fires; false: it is over
	Since   string            `json:"since"`                        // since when, RFC 3339; now if not given
	Source  string            `json:"source"`                       // who says so
	Value   commands.Measured `json:"value"`                        // what was measured
	Message string            `json:"message"`                      // in words
}

// signalApp answers with the alarm as it is now, and whether that is news.
func (a *API) signalApp(c echo.Context) error {
	var body signal
	if err := bind(c, &body); err != nil {
		return err
	}
	id := events.AppID(c.Param("guid"))
	result, err := a.carryOut(c, commands.SignalApp{
		App: id, Called: body.Called, Firing: body.Firing, Since: body.Since, Source: body.Source, Value: body.Value, Message: body.Message,
	})
	if err != nil {
		return err
	}
	agg, err := a.Apps.Load(c.Request().Context(), string(id))
	if err != nil {
		return err
	}
	alarm, firing := agg.State.Alarms[body.Called]
	return answer(c, http.StatusOK, a.base(c).Signal(id, body.Called, alarm, firing, result.Recorded))
}

// listSignals shows the alarms about an app that fire. They have no pages: there are few.
func (a *API) listSignals(c echo.Context) error {
	id := events.AppID(c.Param("guid"))
	if err := a.see(c, auth.Read, thing(commands.KindApp, id), commands.KindApp); err != nil {
		return err
	}
	agg, err := a.Apps.Load(c.Request().Context(), string(id))
	if err != nil {
		return err
	}
	if !agg.State.Exists() {
		return aggregates.NotFound(string(commands.KindApp))
	}
	standsAt(c, agg.Position.Sequence)
	list := resource.Signals{Resources: []resource.Signal{}}
	for _, name := range slices.Sorted(maps.Keys(agg.State.Alarms)) {
		list.Resources = append(list.Resources, a.base(c).Signal(id, name, agg.State.Alarms[name], true, false))
	}
	return answer(c, http.StatusOK, list)
}
