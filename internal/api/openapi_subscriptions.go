package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

func subscriptionOperations() []openapi.Operation {
	const one = "/v3/subscriptions/:guid"
	shown := []openapi.Answer{{Status: http.StatusOK, Body: resource.Subscription{}}}
	return []openapi.Operation{
		{
			ID: "listSubscriptions", Method: "GET", Path: "/v3/subscriptions", Tag: tagSubscriptions, Summary: "List subscriptions",
			Query: paged("order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids", "label_selector"),
			Answers: []openapi.Answer{
				{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Subscription{}}, Text: "Paths of URLs are hidden."},
			},
		},
		{
			ID: "createSubscription", Method: "POST", Path: "/v3/subscriptions", Tag: tagSubscriptions, Summary: "Have events sent to a URL",
			Text:   "Those of an app's space, of an organization, or without relationships all. The secret that signs deliveries is in the answer, and in no other.",
			Header: keyed, Body: createSubscription{}, Needed: true,
			Answers: []openapi.Answer{{Status: http.StatusCreated, Body: resource.Subscription{}}},
		},
		{ID: "getSubscription", Method: "GET", Path: one, Tag: tagSubscriptions, Summary: "Get a subscription, and how deliveries go", Query: noParameters, Answers: shown},
		{
			ID: "updateSubscription", Method: "PATCH", Path: one, Tag: tagSubscriptions, Summary: "Change a subscription",
			Header: keyed, Body: updateSubscription{}, Answers: shown,
		},
		{
			ID: "deleteSubscription", Method: "DELETE", Path: one, Tag: tagSubscriptions, Summary: "Delete a subscription", Header: keyed,
			Answers: []openapi.Answer{{Status: http.StatusNoContent}},
		},
		{
			ID: "testSubscription", Method: "POST", Path: one + "/actions/test", Tag: tagSubscriptions, Summary: "Send a test",
			Text: "The status of the subscription tells how it went.", Header: keyed,
			Answers: []openapi.Answer{{Status: http.StatusAccepted, Body: resource.Subscription{}}},
		},
		{
			ID: "rotateSubscriptionSecret", Method: "POST", Path: one + "/actions/rotate_secret", Tag: tagSubscriptions, Summary: "Sign with a new secret",
			Text: "It is in the answer, and in no other.", Header: keyed, Answers: shown,
		},
	}
}
