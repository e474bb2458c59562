package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

// describedGroup is the body of a request for several deployments as the document shows it; see [createGroup].
type describedGroup struct {
	Name     string        `json:"name"`
	Members  []groupMember `json:"members"` // at least one
	Metadata metadata      `json:"metadata"`
}

func groupOperations() []openapi.Operation {
	const path = "/v3/deployment_groups"
	shown := []openapi.Answer{{Status: http.StatusOK, Body: resource.Group{}}}
	all := []openapi.Operation{
		{
			ID: "listDeploymentGroups", Method: "GET", Path: path, Tag: tagGroups, Summary: "List groups of deployments",
			Query:   paged("order_by", "created_ats", "updated_ats", "guids", "names", "label_selector", "app_guids", "status_values"),
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Group{}}}},
		},
		{
			ID: "createDeploymentGroup", Method: "POST", Path: path, Tag: tagGroups, Summary: "Begin several deployments as one",
			Text: "Each member is the body of a request for a deployment, with the `wave` in which it begins: when all of the waves before " +
				"are deployed. The whole is refused where one of the members would be.",
			Header: keyed, Body: describedGroup{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusCreated, Body: resource.Group{}}},
		},
		{
			ID: "evaluateDeploymentGroup", Method: "POST", Path: path + "/evaluate", Tag: tagGroups,
			Summary: "Say which policies would match the members of a group, and what would come out; it writes nothing",
			Text:    "As if the waves of all members came now.",
			Body:    describedGroup{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.GroupEvaluation{}}},
		},
		{ID: "getDeploymentGroup", Method: "GET", Path: path + "/:guid", Tag: tagGroups, Summary: "Get a group", Query: noParameters, Answers: shown},
		{
			ID: "updateDeploymentGroup", Method: "PATCH", Path: path + "/:guid", Tag: tagGroups, Summary: "Change labels and annotations",
			Header: keyed, Body: updateDeployment{}, Answers: shown,
		},
		{
			ID: "listDeploymentGroupEvents", Method: "GET", Path: path + "/:guid/events", Tag: tagGroups,
			Summary: "List what happened to a group and its members", Query: paged("order_by", "types", "actors", "created_ats"),
			Text:    "CloudEvents in the order of the event log, or the latest first, with who, when and why: the group's own, and those of the deployments of its members.",
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: openapi.Page{List: resource.List{}, Row: resource.Event{}}}},
		},
		{
			ID: "streamDeploymentGroupEvents", Method: "GET", Path: path + "/:guid/stream", Tag: tagGroups,
			Summary: "Follow what happens to a group and its members", Query: []string{"last_event_id"}, Header: []string{"Last-Event-ID"},
			Text: "Server-sent events as of a deployment. The event `end` comes after the group's last one.",
			Answers: []openapi.Answer{
				{Status: http.StatusOK, Body: "", Media: "text/event-stream", Text: "The events, as they happen."},
				{Status: http.StatusNoContent, Text: "There is nothing after the last event that was read, and nothing will come."},
			},
		},
	}
	for _, a := range []struct{ id, action, summary, text string }{
		{"continueDeploymentGroup", "continue", "Let the members go on that pause at a step", "One step; those that are held after a failure stay."},
		{"finalizeDeploymentGroup", "finalize", "Let all members go on to their ends", "Past every step, and the group cannot be taken back any more."},
		{"cancelDeploymentGroup", "cancel", "Let all members go back, quickly", "Only while every one of them is RUNNING; the refusal lists the others."},
		{"rollBackDeploymentGroup", "rollback", "Let the members go back that can, with all capacity kept", "Unless the group is FINALIZING."},
	} {
		all = append(all, openapi.Operation{
			ID: a.id, Method: "POST", Path: path + "/:guid/actions/" + a.action, Tag: tagGroups, Summary: a.summary, Text: a.text,
			Header: keyed, Body: struct{}{}, Answers: shown,
		})
	}
	return all
}
