package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/projections"
)

// Where other programs send what they have to say in their own words. They may log in with a client's id and secret at each
// request, since not all of them can fetch tokens.
const (
	integrations     = "/v3/integrations/"
	pathAlertmanager = integrations + "alertmanager"
)

// Clients says whose id and secret a request shows: [auth.Authority].
type Clients interface {
	VerifyClient(ctx context.Context, id, secret, address string) (auth.Identity, error)
}

// alertmanagerVersion is the form of Alertmanager's webhook that is known here.
const alertmanagerVersion = "4"

// The labels of an alert that say which app it is about: its guid, or its name with those of its space and organization.
const (
	labelAlert        = "alertname"
	labelAppGUID      = "app_guid"
	labelApp          = "app"
	labelSpace        = "space"
	labelOrganization = "organization"
)

// alerts is the body of Alertmanager's webhook, as far as it is of use. What else is in it may grow.
type alerts struct {
	Version string  `json:"version"` // of the form: 4
	Alerts  []alert `json:"alerts"`  // those that fire, and those that are over
}

type alert struct {
	Status      string            `json:"status"` // firing or resolved
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`    // since when it fires, RFC 3339
	Fingerprint string            `json:"fingerprint"` // the same for the same alert
}

// heard is what became of one alert.
type heard struct {
	Name     string `json:"name"`
	Firing   bool   `json:"firing"` // what the alert says
	App      *ref   `json:"app,omitempty"`
	Recorded bool   `json:"recorded"`        // it is news
	Error    string `json:"error,omitempty"` // why it was not taken
}

// heardAlerts is what became of all alerts of a request.
type heardAlerts struct {
	Alerts []heard `json:"alerts"` // in the order of the request
}

// receiveAlerts takes what Alertmanager sends. An alert that is about no app does not keep the others back: it is told in the
// answer and in the log. What fails for the moment fails all of it, so that Alertmanager sends it again.
func (a *API) receiveAlerts(c echo.Context) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	var sent alerts
	if err := json.Unmarshal(body, &sent); err != nil {
		return commands.Malformed()
	}
	if sent.Version != alertmanagerVersion {
		return aggregates.Reject("Version must be '%s': this is not what Alertmanager's webhook sends", alertmanagerVersion)
	}
	by, err := a.callerOf(c)
	if err != nil {
		return err
	}
	c.Set(judged, true) // each command is
	told := heardAlerts{[]heard{}}
	for i, alert := range sent.Alerts {
		by := by
		by.CommandID = events.CommandID(events.DeriveID(by.CommandID, "alert", i))
		h, err := a.receive(c, alert, by)
		if err != nil {
			return err
		}
		told.Alerts = append(told.Alerts, h)
	}
	return answer(c, http.StatusOK, told)
}

// receive takes one alert. The error is one that may pass.
func (a *API) receive(c echo.Context, alert alert, by commands.Caller) (heard, error) {
	h := heard{Name: alert.name(), Firing: alert.Status == "firing"}
	id, err := a.appOfAlert(c, alert.Labels)
	if err == nil {
		h.App = &ref{string(id)}
		h.Recorded, err = a.signaled(c, alert.signal(id), by)
	}
	var rejected *aggregates.RejectedError
	switch {
	case errors.As(err, &rejected):
		h.Error = rejected.Message
	case errors.Is(err, auth.ErrScope):
		h.Error = cferror.NotAuthorized.Detail
	case err != nil:
		return h, err
	}
	if h.Error != "" {
		a.Logger.LogAttrs(c.Request().Context(), slog.LevelWarn, "alert not taken", slog.String("alert", h.Name),
			slog.String("err", h.Error), slog.String("by", string(by.Actor)))
	}
	return h, nil
}

// signaled says whether an alert was news.
func (a *API) signaled(c echo.Context, command commands.SignalApp, by commands.Caller) (recorded bool, err error) {
	if err := a.allow(c, command); err != nil {
		return false, err
	}
	result, err := a.Commands.Handle(c.Request().Context(), command, by)
	return result.Recorded, err
}

// signal is the alert as a command.
func (l alert) signal(id events.AppID) commands.SignalApp {
	firing := l.Status == "firing"
	s := commands.SignalApp{
		App: id, Called: l.name(), Firing: &firing, Since: l.StartsAt, Source: "alertmanager", Value: commands.Measured(l.Annotations["value"]),
	}
	for _, key := range []string{"message", "summary", "description"} {
		if s.Message == "" {
			s.Message = l.Annotations[key]
		}
	}
	return s
}

// maxAlarmName is what a name may have, in bytes: past it the fingerprint tells alerts apart.
const maxAlarmName = 255

// name tells the alert from all others about its app: its name, with the labels that do not name the app. Two of the same rule,
// for two instances say, are two alarms.
func (l alert) name() string {
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(l.Labels)) {
		switch key {
		case labelAlert, labelAppGUID, labelApp, labelSpace, labelOrganization:
		default:
			labels = append(labels, key+"="+l.Labels[key])
		}
	}
	name := l.Labels[labelAlert]
	if len(labels) == 0 {
		return name
	}
	if full := name + "{" + strings.Join(labels, ",") + "}"; len(full) <= maxAlarmName && utf8.ValidString(full) {
		return full
	}
	return name + "/" + l.Fingerprint
}

// appOfAlert finds the app that labels name, among those that the caller may see.
func (a *API) appOfAlert(c echo.Context, labels map[string]string) (events.AppID, error) {
	if id := labels[labelAppGUID]; id != "" {
		return events.AppID(id), nil
	}
	name := labels[labelApp]
	if name == "" {
		return "", aggregates.Reject("The alert has no label '%s' or '%s' that says which app it is about", labelAppGUID, labelApp)
	}
	seen, err := a.sees(c, auth.Read)
	if err != nil {
		return "", err
	}
	f := projections.AppFilter{Names: []string{name}}
	if labels[labelSpace] != "" || labels[labelOrganization] != "" {
		if f.Spaces, err = a.spacesNamed(c, labels[labelOrganization], labels[labelSpace]); err != nil {
			return "", err
		}
		if len(f.Spaces) == 0 {
			return "", aggregates.NotFound(string(commands.KindApp))
		}
	}
	found, err := seen.Apps(c.Request().Context(), f, projections.Order{}, projections.Page{})
	switch {
	case err != nil:
		return "", err
	case found.Total == 0:
		return "", aggregates.NotFound(string(commands.KindApp))
	case found.Total > 1:
		return "", aggregates.Reject("%d apps are called '%.100s': give the alert the labels '%s' and '%s', or '%s'",
			found.Total, name, labelSpace, labelOrganization, labelAppGUID)
	}
	return found.Rows[0].GUID, nil
}

// spacesNamed are the spaces of a name in an organization of a name; an empty name is any.
func (a *API) spacesNamed(c echo.Context, organization, space string) (ids []events.SpaceID, err error) {
	places, err := a.reader.Places(c.Request().Context())
	for _, p := range places {
		if p.Space != "" && (space == "" || p.SpaceName == space) && (organization == "" || p.OrganizationName == organization) {
			ids = append(ids, p.Space)
		}
	}
	return ids, err
}

// clientOf says which client shows its secret with a request to an integration; ok is false where none does.
func (a *API) clientOf(r *http.Request) (i auth.Identity, ok bool, err error) {
	id, secret, basic := r.BasicAuth()
	if !basic || a.Clients == nil || !strings.HasPrefix(r.URL.Path, integrations) {
		return i, false, nil
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	i, err = a.Clients.VerifyClient(r.Context(), id, secret, address)
	return i, true, err
}
