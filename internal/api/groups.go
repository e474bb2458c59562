package api

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) groupRoutes() {
	const one = "/v3/deployment_groups/:guid"
	a.get("/v3/deployment_groups", a.listGroups)
	a.echo.POST("/v3/deployment_groups", a.createGroup)
	a.echo.POST("/v3/deployment_groups/evaluate", a.evaluateGroup)
	a.get(one, a.getGroup)
	a.echo.PATCH(one, a.updateGroup)
	a.get(one+"/events", a.listEvents(groupTold))
	a.get(one+"/stream", a.streamEvents(groupTold))
	a.echo.POST(one+"/actions/cancel", a.directGroup(func(id events.GroupID) commands.Command { return commands.CancelGroup{Group: id} }))
	a.echo.POST(one+"/actions/rollback", a.directGroup(func(id events.GroupID) commands.Command { return commands.RollBackGroup{Group: id} }))
	a.echo.POST(one+"/actions/continue", a.directGroup(func(id events.GroupID) commands.Command { return commands.ContinueGroup{Group: id} }))
	a.echo.POST(one+"/actions/finalize", a.directGroup(func(id events.GroupID) commands.Command { return commands.FinalizeGroup{Group: id} }))
}

var groupStatuses = []group.Value{
	group.StatusPending, group.StatusRunning, group.StatusFinalizing, group.StatusFinalized, group.StatusCanceled, group.StatusFailed,
	group.StatusDenied,
}

func (a *API) listGroups(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "label_selector", "app_guids", "status_values")
	f := projections.GroupFilter{
		GUIDs: list[events.GroupID](q, "guids"), Names: list[string](q, "names"), Apps: list[events.AppID](q, "app_guids"),
		Statuses: oneOf(q, "status_values", groupStatuses), Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy(projections.ByName)
	return listed(a, c, q, auth.Read, projections.Sight.Groups, f, a.base(c).Group)
}

func (a *API) getGroup(c echo.Context) error {
	if err := noQuery(c); err != nil {
		return err
	}
	g, err := named(a, c, auth.Read, commands.KindGroup, a.Store.Group, events.GroupID(c.Param("guid")))
	if err != nil {
		return err
	}
	return one(c, g.Stamp, a.base(c).Group(g))
}

// createGroup is the body of a request for several deployments.
type createGroup struct {
	Name     string            `json:"name"`
	Members  []json.RawMessage `json:"members"`
	Metadata metadata          `json:"metadata"`
}

// groupMember is a member: the body of a request for a deployment, and when it begins.
type groupMember struct {
	createDeployment
	Wave *int `json:"wave"` // when it begins: after all of the waves before are deployed; 1 if not given
}

// command is what the body asks for. fault is what was wrong with its form; all that is wrong is told together.
func (body createGroup) command(fault error) (commands.CreateGroup, error) {
	create, faults := commands.CreateGroup{Called: body.Name, Metadata: events.Metadata(body.Metadata)}, []error{fault}
	for i, raw := range body.Members {
		var m groupMember
		deploy, err := m.command(decode(raw, &m))
		faults = append(faults, commands.OfMember(i, err))
		create.Members = append(create.Members, commands.Member{CreateDeployment: deploy, Wave: m.Wave})
	}
	if err := commands.Together(faults...); err != nil {
		return create, err
	}
	return create, create.Check()
}

func (a *API) createGroup(c echo.Context) error {
	var body createGroup
	create, err := body.command(bind(c, &body))
	if err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, create)
}

// evaluateGroup says which policies would match each member, and what would come out; it writes nothing. Whoever could ask for the
// group may ask for this.
func (a *API) evaluateGroup(c echo.Context) error {
	var body createGroup
	create, err := body.command(bind(c, &body))
	if err != nil {
		return err
	}
	return a.ask(c, commands.EvaluateGroup{CreateGroup: create})
}

// directGroup answers with the group, which tells what became of each member as it goes on.
func (a *API) directGroup(command func(events.GroupID) commands.Command) echo.HandlerFunc {
	return func(c echo.Context) error {
		var none struct{}
		if err := bind(c, &none); err != nil {
			return err
		}
		return a.shown(c, http.StatusOK, command(events.GroupID(c.Param("guid"))))
	}
}

func (a *API) updateGroup(c echo.Context) error {
	var body updateDeployment
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateGroup{Group: events.GroupID(c.Param("guid")), Metadata: body.Metadata})
}
