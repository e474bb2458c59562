package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

func haltOperations() []openapi.Operation {
	shown := []openapi.Answer{{Status: http.StatusOK, Body: resource.Halt{}}}
	return []openapi.Operation{
		{
			ID: "listHalts", Method: "GET", Path: "/v3/halts", Tag: tagHalts, Summary: "List halts",
			Query:   paged("order_by", "created_ats", "updated_ats", "guids", "organization_guids", "space_guids", "states", "label_selector"),
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Halt{}}}},
		},
		{
			ID: "declareHalt", Method: "POST", Path: "/v3/halts", Tag: tagHalts, Summary: "Hold all deployments of a place",
			Text: "Of a space, of an organization, or without relationships of all. It ends when it is lifted, or at `until`, or after " +
				"`duration_in_seconds`.",
			Header: keyed, Body: declareHalt{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusCreated, Body: resource.Halt{}}},
		},
		{ID: "getHalt", Method: "GET", Path: "/v3/halts/:guid", Tag: tagHalts, Summary: "Get a halt", Query: noParameters, Answers: shown},
		{
			ID: "updateHalt", Method: "PATCH", Path: "/v3/halts/:guid", Tag: tagHalts, Summary: "Change labels and annotations of a halt",
			Text: "In force or not.", Header: keyed, Body: updateDeployment{}, Needed: true, Answers: shown,
		},
		{
			ID: "liftHalt", Method: "POST", Path: "/v3/halts/:guid/actions/lift", Tag: tagHalts, Summary: "Let deployments go on where they were",
			Header: keyed, Body: struct{}{}, Answers: shown,
		},
	}
}

// approvalOperations are what people say to deployments that wait, and to versions.
func approvalOperations() []openapi.Operation {
	acts := []struct {
		id, path, tag, summary, text string
		body, answer                 any
	}{
		{"approveDeployment", "/v3/deployments/:guid/actions/approve", tagApprovals, "Agree that a deployment begins",
			"Of those who may, its policies name who counts; others are refused with 403, and so is whoever asked for it.", comment{}, resource.Deployment{}},
		{"denyDeployment", "/v3/deployments/:guid/actions/deny", tagApprovals, "End a deployment before it begins",
			"Whoever its policies name may, and one no is enough.", comment{}, resource.Deployment{}},
		{"startDeployment", "/v3/deployments/:guid/actions/start", tagApprovals, "Begin a deployment that is approved",
			"Where a policy says that somebody has to.", struct{}{}, resource.Deployment{}},
		{"rejectDroplet", "/v3/droplets/:guid/actions/reject", tagVersions, "Let nobody deploy a droplet", "", reason{}, resource.Droplet{}},
		{"acceptDroplet", "/v3/droplets/:guid/actions/accept", tagVersions, "Let a rejected droplet be deployed again", "", struct{}{}, resource.Droplet{}},
		{"rejectRevision", "/v3/revisions/:guid/actions/reject", tagVersions, "Let nobody deploy a revision", "", reason{}, resource.Revision{}},
		{"acceptRevision", "/v3/revisions/:guid/actions/accept", tagVersions, "Let a rejected revision be deployed again", "", struct{}{}, resource.Revision{}},
		{"releaseAutomation", "/v3/apps/:guid/actions/release_automation", tagVersions, "Let automation deploy an app again",
			"Automation itself is refused with 403.", struct{}{}, resource.App{}},
	}
	var all []openapi.Operation
	for _, a := range acts {
		all = append(all, openapi.Operation{
			ID: a.id, Method: "POST", Path: a.path, Tag: a.tag, Summary: a.summary, Text: a.text, Header: keyed, Body: a.body,
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: a.answer}},
		})
	}
	return all
}
