package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/commands"
)

// approvalRoutes are our own addition: what people say to deployments that wait, and to versions.
func (a *API) approvalRoutes() {
	a.echo.POST("/v3/deployments/:guid/actions/approve", a.approveDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/deny", a.denyDeployment)
	a.echo.POST("/v3/deployments/:guid/actions/start", a.startDeployment)
	a.echo.POST("/v3/droplets/:guid/actions/reject", a.rejectDroplet)
	a.echo.POST("/v3/droplets/:guid/actions/accept", a.acceptDroplet)
	a.echo.POST("/v3/revisions/:guid/actions/reject", a.rejectRevision)
	a.echo.POST("/v3/revisions/:guid/actions/accept", a.acceptRevision)
	a.echo.POST("/v3/apps/:guid/actions/release_automation", a.releaseAutomation)
}

// comment is the optional body of an answer.
type comment struct {
	Comment string `json:"comment"` // what there is to say about it
}

func (a *API) approveDeployment(c echo.Context) error {
	var body comment
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.ApproveDeployment{Deployment: events.DeploymentID(c.Param("guid")), Comment: body.Comment})
}

func (a *API) denyDeployment(c echo.Context) error {
	var body comment
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.DenyDeployment{Deployment: events.DeploymentID(c.Param("guid")), Comment: body.Comment})
}

// act is shown for an action that takes no body.
func (a *API) act(c echo.Context, command commands.Command) error {
	if err := bind(c, &struct{}{}); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, command)
}

func (a *API) startDeployment(c echo.Context) error {
	return a.act(c, commands.StartDeployment{Deployment: events.DeploymentID(c.Param("guid"))})
}

// reason is the body of a rejection.
type reason struct {
	Reason string `json:"reason"` // why, for whoever tries to deploy it
}

func (a *API) rejectDroplet(c echo.Context) error {
	var body reason
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.RejectVersion{Droplet: events.DropletID(c.Param("guid")), Reason: body.Reason})
}

func (a *API) acceptDroplet(c echo.Context) error {
	return a.act(c, commands.AcceptVersion{Droplet: events.DropletID(c.Param("guid"))})
}

func (a *API) rejectRevision(c echo.Context) error {
	var body reason
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.RejectVersion{Revision: events.RevisionID(c.Param("guid")), Reason: body.Reason})
}

func (a *API) acceptRevision(c echo.Context) error {
	return a.act(c, commands.AcceptVersion{Revision: events.RevisionID(c.Param("guid"))})
}

func (a *API) releaseAutomation(c echo.Context) error {
	return a.act(c, commands.ReleaseAutomation{App: events.AppID(c.Param("guid"))})
}
