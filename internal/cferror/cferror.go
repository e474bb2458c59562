// Package cferror is the one table of what goes wrong and what Cloud Foundry's clients call it. HTTP and the NATS doors
// answer from it, so an error has the same code, title and status through each.
package cferror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"slipway/aggregates"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// Error is one error as Cloud Foundry's v3 API shows it.
type Error struct {
	Status int    `json:"-"`      // HTTP's; the NATS doors give it as the error's code
	Code   int    `json:"code"`   // Cloud Foundry's number
	Title  string `json:"title"`  // with its prefix: "CF-UnprocessableEntity"
	Detail string `json:"detail"` // for a person
}

func (e Error) Error() string { return e.Title + ": " + e.Detail }

// With gives e with another detail.
func (e Error) With(format string, args ...any) Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// The errors with their usual details. Numbers, titles and statuses are those of Cloud Foundry's errors/v3.yml, but for
// Conflict: Cloud Foundry has no fence that would need it, so its number lies outside the ones it uses.
var (
	MessageParseError    = Error{http.StatusBadRequest, 1001, "CF-MessageParseError", commands.Malformed().Message}
	BadRequest           = Error{http.StatusBadRequest, 1004, "CF-BadRequest", "The request is invalid"}
	InvalidAuthToken     = Error{http.StatusUnauthorized, 1000, "CF-InvalidAuthToken", "Invalid Auth Token"}
	NotAuthenticated     = Error{http.StatusUnauthorized, 10002, "CF-NotAuthenticated", "Authentication error"}
	NotAuthorized        = Error{http.StatusForbidden, 10003, "CF-NotAuthorized", "You are not authorized to perform the requested action"}
	NotFound             = Error{http.StatusNotFound, 10000, "CF-NotFound", "Unknown request"}
	UnknownError         = Error{http.StatusInternalServerError, 10001, "CF-UnknownError", "An unknown error occurred."}
	BadQueryParameter    = Error{http.StatusBadRequest, 10005, "CF-BadQueryParameter", "The query parameter is invalid"}
	UnprocessableEntity  = Error{http.StatusUnprocessableEntity, 10008, "CF-UnprocessableEntity", "The request is semantically invalid"}
	ResourceNotFound     = Error{http.StatusNotFound, 10010, "CF-ResourceNotFound", "The resource was not found"}
	ServiceUnavailable   = Error{http.StatusServiceUnavailable, 10015, "CF-ServiceUnavailable", "Not available for the moment. Send the request again."}
	UniquenessError      = Error{http.StatusUnprocessableEntity, 10016, "CF-UniquenessError", "It exists already"}
	Conflict             = Error{http.StatusConflict, 409001, "CF-Conflict", "Somebody else was faster. Read again, then decide again."}
	RequestTooLarge      = Error{http.StatusRequestEntityTooLarge, 1004, "CF-BadRequest", "The request is too large"}
	UnsupportedMediaType = Error{http.StatusUnsupportedMediaType, 1004, "CF-BadRequest", "The content type is not supported"}
)

// refusals says what each code of a refused command becomes.
var refusals = map[aggregates.Code]Error{
	aggregates.CodeUnprocessable: UnprocessableEntity,
	aggregates.CodeNotFound:      ResourceNotFound,
	aggregates.CodeUniqueness:    UniquenessError,
	aggregates.CodeConflict:      Conflict,
	aggregates.CodeForbidden:     NotAuthorized,
	commands.CodeMalformed:       MessageParseError,
}

// From says what err becomes. An error it does not know is UnknownError without detail: its text is for the log, not
// for whoever sent the request. History that is corrupt is one of these.
func From(err error) Error {
	var shown Error
	var rejected *aggregates.RejectedError
	switch {
	case errors.As(err, &shown):
		return shown
	case errors.As(err, &rejected):
		e, ok := refusals[rejected.Code]
		if !ok {
			e = UnprocessableEntity
		}
		e.Detail = rejected.Message
		return e
	case errors.Is(err, auth.ErrNoToken):
		return NotAuthenticated
	case errors.Is(err, auth.ErrBadToken):
		return InvalidAuthToken
	case errors.Is(err, auth.ErrScope):
		return NotAuthorized
	case errors.Is(err, eventlog.ErrConflict):
		// The repository has tried again by itself; what the request asks for may still be right.
		return ServiceUnavailable
	case errors.Is(err, eventlog.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ServiceUnavailable
	}
	return UnknownError
}

// Titled is the error of a title that a refusal was recorded with; UnprocessableEntity where no refusal has it.
func Titled(title string) Error {
	for _, e := range refusals {
		if e.Title == title {
			return e
		}
	}
	return UnprocessableEntity
}

// Body is the JSON body of an answer that says what is wrong.
func Body(errs ...Error) []byte {
	data, err := json.Marshal(struct {
		Errors []Error `json:"errors"`
	}{errs})
	if err != nil {
		panic(fmt.Sprintf("cferror: %v", err)) // numbers and strings always encode
	}
	return data
}
