package api

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/projections"
)

const pathTargets = integrations + "prometheus/targets"

// target is where Prometheus finds one instance, in the form of its HTTP service discovery. The labels go through its alerts
// back to [API.receiveAlerts], and a check's query can choose by them.
type target struct {
	Targets []string          `json:"targets"` // the address of one instance
	Labels  map[string]string `json:"labels"`
}

// prometheusTargets lists the running instances of all apps that the caller may see.
func (a *API) prometheusTargets(c echo.Context) error {
	seen, err := a.sees(c, auth.Read)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	apps, err := seen.Apps(ctx, projections.AppFilter{}, projections.Order{}, projections.Page{})
	if err != nil {
		return err
	}
	processes, err := seen.Processes(ctx, projections.ProcessFilter{}, projections.Order{}, projections.Page{})
	if err != nil {
		return err
	}
	instances, err := a.Store.InstancesOf(ctx, processes.Rows)
	if err != nil {
		return err
	}
	names, err := a.placeLabels(c, apps.Rows)
	if err != nil {
		return err
	}
	targets := []target{}
	for _, p := range processes.Rows {
		for _, i := range instances[p.GUID] {
			if i.State == projections.InstanceRunning && i.Address != "" {
				targets = append(targets, targetOf(p, i, names[p.App]))
			}
		}
	}
	standsAt(c, processes.Sequence)
	return answer(c, http.StatusOK, targets)
}

// placeLabels are the labels that say which app it is, of each.
func (a *API) placeLabels(c echo.Context, apps []projections.App) (map[events.AppID]map[string]string, error) {
	places, err := a.reader.Places(c.Request().Context())
	if err != nil {
		return nil, err
	}
	in := map[events.SpaceID]auth.Place{}
	for _, p := range places {
		in[p.Space] = p
	}
	labels := make(map[events.AppID]map[string]string, len(apps))
	for _, of := range apps {
		labels[of.GUID] = map[string]string{
			labelAppGUID: string(of.GUID), labelApp: of.Name,
			labelSpace: in[of.Space].SpaceName, labelOrganization: in[of.Space].OrganizationName,
		}
	}
	return labels, nil
}

func targetOf(p projections.Process, i projections.Instance, of map[string]string) target {
	labels := map[string]string{
		"process_guid": string(p.GUID), "process_type": p.Type, "deployment_guid": string(p.Deployment), "index": strconv.Itoa(i.Index),
	}
	maps.Copy(labels, of)
	return target{Targets: []string{i.Address}, Labels: labels}
}
