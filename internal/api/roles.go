package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

func (a *API) roleRoutes() {
	a.echo.POST("/v3/roles", a.createRole)
}

// createRole is what a client asks for that has made a space: to be somebody in it.
type createRole struct {
	Type          string `json:"type"`
	Relationships struct {
		User struct {
			Data struct {
				GUID   string `json:"guid"`
				Name   string `json:"username"`
				Origin string `json:"origin"`
			} `json:"data"`
		} `json:"user"`
		Space        toOne `json:"space"`
		Organization toOne `json:"organization"`
	} `json:"relationships"`
}

// createRole gives no roles: they stand in a file that is the operator's. But admins ask for one in each space that they make,
// the cf CLI for them. They may do all that it would allow, so it is shown as theirs; nothing is kept of it.
func (a *API) createRole(c echo.Context) error {
	var body createRole
	if err := bind(c, &body); err != nil {
		return err
	}
	anybody(c) // it changes nothing, and shows nobody what they may not see
	ctx, to := c.Request().Context(), body.Relationships
	who, asked := auth.FromContext(ctx), to.User.Data
	if !who.Everywhere(auth.Administer) || (asked.Name != who.UserName && asked.GUID != who.UserID) {
		return aggregates.Reject("Roles are given by who runs Slipway: with 'slipway auth add-user NAME --role ROLE:ORG/SPACE', " +
			"or for somebody who is there already in the file auth.json")
	}
	if _, err := a.Store.Space(ctx, events.SpaceID(to.Space.guid())); to.Space.guid() != "" && err != nil {
		return missing(commands.KindSpace, err)
	}
	if _, err := a.Store.Organization(ctx, events.OrganizationID(to.Organization.guid())); to.Organization.guid() != "" && err != nil {
		return missing(commands.KindOrganization, err)
	}
	return answer(c, http.StatusCreated, a.base(c).Role(body.Type, who.UserID, to.Organization.guid(), to.Space.guid(), a.Now()))
}
