package cferror_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

func TestFrom(t *testing.T) {
	reject := func(code aggregates.Code) error { return &aggregates.RejectedError{Code: code, Message: "because"} }
	for name, tt := range map[string]struct {
		err    error
		status int
		code   int
		title  string
		detail string
	}{
		"unprocessable":    {reject(aggregates.CodeUnprocessable), 422, 10008, "CF-UnprocessableEntity", "because"},
		"not found":        {reject(aggregates.CodeNotFound), 404, 10010, "CF-ResourceNotFound", "because"},
		"not unique":       {reject(aggregates.CodeUniqueness), 422, 10016, "CF-UniquenessError", "because"},
		"conflict":         {reject(aggregates.CodeConflict), 409, 409001, "CF-Conflict", "because"},
		"malformed":        {reject(commands.CodeMalformed), 400, 1001, "CF-MessageParseError", "because"},
		"a code to come":   {reject("Novel"), 422, 10008, "CF-UnprocessableEntity", "because"},
		"no token":         {auth.ErrNoToken, 401, 10002, "CF-NotAuthenticated", "Authentication error"},
		"a wrong token":    {auth.ErrBadToken, 401, 1000, "CF-InvalidAuthToken", "Invalid Auth Token"},
		"too small scopes": {auth.ErrScope, 403, 10003, "CF-NotAuthorized", cferror.NotAuthorized.Detail},
		"a lost race":      {eventlog.ErrConflict, 503, 10015, "CF-ServiceUnavailable", cferror.ServiceUnavailable.Detail},
		"no log":           {eventlog.ErrUnavailable, 503, 10015, "CF-ServiceUnavailable", cferror.ServiceUnavailable.Detail},
		"out of time":      {context.DeadlineExceeded, 503, 10015, "CF-ServiceUnavailable", cferror.ServiceUnavailable.Detail},
		"corrupt":          {&eventlog.CorruptError{Problem: "secret"}, 500, 10001, "CF-UnknownError", "An unknown error occurred."},
		"anything else":    {errors.New("secret"), 500, 10001, "CF-UnknownError", "An unknown error occurred."},
		"one of the table": {cferror.BadQueryParameter.With("page %d", 0), 400, 10005, "CF-BadQueryParameter", "page 0"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := cferror.From(fmt.Errorf("wrapped: %w", tt.err))
			is.Equal(got, cferror.Error{Status: tt.status, Code: tt.code, Title: tt.title, Detail: tt.detail})
		})
	}
}

func TestBody(t *testing.T) {
	is := is.New(t)
	is.Equal(string(cferror.Body(cferror.NotFound)), `{"errors":[{"code":10000,"title":"CF-NotFound","detail":"Unknown request"}]}`)
}
