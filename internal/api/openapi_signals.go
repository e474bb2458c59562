package api

import (
	"net/http"

	"slipway/internal/openapi"
	"slipway/internal/resource"
)

func signalOperations() []openapi.Operation {
	return []openapi.Operation{
		{
			ID: "listSignals", Method: "GET", Path: "/v3/apps/:guid/signals", Tag: tagSignals, Summary: "List the alarms about an app that fire",
			Text: "They have no pages: there are few.", Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.Signals{}}},
		},
		{
			ID: "signalApp", Method: "POST", Path: "/v3/apps/:guid/signals", Tag: tagSignals, Summary: "Say that an alarm about an app fires, or is over",
			Text:   "An alarm that fires fails the deployment that goes on, as its options say. `firing` must be given.",
			Header: keyed, Body: signal{}, Needed: true, Answers: []openapi.Answer{{Status: http.StatusOK, Body: resource.Signal{}}},
		},
		{
			ID: "receiveAlerts", Method: "POST", Path: pathAlertmanager, Tag: tagSignals, Summary: "Take what Prometheus' Alertmanager sends",
			Text:   "The body is that of its webhook. An alert that is about no app is told in the answer and does not keep the others back.",
			Header: keyed, Body: alerts{}, Needed: true, Loose: true, Answers: []openapi.Answer{{Status: http.StatusOK, Body: heardAlerts{}}},
		},
		{
			ID: "listPrometheusTargets", Method: "GET", Path: pathTargets, Tag: tagSignals, Summary: "List running instances for Prometheus to scrape",
			Text: "In the form of its HTTP service discovery.", Answers: []openapi.Answer{{Status: http.StatusOK, Body: []target{}}},
		},
	}
}
