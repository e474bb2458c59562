package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

func policyOperations() []openapi.Operation {
	shown := []openapi.Answer{{Status: http.StatusOK, Body: resource.Policy{}}}
	return []openapi.Operation{
		{
			ID: "listPolicies", Method: "GET", Path: "/v3/policies", Tag: tagPolicies, Summary: "List policies",
			Query: paged("order_by", "created_ats", "updated_ats", "guids", "names", "organization_guids", "space_guids", "outcomes",
				"label_selector"),
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Policy{}}}},
		},
		{
			ID: "createPolicy", Method: "POST", Path: "/v3/policies", Tag: tagPolicies, Summary: "Subject deployments in a place to a rule",
			Text: "In a space, in an organization, or without relationships everywhere. The condition is CEL over `app`, `space`, `organization`, " +
				"`droplet`, `revision`, `strategy`, `actor`, `now` and `last_deployments`; one that fails on a request denies it.",
			Header: keyed, Body: createPolicy{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusCreated, Body: resource.Policy{}}},
		},
		{
			ID: "evaluatePolicies", Method: "POST", Path: "/v3/policies/evaluate", Tag: tagPolicies,
			Summary: "Say which policies would match a deployment, and what would come out; it writes nothing",
			Body:    createDeployment{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.Evaluation{}}},
		},
		{ID: "getPolicy", Method: "GET", Path: "/v3/policies/:guid", Tag: tagPolicies, Summary: "Get a policy", Query: noParameters, Answers: shown},
		{
			ID: "updatePolicy", Method: "PATCH", Path: "/v3/policies/:guid", Tag: tagPolicies, Summary: "Change a policy for requests from now on",
			Text: "A rule replaces the whole one.", Header: keyed, Body: updatePolicy{}, Needed: true, Answers: shown,
		},
		{
			ID: "deletePolicy", Method: "DELETE", Path: "/v3/policies/:guid", Tag: tagPolicies, Summary: "Take a policy away", Header: keyed,
			Answers: []openapi.Answer{{Status: http.StatusNoContent}},
		},
	}
}
