package api

import (
	"net/http"

	"slipway/internal/openapi"
)

func serverOperations() []openapi.Operation {
	return []openapi.Operation{
		{
			ID: "getOpenAPI", Method: "GET", Path: pathOpenAPI, Tag: tagServer, Open: true, Summary: "Get this document",
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: map[string]any{}}, {Status: http.StatusNotModified, Text: "It is the one of If-None-Match."}},
		},
		{
			ID: "getHealth", Method: "GET", Path: "/healthz", Tag: tagServer, Open: true, Summary: "Ask whether the server lives",
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: liveness{}}},
		},
		{
			ID: "getReadiness", Method: "GET", Path: "/readyz", Tag: tagServer, Open: true, Summary: "Ask whether requests can be served",
			Text:    "Refused with 503 while the event log does not answer or the read models are far behind it.",
			Answers: []openapi.Answer{{Status: http.StatusOK, Body: readiness{}}},
		},
	}
}
