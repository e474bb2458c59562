package api

import (
	"strings"

	"slipway/internal/cferror"
	"slipway/internal/openapi"
)

// noParameters is the Query of an operation that refuses any; see [noQuery].
var noParameters = []string{}

// refused adds to an operation how it can be refused, which its form says: what reads a body can find it wrong, what is about a
// thing can miss it. Statuses, codes and texts are those of package cferror.
func refused(o openapi.Operation) openapi.Operation {
	all := []cferror.Error{cferror.NotAuthorized, cferror.UnknownError, cferror.ServiceUnavailable}
	if !o.Open {
		all = append(all, cferror.NotAuthenticated, cferror.InvalidAuthToken)
	}
	if strings.Contains(o.Path, ":") {
		all = append(all, cferror.ResourceNotFound)
	}
	if o.Query != nil {
		all = append(all, cferror.BadQueryParameter)
	}
	if o.Body != nil {
		all = append(all, cferror.MessageParseError, cferror.RequestTooLarge, cferror.UnsupportedMediaType)
	}
	if o.Body != nil || o.Header != nil && o.Method != "GET" {
		all = append(all, cferror.UnprocessableEntity)
	}
	if _, fenced := o.Body.(steps); fenced {
		all = append(all, cferror.Conflict)
	}
	for _, e := range all {
		o.Refusals = append(o.Refusals, openapi.Refusal{
			Status: e.Status, Code: e.Title, Text: e.Detail, Body: refusals{Errors: []cferror.Error{e}},
		})
	}
	return o
}
