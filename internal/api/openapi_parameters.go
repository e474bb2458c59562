package api

import (
	"slices"

	"slipway/aggregates/group"
	"slipway/events"
	"slipway/internal/openapi"
	"slipway/internal/resource"
	"slipway/projections"
)

// parameters says of each parameter of the paths in the document what it is.
var parameters = map[string]openapi.Parameter{
	"guid":               {Text: "The guid of what the path is about."},
	headerIdempotencyKey: {Text: "The id of the command, made up by the client: 1 to 64 letters, digits, '_' or '-'. Sent again, it is carried out once."},
	"Last-Event-ID":      {Text: "The id of the last event that was read: the stream goes on after it."},
	"last_event_id":      {Text: "As the header Last-Event-ID, for clients that cannot set it."},
	"at": {Text: "A moment in the past: a sequence of the event log, or a time in RFC 3339. The answer is what was so then, " +
		"with `as_of`."},

	"page":               {Text: "Which page, from 1.", Type: "integer"},
	"per_page":           {Text: "How many on a page, 1 to 5000; 50 if not given.", Type: "integer"},
	"order_by":           {Text: "created_at or updated_at, or name where there are names; with a minus sign before it, the latest first."},
	"created_ats":        {Text: "Times, separated by commas; or with an operator: `created_ats[gt]=2026-01-31T00:00:00Z` (lt, lte, gt, gte)."},
	"updated_ats":        {Text: "As created_ats."},
	"guids":              {Text: "Those with one of these guids, separated by commas."},
	"names":              {Text: "Those with one of these names, separated by commas."},
	"organization_guids": {Text: "Those of one of these organizations, separated by commas."},
	"space_guids":        {Text: "Those of one of these spaces, separated by commas."},
	"app_guids":          {Text: "Those of one of these apps, separated by commas."},
	"group_guids":        {Text: "Those that are members of one of these groups, separated by commas."},
	"label_selector":     {Text: "Those whose labels fit, in the words of Kubernetes' selectors: `env in (prod,test),!legacy`."},
	"states":             {Text: "Those in one of these states, separated by commas. Of halts, what is none is refused (400); of deployments it selects nothing, as in Cloud Foundry."},
	"status_values":      {Text: "Those with one of these values of status, separated by commas. Of groups, what is none is refused (400); of deployments it selects nothing, as in Cloud Foundry."},
	"status_reasons":     {Text: "Those with one of these reasons of status, separated by commas."},
	"outcomes":           {Text: "Those with one of these outcomes, separated by commas; what is none is refused (400)."},
	"types":              {Text: "Events of these types, separated by commas: `deployment.paused`. What is none is refused (400), but of audit events, where it selects nothing, as in Cloud Foundry."},
	"target_guids":       {Text: "Those about one of these apps, policies, halts, subscriptions or groups, separated by commas."},
	"target_guids[not]":  {Text: "Those about none of these."},
	"actors": {Text: "Those of one of these, separated by commas, as history names them: `user/alice`, `client/ci`, or a part of Slipway, " +
		"such as `updater`. What is a comma in a name is escaped twice."},
}

// paged are the parameters of a list: the paging ones, and these.
func paged(keys ...string) []string { return append(slices.Clone(pageKeys), keys...) }

// keyed are the headers of requests that are carried out as a command.
var keyed = []string{headerIdempotencyKey}

func words[T ~string](values []T) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// enums says which values fields have that are strings in Go.
var enums = []openapi.Enum{
	{Of: resource.Status{}, Field: "value", Values: []string{projections.StatusActive, projections.StatusFinalized}},
	{Of: resource.Status{}, Field: "reason", Values: []string{
		projections.ReasonApproval, projections.ReasonDenied, projections.ReasonDeploying, projections.ReasonPaused, projections.ReasonBaking,
		projections.ReasonCanceling, projections.ReasonRollingBack, projections.ReasonDeployed, projections.ReasonCanceled,
		projections.ReasonRolledBack, projections.ReasonSuperseded, projections.ReasonDeleted,
	}},
	{Of: resource.Status{}, Field: "then", Values: []string{events.ThenContinue, events.ThenCancel, events.ThenHold}},
	{Of: resource.Failure{}, Field: "action", Values: []string{events.ThenRollback, events.ThenCancel, events.ThenHold}},
	{Of: resource.Failure{}, Field: "cause", Values: []string{
		events.CauseCheck, events.CauseAlarm, events.CauseDeadline, events.CauseStartup, events.CauseCrashes,
	}},
	{Of: resource.Check{}, Field: "verdict", Values: []string{events.VerdictPass, events.VerdictFail, events.VerdictInconclusive}},
	{Of: resource.Deployment{}, Field: "strategy", Values: []string{
		events.StrategyRolling, events.StrategyCanary, events.StrategyLinear, events.StrategyExponential,
	}},
	{Of: resource.Moment{}, Field: "version", Values: []string{resource.VersionOld, resource.VersionNew}},
	{Of: resource.PolicyVerdict{}, Field: "outcome", Values: outcomes},
	{Of: resource.Halt{}, Field: "state", Values: words(haltStates)},
	{Of: resource.GroupStatus{}, Field: "value", Values: words(groupStatuses)},
	{Of: resource.GroupMember{}, Field: "status", Values: []string{
		string(group.Pending), string(group.Creating), string(group.Approval), string(group.Deploying), string(group.Paused), string(group.Baking),
		string(group.Canceling), string(group.RollingBack), string(group.Deployed), string(group.Canceled), string(group.RolledBack),
		string(group.Superseded), string(group.Denied), string(group.Deleted), string(group.Failed), string(group.Skipped),
	}},
	{Of: resource.Directive{}, Field: "directive", Values: []string{
		events.DirectiveContinue, events.DirectiveFinalize, events.DirectiveCancel, events.DirectiveRollback,
	}},
	{Of: resource.SubscriptionStatus{}, Field: "value", Values: []string{
		resource.DeliveryOK, resource.DeliveryFailing, resource.DeliveryInactive, resource.DeliveryDisabled,
	}},
	{Of: alert{}, Field: "status", Values: []string{"firing", "resolved"}},
}
