package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/projections"
)

func (a *API) subscriptionRoutes() {
	a.get("/v3/subscriptions", a.listSubscriptions)
	a.echo.POST("/v3/subscriptions", a.createSubscription)
	a.get("/v3/subscriptions/:guid", a.getSubscription)
	a.echo.PATCH("/v3/subscriptions/:guid", a.updateSubscription)
	a.echo.DELETE("/v3/subscriptions/:guid", a.deleteSubscription)
	a.echo.POST("/v3/subscriptions/:guid/actions/test", a.testSubscription)
	a.echo.POST("/v3/subscriptions/:guid/actions/rotate_secret", a.rotateSubscription)
}

// listSubscriptions hides what may be a secret in URLs, as lists do.
func (a *API) listSubscriptions(c echo.Context) error {
	q := listQuery(c, "order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids", "label_selector")
	f := projections.SubscriptionFilter{
		GUIDs: list[events.SubscriptionID](q, "guids"), Names: list[string](q, "names"),
		Organizations: list[events.OrganizationID](q, "organization_guids"), Spaces: list[events.SpaceID](q, "space_guids"),
		Created: q.times("created_ats"), Updated: q.times("updated_ats"), Labels: q.labels(),
	}
	q.orderBy(projections.ByName)
	return listed(a, c, q, auth.Read, projections.Sight.Subscriptions, f, showing(false, a.base(c).Subscription))
}

func (a *API) getSubscription(c echo.Context) error {
	if err := noQuery(c); err != nil {
		return err
	}
	s, err := named(a, c, auth.Read, commands.KindSubscription, a.Store.Subscription, events.SubscriptionID(c.Param("guid")))
	if err != nil {
		return err
	}
	shown, err := a.discreet(c, thing(commands.KindSubscription, s.GUID), a.base(c).Subscription(s))
	if err != nil {
		return err
	}
	return one(c, s.Stamp, shown)
}

type createSubscription struct {
	Name          string   `json:"name"`
	URL           string   `json:"url"`          // where events go: http or https
	Types         []string `json:"types"`        // of events, or their beginnings: deployment.*
	ContentMode   string   `json:"content_mode"` // structured or binary, of CloudEvents; structured if not given
	Active        *bool    `json:"active"`       // events are sent; true if not given
	Relationships inScope  `json:"relationships"`
	Metadata      metadata `json:"metadata"`
}

func (a *API) createSubscription(c echo.Context) error {
	var body createSubscription
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusCreated, commands.CreateSubscription{
		Called: body.Name, URL: body.URL, Types: body.Types, ContentMode: body.ContentMode, Active: body.Active,
		Organization: events.OrganizationID(body.Relationships.Organization.guid()), Space: events.SpaceID(body.Relationships.Space.guid()),
		Metadata: events.Metadata(body.Metadata),
	})
}

type updateSubscription struct {
	Name        *string                `json:"name"`
	URL         *string                `json:"url"`          // where events go: http or https
	Types       []string               `json:"types"`        // of events, or their beginnings: all of them anew
	ContentMode *string                `json:"content_mode"` // structured or binary, of CloudEvents
	Active      *bool                  `json:"active"`       // events are sent; otherwise they wait
	Metadata    commands.MetadataPatch `json:"metadata"`
}

func (a *API) updateSubscription(c echo.Context) error {
	var body updateSubscription
	if err := bind(c, &body); err != nil {
		return err
	}
	return a.shown(c, http.StatusOK, commands.UpdateSubscription{
		Subscription: events.SubscriptionID(c.Param("guid")), Called: body.Name, URL: body.URL, Types: body.Types,
		ContentMode: body.ContentMode, Active: body.Active, Metadata: body.Metadata,
	})
}

func (a *API) deleteSubscription(c echo.Context) error {
	if _, err := a.carryOut(c, commands.DeleteSubscription{Subscription: events.SubscriptionID(c.Param("guid"))}); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// testSubscription answers once the test is on its way; the status of the subscription tells how it went.
func (a *API) testSubscription(c echo.Context) error {
	return a.shown(c, http.StatusAccepted, commands.TestSubscription{Subscription: events.SubscriptionID(c.Param("guid"))})
}

func (a *API) rotateSubscription(c echo.Context) error {
	return a.shown(c, http.StatusOK, commands.RotateSubscription{Subscription: events.SubscriptionID(c.Param("guid"))})
}
