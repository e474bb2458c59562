package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

// Tags of the document.
const (
	tagDeployments   = "Deployments"
	tagGroups        = "Groups of deployments"
	tagApprovals     = "Approvals"
	tagVersions      = "Rejected versions"
	tagHalts         = "Halts"
	tagPolicies      = "Policies"
	tagSignals       = "Signals"
	tagSubscriptions = "Subscriptions"
	tagHistory       = "History"
	tagServer        = "Server"
)

func deploymentOperations() []openapi.Operation {
	shown := []openapi.Answer{{Status: http.StatusOK, Body: resource.Deployment{}}}
	steered := []openapi.Answer{{Status: http.StatusOK, Text: "It is on record. The body is empty; read the deployment to follow it."}}
	return []openapi.Operation{
		{
			ID: "listDeployments", Method: "GET", Path: "/v3/deployments", Tag: tagDeployments, Summary: "List deployments",
			Query: paged("order_by", "created_ats", "updated_ats", "guids", "label_selector", "app_guids", "states",
				"status_reasons", "status_values", "group_guids"),
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Deployment{}}}},
		},
		{
			ID: "createDeployment", Method: "POST", Path: "/v3/deployments", Tag: tagDeployments, Summary: "Begin a deployment",
			Text: "Of a droplet, of an earlier revision, or of the app's current droplet where neither is given. " +
				"`relationships.deployment_strategy` names a stored strategy in place of `strategy`.",
			Header: keyed, Body: createDeployment{}, Needed: true,
			Answers: []openapi.Answer{{Status: http.StatusCreated, Body: resource.Deployment{}}},
		},
		{
			ID: "planDeployment", Method: "POST", Path: "/v3/deployments/plan", Tag: tagDeployments, Summary: "Simulate a deployment",
			Text: "How the deployment that the same body asks for would go, step by step, and what a failure in each would do. " +
				"Nothing is written. It is refused as the deployment would be.",
			Body: planDeployment{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.Forecast{}}},
		},
		{
			ID: "getDeployment", Method: "GET", Path: "/v3/deployments/:guid", Tag: tagDeployments, Summary: "Get a deployment, as it is or was",
			Text: "With `at` it is shown as it was, with `as_of`; without, `as_of` is absent.", Query: []string{"at"},
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: shownDeployment{}}},
		},
		{
			ID: "updateDeployment", Method: "PATCH", Path: "/v3/deployments/:guid", Tag: tagDeployments, Summary: "Change labels and annotations",
			Header: keyed, Body: updateDeployment{}, Answers: shown,
		},
		{
			ID: "cancelDeployment", Method: "POST", Path: "/v3/deployments/:guid/actions/cancel", Tag: tagDeployments,
			Summary: "Go back to the version before, quickly", Header: keyed, Body: steps{}, Answers: steered,
		},
		{
			ID: "continueDeployment", Method: "POST", Path: "/v3/deployments/:guid/actions/continue", Tag: tagDeployments,
			Summary: "Go on from a pause", Header: keyed, Body: steps{}, Answers: steered,
		},
		{
			ID: "rollBackDeployment", Method: "POST", Path: "/v3/deployments/:guid/actions/rollback", Tag: tagDeployments,
			Summary: "Go back to the version before, with all capacity kept", Header: keyed, Body: steps{}, Answers: steered,
		},
		{
			ID: "streamDeploymentEvents", Method: "GET", Path: "/v3/deployments/:guid/stream", Tag: tagDeployments,
			Summary: "Follow what happens", Query: []string{"last_event_id"}, Header: []string{"Last-Event-ID"},
			Text: "Server-sent events: the id is a place in the event log, the name an event's type, the data the same CloudEvent that the " +
				"list of events has. The event `end` comes after a deployment's last one.",
			Answers: []openapi.Answer{
				{Status: http.StatusOK, Body: "", Media: "text/event-stream", Text: "The events, as they happen."},
				{Status: http.StatusNoContent, Text: "There is nothing after the last event that was read, and nothing will come."},
			},
		},
	}
}

// shownDeployment is a deployment as GET answers: [asOf] where a moment was asked for.
type shownDeployment struct {
	resource.Deployment
	AsOf *resource.AsOf `json:"as_of,omitempty"` // where a moment was asked for: which one it is
}
