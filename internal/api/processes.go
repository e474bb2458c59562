package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

func (a *API) processRoutes() {
	a.get("/v3/processes", a.listProcesses)
	a.get("/v3/processes/:process", a.getProcess)
	a.echo.PATCH("/v3/processes/:process", a.updateProcess)
	a.echo.POST("/v3/processes/:process/actions/scale", a.scaleProcess)
	a.get("/v3/processes/:process/stats", a.getStats)
	a.get("/v3/apps/:guid/processes", a.listAppProcesses)
	a.get("/v3/apps/:guid/processes/:type", a.getProcess)
	a.echo.POST("/v3/apps/:guid/processes/:type/actions/scale", a.scaleProcess)
	a.get("/v3/apps/:guid/processes/:type/stats", a.getStats)
}

func (a *API) listProcesses(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "types", "app_guids", "space_guids",
		"organization_guids", "embed")
	return a.processPage(c, q, list[events.AppID](q, "app_guids"))
}

func (a *API) listAppProcesses(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "types")
	of, err := a.app(c)
	if err != nil {
		return err
	}
	return a.processPage(c, q, []events.AppID{of.GUID})
}

func (a *API) processPage(c echo.Context, q *query, apps []events.AppID) error {
	f := projections.ProcessFilter{
		GUIDs: list[events.ProcessID](q, "guids"), Types: list[string](q, "types"), Apps: apps,
		Spaces: list[events.SpaceID](q, "space_guids"), Organizations: list[events.OrganizationID](q, "organization_guids"),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"),
	}
	embed, embedded := q.given["embed"]
	if embedded && embed != embedInstances {
		q.fault("Invalid embedded resource: '" + strings.ToValidUTF8(embed, "?") + "'. Valid embedded resources are: '" + embedInstances + "'")
	}
	q.orderBy()
	l, err := find(a, c, q, auth.Read, projections.Sight.Processes, f)
	if err != nil {
		return err
	}
	if !embedded {
		return page(a, c, q, l, a.base(c).ListedProcess)
	}
	instances, err := a.Store.InstancesOf(c.Request().Context(), l.Rows)
	if err != nil {
		return err
	}
	return page(a, c, q, l, func(p projections.Process) resource.ListedProcessWithInstances {
		return a.base(c).ListedProcessWithInstances(p, instances[p.GUID])
	})
}

// embedInstances is the value of `embed` with which a list of processes shows their instances too.
const embedInstances = "process_instances"

// process reads the process that the path names: by its guid, or as an app's newest of a type.
func (a *API) process(c echo.Context) (projections.Process, error) {
	if id := c.Param("process"); id != "" {
		return named(a, c, auth.Read, commands.KindProcess, a.Store.Process, events.ProcessID(id))
	}
	if _, err := a.app(c); err != nil {
		return projections.Process{}, err
	}
	p, err := a.Store.ProcessOfType(c.Request().Context(), events.AppID(c.Param("guid")), c.Param("type"))
	return p, missing(commands.KindProcess, err)
}

func (a *API) getProcess(c echo.Context) error {
	p, err := a.process(c)
	if err != nil {
		return err
	}
	shown, err := a.discreet(c, thing(commands.KindProcess, p.GUID), a.base(c).Process(p))
	if err != nil {
		return err
	}
	return one(c, p.Stamp, shown)
}

// getStats shows the instances that are desired, as agents last reported them.
func (a *API) getStats(c echo.Context) error {
	p, err := a.process(c)
	if err != nil {
		return err
	}
	l, err := a.Store.Instances(c.Request().Context(), p.GUID)
	if err != nil {
		return missing(commands.KindProcess, err)
	}
	standsAt(c, l.Sequence)
	return answer(c, http.StatusOK, a.base(c).Stats(p, l.Rows, a.Now()))
}

type scaleProcess struct {
	Instances *int   `json:"instances"`
	MemoryMB  *int   `json:"memory_in_mb"`
	DiskMB    *int   `json:"disk_in_mb"`
	LogRate   *int64 `json:"log_rate_limit_in_bytes_per_second"`
}

func (a *API) scaleProcess(c echo.Context) error {
	var body scaleProcess
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusAccepted, commands.ScaleProcess{
		Process: events.ProcessID(c.Param("process")), App: events.AppID(c.Param("guid")), Type: c.Param("type"),
		Instances: body.Instances, MemoryMB: body.MemoryMB, DiskMB: body.DiskMB, LogRate: body.LogRate,
	})
}

type updateProcess struct {
	Command     command      `json:"command"`
	HealthCheck *healthCheck `json:"health_check"`
}

// command tells null, which goes back to the droplet's command, from an absent one.
type command struct{ set *string }

// UnmarshalJSON implements json.Unmarshaler; null reaches it too.
func (v *command) UnmarshalJSON(data []byte) error {
	v.set = new(string)
	if json.Unmarshal(data, v.set) != nil {
		return aggregates.Reject("Command must be a string")
	}
	return nil
}

// healthCheck is a change of a health check: what is not given stays, null goes back to the default.
type healthCheck struct {
	Type *string `json:"type"`
	Data struct {
		Timeout           seconds `json:"timeout"`
		InvocationTimeout seconds `json:"invocation_timeout"`
		Interval          seconds `json:"interval"`
		Endpoint          *string `json:"endpoint"`
	} `json:"data"`
}

// seconds tells null from absent.
type seconds struct {
	n   int
	set bool
}

// UnmarshalJSON implements json.Unmarshaler; null reaches it too.
func (s *seconds) UnmarshalJSON(data []byte) error {
	s.set = true
	if json.Unmarshal(data, &s.n) != nil {
		return aggregates.Reject("Health check times must be integers")
	}
	return nil
}

func (s seconds) or(stands int) int {
	if s.set {
		return s.n
	}
	return stands
}

// on gives the health check that stands once the change is made.
func (h *healthCheck) on(stands events.HealthCheck) *events.HealthCheck {
	if h == nil {
		return nil
	}
	if h.Type != nil && *h.Type != stands.Kind {
		stands.Kind, stands.Endpoint = *h.Type, ""
	}
	stands.TimeoutSeconds = h.Data.Timeout.or(stands.TimeoutSeconds)
	stands.InvocationTimeoutSeconds = h.Data.InvocationTimeout.or(stands.InvocationTimeoutSeconds)
	stands.IntervalSeconds = h.Data.Interval.or(stands.IntervalSeconds)
	if h.Data.Endpoint != nil {
		stands.Endpoint = *h.Data.Endpoint
	}
	return &stands
}

func (a *API) updateProcess(c echo.Context) error {
	var body updateProcess
	if err := bind(c, &body); err != nil {
		return err
	}
	p, err := a.process(c)
	if err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateProcess{
		Process: p.GUID, Command: body.Command.set, HealthCheck: body.HealthCheck.on(p.HealthCheck),
	})
}
