package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

// historyOperations tell what happened. Audit events are Cloud Foundry's, but for the filter by who did it.
func historyOperations() []openapi.Operation {
	list := func(row any) []openapi.Answer {
		return []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: row}}}
	}
	return []openapi.Operation{
		{
			ID: "listDeploymentEvents", Method: "GET", Path: "/v3/deployments/:guid/events", Tag: tagHistory,
			Summary: "List what happened to an app while a deployment went on", Query: paged("order_by", "types", "actors", "created_ats"),
			Text:    "CloudEvents in the order of the event log, or the latest first, with who, when and why. They stay when the deployment is gone.",
			Answers: list(resource.Event{}),
		},
		{
			ID: "listAppEvents", Method: "GET", Path: "/v3/apps/:guid/events", Tag: tagHistory, Summary: "List all that happened to an app",
			Query:   paged("order_by", "types", "actors", "created_ats"),
			Text:    "CloudEvents in the order of the event log, or the latest first, with who, when and why. They stay when the app is gone.",
			Answers: list(resource.Event{}),
		},
		{
			ID: "listAuditEvents", Method: "GET", Path: "/v3/audit_events", Tag: tagHistory, Summary: "List what was done to apps, in Cloud Foundry's words, and to what governs deployments",
			Query: paged("order_by", "created_ats", "guids", "types", "target_guids", "target_guids[not]", "space_guids", "organization_guids",
				"actors"),
			Answers: list(resource.AuditEvent{}),
		},
		{
			ID: "getAuditEvent", Method: "GET", Path: "/v3/audit_events/:guid", Tag: tagHistory, Summary: "Get an audit event",
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.AuditEvent{}}},
		},
	}
}
